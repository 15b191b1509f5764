#include "coordinator/edge/controls.h"

#include <set>

#include "coordinator/core/gates.h"
#include "coordinator/edge/rows.h"

namespace zq::edge {
namespace {

/// What is asked for and of which there is something to say; of limit keys no more than fit into an
/// answer.
class Asked {
  public:
    explicit Asked(const wire::Controls& query) : query_(query) {}

    void add(core::ControlKey key) {
        if (query_.kind && key.kind != *query_.kind) return;
        if (!query_.name.empty() && key.name != query_.name) return;
        keys_.insert(std::move(key));
    }
    void add_limit_keys(const core::Indexes& index) {
        if (query_.kind && *query_.kind != ControlKind::kLimitKey) return;
        std::size_t added = 0;
        auto at = index.limit_keys.lower_bound({kDefaultNamespace, query_.name});
        for (; at != index.limit_keys.end() && added <= limits::kListRows; ++at, ++added) {
            if (!query_.name.empty() && at->first.second != query_.name) return;
            add({at->first.first, ControlKind::kLimitKey, at->first.second});
        }
    }
    const std::set<core::ControlKey>& keys() const { return keys_; }

  private:
    const wire::Controls& query_;
    std::set<core::ControlKey> keys_;
};

/// How many of its tasks are ready, and run.
void count_tasks(const core::State& state, const core::ControlKey& key, wire::ControlRow& row) {
    if (key.kind == ControlKind::kRole) {
        auto at = state.index.roles.find({key.ns, RoleName(key.name)});
        if (at == state.index.roles.end()) return;
        row.ready = at->second.ready.size();
        row.running = at->second.running;
        return;
    }
    if (key.kind != ControlKind::kLimitKey) return;
    auto at = state.index.limit_keys.find({key.ns, key.name});
    if (at == state.index.limit_keys.end()) return;
    for (const auto& [role, count] : at->second.ready) row.ready += count;
    row.running = at->second.running;
}

wire::ControlRow row_of(const core::State& state, const core::Policy& policy,
                        const core::ControlKey& key, Instant now) {
    wire::ControlRow row;
    const core::Control* control = core::find_control(state, key);
    row.control = view_of(key.kind, key.name, control == nullptr ? core::Control{} : *control);
    count_tasks(state, key, row);
    if (key.kind == ControlKind::kWorker) return row;
    row.limits = core::limits_of(state, policy, key);
    core::Gates gates(state, policy, now);
    const auto hold = key.kind == ControlKind::kRole ? gates.of_role({key.ns, RoleName(key.name)})
                                                     : gates.of_limit_key(key.ns, key.name);
    if (hold && hold->kind == core::HoldKind::kRate) row.opens_at = hold->until;
    return row;
}

}  // namespace

core::SetControl to_set_control(wire::SetControl m) {
    return {m.kind,  std::move(m.name), m.paused, m.closed,
            m.drain, m.limits,          m.reset,  std::move(m.reason)};
}

wire::ControlView view_of(ControlKind kind, std::string name, const core::Control& control) {
    return {
        kind,           std::move(name), control.paused, control.closed, !control.drained.empty(),
        control.reason, control.by,      control.at,     control.limits, control.held_until,
        control.held_by};
}

wire::ControlRows list_controls(const core::State& state, const core::Policy& policy,
                                const wire::Controls& query, Instant now) {
    wire::ControlRows reply;
    RowBudget budget(kRowBytes);
    Asked asked(query);
    for (const auto& [key, control] : state.durable.controls) asked.add(key);
    for (const auto& [role, limits] : policy.role_limits) {
        asked.add({kDefaultNamespace, ControlKind::kRole, role.text});
    }
    for (const auto& [key, limits] : policy.key_limits) {
        asked.add({kDefaultNamespace, ControlKind::kLimitKey, key});
    }
    asked.add_limit_keys(state.index);
    for (const core::ControlKey& key : asked.keys()) {
        wire::ControlRow row = row_of(state, policy, key, now);
        if (reply.rows.size() == limits::kListRows || !budget.take(row)) {
            reply.more = true;
            break;
        }
        reply.rows.push_back(std::move(row));
    }
    return reply;
}

}  // namespace zq::edge
