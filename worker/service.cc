#include "worker/service.h"

#include <pthread.h>

#include "common/platform/clock.h"
#include "common/platform/log.h"
#include "worker/reread.h"

namespace zq::worker {

sigset_t block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return signals;
}

void Service::poll(std::vector<PollItem>& items, Millis longest) {
    zq::poll(items, notifier_.longest_wait(longest));
    notifier_.alive(boottime());
}

void Service::welcomed(const std::string& endpoint) {
    if (!ready_.empty()) return;
    for (const RoleName& role : options_.roles) ready_ += (ready_.empty() ? "" : ", ") + role.text;
    ready_ = "serving " + ready_ + " at " + endpoint;
    notifier_.ready(ready_);
}

bool Service::read_again_on(std::uint32_t signal) {
    if (signal != SIGHUP || hang_up_.ends()) return false;
    notifier_.reloading();
    auto changed = read_again(options_);
    if (changed) {
        static_cast<void>(set_log_level(options_.log_level));  // it was checked
        std::string names;
        for (const std::string& name : *changed) names += (names.empty() ? "" : ",") + name;
        log_info("the settings were read again", {{"changed", names.empty() ? "nothing" : names}});
    } else {
        log_error("the settings were read again and are wrong: all stays as it was",
                  {{"field", changed.error().field}, {"error", changed.error().message}});
    }
    // One that was not ready before is so later.
    if (!ready_.empty()) notifier_.ready(ready_);
    return true;
}

}  // namespace zq::worker
