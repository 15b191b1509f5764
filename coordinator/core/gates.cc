#include "coordinator/core/gates.h"

#include <algorithm>
#include <set>

#include "common/base/mutant.h"

namespace zq::core {
namespace {

constexpr std::int64_t kMicros = 1000;  // of a millisecond

Limits configured(const Policy& policy, const ControlKey& key) {
    if (key.kind == ControlKind::kRole) {
        auto at = policy.role_limits.find(RoleName(key.name));
        return at == policy.role_limits.end() ? Limits{} : at->second;
    }
    auto at = policy.key_limits.find(key.name);
    return at == policy.key_limits.end() ? Limits{} : at->second;
}

Limits own_limits(const State& state, const Policy& policy, const ControlKey& key) {
    const Control* control = find_control(state, key);
    const Limits set = control == nullptr ? Limits{} : control->limits;
    return merged(set, configured(policy, key));
}

/// Microseconds that one start uses up; at least one.
std::int64_t interval_of(const Rate& rate) {
    return std::max<std::int64_t>(1, rate.period.count * kMicros / rate.count);
}

ControlKey role_key(const RoleKey& role) {
    return {role.ns, ControlKind::kRole, role.role.text};
}

ControlKey limit_key(const Namespace& ns, const std::string& key) {
    return {ns, ControlKind::kLimitKey, key};
}

}  // namespace

std::string hold_text(const Hold& hold) {
    const bool is_role = hold.by.kind == ControlKind::kRole;
    std::string text = (is_role ? "role " : "limit key ") + hold.by.name;
    switch (hold.kind) {
        case HoldKind::kPaused:
            text += " is paused";
            if (!hold.control->reason.empty()) text += ": " + hold.control->reason;
            text += is_role ? " (`zq role resume`)" : " (`zq limit resume`)";
            break;
        case HoldKind::kConcurrency:
            text += " runs " + std::to_string(hold.limit) + (hold.limit == 1 ? " task" : " tasks") +
                    ", as many as it may";
            break;
        case HoldKind::kRate:
            text += " has spent what its rate allows";
            break;
        case HoldKind::kRateLimited:
            text += " is held since task " + hold.control->held_by.text + " was rate limited";
            break;
    }
    return text;
}

const Control* find_control(const State& state, const ControlKey& key) {
    auto at = state.durable.controls.find(key);
    return at == state.durable.controls.end() ? nullptr : &at->second;
}

Limits limits_of(const State& state, const Policy& policy, const ControlKey& key) {
    const Limits own = own_limits(state, policy, key);
    if (key.kind != ControlKind::kLimitKey || key.name == kAnyLimitKey) return own;
    return merged(own, own_limits(state, policy, limit_key(key.ns, std::string(kAnyLimitKey))));
}

std::vector<ControlKey> other_rates(const Policy& before, const Policy& after) {
    std::set<ControlKey> named;
    for (const Policy* policy : {&before, &after}) {
        for (const auto& [role, limits] : policy->role_limits) {
            named.insert({kDefaultNamespace, ControlKind::kRole, role.text});
        }
        for (const auto& [key, limits] : policy->key_limits) {
            named.insert({kDefaultNamespace, ControlKind::kLimitKey, key});
        }
    }
    std::vector<ControlKey> others;
    for (const ControlKey& key : named) {
        if (configured(before, key).rate != configured(after, key).rate) others.push_back(key);
    }
    return others;
}

bool is_drained(const State& state, const Session& session) {
    const Control* control =
        find_control(state, {session.ns, ControlKind::kWorker, session.worker.text});
    return control != nullptr && control->drained == session.state_id &&
           !control->drained.empty() && session.incarnation <= control->drained_incarnation;
}

bool is_resting(const State& state, const Session& session) {
    const Control* control =
        find_control(state, {session.ns, ControlKind::kWorker, session.worker.text});
    return control != nullptr && (control->paused || is_drained(state, session));
}

std::int64_t Gates::spent_until(const ControlKey& key, const Rate& rate) {
    if (auto at = spent_.find(key); at != spent_.end()) return at->second;
    if (auto at = state_.now.rates.find(key); at != state_.now.rates.end()) return at->second;
    if (!state_.now.rates_from.is_set()) return 0;
    return state_.now.rates_from.ms * kMicros + rate.burst * interval_of(rate);
}

Instant Gates::opens_at(const ControlKey& key, const Rate& rate) {
    const std::int64_t tolerance = (static_cast<std::int64_t>(rate.burst) - 1) * interval_of(rate);
    const std::int64_t at = spent_until(key, rate) - tolerance;
    return Instant{std::max<std::int64_t>(0, (at + kMicros - 1) / kMicros)};
}

std::optional<Hold> Gates::hold(const ControlKey& key, std::uint64_t running) {
    const Control* control = find_control(state_, key);
    if (control != nullptr && control->paused && !mutant(Mutant::kPauseIgnored)) {
        return Hold{HoldKind::kPaused, key, {}, 0, control};
    }
    if (control != nullptr && control->held_until > now_) {
        return Hold{HoldKind::kRateLimited, key, control->held_until, 0, control};
    }
    const Limits limits = limits_of(state_, policy_, key);
    const std::uint64_t most = limits.concurrency.value_or(0);
    if (auto at = started_.find(key); at != started_.end()) running += at->second;
    if (most != 0 && running >= most && !mutant(Mutant::kConcurrencyIgnored)) {
        return Hold{HoldKind::kConcurrency, key, {}, most, nullptr};
    }
    if (!limits.rate || limits.rate->count == 0) return std::nullopt;
    const Instant opens = opens_at(key, *limits.rate);
    if (opens <= now_ || mutant(Mutant::kRateIgnored)) return std::nullopt;
    return Hold{HoldKind::kRate, key, opens, 0, nullptr};
}

std::optional<Hold> Gates::of_role(const RoleKey& role) {
    auto at = state_.index.roles.find(role);
    return hold(role_key(role), at == state_.index.roles.end() ? 0 : at->second.running);
}

std::optional<Hold> Gates::of_limit_key(const Namespace& ns, const std::string& key) {
    if (key.empty()) return std::nullopt;
    auto at = state_.index.limit_keys.find({ns, key});
    return hold(limit_key(ns, key), at == state_.index.limit_keys.end() ? 0 : at->second.running);
}

void Gates::use_rate(const ControlKey& key, Decision& decision) {
    ++started_[key];
    const Limits limits = limits_of(state_, policy_, key);
    if (!limits.rate || limits.rate->count == 0) return;
    const std::int64_t spent =
        std::max(spent_until(key, *limits.rate), now_.ms * kMicros) + interval_of(*limits.rate);
    spent_[key] = spent;
    decision.notices.emplace_back(RateUsed{key, spent, now_});
}

void Gates::note_start(const Task& task, Decision& decision) {
    use_rate(role_key({task.key.ns, task.role}), decision);
    if (!task.limit_key.empty()) use_rate(limit_key(task.key.ns, task.limit_key), decision);
}

}  // namespace zq::core
