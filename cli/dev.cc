// `zq dev`: a coordinator and a worker on this machine, as one command. Starts the two programs
// that lie beside `zq` itself, and ends them with it.
#include <signal.h>

#include <array>
#include <cstdlib>

#include "cli/child.h"
#include "cli/command_table.h"
#include "cli/start.h"

namespace zq::cli {
namespace {

constexpr Millis kDrainPatience = seconds(5);  // then running tasks are given back
constexpr Millis kEndPatience = seconds(45);   // then a program is killed

/// A worker drains at the first SIGTERM and gives its tasks back at the second.
void end_child(Child& child) {
    child.signal(SIGTERM);
    if (child.ends_within(kDrainPatience)) return;
    child.signal(SIGTERM);
    if (child.ends_within(kEndPatience)) return;
    child.signal(SIGKILL);
    child.ends_within(kEndPatience);
}

std::vector<std::string> worker_flags(const Context& context, const ServerFolder& folder,
                                      const std::string& role) {
    std::vector<std::string> flags = {"--connect", folder.profile.endpoints.front(),
                                      "--role",    role,
                                      "--state",   folder.settings.data + "/dev-worker"};
    if (context.args.has("slots")) {
        flags.insert(flags.end(), {"--slots", context.args.text("slots")});
    }
    flags.emplace_back("--");
    const auto& command = context.args.operands();
    flags.insert(flags.end(), command.begin(), command.end());
    return flags;
}

/// Runs until a signal or until one of the two ends by itself.
Ending watch(Child& coordinator, Child& worker) {
    while (true) {
        const int signal = await_signal(seconds(3600));
        if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP) {
            note("ending the worker, then the coordinator");
            end_child(worker);
            end_child(coordinator);
            return ExitCode::kDone;
        }
        for (auto [child, other] : {std::pair{&coordinator, &worker}, {&worker, &coordinator}}) {
            if (!child->has_ended()) continue;
            end_child(*other);
            return problem(ErrorCode::IO, child->name() + " ended by itself: see its messages");
        }
    }
}

Ending run_dev(const Context& context) {
    auto change = read_settings_change(context.args);
    if (!change) return tl::unexpected(change.error());
    auto slots = context.args.number("slots", 1, limits::kSlots);
    if (!slots) return tl::unexpected(slots.error());
    const std::string role = context.args.has("role") ? context.args.text("role") : "dev";
    if (auto ok = parse_name(role, "--role"); !ok) return problem(ok.error());
    const std::string data = data_folder_of(context.args);
    if (context.args.has("dry-run")) {
        auto plan = plan_server_folder(data, *change);
        if (!plan) return tl::unexpected(plan.error());
        for (const std::string& step : plan->steps) note("would " + step);
        note("dry run: would start zq-coordinator and a zq-worker for " + role);
        return ExitCode::kDone;
    }
    auto folder = init_data_folder(data, *change);
    if (!folder) return tl::unexpected(folder.error());

    // Before any thread or child is made, so that all inherit it.
    const sigset_t signals = watched_signals();
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    ::setenv("ZQ_CONFIG", folder->admin_profile.c_str(), 1);
    auto coordinator = Child::start("zq-coordinator", {"--data", folder->settings.data});
    if (!coordinator) return tl::unexpected(coordinator.error());
    if (auto ok = await_coordinator(*coordinator, folder->profile); !ok) {
        end_child(*coordinator);
        return tl::unexpected(ok.error());
    }
    auto worker = Child::start("zq-worker", worker_flags(context, *folder, role));
    if (!worker) {
        end_child(*coordinator);
        return tl::unexpected(worker.error());
    }
    note("a coordinator and a worker for " + role + " run until Ctrl-C; from another terminal:\n" +
         "  zq run --to " + role + " --instructions TEXT");
    return watch(*coordinator, *worker);
}

constexpr auto kFlags = std::to_array<Flag>({
    {"role", "ROLE", "The worker's role (default dev)"},
    {"slots", "N", "Tasks at once (default 1)"},
    {"data", "DIR", "The data folder (default: ZQ_DATA, then ./zq-data); made if missing"},
    {"bind", "ENDPOINT", "Control socket (default tcp://127.0.0.1:5570)", Takes::kValues},
    {"artifacts-bind", "ENDPOINT",
     "Artifacts socket (default: the port above the control socket's)", Takes::kValues},
});

constexpr auto kCommands = std::to_array<Command>({
    {"dev",
     "Start",
     "-- COMMAND [ARGS…]",
     "A coordinator and a worker here, until Ctrl-C",
     "  zq dev --role shout -- /bin/sh -c 'tr a-z A-Z < \"$ZQ_PROMPT_FILE\"'\n"
     "  zq run --to shout --instructions \"read me aloud\"      (in another terminal)",
     kFlags,
     {false, false, true},
     1,
     kAnyNumber,
     run_dev},
});

}  // namespace

std::span<const Command> dev_commands() {
    return kCommands;
}

}  // namespace zq::cli
