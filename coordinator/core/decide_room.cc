// What the queue takes in: bounds on open tasks and their bytes, in all, by role and by client; and
// roles that take nothing. A queue that is full refuses; nothing is ever dropped to make room.
#include "coordinator/core/decide_parts.h"

namespace zq::core {
namespace {

// When room may be worth another try: it comes when a task ends.
constexpr Millis kTryAgain = seconds(5);

Error full(std::string message, std::string field = {}) {
    return Error{ErrorCode::QUEUE_FULL, std::move(message), std::move(field), kTryAgain};
}

std::optional<Error> no_room_in_role(const Call& call, const Wanted& wanted,
                                     const Earlier& earlier) {
    const ControlKey key{call.command.ns, ControlKind::kRole, wanted.role.text};
    const Control* control = find_control(call.state, key);
    if (control != nullptr && control->closed) {
        const std::string why = control->reason.empty() ? "" : " (" + control->reason + ")";
        return Error{ErrorCode::DRAINING,
                     "role " + wanted.role.text + " takes no new tasks" + why +
                         "; `zq role resume` opens it again",
                     "task.to",
                     {}};
    }
    const Limits limits = limits_of(call.state, call.policy, key);
    auto at = call.state.index.roles.find({call.command.ns, wanted.role});
    auto added = earlier.by_role.find(wanted.role);
    Earlier::Added open;
    if (added != earlier.by_role.end()) open = added->second;
    if (at != call.state.index.roles.end()) {
        open.tasks += at->second.open();
        open.bytes += at->second.bytes;
    }
    const std::uint64_t most = limits.max_open.value_or(0);
    if (most != 0 && open.tasks >= most) {
        return full(std::to_string(open.tasks) + " tasks of role " + wanted.role.text +
                        " are open, and it may have " + std::to_string(most),
                    "task.to");
    }
    const std::uint64_t most_bytes = limits.max_bytes.value_or(0);
    if (most_bytes == 0 || open.bytes + wanted.bytes <= most_bytes) return std::nullopt;
    return full("the open tasks of role " + wanted.role.text + " hold " +
                    std::to_string(open.bytes) + " bytes, and may hold " +
                    std::to_string(most_bytes),
                "task.to");
}

std::optional<Error> too_many_of_one(const Call& call, const Wanted& wanted,
                                     const Earlier& earlier) {
    const std::size_t most = call.policy.max_open_per_client;
    if (most == 0) return std::nullopt;
    auto at = call.state.index.open_by_submitter.find(wanted.submitter);
    const std::uint64_t open = at == call.state.index.open_by_submitter.end() ? 0 : at->second;
    if (open + earlier.all.tasks < most) return std::nullopt;
    return full(std::to_string(most) + " tasks of " + wanted.submitter.text +
                " are open, which is as many as one client may have");
}

}  // namespace

std::optional<Error> no_room(const Call& call, const Wanted& wanted, const Earlier& earlier) {
    if (call.command.facts.storage_full) {
        return Error{ErrorCode::STORAGE_FULL,
                     "the coordinator's disk is nearly full; running work still ends",
                     {},
                     seconds(30)};
    }
    if (call.state.durable.open.size() + earlier.all.tasks >= call.policy.max_open_tasks) {
        return full(std::to_string(call.policy.max_open_tasks) + " tasks are open");
    }
    const std::uint64_t most = call.policy.max_open_bytes;
    const std::uint64_t bytes = call.state.index.bytes + earlier.all.bytes;
    if (most != 0 && bytes + wanted.bytes > most) {
        return full("the open tasks hold " + std::to_string(bytes) + " bytes, and may hold " +
                    std::to_string(most));
    }
    if (auto error = too_many_of_one(call, wanted, earlier)) return error;
    return no_room_in_role(call, wanted, earlier);
}

}  // namespace zq::core
