#include "cli/bench/floor.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/bench/crew.h"
#include "cli/bench/own_server.h"
#include "cli/bench/queue.h"
#include "common/platform/files.h"

namespace zq::cli {
namespace {

constexpr int kRounds = 2'000;
constexpr std::size_t kLogBytes = 4UL << 20;
constexpr std::size_t kFrame = 24 + 4096;  // SQLite's write-ahead log
constexpr useconds_t kBetween = 100;       // as between two requests of one client

Expected<Latencies> time_syncs(const std::string& folder) {
    const std::string path = folder + "/floor";
    FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file.is_open()) {
        return problem(ErrorCode::IO, "cannot make " + path + ": " + std::strerror(errno));
    }
    ::unlink(path.c_str());
    const std::string log(kLogBytes, 'x');
    const std::string frame(kFrame, 'y');
    bool ok = ::pwrite(file.fd(), log.data(), log.size(), 0) == static_cast<ssize_t>(log.size());
    ok = ok && ::fsync(file.fd()) == 0;
    Latencies latencies;
    off_t at = 0;
    for (int i = 0; ok && i < kRounds; ++i) {
        const std::int64_t start = now_ns();
        ok = ::pwrite(file.fd(), frame.data(), frame.size(), at) ==
                 static_cast<ssize_t>(frame.size()) &&
             ::fdatasync(file.fd()) == 0;
        latencies.add(now_ns() - start);
        at += static_cast<off_t>(kFrame);
        if (at + static_cast<off_t>(kFrame) > static_cast<off_t>(kLogBytes)) at = 0;
        ::usleep(kBetween);
    }
    if (!ok) return problem(ErrorCode::IO, "cannot write " + path + ": " + std::strerror(errno));
    return latencies;
}

/// Answers whatever comes, until it is told to stop.
std::string echo(const std::string& endpoint, int stop_fd) {
    SocketContext sockets;
    SocketOptions options;
    options.kind = SocketKind::kRouter;
    auto socket = Socket::open(sockets, options);
    if (!socket) fatal(socket.error().message);
    if (auto ok = socket->bind(endpoint); !ok) fatal(ok.error().message);
    std::vector<PollItem> items{{socket->raw(), -1, false}, {nullptr, stop_fd, false}};
    while (!items[1].readable) {
        poll(items, millis(100));
        while (auto received = socket->receive()) {
            received->frames.back().resize(100);
            socket->send(received->frames);
        }
    }
    return {};
}

Expected<Latencies> time_round_trips() {
    const std::string endpoint = "tcp://127.0.0.1:" + std::to_string(free_port());
    Crew crew;
    crew.start([&](int stop_fd) { return echo(endpoint, stop_fd); });
    // The client too: this process has no threads of its own.
    Crew client;
    client.start([&](int) {
        SocketContext sockets;
        auto socket = Socket::open(sockets, {});
        if (!socket) fatal(socket.error().message);
        if (auto ok = socket->connect(endpoint); !ok) fatal(ok.error().message);
        std::vector<PollItem> items{{socket->raw(), -1, false}};
        const Frames request{"", "zq/1", "SUBMIT", std::string(1024, 'x')};
        Latencies latencies;
        for (int i = -100; i < kRounds; ++i) {
            const std::int64_t start = now_ns();
            socket->send(request);
            while (!socket->receive()) poll(items, seconds(5));
            if (i >= 0) latencies.add(now_ns() - start);
            ::usleep(kBetween);
        }
        return latencies.to_text();
    });
    const auto reports = client.reports();
    crew.stop();
    if (auto ended = crew.reports(); !ended) return tl::unexpected(ended.error());
    if (!reports) return tl::unexpected(reports.error());
    return Latencies::from_text(reports->front());
}

}  // namespace

Expected<Floor> measure_floor(const std::string& folder) {
    auto syncs = time_syncs(folder);
    if (!syncs) return tl::unexpected(syncs.error());
    auto trips = time_round_trips();
    if (!trips) return tl::unexpected(trips.error());
    return Floor{std::move(*syncs), std::move(*trips)};
}

}  // namespace zq::cli
