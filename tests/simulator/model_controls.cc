// The model's half about pauses, limits and labels: what may start, and what may be submitted.
#include <algorithm>

#include "tests/simulator/model.h"

namespace zq::sim {
namespace {

constexpr Millis kRounding = millis(2);  // of times that are kept in whole milliseconds
constexpr std::size_t kStartsKept = 64;

}  // namespace

const core::Control* Model::control(ControlKind kind, const std::string& name) const {
    auto at = controls_.find({kind, name});
    return at == controls_.end() ? nullptr : &at->second;
}

/// The first of them that says something of it.
template <class T>
std::optional<T> Model::limit(ControlKind kind, const std::string& name,
                              std::optional<T> Limits::*of) const {
    if (const auto* set = control(kind, name); set != nullptr && set->limits.*of) {
        return set->limits.*of;
    }
    const auto& table = kind == ControlKind::kRole ? role_limits_ : key_limits_;
    if (auto at = table.find(name); at != table.end() && at->second.*of) return at->second.*of;
    if (kind != ControlKind::kLimitKey || name == "*") return std::nullopt;
    return limit(kind, "*", of);
}

void Model::check_may_start(ControlKind kind, const std::string& name, Instant at) {
    const core::Control* set = control(kind, name);
    expect(set == nullptr || !set->paused, "what is paused does not start");
    expect(set == nullptr || set->held_until <= at, "a limit key that is held starts nothing");
    const std::uint32_t most = limit(kind, name, &Limits::concurrency).value_or(0);
    const auto runs = std::count_if(tasks_.begin(), tasks_.end(), [&](const auto& entry) {
        const TaskSpec& spec = entry.second.spec;
        const std::string& its = kind == ControlKind::kRole ? spec.role.text : spec.limit_key;
        return entry.second.lease.is_set() && its == name;
    });
    expect(most == 0 || runs < most, "no more runs at a time than may");
}

/// Any number of starts in a row takes its time, but for the burst.
void Model::check_rate(ControlKind kind, const std::string& name, Instant at) {
    std::deque<Instant>& starts = starts_[{kind, name}];
    starts.push_back(at);
    if (starts.size() > kStartsKept) starts.pop_front();
    const auto rate = limit(kind, name, &Limits::rate);
    if (!rate || rate->count == 0) return;
    for (std::size_t back = rate->burst; back < starts.size(); ++back) {
        const auto intervals = static_cast<std::int64_t>(back - rate->burst + 1);
        const Millis least{rate->period.count * intervals / rate->count};
        const Millis took = at - starts[starts.size() - 1 - back];
        expect(took + kRounding >= least, "no more starts in a time than may");
    }
}

void Model::check_start(const Task& task, const core::Event& event, const core::Lease& lease) {
    const std::string& key = task.spec.limit_key;
    // What a person claims is held by the same limits; but a result may also come without a claim.
    if (lease.holder.by_hand) return;
    check_may_start(ControlKind::kRole, task.spec.role.text, event.at);
    check_rate(ControlKind::kRole, task.spec.role.text, event.at);
    if (!key.empty()) check_may_start(ControlKind::kLimitKey, key, event.at);
    if (!key.empty()) check_rate(ControlKind::kLimitKey, key, event.at);
    const core::Control* worker = control(ControlKind::kWorker, lease.holder.worker.text);
    expect(worker == nullptr || !worker->paused, "a paused worker gets nothing");
    expect(worker == nullptr || worker->drained != lease.holder.state_id ||
               worker->drained_incarnation < lease.holder.incarnation,
           "a worker that drains gets nothing");
    const auto& has = labels_[lease.holder.worker];
    for (const std::string& need : task.spec.needs) {
        expect(std::find(has.begin(), has.end(), need) != has.end(),
               "a task goes to a worker that has what it needs");
    }
}

void Model::check_room(const TaskSpec& spec) {
    const core::Control* role = control(ControlKind::kRole, spec.role.text);
    expect(role == nullptr || !role->closed, "nothing is submitted to a closed role");
    std::uint64_t open = 0;
    for (const auto& [id, task] : tasks_) {
        if (task.spec.role == spec.role && !is_final(task.state)) ++open;
    }
    const std::uint64_t most =
        limit(ControlKind::kRole, spec.role.text, &Limits::max_open).value_or(0);
    expect(most == 0 || open < most, "a role has no more open tasks than it may");
}

void Model::check_held(const Task& task, const core::AttemptEnded& body) {
    if (body.attempt.failure != FailureClass::kRateLimited || task.spec.limit_key.empty()) return;
    if (!body.next.due_at.is_set()) return;
    const core::Control* key = control(ControlKind::kLimitKey, task.spec.limit_key);
    expect(key != nullptr && key->held_until >= body.next.due_at,
           "a rate limited task holds its limit key until it goes on");
}

void Model::apply(const core::Event& event, const core::ControlChanged& body) {
    std::erase_if(controls_, [&](const auto& entry) {
        const core::Control& old = entry.second;
        const bool only =
            !old.paused && !old.closed && old.limits == Limits{} && old.drained.empty();
        return only && old.held_until < event.at;
    });
    const std::pair key(body.kind, body.name);
    const core::Control* old = control(body.kind, body.name);
    const Limits before = old == nullptr ? Limits{} : old->limits;
    controls_.erase(key);
    if (body.control != core::Control{}) controls_.emplace(key, body.control);
    if (before.rate == body.control.limits.rate) return;
    // A rate counts from when it is said; that of all keys, for all.
    std::erase_if(starts_, [&](const auto& entry) {
        return entry.first == key || (body.name == "*" && entry.first.first == body.kind);
    });
}

}  // namespace zq::sim
