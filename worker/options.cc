#include "worker/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <filesystem>

#include "common/base/byte_size.h"
#include "common/base/control.h"
#include "common/base/limits.h"
#include "common/base/nearest.h"
#include "worker/environment.h"
#include "worker/reread.h"
#include "worker/secret_values.h"
#include "worker/task_secrets.h"

namespace zq::worker {
namespace {

/// The texts of the flags, before they are checked.
struct Raw {
    std::vector<std::string> roles;
    std::vector<std::string> labels;
    std::string stdin_from = "json";
    std::string agent = "raw";
    std::string run_timeout;
    std::string stall_timeout = "15m";
    std::string grace = "30s";
    std::string linger = "30s";
    std::string verify_timeout;
    std::string log_cap = "32MiB";
    std::string idle_exit;
    std::string orphan_hold;
    bool once = false;
    bool keep = false;
    bool version = false;
};

void declare(CLI::App& app, Raw& raw, WorkerOptions& options) {
    app.add_option(
        "--connect", options.connect,
        "The coordinator, such as tcp://10.0.0.1:5570 (else ZQ_CONNECT, else the profile)");
    app.add_option("--role", raw.roles, "A role to serve; may be given several times")
        ->allow_extra_args(false);
    app.add_option(
           "--label", raw.labels,
           "What tasks may need of it, such as gpu or region=eu; may be given several times")
        ->allow_extra_args(false);
    app.add_option("--slots", options.slots, "Tasks in parallel (1)")
        ->check(CLI::Range(std::uint32_t{1}, limits::kSlots));
    app.add_option("--name", options.name, "The worker's name (HOST-ROLE-N)");
    app.add_option("--state", options.state, "Its state folder (one per running worker)");
    app.add_option(
           "--agent", raw.agent,
           "Whose output COMMAND prints: claude (-p --output-format json or stream-json), codex "
           "(exec --json), or raw (any other)")
        ->check(CLI::IsMember({"raw", "claude", "codex"}));
    app.add_option("--stdin", raw.stdin_from, "What the command reads: json, prompt or none (json)")
        ->check(CLI::IsMember({"json", "prompt", "none"}));
    app.add_option("--workdir", options.workdir, "Where the command runs (the attempt's folder)");
    app.add_option(
        "--git-worktree", options.git_worktree,
        "A git repository: each attempt runs in a working tree of its own, on a branch of "
        "its own; the difference becomes the artifact patch.diff");
    app.add_option("--env", options.from.env, "A variable to pass on; may be given several times")
        ->allow_extra_args(false);
    app.add_option("--env-file", options.from.env_file,
                   "A file of NAME=value lines for the command");
    app.add_option("--redact-env", options.from.redact_env,
                   "A variable whose value is taken out of what the command prints; may be given "
                   "several times")
        ->allow_extra_args(false);
    app.add_option("--redact-file", options.from.redact_file,
                   "A file of values, one a line, to take out of what the command prints");
    app.add_option(
        "--secrets", options.secrets_folder,
        "A folder of secrets, a file each (mode 0600): what a task names as "
        "secret://NAME is laid into $ZQ_SECRETS/NAME while it runs, and taken out of all "
        "that leaves this machine");
    app.add_option("--run-timeout", raw.run_timeout, "End an attempt after this long, such as 30m");
    app.add_option("--stall-timeout", raw.stall_timeout,
                   "End an attempt without output and change in its folder for this long (15m; 0s: "
                   "never)");
    app.add_option("--grace", raw.grace, "Between SIGTERM and SIGKILL (30s)");
    app.add_option("--linger", raw.linger,
                   "Kill a command that has said its final word and does not end (30s)");
    app.add_option(
        "--verify", options.verify,
        "A check for /bin/sh after COMMAND, where it ran: exit code 0 passes; else the "
        "attempt failed (class contract), and its last lines are told to the next one. What it "
        "leaves in a --git-worktree is part of the patch");
    app.add_option("--verify-timeout", raw.verify_timeout, "Of the check (10m; 0s: none)");
    app.add_option("--log-cap", raw.log_cap,
                   "Keep this much of stdout and of stderr, head and tail (32MiB)");
    app.add_flag("--once", raw.once, "Take one task, report it, end");
    app.add_option("--idle-exit", raw.idle_exit, "End when there was nothing to do for this long");
    app.add_option("--orphan-hold", raw.orphan_hold,
                   "How long a task is kept frozen while its lease cannot be renewed (30m)");
    app.add_flag("--keep", raw.keep, "Keep the folders of attempts that are reported");
    app.add_flag("--shell", options.shell, "COMMAND is a text for /bin/sh");
    app.add_option(
        "--log", options.from.log,
        "debug, info, warn or error (info); @FILE: what stands in the file, which SIGHUP "
        "has read again, as it does --env-file and --redact-file");
    app.add_flag("--test", options.self_test,
                 "Run COMMAND on fake tasks, without a coordinator, and print how it keeps the "
                 "worker contract");
    app.add_flag("--version", raw.version, "Print the versions and end");
    app.footer(
        "COMMAND may hold {prompt_file} {task_file} {task_id} {out} {resume_id}.\n"
        "Exit codes: 0 ended as asked, 1 error, 2 usage, 4 denied, 5 name or state folder in use,\n"
        "6 the coordinator does not answer (--once) or speaks another protocol, 20 --test found "
        "the "
        "contract broken.");
}

Result<void> take_duration(const std::string& text, const char* flag, Millis& out) {
    if (text.empty()) return {};
    auto parsed = parse_duration(text, flag);
    if (!parsed) return Failure(parsed.error());
    out = *parsed;
    return {};
}

constexpr std::uint64_t kLogCapLeast = 1024;
constexpr std::uint64_t kLogCapMost = 64ULL << 30;

/// `32MiB`, `1GiB`, `4096`.
Result<std::uint64_t> parse_size(const std::string& text, const char* flag) {
    auto size = parse_byte_size(text, kLogCapMost);
    if (size) return *size;
    return fail(ErrorCode::INVALID,
                "'" + text + "' is not a size; write 64KiB, 32MiB or 2GiB (64GiB at most)", flag);
}

Result<void> take_roles(const Raw& raw, const Handlers& handlers, WorkerOptions& options) {
    std::vector<std::string> roles = raw.roles;
    if (roles.empty()) {
        for (const auto& [role, handler] : handlers) roles.push_back(role);
    }
    if (roles.empty() && options.self_test) roles.emplace_back("zq-test");
    if (roles.empty()) return fail(ErrorCode::INVALID, "is required", "--role");
    if (roles.size() > limits::kRolesPerWorker) {
        return fail(ErrorCode::TOO_LARGE, "too many roles", "--role");
    }
    for (const std::string& role : roles) {
        auto name = parse_name(role, "--role");
        if (!name) return Failure(name.error());
        if (options.command.empty() && !handlers.contains(role)) {
            return fail(ErrorCode::INVALID,
                        "no COMMAND for the role " + role + ": end with `-- COMMAND`", "COMMAND");
        }
        options.roles.emplace_back(*name);
    }
    return {};
}

/// `./work.sh` means the folder in which the worker is started, where it is there; else it is left
/// to the folder in which the command runs.
void anchor_command(WorkerOptions& options) {
    if (options.shell || options.command.empty()) return;
    std::string& program = options.command.front();
    if (program.find('/') == std::string::npos) return;
    std::error_code error;
    const auto absolute = std::filesystem::absolute(program, error).lexically_normal();
    if (!error && std::filesystem::exists(absolute, error)) program = absolute.string();
}

/// An existing folder, made absolute; empty: none.
Result<void> take_folder(std::string& folder, const char* flag) {
    if (folder.empty()) return {};
    std::error_code error;
    if (!std::filesystem::is_directory(folder, error)) {
        return fail(ErrorCode::NOT_FOUND, "no such folder: " + folder, flag);
    }
    folder = std::filesystem::absolute(folder, error).string();
    return {};
}

Result<void> take_folders(WorkerOptions& options) {
    if (!options.workdir.empty() && !options.git_worktree.empty()) {
        return fail(ErrorCode::INVALID, "not together with --workdir", "--git-worktree");
    }
    if (auto ok = take_folder(options.workdir, "--workdir"); !ok) return ok;
    if (auto ok = take_folder(options.git_worktree, "--git-worktree"); !ok) return ok;
    if (auto ok = take_folder(options.secrets_folder, "--secrets"); !ok) return ok;
    if (options.secrets_folder.empty()) return {};
    return check_secrets_folder(options.secrets_folder);
}

Result<void> check(const Raw& raw, const Handlers& handlers, WorkerOptions& options) {
    if (auto ok = take_duration(raw.run_timeout, "--run-timeout", options.run_timeout); !ok)
        return ok;
    if (auto ok = take_duration(raw.stall_timeout, "--stall-timeout", options.stall_timeout); !ok)
        return ok;
    if (auto ok = take_duration(raw.grace, "--grace", options.grace); !ok) return ok;
    if (auto ok = take_duration(raw.linger, "--linger", options.linger); !ok) return ok;
    if (!raw.verify_timeout.empty() && options.verify.empty()) {
        return fail(ErrorCode::INVALID, "goes with --verify", "--verify-timeout");
    }
    if (!options.verify.empty() && options.self_test) {
        return fail(ErrorCode::INVALID, "not together with --test, which runs COMMAND alone",
                    "--verify");
    }
    if (auto ok = take_duration(raw.verify_timeout, "--verify-timeout", options.verify_timeout);
        !ok)
        return ok;
    auto cap = parse_size(raw.log_cap, "--log-cap");
    if (!cap) return Failure(cap.error());
    if (*cap < kLogCapLeast) return fail(ErrorCode::INVALID, "1KiB at least", "--log-cap");
    options.log_cap = *cap;
    if (auto ok = take_duration(raw.idle_exit, "--idle-exit", options.idle_exit); !ok) return ok;
    if (auto ok = take_duration(raw.orphan_hold, "--orphan-hold", options.orphan_hold); !ok)
        return ok;
    if (raw.once) options.lifetime = Lifetime::kOneTask;
    if (raw.agent == "claude") options.agent = AgentKind::kClaude;
    if (raw.agent == "codex") options.agent = AgentKind::kCodex;
    if (raw.keep) options.keep = Keep::kForever;
    if (raw.stdin_from == "prompt") options.stdin_from = StdinFrom::kPrompt;
    if (raw.stdin_from == "none") options.stdin_from = StdinFrom::kNone;
    if (!options.name.empty()) {
        if (auto name = parse_name(options.name, "--name"); !name) return Failure(name.error());
    }
    if (auto ok = take_folders(options); !ok) return ok;
    if (auto ok = take_roles(raw, handlers, options); !ok) return ok;
    auto labels = parse_worker_labels(raw.labels, "--label");
    if (!labels) return Failure(labels.error());
    options.labels = std::move(*labels);
    if (auto read = read_again(options); !read) return Failure(read.error());
    anchor_command(options);
    return {};
}

ParsedArguments ended(int exit_code, std::string text) {
    return {{}, exit_code, std::move(text)};
}

/// `; did you mean --role?` for the first unknown flag that is near a known one.
std::string suggestion_for(const CLI::App& app) {
    std::vector<std::string> known;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
    for (const std::string& word : app.remaining()) {
        if (word.rfind("--", 0) != 0) continue;
        const std::string nearest = nearest_word(word.substr(0, word.find('=')), known);
        if (!nearest.empty()) return "; did you mean " + nearest + "?";
    }
    return {};
}

}  // namespace

ParsedArguments parse_arguments(int argc, const char* const* argv, const Handlers& handlers) {
    // Everything after the first `--` is the command's own, whatever it looks like.
    const auto* end = argv + argc;
    const auto* dashes =
        std::find_if(argv, end, [](const char* a) { return std::strcmp(a, "--") == 0; });
    ParsedArguments parsed;
    Raw raw;
    if (dashes != end) parsed.options.command.assign(dashes + 1, end);
    CLI::App app{
        "Runs a command for each task of a role:\n"
        "  zq-worker --role ROLE [OPTIONS] -- COMMAND [ARGS]",
        "zq-worker"};
    app.get_formatter()->column_width(28);
    declare(app, raw, parsed.options);
    try {
        app.parse(static_cast<int>(dashes - argv), argv);
    } catch (const CLI::CallForHelp&) {
        return ended(0, app.help());
    } catch (const CLI::ParseError& error) {
        return ended(kExitUsage, std::string("zq-worker: ") + error.what() + suggestion_for(app) +
                                     "\nSee zq-worker --help\n");
    }
    if (raw.version) {
        return ended(0, "zq-worker " ZQ_VERSION " protocol " + std::string(wire::kProtocol) + "\n");
    }
    if (auto ok = check(raw, handlers, parsed.options); !ok) {
        const Error& error = ok.error();
        return ended(kExitUsage, "zq-worker: " + (error.field.empty() ? "" : error.field + ": ") +
                                     error.message + "\nSee zq-worker --help\n");
    }
    return parsed;
}

}  // namespace zq::worker
