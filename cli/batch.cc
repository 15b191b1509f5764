// `zq batch`: many tasks from a file, a JSON object a line.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "cli/batch_sender.h"
#include "cli/command_table.h"
#include "cli/json_submission.h"
#include "cli/own_task.h"
#include "cli/task_lines.h"

namespace zq::cli {
namespace {

// What Ctrl-C says: made before the first request, so that the handler only writes.
std::string g_interrupted;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

extern "C" void say_how_to_go_on(int signal) {
    [[maybe_unused]] const ssize_t put =
        ::write(STDERR_FILENO, g_interrupted.data(), g_interrupted.size());
    ::_exit(128 + signal);
}

void watch_interrupts(const Arguments& args) {
    g_interrupted = args.has("joblog")
                        ? "\nwhat was printed is submitted; the same command again goes on after "
                          "it\n"
                        : "\nwhat was printed is submitted, and up to 500 more may be; with "
                          "--joblog another run can go on there\n";
    struct sigaction action {};
    action.sa_handler = say_how_to_go_on;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

constexpr auto kFlags = std::to_array<Flag>({
    {"tasks", "FILE|-", "The tasks, one JSON object a line (required; -: stdin)", Takes::kValue,
     "file", 'f'},
    {"atomic", "", "All or none; then at most 500 tasks, of 512 KiB together", Takes::kNothing},
    {"group", "NAME", "The group of the tasks that name none"},
    {"from", "NAME", "Who submits those that do not say it (default: ZQ_FROM, the user's name)"},
    {"joblog", "FILE", "Note here what was acknowledged; a run that finds it goes on after it"},
    {"allow-secrets", "",
     "Let texts pass that have what looks like a key or a password; the journal says so",
     Takes::kNothing},
    {"timeout", "D",
     "Wait at most this long, in all, for room in a full queue (default: no limit)"},
});

/// The lines of one run: read, checked, gathered and sent.
class BatchJob {
  public:
    BatchJob(const Context& context, TaskLines lines, BatchSender& sender, const BatchRun& run,
             const JobLog* log)
        : args_(context.args),
          lines_(std::move(lines)),
          sender_(sender),
          run_(run),
          log_(log),
          atomic_(context.args.has("atomic")) {}

    Expected<void> carry_out() {
        while (true) {
            auto line = lines_.next();
            if (!line) return tl::unexpected(line.error());
            if (!*line) break;
            if (auto ok = take(**line); !ok) return ok;
        }
        if (auto ok = sender_.finish(); !ok) return ok;
        if (chunk_.empty() || (atomic_ && sender_.tally().refused > 0)) return {};
        if (auto ok = sender_.begin(std::move(chunk_)); !ok) return ok;
        return sender_.finish();
    }

    const BatchTally& tally() const { return sender_.tally(); }
    std::uint64_t acknowledged_before() const { return before_; }

  private:
    Expected<void> take(const TaskLine& line) {
        if (line.too_long) {
            return sender_.refuse(line.number, {ErrorCode::TOO_LARGE, "longer than 4 MiB", {}, {}});
        }
        const std::uint64_t digest = line_digest(line.text);
        // All or none: they are sent again together, under the same ids.
        if (log_ != nullptr && !atomic_) {
            const std::uint64_t known = log_->acknowledged(line.number);
            if (known == digest) {
                ++before_;
                return {};
            }
            if (known != 0) {
                return sender_.refuse(
                    line.number, {ErrorCode::CONFLICT,
                                  "the job log says that another line stood here: begin a new job"
                                  " log for another file",
                                  {},
                                  {}});
            }
        }
        auto ready = read(line);
        if (!ready) return sender_.refuse(line.number, ready.error().error);
        return add(batch_line(line.number, digest, std::move(*ready)));
    }

    Expected<Submission> read(const TaskLine& line) {
        auto task = read_json_task(line.text);
        if (!task) return problem(task.error());
        if (task->spec.group.empty()) task->spec.group = GroupName(args_.text("group"));
        if (task->spec.from.empty()) task->spec.from = args_.text("from");
        if (args_.has("allow-secrets")) task->spec.allow_secrets = true;
        auto submission = submission_of(*task);
        if (!submission) return submission;
        if (submission->spec.id.empty()) submission->spec.id = run_.id_of(line.number);
        if (submission->spec.role.empty()) {
            return problem(
                Error{ErrorCode::INVALID, "is missing: the role that shall do it", "to", {}});
        }
        if (auto ok = validate(submission->spec); !ok) {
            return problem(as_written(ok.error(), *task));
        }
        return submission;
    }

    Expected<void> add(BatchLine line) {
        if (chunk_.has_room_for(line) || chunk_.empty()) {
            chunk_.add(std::move(line));
            return {};
        }
        if (atomic_) {
            return usage("--atomic: with line " + std::to_string(line.number) +
                             " they do not fit one request (500 tasks, 512 KiB): nothing is"
                             " submitted",
                         "without --atomic each line stands for itself, and --joblog goes on");
        }
        BatchChunk full = std::exchange(chunk_, {});
        chunk_.add(std::move(line));
        return sender_.begin(std::move(full));
    }

    const Arguments& args_;
    TaskLines lines_;
    BatchSender& sender_;
    const BatchRun& run_;
    const JobLog* log_;
    bool atomic_;
    BatchChunk chunk_;
    std::uint64_t before_ = 0;
};

std::string count_of(std::uint64_t number, const std::string& what) {
    return number == 0 ? "" : ", " + std::to_string(number) + " " + what;
}

void note_tally(const BatchJob& job, const BatchMode& mode) {
    const BatchTally& tally = job.tally();
    const std::uint64_t nothing = mode.atomic && tally.refused > 0 ? 1 : 0;
    note(std::to_string(tally.submitted) + (mode.dry_run ? " would be submitted" : " submitted") +
         count_of(tally.duplicates, "were there before") +
         count_of(job.acknowledged_before(), "by an earlier run") +
         count_of(tally.refused, "refused") + (nothing != 0 ? ": so none was taken" : ""));
}

Expected<void> check(const Arguments& args) {
    if (!args.has("tasks")) return usage("-f FILE is missing", "`-f -` reads stdin");
    if (args.text("joblog") == "-") return usage("--joblog takes a file");
    if (!args.has("group")) return {};
    if (auto ok = parse_name(args.text("group"), "--group"); !ok) return problem(ok.error());
    return {};
}

Ending run_batch(const Context& context) {
    const Arguments& args = context.args;
    if (auto ok = check(args); !ok) return tl::unexpected(ok.error());
    auto patience = args.duration("timeout");
    if (!patience) return tl::unexpected(patience.error());
    const BatchMode mode{args.has("atomic"), args.has("dry-run")};
    auto lines = TaskLines::open(args.text("tasks"));
    if (!lines) return tl::unexpected(lines.error());
    auto own = own_task(args, {});
    if (!own) return tl::unexpected(own.error());
    if (*own && mode.atomic) {
        return usage("--atomic: inside a task its worker hands the tasks on one by one",
                     "--connect ADDRESS speaks to the coordinator itself");
    }
    auto session = open_session(context, *own);
    if (!session) return tl::unexpected(session.error());
    BatchRun run = BatchRun::make();
    std::unique_ptr<JobLog> log;
    if (args.has("joblog") && !mode.dry_run) {
        auto opened = JobLog::open(args.text("joblog"), run);
        if (!opened) return tl::unexpected(opened.error());
        log = std::move(*opened);
        run = log->run();
    }
    watch_interrupts(args);
    if (mode.dry_run) note("dry run: nothing is submitted");
    BatchSender sender(context, **session, mode, log.get(), *patience);
    BatchJob job(context, std::move(*lines), sender, run, log.get());
    auto ended = job.carry_out();
    if (auto rest = sender.finish(); ended && !rest) ended = rest;
    if (log) {
        if (auto ok = log->flush(); !ok) return tl::unexpected(ok.error());
    }
    note_tally(job, mode);
    if (!ended) return tl::unexpected(ended.error());
    return job.tally().first_refusal;
}

constexpr auto kCommands = std::to_array<Command>({
    {"batch",
     "Tasks",
     "",
     "Submit many tasks from a file, one JSON object a line",
     "Prints `ID  STATE  ROLE` of each as it is taken; what is refused goes to stderr with the\n"
     "number of its line. Each line stands for itself, unless --atomic. The names in a line are\n"
     "those of the envelope, or of other queues, as with `zq submit -f`. A full queue is waited\n"
     "for.\n"
     "\n"
     "With --joblog a run that was interrupted is repeated by the same command: it goes on after\n"
     "what was acknowledged, and no line becomes a task twice. Refused lines are tried again.\n"
     "\n"
     "The exit code is that of the first line that was refused (2 invalid, 5 conflict), else 0.\n"
     "\n"
     "  zq batch -f tasks.jsonl --group nightly --joblog tasks.log\n"
     "  printf '{\"to\":\"research\",\"instructions\":\"Look at %s.\"}\\n' a b c | zq batch -f -",
     kFlags,
     {true, true, true},
     0,
     0,
     run_batch},
});

}  // namespace

std::span<const Command> batch_commands() {
    return kCommands;
}

}  // namespace zq::cli
