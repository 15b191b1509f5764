// What a service tells the manager that started it (sd_notify(3)): that it is ready, reads its
// settings again, is alive, ends. Text lines in datagrams to the socket that NOTIFY_SOCKET names;
// without one nothing is said. Too little to depend on libsystemd for.
#pragma once

#include <string>
#include <string_view>

#include "common/base/time.h"

namespace zq {

class Notifier {
  public:
    /// Says nothing.
    Notifier() = default;
    /// Of NOTIFY_SOCKET (a path, or `@` and an abstract name) and WATCHDOG_USEC, where WATCHDOG_PID
    /// is this process or missing. Takes them out of the environment, so that no child speaks for
    /// this process: to be called before there are threads.
    static Notifier from_environment();

    bool is_on() const { return !address_.empty(); }

    /// It serves from now on. `status` is a line for people.
    void ready(std::string_view status) const;
    /// It reads its settings again; `ready` follows.
    void reloading() const;
    void stopping(std::string_view status) const;
    void status(std::string_view status) const;
    /// To be called whenever the loop comes round; speaks where half of the watchdog's time has
    /// passed. `boot` is the boot clock.
    void alive(Millis boot);
    /// How long the loop may wait at most so that `alive` comes in time; `wait` without a watchdog.
    Millis longest_wait(Millis wait) const;

  private:
    void send(const std::string& lines) const;

    std::string address_;  // of the socket, as bind(2) takes it
    Millis watchdog_{};    // 0: nobody watches
    Millis next_alive_{};
};

}  // namespace zq
