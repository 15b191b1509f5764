// Reads of committed data: projections by key or by index, journal rows by sequence number.
// Bounded: nothing here scans history.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/core/command.h"
#include "coordinator/core/event.h"
#include "coordinator/store/references.h"
#include "coordinator/store/rollup.h"
#include "coordinator/store/task_filter.h"

namespace zq::store {

/// An event with its place in the hash chain.
struct ChainedEvent {
    core::Event event;
    Digest body_digest;
    Digest hash;
};

/// Where content lies.
struct ContentPlace {
    Digest digest;
    std::uint64_t size = 0;
    bool inlined = false;
    std::vector<std::string> secrets = {};  // kinds of those that were found in its text
};

/// What the dead and expired tasks of a role, or its other ended ones, hold together
/// (`bytes_held_by`).
struct HeldTotal {
    RoleKey role;
    bool dead = false;
    std::uint64_t tasks = 0;
    std::uint64_t bytes = 0;
    friend auto operator<=>(const HeldTotal&, const HeldTotal&) = default;
};

class Reader {
  public:
    virtual ~Reader() = default;

    virtual Result<std::optional<core::Task>> task(const TaskKey& key) = 0;
    virtual Result<std::optional<core::Task>> task_by_idempotency_key(const Namespace& ns,
                                                                      const std::string& key) = 0;
    /// Up to `limit` task ids that start with `prefix`.
    virtual Result<std::vector<TaskId>> ids_with_prefix(const Namespace& ns,
                                                        const std::string& prefix,
                                                        std::size_t limit) = 0;
    /// A page of the tasks that meet the conditions, the newest first.
    virtual Result<TaskPage> tasks(const TaskFilter& filter) = 0;
    /// Ended tasks answered to a name with changed_seq > after, in that order.
    virtual Result<std::vector<core::Task>> answers(const Namespace& ns,
                                                    const std::string& reply_to, Seq after,
                                                    std::size_t limit) = 0;
    /// Members of a group, at most `limit`, oldest first.
    virtual Result<std::vector<core::Task>> group(const Namespace& ns, const GroupName& group,
                                                  std::size_t limit) = 0;
    /// Number of dead and expired tasks of each role.
    virtual Result<std::vector<std::pair<RoleKey, std::uint64_t>>> dead_counts() = 0;

    /// The envelope in an event: as it was submitted, or edited (core::spec_seq).
    virtual Result<std::optional<TaskSpec>> spec(Seq spec_seq) = 0;
    virtual Result<std::vector<core::Attempt>> attempts(const TaskKey& key) = 0;
    virtual Result<std::optional<core::Attempt>> attempt(const TaskKey& key,
                                                         std::uint32_t number) = 0;

    virtual Result<std::optional<ContentPlace>> content(const Digest& digest) = 0;
    /// Bytes of inline content, from `offset`, at most `length`.
    virtual Result<std::string> inline_content(const Digest& digest, std::uint64_t offset,
                                               std::size_t length) = 0;

    /// Contents that nothing refers to, unused since a moment before `before`: the longest unused
    /// first, after the last of an earlier call (`since` and digest), at most `limit`.
    virtual Result<std::vector<core::UnusedContent>> unused_contents(
        const std::pair<Instant, Digest>& after, Instant before, std::size_t limit) = 0;
    /// Since when nothing refers to it; nullopt if something does, or it is not there.
    virtual Result<std::optional<Instant>> unused_since(const Digest& digest) = 0;
    /// When it was condemned; nullopt if it was not.
    virtual Result<std::optional<Instant>> condemned_at(const Digest& digest) = 0;
    /// Contents without a row now, condemned by events with seq > after, the first first.
    virtual Result<std::vector<std::pair<Seq, Digest>>> condemned_after(Seq after,
                                                                        std::size_t limit) = 0;
    /// Seq of the last event that condemned; 0: none did.
    virtual Result<Seq> last_condemned() = 0;
    /// Roles of tasks that have a row.
    virtual Result<std::vector<RoleName>> task_roles(const Namespace& ns) = 0;
    /// Tasks of a role in a final state with changed_seq > after, the first to end first.
    virtual Result<std::vector<core::Task>> ended_tasks(const RoleKey& role, TaskState state,
                                                        Seq after, std::size_t limit) = 0;
    /// Sums over ended tasks that have a row.
    virtual Result<std::vector<HeldTotal>> held_totals() = 0;
    /// Ended tasks of a role that hold any bytes, dead and expired ones or the others, with
    /// changed_seq > after, the first to end first.
    virtual Result<std::vector<core::Task>> holding_tasks(const RoleKey& role, bool dead, Seq after,
                                                          std::size_t limit) = 0;
    /// What was removed of a task that has a row.
    virtual Result<std::vector<Removal>> removals(Seq submitted_seq) = 0;

    /// Events with seq > after, in order; only those of one task where `task` is given.
    virtual Result<std::vector<ChainedEvent>> events(Seq after, std::size_t limit,
                                                     const std::optional<TaskKey>& task) = 0;
    /// Events with after < seq <= upto whose kinds have their bit (1 << kind_number) in `kinds`, in
    /// order; bodies of other kinds are not read.
    virtual Result<std::vector<ChainedEvent>> events_of_kinds(Seq after, Seq upto,
                                                              std::uint64_t kinds,
                                                              std::size_t limit) = 0;
    /// The last event at or before `upto` that brought a task's envelope; nullopt if there is none.
    virtual Result<std::optional<ChainedEvent>> envelope_event(const TaskKey& key, Seq upto) = 0;
    virtual Result<Seq> last_seq() = 0;

    /// Sums by name over the buckets of one length that begin at `from` or later.
    virtual Result<std::map<std::string, Rollup>> rollups(const Namespace& ns, StatsBy by,
                                                          Millis span, Instant from) = 0;
};

}  // namespace zq::store
