#include "tests/simulator/model.h"

#include <algorithm>

#include "common/platform/digest.h"
#include "tests/simulator/workload.h"

namespace zq::sim {

void Model::expect(bool holds, const std::string& rule) {
    if (!holds) world_.violate(rule + " [" + about_ + "]");
}

const Model::Task* Model::find(const TaskId& id) const {
    auto at = tasks_.find(id);
    return at == tasks_.end() ? nullptr : &at->second;
}

Model::Task& Model::task_of(const core::Event& event) {
    auto at = tasks_.find(event.task.id);
    expect(at != tasks_.end(), "an event is about a task that was submitted");
    return at == tasks_.end() ? tasks_[event.task.id] : at->second;
}

void Model::become(Task& task, TaskState state) {
    expect(!is_final(task.state), "terminal states are final");
    if (!is_final(task.state) && is_final(state)) --open_;
    if (is_final(state)) task.ends.insert(state);
    if (is_final(state)) task.ended_seq = last_seq_;
    task.state = state;
}

void Model::committed(const core::Event& event) {
    about_ = "seq " + std::to_string(event.seq) + " " + std::string(core::kind_of(event.body)) +
             " " + event.task.id.text;
    expect(event.seq == last_seq_ + 1, "sequence numbers have no hole");
    last_seq_ = event.seq;
    expect(event.at >= last_at_, "the journal's time never goes back");
    last_at_ = std::max(last_at_, event.at);
    const bool stops = std::holds_alternative<core::BudgetReached>(event.body);
    expect(stops == over_.has_value() && (!stops || *over_ == event.task.id),
           "a task that waits with its budget used up is stopped at once, and no other");
    over_.reset();
    const bool erases = std::holds_alternative<core::TextsErased>(event.body);
    expect(!erased_next_ || (erases && *erased_next_ == event.task.id),
           "only dead letters are removed by hand, unless their texts go too");
    erased_next_.reset();
    std::visit([&](const auto& body) { apply(event, body); }, event.body);
}

void Model::compare(const core::Task& row) {
    const Task* task = find(row.key.id);
    about_ = "row of " + row.key.id.text;
    expect(task != nullptr && !task->removed, "a stored task was submitted, and not removed");
    if (task == nullptr) return;
    expect(row.state == task->state, "the row's state is " + std::string(to_string(row.state)) +
                                         ", not " + std::string(to_string(task->state)));
    expect(row.dead_reason == task->dead_reason, "the row has the dead reason");
    expect(row.attempts == task->attempts, "the row counts attempts");
    expect(row.failures == task->failures, "the row counts failures");
    expect(row.losses == task->losses, "the row counts losses");
    expect(row.deferrals == task->deferrals, "the row counts deferrals");
    expect(row.waits == task->waits, "the row counts waits that use no attempt");
    expect(row.deadline_at == task->deadline, "the row has the deadline");
    const LeaseToken lease = row.lease ? row.lease->token : LeaseToken{};
    expect(lease == task->lease, "the row has the current lease");
    expect(row.checkpoints == task->checkpoints, "the row has the checkpoints that are kept");
    expect(row.approved == task->approved, "the row says whether it was approved");
    expect(row.questions == task->questions, "the row has the questions that are kept");
    expect(row.spent == task->spent, "the row says what was spent");
    expect(row.budget_from == task->budget_from, "the row says since when the budget counts");
    expect(row.spending == task->spending, "the row says what its attempt uses");
    expect(row.feedback == task->feedback, "the row has what sent the task back last");
}

void Model::apply(const core::Event& event, const core::EpochStarted&) {
    expect(event.epoch == epoch_ + 1, "each start is one epoch");
    epoch_ = event.epoch;
    passes_.clear();
}

void Model::apply(const core::Event& event, const core::TaskSubmitted& body) {
    const TaskSpec& spec = *body.spec;
    const Task* former = find(event.task.id);
    expect(former == nullptr || former->removed, "a task is submitted once");
    if (!spec.idempotency_key.empty()) {
        const bool fresh = by_key_.emplace(spec.idempotency_key, event.task.id).second;
        expect(fresh, "one task per idempotency key");
    }
    check_unique(event.task.id, spec);
    check_room(spec);
    check_rules(spec);
    Task task;
    task.spec = spec;
    task.rules = spec;
    task.submitter = event.identity;
    task.request = body.request;
    task.submitted = event.at;
    const bool later = spec.delay.count > 0;
    expect(!spec.not_before.is_set(), "a wait is all that these tasks ask for");
    task.state = later ? TaskState::kScheduled : TaskState::kQueued;
    if (later) task.due = event.at + spec.delay;
    for (const TaskId& id : spec.after.tasks) {
        const Task* upstream = find(id);
        expect(upstream != nullptr && !upstream->removed, "a task waits for tasks that are there");
        if (upstream != nullptr && is_final(upstream->state)) {
            task.upstream[id] = went_well(*upstream);
        }
    }
    const bool waits = !spec.after.tasks.empty();
    if (waits && after_wait(task, event.at) != TaskState::kQueued &&
        after_wait(task, event.at) != TaskState::kScheduled) {
        task.state = TaskState::kBlocked;
    }
    const bool blocked = task.state == TaskState::kBlocked;
    if (spec.ttl.count > 0 && !blocked) task.expires = event.at + spec.ttl;
    if (spec.deadline.count > 0) task.deadline = event.at + spec.deadline;
    expect(body.deadline_at == task.deadline, "a deadline counts from the submit");
    expect(body.state == task.state, "a delayed task is scheduled, any other queued");
    expect(body.due_at == task.due, "a delayed task is due after its delay");
    expect(body.expires_at == task.expires, "a task expires after its ttl");
    tasks_[event.task.id] = std::move(task);
    ++open_;
    for (const ArtifactRef& ref : spec.inputs) {
        name(ref.digest, event.task.id, "input/" + ref.name);
    }
}

void Model::apply(const core::Event& event, const core::TaskReady&) {
    Task& task = task_of(event);
    expect(task.state == TaskState::kScheduled || task.state == TaskState::kRetryWait,
           "only what waits becomes ready");
    expect(event.at >= task.due, "nothing is ready before its time");
    become(task, TaskState::kQueued);
    task.due = {};
}

void Model::apply(const core::Event& event, const core::TaskAssigned& body) {
    Task& task = task_of(event);
    const core::Lease& lease = body.lease;
    expect(task.state == TaskState::kQueued, "only a queued task is given out");
    expect(!task.lease.is_set(), "at most one holder");
    expect(!is_over(task), "nothing is started with its budget used up");
    expect(task.approved || task.rules.approval.time != ApprovalTime::kBefore,
           "nothing is started without its approval");
    expect(lease.token.number > last_token_, "tokens only grow");
    expect(lease.token.number >> 32U == epoch_, "a token carries its epoch");
    expect(lease.attempt == task.attempts + 1, "attempts are numbered on");
    expect(task.attempts > 0 || !task.expires.is_set() || event.at < task.expires,
           "a task whose ttl has passed is not started");
    expect(!task.deadline.is_set() || event.at < task.deadline,
           "a task whose deadline has passed is not started");
    check_start(task, event, lease);
    task.since = lease.since;
    last_token_ = std::max(last_token_, lease.token.number);
    tokens_.insert(lease.token.number);
    become(task, TaskState::kRunning);
    task.lease = lease.token;
    check_turn(task, event, lease);
    task.lost = {};
    task.charged = false;
    task.attempts = lease.attempt;
}

void Model::apply(const core::Event& event, const core::LeaseResumed& body) {
    Task& task = task_of(event);
    const bool held = task.state == TaskState::kInputRequired;
    expect(task.state == TaskState::kQueued || held, "only a waiting task is taken up again");
    expect(!held || open_question(task) != nullptr, "a task that is held asks about it");
    withdraw(task, event.at);
    expect(task.lost.is_set() && task.lost == body.token, "only the lost lease comes back");
    if (task.charged) --task.losses;
    expect(body.losses == task.losses, "a loss that was none is taken back");
    become(task, TaskState::kRunning);
    task.lease = body.token;
    task.lost = {};
    task.charged = false;
}

void Model::apply(const core::Event& event, const core::ProgressNoted& body) {
    const Task& task = task_of(event);
    expect(task.lease.is_set() && task.lease == body.token,
           "progress is accepted under the current token alone");
}

void Model::apply(const core::Event& event, const core::AttemptEnded& body) {
    Task& task = task_of(event);
    const core::Attempt& attempt = body.attempt;
    expect(task.state == TaskState::kRunning || task.state == TaskState::kCancelling,
           "only what runs ends an attempt");
    expect(task.lease.is_set() && attempt.token == task.lease,
           "an attempt ends under the current token alone");
    expect(attempt.attempt == task.attempts, "the last attempt ends");
    for (const ArtifactRef& ref : attempt.artifacts) {
        name(ref.digest, event.task.id, "output/" + ref.name);
        const bool log = ref.name == "stdout.log" || ref.name == "stderr.log";
        task.left[log ? RemovedKind::kLogs : RemovedKind::kArtifacts] += ref.size;
    }
    const bool reported = !attempt.report.is_zero();
    task.report = attempt.report;
    task.ended[attempt.attempt] = {attempt.outcome, attempt.answer, reported, attempt.token};
    count_usage(task, body);
    const Question* open = open_question(task);
    const bool parks = open != nullptr && open->parked;
    const bool holds = parks && open->kind == QuestionKind::kHold;
    const bool reviews = parks && open->kind == QuestionKind::kApproval;
    expect(!reviews || open->digest == attempt.report, "an approval is bound to the report");
    expect((parks && !holds && !reviews) == (attempt.release == ReleaseCause::kInputRequired),
           "a question that parks its task comes with its attempt's end");
    if (!parks) withdraw(task, event.at);
    task.charged = false;
    if (task.state == TaskState::kCancelling) {
        expect(body.next.state == TaskState::kCancelled, "cancelling ends only in cancelled");
        become(task, TaskState::kCancelled);
    } else if (attempt.outcome == Outcome::kCompleted || attempt.outcome == Outcome::kSkipped) {
        expect(reported, "only a report completes");
        if (attempt.outcome == Outcome::kCompleted) check_contract(task, attempt);
        const bool reviewed = task.rules.approval.time == ApprovalTime::kAfter;
        const TaskState done = reviewed ? TaskState::kInReview : TaskState::kCompleted;
        become(task, attempt.outcome == Outcome::kCompleted ? done : TaskState::kSkipped);
        expect(reviews == (task.state == TaskState::kInReview),
               "a result that is to be approved is asked about");
    } else if (attempt.outcome == Outcome::kFailed) {
        expect(attempt.failure.has_value(), "a failure says of what kind");
        if (!reported) check_overdue(task, event, attempt);
        end_failed(task, event, body, attempt.failure.value_or(FailureClass::kError));
    } else if (attempt.outcome == Outcome::kReleased && reported) {
        end_released(task, event, body);
    } else {
        expect(!reported, "silence has no report");
        end_silent(task, body);
    }
    task.lease = {};
    check_held(task, body);
    expect(body.next.state == task.state, "the task becomes " + std::string(to_string(task.state)) +
                                              ", not " + std::string(to_string(body.next.state)));
    expect(body.next.dead_reason == task.dead_reason, "the dead reason follows from the end");
    expect(body.next.failures == task.failures, "failures are counted right");
    expect(body.next.losses == task.losses, "losses are counted right");
    expect(body.next.deferrals == task.deferrals, "deferrals are counted right");
    expect(body.next.waits == task.waits, "waits that use no attempt are counted right");
    expect(holds == (task.state == TaskState::kInputRequired && !attempt.release),
           "a person is asked about a task that is held, and about no other");
    expect(attempt.answer == watch_budget(event.task.id, task),
           "the answer is what the task becomes");
}

void Model::apply(const core::Event& event, const core::CancelRequested&) {
    Task& task = task_of(event);
    expect(task.state == TaskState::kRunning, "only a running task becomes cancelling");
    become(task, TaskState::kCancelling);
    withdraw(task, event.at);
}

void Model::apply(const core::Event& event, const core::TaskCancelled&) {
    Task& task = task_of(event);
    expect(!task.lease.is_set(), "a task that is held is not cancelled at once");
    become(task, TaskState::kCancelled);
    withdraw(task, event.at);
}

void Model::apply(const core::Event& event, const core::TaskExpired& body) {
    Task& task = task_of(event);
    expect(!task.lease.is_set(), "what is held does not expire");
    const Instant limit = body.deadline ? task.deadline : task.expires;
    expect(limit.is_set() && event.at >= limit, "nothing expires before its time");
    expect(body.deadline || task.attempts == 0, "a ttl counts until the first attempt");
    withdraw(task, event.at);
    become(task, task.attempts == 0 ? TaskState::kExpired : TaskState::kDead);
    if (task.attempts > 0) task.dead_reason = DeadReason::kTimedOut;
    expect(body.state == task.state, "a deadline ends what has started as dead");
}

void Model::apply(const core::Event&, const core::RoleServed&) {}

void Model::apply(const core::Event&, const core::ContentStored& body) {
    stored_.insert(body.digest);
}

void Model::apply(const core::Event& event, const core::RequestRecorded& body) {
    const auto [known, fresh] =
        requests_.try_emplace({event.identity, body.client, body.request}, event.at);
    // By the journal's time: a start may find the wall clock hours ahead.
    const bool forgotten = known->second + limits::kRequestMemory < event.at;
    expect(fresh || forgotten, "a request is carried out once");
    known->second = event.at;
}

void Model::apply(const core::Event& event, const core::CheckpointSaved& body) {
    Task& task = task_of(event);
    const CheckpointRef& saved = body.checkpoint;
    expect(task.lease.is_set() && task.lease == body.token,
           "a checkpoint is accepted under the current token alone");
    expect(saved.number == ++task.saved, "checkpoints are numbered on");
    expect(saved.attempt == task.attempts, "a checkpoint is the running attempt's");
    task.checkpoints.push_back(saved);
    saved_.insert({event.task.id, saved.ref.digest});
    name(saved.ref.digest, event.task.id, "checkpoint/" + std::to_string(saved.number));
    if (task.checkpoints.size() <= limits::kCheckpointsKept) {
        return expect(body.dropped == 0, "nothing goes while there is room");
    }
    // The oldest whose name comes again after it; where each name stands once, the oldest.
    std::map<std::string, std::uint32_t> last;
    for (const CheckpointRef& kept : task.checkpoints) last[kept.ref.name] = kept.number;
    auto goes =
        std::find_if(task.checkpoints.begin(), task.checkpoints.end(),
                     [&](const CheckpointRef& kept) { return last[kept.ref.name] != kept.number; });
    if (goes == task.checkpoints.end()) goes = task.checkpoints.begin();
    expect(body.dropped == goes->number, "the one goes that is needed least");
    const std::string dropped = "checkpoint/" + std::to_string(body.dropped);
    unname(event.task.id, [&](const std::string& as) { return as == dropped; });
    task.checkpoints.erase(goes);
}

Question* Model::open_question(Task& task) {
    if (task.questions.empty() || task.questions.back().state != QuestionState::kOpen) {
        return nullptr;
    }
    return &task.questions.back();
}

void Model::withdraw(Task& task, Instant at) {
    Question* open = open_question(task);
    if (open == nullptr) return;
    open->state = QuestionState::kWithdrawn;
    open->closed_at = at;
}

std::vector<Question> Model::Task::closed() const {
    std::vector<Question> closed;
    for (const Question& question : questions) {
        const bool told = question.state == QuestionState::kAnswered ||
                          question.state == QuestionState::kNoAnswer;
        if (told && question.kind == QuestionKind::kQuestion) closed.push_back(question);
    }
    return closed;
}

void Model::apply(const core::Event& event, const core::QuestionAsked& body) {
    Task& task = task_of(event);
    const Question& asked = body.question;
    const bool approval = asked.kind == QuestionKind::kApproval;
    if (approval) ask_approval(task, asked);
    expect(approval || task.state == TaskState::kRunning, "only what runs asks");
    expect(approval || (task.lease.is_set() && task.lease == body.token),
           "a question is asked under the current token alone");
    expect(asked.attempt == task.attempts, "a question is the running attempt's");
    expect(asked.state == QuestionState::kOpen && asked.asked_at == event.at,
           "a question is open when it is asked");
    expect(asked.parked || open_question(task) == nullptr, "one question waits at a time");
    withdraw(task, event.at);
    std::erase_if(task.questions, [&](const Question& old) { return old.id == asked.id; });
    task.questions.push_back(asked);
    if (task.questions.size() > limits::kQuestionsKept)
        task.questions.erase(task.questions.begin());
}

void Model::apply(const core::Event& event, const core::QuestionClosed& body) {
    Task& task = task_of(event);
    Question* open = open_question(task);
    expect(open != nullptr && open->id == body.question, "only the open question is closed");
    if (open == nullptr) return;
    const bool answered = body.state == QuestionState::kAnswered;
    const bool late = open->until.is_set() && event.at >= open->until;
    expect(answered || (body.state == QuestionState::kNoAnswer && late),
           "a question ends by an answer, or when its time is over");
    const bool chosen =
        std::find(open->choices.begin(), open->choices.end(), body.choice) != open->choices.end();
    expect(!answered || (open->choices.empty() ? !body.answer.empty() : chosen),
           "an answer answers the question");
    open->state = body.state;
    open->choice = body.choice;
    open->answer = body.answer;
    open->closed_at = event.at;
    if (answered) open->answered_by = event.identity;
    if (!open->parked) return expect(task.state == TaskState::kRunning, "its attempt runs");
    if (open->kind == QuestionKind::kApproval) {
        close_approval(task, event, body);
        watch_budget(event.task.id, task);
        return;
    }
    expect(task.state == TaskState::kInputRequired, "a parked task waits for its answer");
    const bool about_budget = open->kind == QuestionKind::kBudget;
    const bool ours = open->kind != QuestionKind::kQuestion;
    const bool stops = ours && body.choice == "stop";
    const DeadReason reason = about_budget ? DeadReason::kBudget : DeadReason::kRejected;
    expect(body.dead_reason == (stops ? reason : DeadReason::kNone), "who says stop ends the task");
    expect(body.budget_from.has_value() == (about_budget && !stops),
           "a budget is granted anew by who is asked for it alone");
    if (body.budget_from) task.budget_from = *body.budget_from;
    become(task, stops ? TaskState::kDead : TaskState::kQueued);
    if (stops) task.dead_reason = reason;
    watch_budget(event.task.id, task);
}

}  // namespace zq::sim
