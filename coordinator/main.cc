// zq-coordinator: reads its options, and serves, checks, or says what it is.
#include <signal.h>
#include <sys/signalfd.h>

#include <cstdio>
#include <cstdlib>

#include "common/platform/files.h"
#include "common/platform/log.h"
#include "common/platform/process_limits.h"
#include "common/wire/codec.h"
#include "coordinator/server.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/verify.h"

namespace zq::coordinator {
namespace {

// Exit codes, as `zq help exit-codes` lists them.
enum : int { kDone = 0, kFailed = 1, kUsage = 2, kNotFound = 3, kConflict = 5, kProblems = 20 };

int exit_code_of(const Error& error) {
    switch (error.code) {
        case ErrorCode::INVALID:
        case ErrorCode::DENIED:
            return kUsage;
        case ErrorCode::NOT_FOUND:
            return kNotFound;
        case ErrorCode::CONFLICT:
            return kConflict;
        default:
            return kFailed;
    }
}

int complain(const Error& error) {
    std::fprintf(stderr, "zq-coordinator: %s\n", error.message.c_str());
    return exit_code_of(error);
}

int print_version() {
    std::printf("zq-coordinator %s\nprotocol %s\njournal format %d\n", ZQ_VERSION,
                std::string(wire::kProtocol).c_str(), store::kFormatVersion);
    return kDone;
}

int check(const Options& options) {
    if (auto schemas = read_payload_schemas(options); !schemas) return complain(schemas.error());
    auto report = store::verify(options.data, store::VerifyDepth::kContents);
    if (!report) return complain(report.error());
    std::printf("journal format %d\nevents %llu\nlast_seq %llu\nchain_head %s\nstate %s\n",
                report->format, static_cast<unsigned long long>(report->events),
                static_cast<unsigned long long>(report->last_seq), to_hex(report->head).c_str(),
                to_hex(report->state).c_str());
    std::printf("tasks %llu\nattempts %llu\ncontents %llu\n",
                static_cast<unsigned long long>(report->tasks),
                static_cast<unsigned long long>(report->attempts),
                static_cast<unsigned long long>(report->contents));
    for (const std::string& problem : report->problems) {
        std::printf("problem: %s\n", problem.c_str());
    }
    std::printf("%s\n", report->problems.empty() ? "clean" : "NOT CLEAN");
    return report->problems.empty() ? kDone : kProblems;
}

/// Blocks the signals that are meant for the loop, before any thread starts, and makes them
/// readable.
FileHandle open_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    return FileHandle(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
}

std::string environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? "" : value;
}

int run_server(const Options& options, const std::vector<std::string>& arguments) {
    // Every connection is a descriptor; out of them, libzmq's thread spins.
    ProcessLimits::take();
    keep_files_private();
    Notifier notifier = Notifier::from_environment();
    const FileHandle signals = open_signals();
    if (!signals.is_open()) return complain({ErrorCode::IO, "cannot make a signalfd", {}, {}});
    if (runs_as_root()) log_warn("runs as root, and needs no right of root's: give it a user");
    auto result = serve(
        options, {signals.fd(), notifier, [&] { return parse_options(arguments, environment); }});
    if (result) return kDone;
    log_error("the coordinator ends", {{"code", std::string(to_string(result.error().code))},
                                       {"error", result.error().message}});
    return exit_code_of(result.error());
}

int run(const std::vector<std::string>& arguments) {
    auto options = parse_options(arguments, environment);
    if (!options) return complain(options.error());
    if (auto ok = set_log_level(options->log_level); !ok) return complain(ok.error());
    switch (options->mode) {
        case Mode::kHelp:
            std::fputs(options->help.c_str(), stdout);
            return kDone;
        case Mode::kVersion:
            return print_version();
        case Mode::kCheck:
            return check(*options);
        case Mode::kServe:
            return run_server(*options, arguments);
    }
    return kFailed;
}

}  // namespace
}  // namespace zq::coordinator

int main(int argc, char** argv) {
    return zq::coordinator::run({argv + 1, argv + argc});
}
