// What a program says to the service manager, gives back of its limits, and wipes of its keys.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>

#include "common/platform/clock.h"
#include "common/platform/files.h"
#include "common/platform/keys.h"
#include "common/platform/notify.h"
#include "common/platform/process_limits.h"

namespace zq {
namespace {

/// A service manager's socket with an abstract name.
class Manager {
  public:
    Manager() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        name_ = "zq-service-test-" + std::to_string(::getpid());
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        name_.copy(address.sun_path + 1, name_.size());
        const auto size =
            static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name_.size());
        EXPECT_EQ(::bind(socket_.fd(), reinterpret_cast<sockaddr*>(&address), size), 0);
    }
    std::string name() const { return "@" + name_; }
    /// What was said since the last call, a datagram a line.
    std::vector<std::string> heard() const {
        std::vector<std::string> all;
        char buffer[2048];
        for (ssize_t got = 0; (got = ::recv(socket_.fd(), buffer, sizeof buffer, 0)) >= 0;) {
            all.emplace_back(buffer, static_cast<std::size_t>(got));
        }
        return all;
    }

  private:
    FileHandle socket_;
    std::string name_;
};

using Said = std::vector<std::string>;

TEST(Notifier, SaysNothingWhereNobodyAsks) {
    ::unsetenv("NOTIFY_SOCKET");
    Notifier notifier = Notifier::from_environment();
    EXPECT_FALSE(notifier.is_on());
    notifier.ready("serving");
    notifier.alive(millis(1));
    EXPECT_EQ(notifier.longest_wait(seconds(1)), seconds(1));
}

TEST(Notifier, SaysItsWordsToAnAbstractSocketAndTakesItOutOfTheEnvironment) {
    const Manager manager;
    ::setenv("NOTIFY_SOCKET", manager.name().c_str(), 1);
    const Notifier notifier = Notifier::from_environment();
    EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
    notifier.ready("two\nlines");
    notifier.stopping("bye");
    EXPECT_EQ(manager.heard(), (Said{"READY=1\nSTATUS=two lines\n", "STOPPING=1\nSTATUS=bye\n"}));
    notifier.reloading();
    const Said reloading = manager.heard();
    ASSERT_EQ(reloading.size(), 1U);
    EXPECT_EQ(reloading[0].rfind("RELOADING=1\nMONOTONIC_USEC=", 0), 0U);
}

TEST(Notifier, FeedsAWatchdogInHalfOfItsTime) {
    const Manager manager;
    ::setenv("NOTIFY_SOCKET", manager.name().c_str(), 1);
    ::setenv("WATCHDOG_USEC", "2000000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    Notifier notifier = Notifier::from_environment();
    EXPECT_EQ(notifier.longest_wait(seconds(1)), millis(500));
    for (const std::int64_t at : {5'000, 5'400, 5'999, 6'000, 6'100}) notifier.alive(millis(at));
    EXPECT_EQ(manager.heard(), (Said{"WATCHDOG=1\n", "WATCHDOG=1\n"}));
}

TEST(Notifier, LeavesAWatchdogOfAnotherProcessAlone) {
    const Manager manager;
    ::setenv("NOTIFY_SOCKET", manager.name().c_str(), 1);
    ::setenv("WATCHDOG_USEC", "2000000", 1);
    ::setenv("WATCHDOG_PID", "1", 1);
    Notifier notifier = Notifier::from_environment();
    notifier.alive(seconds(5));
    EXPECT_TRUE(manager.heard().empty());
}

TEST(Notifier, SurvivesASocketThatIsGoneAndAnAddressThatIsNone) {
    ::setenv("NOTIFY_SOCKET", "@zq-nobody-binds-this", 1);
    Notifier::from_environment().ready("serving");
    for (const std::string& bad : {std::string("vsock:2:1"), "/" + std::string(200, 'x')}) {
        ::setenv("NOTIFY_SOCKET", bad.c_str(), 1);
        EXPECT_FALSE(Notifier::from_environment().is_on()) << bad;
    }
}

TEST(ProcessLimits, GiveBackWhatWasThereBefore) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    if (before.rlim_max < 300) GTEST_SKIP() << "no room below the hard limit";
    rlimit low = before;
    low.rlim_cur = 256;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    const ProcessLimits limits = ProcessLimits::take();
    EXPECT_GT(open_file_limit(), 256U);
    const std::string command =
        "test $(" + limits.restoring_words() + "ulimit -S -n) = 256 && test $(ulimit -S -c) = 0";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST(Keys, AreWiped) {
    std::string secret(40, 's');
    const char* place = secret.data();
    const std::string_view there(place, 40);
    wipe(secret);
    EXPECT_TRUE(secret.empty());
    // The text keeps its memory: what it held is not in it any more.
    EXPECT_EQ(secret.data(), place);
    EXPECT_EQ(there.find('s'), std::string_view::npos);
}

}  // namespace
}  // namespace zq
