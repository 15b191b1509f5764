// A whole worker program, from its arguments to its exit code: wires options, profile, state folder
// and loop.
#include <algorithm>
#include <cstdio>
#include <set>

#include "common/platform/log.h"
#include "common/platform/process_limits.h"
#include "worker/loop.h"
#include "worker/self_test/self_test.h"
#include "worker/service.h"
#include "worker/workspace/git_worktree.h"

namespace zq::worker {
namespace {

int say(const ParsedArguments& parsed) {
    std::FILE* to = *parsed.exit_code == 0 ? stdout : stderr;
    std::fputs(parsed.text.c_str(), to);
    return *parsed.exit_code;
}

int refuse(const Error& error) {
    std::fprintf(stderr, "zq-worker: %s%s%s\n", error.field.c_str(),
                 error.field.empty() ? "" : ": ", error.message.c_str());
    if (error.code == ErrorCode::DENIED) return kExitDenied;
    if (error.code == ErrorCode::CONFLICT) return kExitConflict;
    return error.code == ErrorCode::INVALID || error.code == ErrorCode::NOT_FOUND ? kExitUsage : 1;
}

/// Names alone: values may be secrets.
void say_environment(const WorkerOptions& options) {
    std::string names;
    for (const std::string& entry : options.environment) {
        names += (names.empty() ? "" : " ") + entry.substr(0, entry.find('='));
    }
    log_info("environment passed on", {{"names", names}});
    std::set<std::string> hidden;
    for (const SecretValue& secret : options.secrets) hidden.insert(secret.name);
    if (hidden.empty()) return;
    names.clear();
    for (const std::string& name : hidden) names += (names.empty() ? "" : " ") + name;
    log_info("values redacted in logs", {{"names", names}});
}

/// What a command asks of the coordinator beside its own task, it asks where its worker does.
void pass_connection_on(const Profile& profile, WorkerOptions& options) {
    constexpr std::string_view kConnect = "ZQ_CONNECT=";
    std::vector<std::string>& environment = options.environment;
    const bool named =
        std::any_of(environment.begin(), environment.end(),
                    [&](const std::string& entry) { return entry.starts_with(kConnect); });
    if (named) return;
    std::string all;
    for (const std::string& one : profile.endpoints) all += (all.empty() ? "" : ",") + one;
    options.from.connection = std::string(kConnect) + all;
    environment.push_back(options.from.connection);
}

}  // namespace

int run_main(int argc, char** argv, Handlers handlers) {
    ParsedArguments parsed = parse_arguments(argc, argv, handlers);
    if (parsed.exit_code) return say(parsed);
    const sigset_t signals = block_signals();
    WorkerParts parts;
    parts.notifier = Notifier::from_environment();
    parts.options = std::move(parsed.options);
    parts.options.restoring_words = ProcessLimits::take().restoring_words();
    parts.handlers = std::move(handlers);
    if (auto ok = set_log_level(parts.options.log_level); !ok) return refuse(ok.error());
    if (!parts.options.git_worktree.empty()) {
        auto ok = check_repository(parts.options.git_worktree);
        if (!ok) return refuse(ok.error());
    }
    if (parts.options.self_test) return run_self_test(parts.options);
    auto profile = load_profile(parts.options.connect);
    if (!profile) return refuse(profile.error());
    auto curve = curve_of(*profile);
    if (!curve) return refuse(curve.error());
    auto state = open_state_folder(parts.options.state, parts.options.name,
                                   parts.options.roles.front().text);
    if (!state) return refuse(state.error());
    pass_connection_on(*profile, parts.options);
    parts.profile = std::move(*profile);
    parts.curve = std::move(*curve);
    parts.state = std::move(*state);
    if (!parts.options.command.empty()) say_environment(parts.options);
    if (runs_as_root()) {
        log_warn("runs as root, and so does what tasks have it run: give it a user of its own");
    }
    return run_loop(std::move(parts), signals);
}

}  // namespace zq::worker
