// Makes events as the core would and applies them, so that store tests have a live state to compare
// with: a small language for "this happened to that task".
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "coordinator/core/state.h"
#include "coordinator/store/erasable.h"
#include "coordinator/store/journal.h"

namespace zq::store {

class Story {
  public:
    /// Goes on from a state that a journal has restored.
    explicit Story(core::State restored) : state_(std::move(restored)) {}
    Story() = default;

    /// EpochStarted; the first event of every run.
    void start(JournalId journal);
    void submit(TaskSpec spec);
    /// Where submits go from now on; what comes after a submit is told of the default one alone.
    void submit_in(Namespace ns) { ns_ = std::move(ns); }
    void submit(const std::string& id, const std::string& role = "review");
    /// Gives the lease's token.
    LeaseToken assign(const std::string& id, const std::string& worker = "host-review-1");
    void progress(const std::string& id, std::uint32_t percent);
    void checkpoint(const std::string& id, const std::string& name, const std::string& data);
    /// The running attempt asks; with `parked` its end has to follow (`park`).
    void ask(const std::string& id, const std::string& question, bool parked = false);
    void park(const std::string& id, const std::string& question);
    void ask_approval(const std::string& id);
    void approve(const std::string& id);
    void reject(const std::string& id);
    void answer(const std::string& id, QuestionState state, const std::string& text);
    /// The running attempt says what it has used.
    void use(const std::string& id, const Usage& usage);
    /// One that the blocked task waits for has ended, and so it becomes that.
    void end_upstream(const std::string& id, const std::string& upstream, bool well,
                      TaskState state);
    /// Ends the running attempt with the whole budget used: it is asked about, or dead.
    void use_up(const std::string& id);
    void end(const std::string& id, Outcome outcome, TaskState next);
    void lose(const std::string& id) { end(id, Outcome::kLost, TaskState::kQueued); }
    void complete(const std::string& id) { end(id, Outcome::kCompleted, TaskState::kCompleted); }
    void resume(const std::string& id);
    void make_ready(const std::string& id);
    void ask_cancel(const std::string& id);
    void cancel(const std::string& id);
    void expire(const std::string& id);
    void serve(const std::string& role);
    void know(const std::string& fingerprint, std::optional<KeyAccess> access);
    void control(ControlKind kind, const std::string& name, core::Control control);
    /// Gives the digest.
    Digest store_inline(const std::string& data, std::vector<std::string> secrets = {});
    void store_file(const Digest& digest, std::uint64_t size);
    void record_request(const std::string& client, std::uint64_t request, const std::string& id);
    /// As retention would: what the ended task's artifacts or logs refer to is let go.
    void remove_artifacts(const core::Task& task, RemovedKind kind, std::vector<Digest> released);
    void remove_task(const core::Task& task, std::vector<Digest> released);
    /// The texts of all its events so far, or those that are named; it has been removed.
    void erase(const std::string& id);
    void erase(const std::string& id, const Erasable& what);
    void condemn(const std::vector<core::CondemnedContent>& contents);
    /// What has ended since the story began is run again, without its checkpoints, or repaired.
    void replay(const std::string& id);
    /// The same of one that the store alone has.
    void replay(const core::Task& ended, const std::vector<core::Attempt>& attempts);
    void edit(const std::string& id);
    /// As `dlq rm` would.
    void remove_by_hand(const std::string& id, std::vector<Digest> released);
    void pass(Millis time) { now_ = now_ + time; }

    /// Artifacts of the next attempt that ends.
    std::vector<ArtifactRef> artifacts;
    std::string reason = "it was so";  // of attempts that are not completed

    /// Everything since the last call, as one batch.
    Batch take_batch();
    const core::State& state() const { return state_; }
    Seq last_seq() const { return state_.durable.last_seq; }

    static TaskSpec spec(const std::string& id, const std::string& role = "review");
    static TaskKey key(const std::string& id) { return {kDefaultNamespace, TaskId(id)}; }

  private:
    core::Revision revision_of(const std::string& id);
    void happen(const std::string& id, core::EventBody body,
                const Identity& identity = kLocalIdentity);

    core::State state_;
    Namespace ns_ = kDefaultNamespace;
    Instant now_{1'700'000'000'000};
    std::map<std::string, TaskSpec> specs_;  // as they were submitted
    std::map<std::pair<std::string, std::uint32_t>, core::Attempt> ended_;  // with their places
    std::map<std::string, std::vector<core::ErasedBody>> texts_;            // of each task's events
    Batch batch_;
};

/// A life of every kind of event: some thirty tasks in every state that this version has. In
/// several batches. `story` must be new or restored; the ids start with `prefix`.
std::vector<Batch> tell_everything(Story& story, JournalId journal, const std::string& prefix);

}  // namespace zq::store
