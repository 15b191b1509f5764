// A program of ours that runs beside this one: started from where `zq` itself lies, and ended in
// order.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "common/base/time.h"
#include "common/client/profile.h"

namespace zq::cli {

/// The signals that end us, and SIGCHLD: whoever waits for a Child blocks them first.
sigset_t watched_signals();
/// Waits for a watched signal, at most `limit`; 0 when the time is over.
int await_signal(Millis limit);

/// In a process group of its own: the terminal's Ctrl-C reaches `zq` alone, which ends it in order.
/// One that goes out of scope runs on.
class Child {
  public:
    /// `name`: beside `zq`; or a path, with a slash. Errors: IO.
    static Expected<Child> start(const std::string& name, const std::vector<std::string>& flags);

    /// True once the program has ended; reaps it.
    bool has_ended();
    bool ends_within(Millis limit);
    void signal(int number) const;
    const std::string& name() const { return name_; }
    pid_t pid() const { return pid_; }

  private:
    Child(std::string name, pid_t pid) : name_(std::move(name)), pid_(pid) {}
    std::string name_;
    pid_t pid_ = 0;
};

/// Waits until it answers. Errors: IO (it has ended), UNREACHABLE.
Expected<void> await_coordinator(Child& coordinator, const Profile& profile);

}  // namespace zq::cli
