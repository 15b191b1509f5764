// Client processes of a load: forked, so that none shares a thread or a lock with another, and the
// figures that each sends back. To be used before this process has threads of its own.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "cli/exit_code.h"

namespace zq::cli {

/// From now on Ctrl-C and SIGTERM end what is waited for here, and not this process.
void catch_interrupts();
bool interrupted();

class Crew {
  public:
    Crew() = default;
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;
    /// Kills who is still there.
    ~Crew();

    /// Runs `work` in a process of its own. What it returns is its report; `stop_fd` becomes
    /// readable when it is to come to an end.
    void start(const std::function<std::string(int stop_fd)>& work);
    /// Tells all to end.
    void stop();
    /// Waits until all have ended; their reports in the order of their start. Errors: IO (one has
    /// failed, and said why), and that a person has had enough (exit code 130).
    Expected<std::vector<std::string>> reports();

  private:
    struct Member {
        pid_t pid = 0;
        int report_fd = -1;
        int stop_fd = -1;
    };
    std::vector<Member> members_;
};

}  // namespace zq::cli
