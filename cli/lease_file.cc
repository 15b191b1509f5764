#include "cli/lease_file.h"

#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "common/platform/files.h"
#include "common/platform/json.h"

namespace zq::cli {
namespace {

std::string env(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string(value);
}

std::string folder() {
    std::string state = env("XDG_STATE_HOME");
    if (state.empty()) state = env("HOME") + "/.local/state";
    return state + "/zq/leases";
}

std::uint32_t attempt_of_environment() {
    const std::string text = env("ZQ_ATTEMPT");
    std::uint32_t attempt = 0;
    std::from_chars(text.data(), text.data() + text.size(), attempt);
    return attempt;
}

}  // namespace

Expected<void> save_lease(const wire::HeldLease& lease) {
    if (auto ok = make_folders(folder(), 0700); !ok) return problem(ok.error());
    const std::string text = to_json(lease).dump() + "\n";
    auto ok = write_file(folder() + "/" + lease.task.text, text, 0600, Durability::kSynced);
    if (!ok) return problem(ok.error());
    return {};
}

Expected<std::optional<wire::HeldLease>> load_lease(const TaskId& task) {
    // An id is a path here: a wrong one names no lease.
    if (!is_valid_name(task.text)) return std::optional<wire::HeldLease>{};
    const std::string path = folder() + "/" + task.text;
    auto text = read_file(path, 4096);
    if (!text && text.error().code == ErrorCode::NOT_FOUND) return std::optional<wire::HeldLease>{};
    if (!text) return problem(text.error());
    auto json = Json::parse(*text, path);
    if (!json) return problem(json.error(), "remove " + path);
    const auto attempt = json->find("attempt").value_or(Json()).as_integer();
    const auto lease = json->find("lease").value_or(Json()).as_text();
    auto token = parse_lease_token(lease.value_or(""), path);
    if (!attempt || !token) {
        return problem(ErrorCode::INVALID, path + " holds no lease", "remove " + path);
    }
    return std::optional(wire::HeldLease{task, static_cast<std::uint32_t>(*attempt), *token});
}

void drop_lease(const TaskId& task) {
    if (is_valid_name(task.text)) ::unlink((folder() + "/" + task.text).c_str());
}

Expected<std::optional<wire::HeldLease>> find_lease(const Arguments& args, const TaskId& task) {
    const bool by_flag = args.has("lease");
    const std::string text = by_flag ? args.text("lease") : env("ZQ_LEASE");
    if (text.empty() && !by_flag) return load_lease(task);
    // Inside a task the environment speaks of that task alone.
    const std::string own = env("ZQ_TASK_ID");
    if (!by_flag && !own.empty() && own != task.text) return load_lease(task);
    auto token = parse_lease_token(text, by_flag ? "--lease" : "ZQ_LEASE");
    if (!token) return problem(token.error());
    const std::uint32_t attempt = own == task.text ? attempt_of_environment() : 0;
    return std::optional(wire::HeldLease{task, attempt, *token});
}

}  // namespace zq::cli
