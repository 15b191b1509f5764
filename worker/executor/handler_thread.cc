#include "worker/executor/handler_thread.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <exception>

namespace zq::worker {
namespace {

HandlerResult failed_with(std::string reason) {
    HandlerResult result;
    result.outcome = HandlerOutcome::kFailed;
    result.reason = std::move(reason);
    return result;
}

}  // namespace

HandlerThread::HandlerThread(Handler handler, TaskSpec spec, std::uint32_t attempt,
                             std::string folder, Millis now)
    : handler_(std::move(handler)),
      spec_(std::move(spec)),
      attempt_(attempt),
      folder_(std::move(folder)),
      started_(now),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this] { run(); }) {}

HandlerThread::~HandlerThread() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
}

void HandlerThread::run() {
    try {
        result_ = handler_(HandlerTask(spec_, attempt_, folder_, stop_, pause_));
    } catch (const std::exception& error) {
        result_ = failed_with(error.what());
    } catch (...) {
        result_ = failed_with("the handler threw something unknown");
    }
    finished_.store(true, std::memory_order_release);
    const std::uint64_t one = 1;
    (void)!::write(wake_.fd(), &one, sizeof one);
}

void HandlerThread::stop(StopCause cause, Millis) {
    if (cause_ == StopCause::kNone) cause_ = cause;
    stop_ = true;
}

std::optional<AttemptEnd> HandlerThread::step(Millis now) {
    if (!finished_.load(std::memory_order_acquire) || !thread_.joinable()) return std::nullopt;
    thread_.join();
    AttemptEnd end;
    end.stop = cause_;
    end.handled = std::move(result_);
    end.duration = now - started_;
    return end;
}

}  // namespace zq::worker
