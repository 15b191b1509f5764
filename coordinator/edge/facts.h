// Finds the facts that a command needs about what is no longer in memory: the core never reads.
// Memory is asked first, then the store.
#pragma once

#include "common/wire/dead_letter_messages.h"
#include "coordinator/core/event.h"
#include "coordinator/core/state.h"
#include "coordinator/edge/contract_reader.h"
#include "coordinator/store/reader.h"

namespace zq::edge {

/// What is known of content that is stored.
struct StoredContent {
    std::uint64_t size = 0;
    std::vector<std::string> secrets;  // kinds of those that were found in its text
};

/// Contents whose events are decided but not yet committed. The pipeline keeps it.
class PendingContents {
  public:
    void add(const core::ContentStored& content, Seq seq) {
        pending_[content.digest] = {{content.size, content.secrets}, seq};
    }
    void forget_upto(Seq seq) {
        std::erase_if(pending_, [seq](const auto& entry) { return entry.second.seq <= seq; });
    }
    std::optional<StoredContent> find(const Digest& digest) const {
        auto at = pending_.find(digest);
        return at == pending_.end() ? std::nullopt : std::optional(at->second.content);
    }

  private:
    struct Pending {
        StoredContent content;
        Seq seq = 0;
    };
    std::map<Digest, Pending> pending_;
};

class FactFinder {
  public:
    /// `trailing` may lack what memory knows (Journal::open_trailing_reader), `reader` does not.
    /// Without `contracts` no completion lacks anything by its task's envelope, and every payload
    /// is taken.
    FactFinder(const core::State& state, store::Reader& trailing, store::Reader& reader,
               const PendingContents& pending,
               std::optional<ContractReader> contracts = std::nullopt)
        : state_(state),
          trailing_(trailing),
          reader_(reader),
          pending_(pending),
          contracts_(std::move(contracts)) {}

    /// A task that has ended and is not in memory. Errors of these: IO.
    Result<std::optional<core::Task>> ended_task(const TaskKey& key);
    Result<std::optional<core::Task>> ended_by_idempotency_key(const Namespace& ns,
                                                               const std::string& key);
    /// The ended tasks that have the id or the idempotency key of a submit.
    Result<void> add_former(const TaskSpec& spec, core::Facts& facts);
    /// An ended attempt of the task; `number` 0: its last.
    Result<std::optional<core::Attempt>> attempt(const TaskKey& key, std::uint32_t number,
                                                 const std::optional<core::Task>& ended);
    /// Content that is recorded, or will be with what is decided already; nullopt for content that
    /// is not.
    Result<std::optional<StoredContent>> stored(const Digest& digest);
    /// What this completion lacks by the rules of its task's envelope; empty: nothing, or it is not
    /// its time to ask. Errors: IO, BUSY (the result is stored in a moment).
    Result<std::string> unmet(const TaskKey& key, const wire::Report& report);
    /// What erasing the texts of a task must know. Errors: IO.
    Result<void> add_erasable(const TaskKey& key, core::Facts& facts);
    /// How those went that a new task waits for and that have ended.
    Result<void> add_upstream(const Namespace& ns, const After& after, core::Facts& facts);
    /// Why the payload is not what the role takes.
    std::optional<Error> payload_error(const TaskSpec& spec) const;
    /// What a replay, an edit or a removal of an ended task must know of it. Errors: IO, BUSY (its
    /// submit is not committed yet), INVALID (the changes, naming the field).
    Result<void> add_ended(const TaskKey& key, const wire::Changes& changes, core::Facts& facts);

  private:
    Result<std::vector<core::Attempt>> attempts(const core::Task& task);
    Result<TaskSpec> envelope(const core::Task& task);

    const core::State& state_;
    store::Reader& trailing_;
    store::Reader& reader_;
    const PendingContents& pending_;
    std::optional<ContractReader> contracts_;
};

}  // namespace zq::edge
