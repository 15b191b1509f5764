#include "tests/core/core_rig.h"

#include "coordinator/core/invariants.h"

namespace zq::core {

CoreRig::CoreRig() {
    run(StartEpoch{0xabc, 1, "test"});
}

void CoreRig::decide_and_apply(CommandBody body, std::vector<Effect>& effects) {
    Command command;
    command.now = now;
    command.identity = identity;
    command.client = ClientId("c1");
    command.request = ++request;
    command.reply = 1;
    command.seed = request;
    command.facts = std::exchange(facts, {});
    command.body = std::move(body);
    Decision decision = decide(state, policy, command);
    stamp(decision, state, now);
    for (const Event& event : decision.events) {
        apply(state, event);
        journal.push_back(event);
    }
    for (const Notice& notice : decision.notices) apply(state, notice);
    for (Effect& effect : decision.effects) effects.push_back(std::move(effect));
    if (unchecked) return;
    for (const std::string& sentence : broken_invariants(state)) ADD_FAILURE() << sentence;
}

std::vector<Effect> CoreRig::run(CommandBody body) {
    std::vector<Effect> effects;
    decide_and_apply(std::move(body), effects);
    while (!state.now.to_match.empty()) decide_and_apply(Match{}, effects);
    return effects;
}

std::vector<Effect> CoreRig::advance(Millis by) {
    now = now + by;
    std::vector<Effect> effects;
    while (next_deadline(state, policy) <= now) {
        auto more = run(Tick{});
        effects.insert(effects.end(), more.begin(), more.end());
    }
    return effects;
}

void CoreRig::restart() {
    State fresh;
    restore(fresh, state.durable.journal, state.durable.epoch, state.durable.last_token,
            state.durable.last_seq, state.durable.last_at);
    state.durable.open.for_each([&](const Task& task) { restore(fresh, task); });
    for (const RoleKey& role : state.durable.roles_served) restore(fresh, role);
    for (const auto& [key, record] : state.durable.requests) restore(fresh, key, record);
    for (const auto& [key, control] : state.durable.controls) restore(fresh, key, control);
    for (const auto& [key, access] : state.durable.access) restore(fresh, key, access);
    state = std::move(fresh);
    run(StartEpoch{state.durable.journal, state.durable.epoch + 1, "test"});
    run(BeginService{});
}

std::string CoreRig::refusal(const std::vector<Effect>& effects) {
    for (const Effect& effect : effects) {
        const auto* answer = std::get_if<Answer>(&effect);
        if (answer == nullptr) continue;
        const auto* no = std::get_if<Rejected>(&answer->body);
        return no == nullptr ? "accepted" : std::string(to_string(no->error.code));
    }
    return "no answer";
}

std::vector<Assignment> CoreRig::assignments(const std::vector<Effect>& effects) {
    std::vector<Assignment> found;
    for (const Effect& effect : effects) {
        const auto* push = std::get_if<Push>(&effect);
        if (push == nullptr) continue;
        if (const auto* assignment = std::get_if<Assignment>(&push->body))
            found.push_back(*assignment);
    }
    return found;
}

TaskSpec CoreRig::spec(const std::string& id, const std::string& role) {
    TaskSpec made;
    made.id = TaskId(id);
    made.role = RoleName(role);
    made.backoff = {Backoff::Kind::kFixed, seconds(5), seconds(5)};
    return made;
}

Digest CoreRig::digest(std::uint8_t n) {
    Digest made;
    made.bytes[0] = n;
    return made;
}

std::vector<Effect> CoreRig::submit(const std::string& id, const std::string& role) {
    return submit(spec(id, role));
}

std::vector<Effect> CoreRig::submit(const TaskSpec& made) {
    SubmitTask command;
    command.spec = made;
    command.request = digest(1);
    return run(command);
}

std::vector<Effect> CoreRig::hello(SessionId session, const std::string& worker,
                                   std::uint64_t incarnation, std::vector<LeaseToken> leases,
                                   LeaseToken seen, std::vector<LeaseToken> reports) {
    OpenSession open;
    open.session = session;
    open.worker = WorkerName(worker);
    open.state_id = StateId("folder-of-" + worker);
    open.incarnation = incarnation;
    open.roles = {RoleName("review")};
    open.slots = 8;
    open.leases = std::move(leases);
    open.reports = std::move(reports);
    open.seen = seen;
    return run(open);
}

std::vector<Effect> CoreRig::ready(SessionId session, std::uint32_t free, LeaseToken seen) {
    return run(Renew{session, free, seen, false, {}, {}});
}

std::vector<Effect> CoreRig::heartbeat(SessionId session, std::vector<LeaseToken> leases,
                                       std::uint32_t free) {
    LeaseToken seen;
    for (const LeaseToken& token : leases) seen = std::max(seen, token);
    return run(Renew{session, free, seen, true, std::move(leases), {}});
}

std::vector<Effect> CoreRig::complete(const std::string& id, LeaseToken token) {
    EndAttempt end;
    end.task = TaskId(id);
    end.token = token;
    end.from = "hand";
    end.summary = "done";
    end.report = digest(7);
    return run(end);
}

std::vector<Effect> CoreRig::fail_attempt(const std::string& id, LeaseToken token,
                                          FailureClass failure) {
    EndAttempt end;
    end.kind = EndAttempt::Kind::kFail;
    end.task = TaskId(id);
    end.token = token;
    end.from = "hand";
    end.reason = "it broke";
    end.failure = failure;
    end.report = digest(static_cast<std::uint8_t>(100 + token.number % 100));
    return run(end);
}

Assignment CoreRig::assign_to(SessionId session, const std::string& worker) {
    if (!state.now.sessions.contains(session)) hello(session, worker);
    auto found = assignments(ready(session, 1, {state.durable.journal, state.durable.last_token}));
    EXPECT_EQ(found.size(), 1U);
    return found.empty() ? Assignment{} : found.front();
}

const Task& CoreRig::task(const std::string& id) const {
    const Task* found = find_task(state, {kDefaultNamespace, TaskId(id)});
    if (found == nullptr) ADD_FAILURE() << "no task " << id;
    static const Task kNone;
    return found == nullptr ? kNone : *found;
}

}  // namespace zq::core
