// What must be true of every task, worked out anew from the journal's facts alone: states, tokens,
// counters, waits. Shares no rule with the core, so that both would have to be wrong in the same
// way. It is shown every event once it is durable, in order, over all restarts.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "coordinator/core/event.h"
#include "coordinator/core/policy.h"
#include "tests/simulator/world.h"

namespace zq::sim {

class Model {
  public:
    Model(World& world, const core::Policy& policy) : world_(world), retention_(policy.retention) {
        for (const auto& [role, limits] : policy.role_limits) role_limits_[role.text] = limits;
        key_limits_ = policy.key_limits;
        for (const auto& [role, rule] : policy.role_approvals) role_approvals_[role.text] = rule;
    }

    /// What tasks may need of that worker.
    void hired(const WorkerName& worker, const std::vector<std::string>& labels) {
        labels_[worker] = labels;
    }

    struct EndedAttempt {
        Outcome outcome = Outcome::kReleased;
        TaskState answer = TaskState::kQueued;
        bool reported = false;
        LeaseToken token;
    };
    struct Task {
        TaskSpec spec;
        TaskSpec rules;  // the same, as what the coordinator asks for has it: what is obeyed
        Identity submitter;
        Digest request;         // what a first approval is bound to
        Digest report;          // of its last attempt
        bool approved = false;  // to start
        Instant submitted;
        TaskState state = TaskState::kQueued;
        DeadReason dead_reason = DeadReason::kNone;
        Instant due;
        Instant expires;
        Instant deadline;
        std::uint32_t attempts = 0;
        std::uint32_t failures = 0;
        std::uint32_t losses = 0;
        std::uint32_t deferrals = 0;
        std::uint32_t waits = 0;
        Instant since;                    // of the current lease
        std::map<TaskId, bool> upstream;  // of those it waits for, that have ended: how it went
        bool in_vain = false;             // skipped for what it waited for
        LeaseToken lease;                 // the current one
        LeaseToken lost;                  // one that may come back
        bool charged = false;             // its loss was counted
        std::vector<CheckpointRef> checkpoints;
        std::uint32_t saved = 0;          // checkpoints so far
        std::vector<Question> questions;  // the last ones
        Feedback feedback;                // of the last end for the contract
        Spent spent;                      // of its ended attempts, where there is a budget
        Usage spending;                   // of the running one
        Spent budget_from;                // what was spent when it was granted anew
        std::map<std::uint32_t, EndedAttempt> ended;
        std::set<TaskState> ends;                   // in which it has ended so far
        bool removed = false;                       // by hand: there is no row of it
        std::map<RemovedKind, std::uint64_t> left;  // bytes of what attempts left and is kept
        bool checkpoints_gone = false;
        Seq ended_seq = 0;
        /// What the next attempt is told.
        std::vector<Question> closed() const;
    };

    /// The next durable event.
    void committed(const core::Event& event);
    /// The store's row of a task must say the same.
    void compare(const core::Task& row);

    Seq last_seq() const { return last_seq_; }
    Epoch epoch() const { return epoch_; }
    Instant last_at() const { return last_at_; }
    const std::map<TaskId, Task>& tasks() const { return tasks_; }
    const Task* find(const TaskId& id) const;
    /// A lease that was given, and is durable.
    bool gave(const LeaseToken& token) const { return tokens_.contains(token.number); }
    /// The task has had a checkpoint with this content.
    bool saved(const TaskId& task, const Digest& content) const {
        return saved_.contains({task, content});
    }
    std::size_t open() const { return open_; }
    /// Contents that something refers to.
    bool is_named(const Digest& digest) const { return names_.contains(digest); }

  private:
    void expect(bool holds, const std::string& rule);
    Task& task_of(const core::Event& event);
    void become(Task& task, TaskState state);

