// A role served by C++ instead of a command. The handler runs on a thread of its own per attempt;
// leases, heartbeats, outbox, artifacts and reports are the same as for a command.
//
//     HandlerResult greet(const HandlerTask& task) {
//         HandlerResult result;
//         result.summary = "greeted " + task.spec().from;
//         return result;  // and whatever it wrote to task.out_folder()
//     }
//     int main(int argc, char** argv) { return zq::worker::run_main(argc, argv, {{"greet",
//     greet}}); }
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "common/base/report_words.h"
#include "common/base/task_spec.h"

namespace zq::worker {

enum class HandlerOutcome : std::uint8_t { kDone, kSkipped, kFailed, kFailedForGood, kTryLater };

struct HandlerResult {
    HandlerOutcome outcome = HandlerOutcome::kDone;
    std::string reason;  // of anything but kDone
    std::string summary;
    Millis delay{};  // of kTryLater; of kFailed: before the next attempt, 0: as the task says
    FailureClass failure = FailureClass::kError;  // of kFailed
    std::map<std::string, std::string> output;
};

/// What a handler is given. Valid until it returns.
class HandlerTask {
  public:
    HandlerTask(const TaskSpec& spec, std::uint32_t attempt, std::string folder,
                const std::atomic<bool>& stop, const std::atomic<bool>& pause)
        : spec_(spec), attempt_(attempt), folder_(std::move(folder)), stop_(stop), pause_(pause) {}

    const TaskSpec& spec() const { return spec_; }
    std::uint32_t attempt() const { return attempt_; }
    /// With `task.json`, `prompt.md` and `context/`.
    const std::string& folder() const { return folder_; }
    /// Every regular file in it becomes an artifact; `result.md` or `result.json` is the result.
    std::string out_folder() const { return folder_ + "/out"; }
    /// True when the attempt is to end: cancelled, timed out, drained, or the lease is lost. A
    /// handler that takes longer than a moment looks at it now and then, and returns.
    bool stopped() const { return stop_.load(std::memory_order_relaxed); }
    /// True while the lease is in doubt: a thread cannot be frozen from outside, so a handler with
    /// effects on the world waits before each of them while this holds.
    bool paused() const { return pause_.load(std::memory_order_relaxed); }

  private:
    const TaskSpec& spec_;
    std::uint32_t attempt_;
    std::string folder_;
    const std::atomic<bool>& stop_;
    const std::atomic<bool>& pause_;
};

using Handler = std::function<HandlerResult(const HandlerTask&)>;
/// By role.
using Handlers = std::map<std::string, Handler>;

/// A whole worker program: options from the command line (no COMMAND needed for the handlers'
/// roles, which are served unless --role says otherwise). Gives the exit code.
int run_main(int argc, char** argv, Handlers handlers);

}  // namespace zq::worker
