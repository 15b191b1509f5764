#include "common/platform/hang_up.h"

#include <fcntl.h>
#include <signal.h>

#include "common/platform/files.h"

namespace zq {
namespace {

/// /dev/tty opens only while the session has a terminal.
bool has_terminal() {
    return FileHandle(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)).is_open();
}

bool ignores_hang_up() {
    struct sigaction action {};
    return ::sigaction(SIGHUP, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

HangUp HangUp::watch() {
    HangUp hang_up;
    hang_up.had_terminal_ = has_terminal() && !ignores_hang_up();
    return hang_up;
}

bool HangUp::ends() const {
    return had_terminal_ && !has_terminal();
}

}  // namespace zq
