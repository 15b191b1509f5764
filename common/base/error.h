// Errors a peer, a user or the machine can cause: one list of codes, used alike on the wire, in
// logs and by the CLI. A code is here only if a caller can act on it; the message says the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "common/base/time.h"

namespace zq {

// clang-format off
// code, retryable (the same request may succeed later, unchanged), meaning
#define ZQ_ERROR_CODES(X)                                                                          \
    X(MALFORMED, false, "frames or MessagePack that do not follow the protocol")                   \
    X(UNSUPPORTED_VERSION, false, "another protocol version than the coordinator speaks")          \
    X(UNKNOWN_TYPE, false, "no such message type, or not one for this socket or direction")        \
    X(INVALID, false, "a field is missing, mistyped or out of its bounds; `field` names it")       \
    X(TOO_LARGE, false, "a message, a field or an artifact exceeds its bound")                     \
    X(NOT_FOUND, false, "no such task, worker, group or artifact")                                 \
    X(CONFLICT, false, "the task has ended, is held by another, or the id or key has another body")\
    X(STALE_LEASE, false, "the lease token is not the current one of that task")                   \
    X(CONTRACT, false, "the result does not meet the task's expected output")                      \
    X(SECRET_FOUND, false, "what looks like a secret stands in a text or an artifact; `field` says where")\
    X(MISSING_CONTENT, true, "named content is not stored; `missing` lists it: put it, say again") \
    X(DIGEST_MISMATCH, false, "the bytes that arrived do not have the digest that was announced")  \
    X(HELLO_FIRST, true, "the coordinator does not know this worker session: send HELLO")          \
    X(NAME_IN_USE, false, "a live worker with another state folder has this name")                 \
    X(SUPERSEDED, false, "a later incarnation of this worker has said HELLO: end")                 \
    X(NOTHING_TO_CLAIM, true, "no task of that role is ready")                                     \
    X(DENIED, false, "the key is not known or not allowed to do this")                             \
    X(QUEUE_FULL, true, "a bound on open tasks is reached")                                        \
    X(DRAINING, true, "the role takes no new tasks until it is resumed")                          \
    X(STORAGE_FULL, true, "the disk is nearly full: submits are refused, completions still land")  \
    X(BUSY, true, "a bound on remembered requests, polls or transfers is reached")                 \
    X(SHUTTING_DOWN, true, "the coordinator is closing: ask again after its restart")              \
    X(UNREACHABLE, true, "no answer from the coordinator (made by the client, never sent)")        \
    X(IO, false, "a file or socket of this machine failed (never sent)")
// clang-format on

enum class ErrorCode : std::uint8_t {
#define ZQ_CODE(name, retryable, meaning) name,
    ZQ_ERROR_CODES(ZQ_CODE)
#undef ZQ_CODE
};

/// The code as it stands on the wire, such as `STALE_LEASE`.
std::string_view to_string(ErrorCode code);
/// What the code means, one line (protocol.md and `zq help errors` print it).
std::string_view meaning(ErrorCode code);
/// True if the same request may succeed later without a change.
bool retryable(ErrorCode code);
std::optional<ErrorCode> parse_error_code(std::string_view name);
bool from_text(std::string_view text, ErrorCode& out);

/// One refused request. `field` names the field at fault where there is one (`task.to`);
/// `retry_after` is 0 where the sender has no better knowledge than "later".
struct Error {
    ErrorCode code = ErrorCode::INVALID;
    std::string message;
    std::string field;
    Millis retry_after{};

    friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = tl::expected<T, Error>;
using Failure = tl::unexpected<Error>;

/// Makes the failed side of a `Result`.
inline Failure fail(ErrorCode code, std::string message, std::string field = {}) {
    return Failure(Error{code, std::move(message), std::move(field), {}});
}

}  // namespace zq