    void apply(const core::Event& event, const core::EpochStarted& body);
    void apply(const core::Event& event, const core::TaskSubmitted& body);
    void apply(const core::Event& event, const core::TaskReady& body);
    void apply(const core::Event& event, const core::TaskAssigned& body);
    void apply(const core::Event& event, const core::LeaseResumed& body);
    void apply(const core::Event& event, const core::ProgressNoted& body);
    void apply(const core::Event& event, const core::AttemptEnded& body);
    void apply(const core::Event& event, const core::CancelRequested& body);
    void apply(const core::Event& event, const core::TaskCancelled& body);
    void apply(const core::Event& event, const core::TaskExpired& body);
    void apply(const core::Event& event, const core::RoleServed& body);
    void apply(const core::Event& event, const core::ContentStored& body);
    void apply(const core::Event& event, const core::RequestRecorded& body);
    void apply(const core::Event& event, const core::CheckpointSaved& body);
    void apply(const core::Event& event, const core::QuestionAsked& body);
    void apply(const core::Event& event, const core::QuestionClosed& body);
    void apply(const core::Event& event, const core::UpstreamEnded& body);
    void apply(const core::Event& event, const core::ControlChanged& body);
    void apply(const core::Event& event, const core::UsageNoted& body);
    void apply(const core::Event& event, const core::AccessChanged& body);
    void apply(const core::Event& event, const core::TextsErased& body);
    void check_rules(const TaskSpec& spec);
    bool is_irreversible(const TaskSpec& spec) const;
    void put_under_rules(Task& task);
    void ask_approval(Task& task, const Question& asked);
    void close_approval(Task& task, const core::Event& event, const core::QuestionClosed& body);
    /// How a task that has ended went, for those that wait for it.
    static bool went_well(const Task& task);
    /// An open task waits for it, or has waited.
    bool is_needed(const TaskId& id) const;
    /// The state that follows from its wait.
    TaskState after_wait(const Task& task, Instant at) const;
    void apply(const core::Event& event, const core::BudgetReached& body);
    void count_usage(Task& task, const core::AttemptEnded& body);
    /// A task that waits now with its budget used up is stopped by the next event. What it becomes.
    TaskState watch_budget(const TaskId& id, const Task& task);
    static bool is_over(const Task& task);
    static Question* open_question(Task& task);
    static void withdraw(Task& task, Instant at);
    void apply(const core::Event& event, const core::ContentsCondemned& body);
    void apply(const core::Event& event, const core::ArtifactsRemoved& body);
    void apply(const core::Event& event, const core::TaskRemoved& body);
    void apply(const core::Event& event, const core::TaskReplayed& body);
    void apply(const core::Event& event, const core::TaskEdited& body);
    void revise(Task& task, const core::Event& event, const core::Revision& revision);
    void check_unique(const TaskId& id, const TaskSpec& spec);
    const core::Control* control(ControlKind kind, const std::string& name) const;
    template <class T>
    std::optional<T> limit(ControlKind kind, const std::string& name,
                           std::optional<T> Limits::*of) const;
    void check_may_start(ControlKind kind, const std::string& name, Instant at);
    void check_rate(ControlKind kind, const std::string& name, Instant at);
    void check_start(const Task& task, const core::Event& event, const core::Lease& lease);
    struct Waiting;
    Waiting waiting_of(const std::string& from, const RoleName& role, Instant at) const;
    void check_turn(const Task& started, const core::Event& event, const core::Lease& lease);
    void check_room(const TaskSpec& spec);
    void check_held(const Task& task, const core::AttemptEnded& body);
    /// What the task names so: one digest for each name.
    std::multiset<Digest> named_by(const TaskId& task, const std::string& prefix) const;
    static std::uint64_t held_by(const Task& task, RemovedKind kind);
    void check_removed_bytes(const core::Event& event, const core::ArtifactsRemoved& body);
    void name(const Digest& digest, const TaskId& task, const std::string& as);
    /// Lets go of what the task refers to by names that `goes` is true for.
    void unname(const TaskId& task, const std::function<bool(const std::string&)>& goes);

    void check_contract(const Task& task, const core::Attempt& attempt);
    void end_failed(Task& task, const core::Event& event, const core::AttemptEnded& body,
                    FailureClass failure);
    void end_released(Task& task, const core::Event& event, const core::AttemptEnded& body);
    void end_silent(Task& task, const core::AttemptEnded& body);
    /// The coordinator may end an attempt whose time is over; nobody's report says so.
    void check_overdue(const Task& task, const core::Event& event, const core::Attempt& attempt);
    void check_backoff(const Task& task, const core::Event& event, const core::Next& next);

    World& world_;
    const core::Retention retention_;
    std::pair<TaskId, Seq> let_go_;  // the last task that went by bytes, and its event
    std::set<Digest> stored_;
    std::map<Digest, std::multiset<std::pair<TaskId, std::string>>> names_;  // who names a content
    std::optional<TaskId> over_;         // the next event must stop it for its budget
    std::optional<TaskId> erased_next_;  // removed while it was no dead letter
    std::string about_;                  // the event that is looked at, for the report
    Seq last_seq_ = 0;
    Epoch epoch_ = 0;
    Instant last_at_;
    std::uint64_t last_token_ = 0;
    std::size_t open_ = 0;
    std::map<TaskId, Task> tasks_;
    std::map<std::string, TaskId> by_key_;
    std::set<std::uint64_t> tokens_;
    std::map<std::tuple<Identity, ClientId, std::uint64_t>, Instant> requests_;
    std::set<std::pair<TaskId, Digest>> saved_;
    std::map<std::string, Limits> role_limits_;  // of the configuration
    std::map<std::string, Limits> key_limits_;
    std::map<std::string, ApprovalRule> role_approvals_;
    std::map<std::string, KeyAccess> access_;
    std::map<std::pair<ControlKind, std::string>, core::Control> controls_;
    std::map<std::pair<ControlKind, std::string>, std::deque<Instant>> starts_;  // the last ones
    std::map<WorkerName, std::vector<std::string>> labels_;
    /// By role and submitter who waits: how often each other one has started something meanwhile.
    std::map<RoleName, std::map<std::string, std::map<std::string, std::uint32_t>>> passes_;
};

}  // namespace zq::sim
