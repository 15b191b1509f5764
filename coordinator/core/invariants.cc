#include "coordinator/core/invariants.h"

#include <algorithm>

#include "coordinator/core/task_index.h"

namespace zq::core {
namespace {

using Broken = std::vector<std::string>;

void expect(Broken& broken, bool holds, const std::string& sentence) {
    if (!holds) broken.push_back(sentence);
}

void check_questions(const Task& task, const std::string& name, Broken& broken) {
    const Question* open = open_question(task);
    const bool parked = is_parked(task.state);
    expect(broken, task.questions.size() <= limits::kQuestionsKept,
           name + "questions stay within their bound");
    expect(broken,
           std::count_if(task.questions.begin(), task.questions.end(),
                         [](const Question& q) { return q.state == QuestionState::kOpen; }) ==
               (open == nullptr ? 0 : 1),
           name + "only the last question is open");
    expect(broken, parked == (open != nullptr && open->parked),
           name + "exactly input_required and in_review have an open question without an attempt");
    expect(broken, open == nullptr || parked || task.state == TaskState::kRunning,
           name + "only what runs or is parked asks");
}

void check_task(const Durable& durable, const Task& task, Broken& broken) {
    const std::string name = "task " + task.key.id.text + ": ";
    const bool leased = task.state == TaskState::kRunning || task.state == TaskState::kCancelling;
    expect(broken, !is_final(task.state), name + "an open task is not in a final state");
    expect(broken, leased == task.lease.has_value(), name + "exactly leased states have a lease");
    const bool held = task.state == TaskState::kInputRequired && task.on_lost == OnLost::kHold;
    expect(broken, !task.lost_lease || task.state == TaskState::kQueued || held,
           name + "only a queued or held task has a lost lease");
    expect(broken, task.lease.has_value() || task.spending == Usage{},
           name + "only an attempt that runs is spending");
    // A person may give one that is held an attempt beyond them.
    const bool may_be_held =
        std::any_of(task.retry_rules.begin(), task.retry_rules.end(),
                    [](const RetryRule& rule) { return rule.action == RetryAction::kHold; });
    expect(broken, task.failures < task.max_attempts || may_be_held,
           name + "failures stay below max_attempts");
    expect(broken, task.losses < task.max_lost, name + "losses stay below max_lost");
    expect(broken, task.dead_reason == DeadReason::kNone, name + "an open task has no dead reason");
    expect(broken, task.changed_seq <= durable.last_seq,
           name + "no change is newer than the journal");
    expect(broken, task.checkpoints.size() <= limits::kCheckpointsKept,
           name + "checkpoints stay within their bound");
    expect(broken,
           std::is_sorted(task.checkpoints.begin(), task.checkpoints.end(),
                          [](const auto& a, const auto& b) { return a.number < b.number; }),
           name + "checkpoints stand by number");
    check_questions(task, name, broken);
    if (!task.lease) return;
    expect(broken, task.lease->attempt == task.attempts, name + "the lease is the last attempt's");
    expect(broken, task.lease->token.number <= durable.last_token, name + "tokens only grow");
    expect(broken, task.lease->token.journal == durable.journal,
           name + "the token is this journal's");
}

/// The indexes as they follow from the open tasks.
Indexes rebuilt(const Durable& durable) {
    State fresh;
    durable.open.for_each([&](const Task& task) {
        const Task& kept = fresh.durable.open.insert(task);
        index_task(fresh, kept, fresh.durable.open.shared_key(task.key));
        index_open(fresh, kept);
    });
    for (const auto& [key, control] : durable.controls) index_control(fresh, key, control);
    return fresh.index;
}

void check_volatile(const State& state, Broken& broken) {
    for (const auto& [token, clock] : state.now.clocks) {
        expect(broken, state.index.leases.contains(token), "only current leases have a clock");
        expect(broken, clock.session == 0 || state.now.sessions.contains(clock.session),
               "a clock's session is open");
    }
    expect(broken, state.now.clocks.size() == state.now.deadlines.size(), "one deadline per clock");
    expect(broken, state.now.sessions.size() == state.now.by_heard.size(),
           "every session is watched");
    expect(broken, state.now.waiting.size() == state.now.wakes.size(),
           "every role that waits is woken");
    expect(broken, state.now.rates.size() == state.now.rates_by_time.size(),
           "every rate is forgotten in its time");
    std::size_t shares = 0;
    for (const auto& [role, index] : state.index.roles) shares += index.ready.shares().size();
    expect(broken, state.now.turns.size() == shares, "all who have ready tasks have a turn");
    for (const auto& [role, idle] : state.now.idle) {
        for (const auto& [token, session] : idle) {
            expect(broken,
                   state.now.sessions.contains(session) && state.now.sessions.at(session).free > 0,
                   "idle sessions have credit");
        }
    }
}

}  // namespace

std::vector<std::string> broken_invariants(const State& state) {
    Broken broken;
    state.durable.open.for_each([&](const Task& task) { check_task(state.durable, task, broken); });
    const Indexes index = rebuilt(state.durable);
    expect(broken, index.roles == state.index.roles, "role queues follow from the tasks");
    expect(broken, index.limit_keys == state.index.limit_keys, "limit keys follow from the tasks");
    expect(broken, index.bytes == state.index.bytes, "the sum of bytes follows from the tasks");
    expect(broken, index.open_by_submitter == state.index.open_by_submitter,
           "who has how many open tasks follows from them");
    expect(broken, index.held == state.index.held, "held keys follow from the controls");
    expect(broken, index.timers == state.index.timers, "timers follow from the tasks");
    expect(broken, index.leases == state.index.leases, "the lease index follows from the tasks");
    expect(broken, index.lost == state.index.lost, "the lost-lease index follows from the tasks");
    expect(broken, index.asking == state.index.asking,
           "the index of open questions follows from the tasks");
    expect(broken, index.by_holder == state.index.by_holder, "holders follow from the tasks");
    expect(broken, index.by_idempotency_key == state.index.by_idempotency_key,
           "idempotency keys follow from the tasks");
    expect(broken, index.by_unique_key == state.index.by_unique_key,
           "unique keys follow from the tasks, and no two have one");
    expect(broken, index.dependants == state.index.dependants,
           "who waits for whom follows from the tasks");
    expect(broken, index.needed == state.index.needed, "what is needed follows from the tasks");
    expect(broken, index.open_in_group == state.index.open_in_group,
           "groups follow from the tasks");
    check_volatile(state, broken);
    return broken;
}

}  // namespace zq::core
