// Strong types for everything that names something, and the checks of their spelling. Two names of
// different kinds never compare or convert by accident.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.h"

namespace zq {

/// A text with a meaning of its own. Validity is checked where a peer's text enters (`parse_*`).
template <class Tag>
struct Name {
    std::string text;

    Name() = default;
    explicit Name(std::string t) : text(std::move(t)) {}
    explicit Name(std::string_view t) : text(t) {}
    explicit Name(const char* t) : text(t) {}

    bool empty() const { return text.empty(); }
    friend auto operator<=>(const Name&, const Name&) = default;
    friend bool operator==(const Name&, const Name&) = default;
};

/// The client makes it: `t-` and 26 characters that sort by time, or the user's own.
using TaskId = Name<struct TaskIdTag>;
/// A named service, such as `review-worker`. Exists by use.
using RoleName = Name<struct RoleTag>;
using WorkerName = Name<struct WorkerTag>;
using GroupName = Name<struct GroupTag>;
/// Part of every task, role, key and right. Only `default` is served in this version.
using Namespace = Name<struct NamespaceTag>;
/// Who speaks: `local` (loopback or ipc without keys), `system` (the coordinator's own timers), or
/// `NAME@FINGERPRINT` of the authenticated CURVE key, the fingerprint being 16 hex digits.
using Identity = Name<struct IdentityTag>;
/// Names a worker's state folder: 32 hex digits made at random when the folder is made.
using StateId = Name<struct StateIdTag>;
/// One run of a client library: 16 hex digits made at random at its start.
using ClientId = Name<struct ClientTag>;

inline const Namespace kDefaultNamespace{"default"};
inline const Identity kLocalIdentity{"local"};
inline const Identity kSystemIdentity{"system"};

/// A journal sequence number; the first event has 1, 0 stands for none.
using Seq = std::uint64_t;
/// Grows by one at every start of the coordinator on the same journal.
using Epoch = std::uint32_t;
/// Random, made with the journal and made anew by a restore from backup.
using JournalId = std::uint64_t;

/// A SHA-256.
struct Digest {
    std::array<std::uint8_t, 32> bytes{};

    friend auto operator<=>(const Digest&, const Digest&) = default;
    bool is_zero() const { return *this == Digest{}; }
};

/// 64 lower-case hex digits.
std::string to_hex(const Digest& digest);
Result<Digest> parse_digest(std::string_view hex, std::string field = "digest");

/// Lower-case hex of any bytes.
std::string to_hex(std::string_view bytes);
/// 16 lower-case hex digits.
std::string to_hex(std::uint64_t number);

/// Fences a lease: only grows within a journal (the epoch stands in the high 32 bits), and never
/// compares equal to one of another journal. On the wire, in files and in `ZQ_LEASE` it is the
/// text `JJJJJJJJJJJJJJJJ-NNNNNNNNNNNNNNNN` (journal id and number as hex).
struct LeaseToken {
    JournalId journal = 0;
    std::uint64_t number = 0;

    friend auto operator<=>(const LeaseToken&, const LeaseToken&) = default;
    bool is_set() const { return number != 0; }
};

std::string to_string(const LeaseToken& token);
Result<LeaseToken> parse_lease_token(std::string_view text, std::string field = "lease");

/// A task's full name. Orders by namespace, then id.
struct TaskKey {
    Namespace ns;
    TaskId id;

    friend auto operator<=>(const TaskKey&, const TaskKey&) = default;
    friend bool operator==(const TaskKey&, const TaskKey&) = default;
};

/// A role's full name.
struct RoleKey {
    Namespace ns;
    RoleName role;

    friend auto operator<=>(const RoleKey&, const RoleKey&) = default;
    friend bool operator==(const RoleKey&, const RoleKey&) = default;
};

/// Names of tasks, roles, workers, groups, namespaces: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
bool is_valid_name(std::string_view text);
/// Checks a name; the error names `field` and says what is allowed.
Result<std::string> parse_name(std::string_view text, std::string field);
/// Artifact names: one or more valid names joined by `/` (no `.` or `..` parts), 255 bytes at most.
bool is_valid_artifact_name(std::string_view text);

/// A task id from 48 bits of time and 80 of chance: `t-` and 26 Crockford characters, lower case,
/// that sort by time. `random` supplies the 10 bytes.
TaskId make_task_id(Instant now, const std::array<std::uint8_t, 10>& random);

}  // namespace zq
