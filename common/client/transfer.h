// Moves content between files and the coordinator's artifacts socket (DEALER), resuming where a
// link broke. Blocks; used by one thread. Memory use does not grow with the content.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/client/profile.h"
#include "common/platform/socket.h"
#include "common/wire/codec.h"

namespace zq {

struct TransferOptions {
    std::string endpoint;  // of the artifacts socket
    std::optional<CurveKeys> curve;
    Millis silence = seconds(15);  // without any answer: connect anew and resume
    Millis give_up = minutes(5);   // without any progress: UNREACHABLE
    std::function<bool()> stop;    // asked now and then; true ends with SHUTTING_DOWN
};

/// Where content is read: an artifact of an attempt (0: an input of the task), or a checkpoint that
/// the attempt saved.
struct ContentPlace {
    TaskId task;
    std::uint32_t attempt = 0;
    std::string name;
    std::uint32_t checkpoint = 0;  // its number; 0: none
    TaskId for_task;               // that waited for `task`, whose holder reads; or empty
    LeaseToken lease;              // of its holder
};

class Transfer {
  public:
    static Result<std::unique_ptr<Transfer>> open(SocketContext& context, TransferOptions options);
    ~Transfer();

    /// Stores a file's content under its digest. `put` names digest and size, and for an attempt's
    /// output its task and lease. Returns when the content is durable. Errors: DIGEST_MISMATCH (the
    /// file changed), STALE_LEASE, STORAGE_FULL, UNREACHABLE, IO, ….
    Result<void> put_file(const wire::Put& put, const std::string& path);

    /// Fetches content into a file, whole or not at all, with its digest checked against `expected`
    /// unless that is zero. Errors: NOT_FOUND, DIGEST_MISMATCH, ….
    Result<void> fetch_file(const ContentPlace& place, const Digest& expected,
                            const std::string& path);

    /// The same, to a sink that takes the bytes in order (for stdout). Errors also: what sink says.
    Result<void> fetch(const ContentPlace& place, const Digest& expected,
                       const std::function<Result<void>(std::string_view)>& sink);

    /// What became of the tasks that this one waited for, in the order of their ids. Errors:
    /// NOT_FOUND, UNREACHABLE, ….
    Result<std::vector<wire::UpstreamRow>> upstream(const TaskId& task);

  private:
    struct Body;
    explicit Transfer(std::unique_ptr<Body> body);
    std::unique_ptr<Body> body_;
};

}  // namespace zq
