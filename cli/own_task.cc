#include "cli/own_task.h"

#include <charconv>
#include <cstdlib>

namespace zq::cli {
namespace {

constexpr Millis kPatience = minutes(5);  // through an outage of the coordinator

std::string env(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string(value);
}

}  // namespace

Expected<std::optional<OwnTask>> own_task(const Arguments& args, const std::string& id) {
    OwnTask own;
    own.socket = env("ZQ_SOCKET");
    own.held.task = TaskId(env("ZQ_TASK_ID"));
    const bool meant = !own.socket.empty() && !args.has("connect") && !args.has("lease") &&
                       (id.empty() || id == own.held.task.text);
    if (!meant) return std::optional<OwnTask>{};
    auto lease = parse_lease_token(env("ZQ_LEASE"), "ZQ_LEASE");
    if (!lease) return problem(lease.error(), "these variables come from zq-worker: keep them");
    own.held.lease = *lease;
    const std::string attempt = env("ZQ_ATTEMPT");
    std::from_chars(attempt.data(), attempt.data() + attempt.size(), own.held.attempt);
    own.folder = env("ZQ_TASK_DIR");
    own.out = env("ZQ_OUT");
    own.checkpoints = env("ZQ_CHECKPOINT_DIR");
    return std::optional(std::move(own));
}

Expected<std::unique_ptr<Session>> open_session(const Context& context,
                                                const std::optional<OwnTask>& own) {
    if (!own) return Session::open(context);
    ClientOptions options;
    options.profile.endpoints = {"ipc://" + own->socket};
    options.give_up = kPatience;
    return Session::open(std::move(options), own->folder + "/spool");
}

Expected<OwnOperands> own_operands(const Arguments& args, std::size_t most) {
    OwnOperands found;
    found.others = args.operands();
    if (found.others.size() == most) {
        found.id = found.others.front();
        found.others.erase(found.others.begin());
        return found;
    }
    if (env("ZQ_SOCKET").empty() || args.has("connect")) {
        return usage("ID is missing", "only inside a task it may be left out");
    }
    return found;
}

}  // namespace zq::cli
