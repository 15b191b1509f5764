// One attempt of a role that is served by C++: the handler on a thread of its own. A thread cannot
// be frozen or killed from outside, so both are flags that the handler sees (handler.h); what it
// gives after its lease is lost is not reported.
#pragma once

#include <atomic>
#include <thread>

#include "common/platform/files.h"
#include "worker/executor/execution.h"

namespace zq::worker {

class HandlerThread : public Execution {
  public:
    HandlerThread(Handler handler, TaskSpec spec, std::uint32_t attempt, std::string folder,
                  Millis now);
    /// Asks the handler to stop, and waits for it.
    ~HandlerThread() override;

    void freeze() override { pause_ = true; }
    void thaw() override { pause_ = false; }
    void stop(StopCause cause, Millis now) override;
    void kill() override { stop_ = true; }
    std::optional<AttemptEnd> step(Millis now) override;
    Millis deadline() const override { return Millis{INT64_MAX}; }
    int wake_fd() const override { return wake_.fd(); }

  private:
    void run();

    Handler handler_;
    TaskSpec spec_;
    std::uint32_t attempt_;
    std::string folder_;
    Millis started_;
    FileHandle wake_;
    std::atomic<bool> stop_{false};
    std::atomic<bool> pause_{false};
    std::atomic<bool> finished_{false};
    HandlerResult result_;  // the thread's until `finished_`
    StopCause cause_ = StopCause::kNone;
    std::thread thread_;
};

}  // namespace zq::worker
