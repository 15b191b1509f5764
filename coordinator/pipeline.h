// From commands to durable facts: decides, applies, hands batches to the journal, and keeps what is
// to be said until what it rests on is on disk. Owns the state. Knows no sockets and no messages.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <utility>
#include <variant>
#include <vector>

#include "coordinator/core/apply.h"
#include "coordinator/core/decide.h"
#include "coordinator/edge/facts.h"
#include "coordinator/store/journal.h"

namespace zq::coordinator {

/// Something to do once everything decided before it is durable, or readable: `ticket` is the
/// caller's.
struct Deferred {
    std::uint64_t ticket = 0;
};
/// What it is to wait for: kReadable is also in the tables.
enum class After : std::uint8_t { kDurable, kReadable };

/// What may leave now. `seq`: the last event written for it, 0 if none was.
struct Outgoing {
    std::variant<core::Answer, core::Push, Deferred> what;
    Seq seq = 0;
};

/// What a committed batch changed wakes those who wait for it.
struct Committed {
    Seq upto = 0;
    std::vector<Shared<core::Task>> changed;
};

class Pipeline {
  public:
    Pipeline(store::Journal& journal, core::Policy policy)
        : journal_(journal), policy_(std::move(policy)) {}

    /// Takes the journal and restores the state from it. Errors: CONFLICT, IO.
    Result<store::Recovery> acquire();
    /// Commits the start's epoch and makes everything readable durable. Waits. Errors: IO.
    Result<void> open_epoch(Instant now, const std::string& program);

    const core::State& state() const { return state_; }
    const core::Policy& policy() const { return policy_; }
    const edge::PendingContents& pending_contents() const { return pending_contents_; }

    core::Decision decide(const core::Command& command) const {
        return core::decide(state_, policy_, command);
    }
    /// Applies a decision of this state; `contents` are the bytes of what it records as inline.
    /// The watcher sees each envelope that is new, with the event that brings it.
    void accept(core::Decision decision, const core::Command& command,
                std::vector<store::InlineContent> contents = {});
    void run(const core::Command& command) { accept(decide(command), command); }
    /// Decides by another policy from now on, and looks again at what the last one held back.
    void change_policy(core::Policy policy, Instant now);
    /// Comes out of `release` when everything decided so far is that.
    void defer(std::uint64_t ticket, After after);

    /// Hands what was decided since the last call to the journal.
    void append();
    /// The same where nothing else waits to be done; true if it has been committed at once: see
    /// `collect`.
    bool append_now();
    /// See Journal::catch_up.
    void catch_up() { journal_.catch_up(); }
    /// Takes the journal's results; gives what can be read since. Errors: IO (nothing may be said
    /// any more: stop).
    Result<std::vector<Committed>> collect();
    /// What may leave by now, in order.
    std::vector<Outgoing> release();

    /// Sees the envelope of every task as it is submitted, with its sequence number.
    void watch_specs(std::function<void(Seq, const Shared<TaskSpec>&)> watcher) {
        on_spec_ = std::move(watcher);
    }

    /// Is asked of every batch as it is committed: does somebody wait to read it?
    void watch_commits(std::function<bool(const Committed&)> is_awaited) {
        is_awaited_ = std::move(is_awaited);
    }

    /// Sees every command that is carried out with what was decided, numbered, before it is
    /// applied.
    using Watcher = std::function<void(const core::Command&, const core::Decision&)>;
    void watch_decisions(Watcher watcher) { on_decision_ = std::move(watcher); }

    Seq durable_seq() const { return durable_seq_; }
    /// Readers see all events up to this one; no more than `durable_seq`.
    Seq readable_seq() const { return readable_seq_; }
    bool is_all_readable() const { return readable_seq_ == state_.durable.last_seq; }
    /// The tables have what is committed, also where `collect` has not seen it yet.
    bool has_current_tables() const { return journal_.projected() >= durable_seq_; }
    /// Something was deferred until it can be read.
    bool has_questions() const { return !held_for_tables_.empty(); }
    Digest chain_head() const { return chain_head_; }
    /// No more may be decided until a batch is committed.
    bool is_full() const;
    bool has_uncommitted() const { return !batches_.empty() || !batch_.events.empty(); }
    std::size_t undurable() const { return held_.size() + held_for_tables_.size(); }
    /// Events of the batch that is being filled.
    std::size_t batch_events() const { return batch_.events.size(); }
    /// It is to be handed over, though another one is on its way.
    bool batch_is_large() const;

  private:
    /// Nullopt: there is nothing that may be handed over.
    std::optional<store::Batch> take_batch();
    void hold(core::Effect effect, Seq written);
    void take_contents(const core::Decision& decision, std::vector<store::InlineContent> contents);
    Result<void> wait_committed();

    store::Journal& journal_;
    core::Policy policy_;
    core::State state_;
    store::Batch batch_;             // being filled
    std::size_t batch_bytes_ = 0;    // its envelopes and contents
    std::deque<Committed> batches_;  // handed over and not committed, in order
    std::deque<Committed> trail_;    // committed and not readable
    std::multimap<Seq, Outgoing> held_;
    std::multimap<Seq, Outgoing> held_for_tables_;
    Seq read_upto_ = 0;  // somebody waits to read up to there
    edge::PendingContents pending_contents_;
    std::function<void(Seq, const Shared<TaskSpec>&)> on_spec_;
    std::function<bool(const Committed&)> is_awaited_;
    Watcher on_decision_;
    JournalId new_journal_ = 0;
    Seq durable_seq_ = 0;
    Seq readable_seq_ = 0;
    Digest chain_head_;
};

}  // namespace zq::coordinator
