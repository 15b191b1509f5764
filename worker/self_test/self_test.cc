#include "worker/self_test/self_test.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "worker/environment.h"
#include "worker/self_test/fake_attempt.h"

namespace zq::worker {
namespace {

constexpr Millis kHungLimit = seconds(3);
constexpr std::uint64_t kSmallCap = 1024;

using Points = std::vector<Point>;

std::string seconds_text(Millis time) {
    char text[32];
    std::snprintf(text, sizeof text, "%lld.%01llds", static_cast<long long>(time.count / 1000),
                  static_cast<long long>(time.count % 1000 / 100));
    return text;
}

std::string ended(const AttemptEnd& end) {
    if (end.exit_code) return "exit code " + std::to_string(*end.exit_code);
    return "signal " + std::to_string(end.signal);
}

bool is_success(const wire::Body& report) {
    return std::holds_alternative<wire::Complete>(report) ||
           std::holds_alternative<wire::Skip>(report);
}

/// What the report says went wrong.
std::string reason_of(const wire::Body& report) {
    if (const auto* fail = std::get_if<wire::Fail>(&report)) {
        return std::string(to_string(fail->failure)) + ": " + fail->reason;
    }
    if (const auto* release = std::get_if<wire::Release>(&report)) {
        return "given back, " + std::string(to_string(release->cause)) + ": " + release->reason;
    }
    return "completed";
}

const FoundFile* result_in(const Collected& collected) {
    const auto& files = collected.files;
    const auto found = std::find_if(files.begin(), files.end(), [](const FoundFile& file) {
        return file.name == "result" || file.name.starts_with("result.");
    });
    return found == files.end() ? nullptr : &*found;
}

Point environment_point(const WorkerOptions& options) {
    std::string passed;
    for (const std::string& entry : options.environment) {
        passed += " " + entry.substr(0, entry.find('='));
    }
    std::string dropped;
    for (const std::string& name : dropped_environment(options.environment)) dropped += " " + name;
    return {"environment", Verdict::kKept,
            "passed on:" + (passed.empty() ? " nothing" : passed) +
                "; dropped:" + (dropped.empty() ? " nothing" : dropped) +
                (dropped.empty() ? "" : " (--env NAME passes one on)")};
}

void success_points(const WorkerOptions& options, const Result<FakeOutcome>& run, Points& points) {
    if (!run) {
        points.push_back({"success", Verdict::kBroken, run.error().message});
        return;
    }
    const FoundFile* result = result_in(run->collected);
    std::string what = ended(run->end) + " after " + seconds_text(run->end.duration);
    if (!is_success(run->report)) what = reason_of(run->report);
    points.push_back(
        {"success", is_success(run->report) ? Verdict::kKept : Verdict::kBroken, what});
    if (!is_success(run->report)) return;
    if (result == nullptr) {
        points.push_back({"result", Verdict::kNotShown,
                          "none: nothing in $ZQ_RESULT, and nothing usable on stdout"});
    } else {
        points.push_back({"result", Verdict::kKept,
                          result->name + ", " + std::to_string(result->size) + " bytes"});
    }
    if (options.agent != AgentKind::kRaw && !(run->end.agent && run->end.agent->closed)) {
        points.push_back(
            {"adapter", Verdict::kBroken,
             "--agent: no closing record was read; see --help for the output it needs"});
    }
    const bool risky =
        options.stall_timeout.count > 0 && run->longest_silence * 2 >= options.stall_timeout;
    points.push_back({"signs of life", risky ? Verdict::kBroken : Verdict::kKept,
                      "longest silence " + seconds_text(run->longest_silence) + " of " +
                          to_string(options.stall_timeout) + " (--stall-timeout)"});
}

Point try_later_point(const Result<FakeOutcome>& run) {
    const std::string name = "temporary failure";
    if (!run) return {name, Verdict::kBroken, run.error().message};
    const auto* release = std::get_if<wire::Release>(&run->report);
    if (release != nullptr && release->cause == ReleaseCause::kTryLater) {
        return {name, Verdict::kKept,
                "exit code 75, again after " +
                    (release->delay.count > 0 ? to_string(release->delay) : "the task's backoff")};
    }
    return {name, Verdict::kNotShown,
            ended(run->end) + ": a passing trouble will use up an attempt (exit 75 does not)"};
}

Point cancel_point(const WorkerOptions& options, const Result<FakeOutcome>& run) {
    if (!run) return {"cancel", Verdict::kBroken, run.error().message};
    if (!run->suffered) return {"cancel", Verdict::kNotShown, "it had ended before it was asked"};
    if (run->end.signal == SIGKILL) {
        return {"cancel", Verdict::kBroken,
                "SIGTERM and the cancel file were ignored: killed after " +
                    to_string(options.grace) + " (--grace)"};
    }
    return {"cancel", Verdict::kKept,
            ended(run->end) + ", " + seconds_text(run->after_ordeal) + " after it was asked"};
}

Point stall_point(const Result<FakeOutcome>& run) {
    if (!run) return {"stall", Verdict::kBroken, run.error().message};
    // What is stopped cannot go on: one that ended, or said its final word, was through before it.
    const bool through = run->end.stop == StopCause::kNone || run->end.stop == StopCause::kLingered;
    const bool ended_before = through && run->left == 0;
    if (!run->suffered || ended_before) {
        return {"stall", Verdict::kNotShown, "it had ended before it could hang"};
    }
    if (run->end.stop != StopCause::kStalled || run->left > 0) {
        return {"stall", Verdict::kBroken,
                "stopped dead, it was not ended: " + reason_of(run->report) + ", " +
                    std::to_string(run->left) + " processes left"};
    }
    return {"stall", Verdict::kKept,
            "stopped dead, it was found after " + to_string(kHungLimit) +
                " of silence and ended; no process is left"};
}

Point output_point(const WorkerOptions& options, const Result<FakeOutcome>& full,
                   const Result<FakeOutcome>& run) {
    if (!run) return {"huge output", Verdict::kBroken, run.error().message};
    const std::uint64_t dropped = run->end.stdout_dropped + run->end.stderr_dropped;
    const std::string wrote = std::to_string(run->output_bytes) + " bytes written";
    if (!is_success(run->report)) {
        return {"huge output", Verdict::kBroken,
                wrote + ", " + std::to_string(dropped) + " dropped: " + reason_of(run->report)};
    }
    if (dropped == 0) {
        return {"huge output", Verdict::kNotShown,
                wrote + ": not more than " + std::to_string(kSmallCap) + " (the cap of this run)"};
    }
    const bool lost =
        full && result_in(full->collected) != nullptr && result_in(run->collected) == nullptr;
    if (lost) {
        return {"huge output", Verdict::kNotShown,
                "its result is what it writes to stdout: more than --log-cap (" +
                    std::to_string(options.log_cap) +
                    " bytes) is no result; $ZQ_RESULT may be larger"};
    }
    return {"huge output", Verdict::kKept,
            wrote + ", " + std::to_string(dropped) + " dropped at a cap of " +
                std::to_string(kSmallCap) + ", the rest is not hurt"};
}

std::string line_of(const Point& point) {
    const char* verdict = "ok       ";
    if (point.verdict == Verdict::kNotShown) verdict = "not shown";
    if (point.verdict == Verdict::kBroken) verdict = "BROKEN   ";
    std::string name = point.name;
    name.resize(std::max<std::size_t>(name.size(), 18), ' ');
    return std::string(verdict) + "  " + name + " " + point.what + "\n";
}

}  // namespace

std::vector<Point> check_contract(const WorkerOptions& options, const std::string& folder,
                                  const std::function<void(const Point&)>& told) {
    Points points;
    std::size_t shown = 0;
    auto show = [&] {
        for (; shown < points.size(); ++shown) told(points[shown]);
    };
    points.push_back(environment_point(options));
    show();
    const std::string plain =
        "This is a test of the worker contract. Read context.md, and write "
        "one line about it as your result. Change nothing else.\n";
    const auto success = run_fake_attempt(options, {"success", Ordeal::kNone, plain}, folder);
    success_points(options, success, points);
    show();
    points.push_back(try_later_point(run_fake_attempt(
        options,
        {"try-later", Ordeal::kNone,
         plain + "If you can, behave as if a service you need were away: exit code 75.\n"},
        folder)));
    show();
    points.push_back(cancel_point(
        options, run_fake_attempt(options, {"cancel", Ordeal::kCancel, plain}, folder)));
    show();
    WorkerOptions hung = options;
    hung.stall_timeout = kHungLimit;
    hung.grace = millis(100);  // what is stopped cannot clean up
    points.push_back(stall_point(run_fake_attempt(hung, {"stall", Ordeal::kHang, plain}, folder)));
    show();
    WorkerOptions small = options;
    small.log_cap = kSmallCap;
    points.push_back(output_point(
        options, success, run_fake_attempt(small, {"huge-output", Ordeal::kNone, plain}, folder)));
    show();
    return points;
}

int run_self_test(const WorkerOptions& options) {
    std::string form = (std::filesystem::temp_directory_path() / "zq-test-XXXXXX").string();
    if (::mkdtemp(form.data()) == nullptr) {
        std::fprintf(stderr, "zq-worker: cannot make a folder for the test\n");
        return 1;
    }
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    std::printf("The command runs five times on a fake task; ZQ_TEST names the scenario.\n");
    std::fflush(stdout);
    const Points points = check_contract(options, form, [](const Point& point) {
        std::fputs(line_of(point).c_str(), stdout);
        std::fflush(stdout);
    });
    auto count = [&](Verdict verdict) {
        return std::to_string(std::count_if(points.begin(), points.end(),
                                            [&](const Point& p) { return p.verdict == verdict; }));
    };
    std::printf("%s ok, %s not shown, %s broken\n", count(Verdict::kKept).c_str(),
                count(Verdict::kNotShown).c_str(), count(Verdict::kBroken).c_str());
    if (options.keep == Keep::kForever) {
        std::printf("the attempts are in %s\n", form.c_str());
    } else {
        for (const auto& entry : std::filesystem::directory_iterator(form + "/attempts")) {
            (void)remove_workspace({entry.path().string()});
        }
        std::error_code ignored;
        std::filesystem::remove_all(form, ignored);
    }
    const bool broken = std::any_of(points.begin(), points.end(),
                                    [](const Point& p) { return p.verdict == Verdict::kBroken; });
    return broken ? kExitProblems : 0;
}

}  // namespace zq::worker
