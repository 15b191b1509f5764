#include "coordinator/edge/outlet.h"

namespace zq::edge {
namespace {

constexpr std::size_t kMessagesPerPeer = 1'000;
constexpr std::size_t kBytesPerPeer = 4UL << 20;
constexpr std::size_t kBytes = 256UL << 20;

std::size_t bytes_of(const Frames& frames) {
    std::size_t bytes = 0;
    for (const std::string& frame : frames) bytes += frame.size();
    return bytes;
}

}  // namespace

void Outlet::lose(const Connection& connection) {
    auto at = waiting_.find(connection);
    if (at != waiting_.end()) {
        total_bytes_ -= at->second.bytes;
        waiting_.erase(at);
    }
    lost_.push_back(connection);
}

void Outlet::send(const Route& route, Frames message) {
    Frames frames = join_frames(route.envelope, std::move(message));
    const Connection& to = route.connection;
    if (waiting_.empty() || !waiting_.contains(to)) {
        const SendStatus status = sender_.send(to.door, frames);
        if (status == SendStatus::kSent) return;
        if (status == SendStatus::kGone) return lose(to);
    }
    Waiting& waiting = waiting_[to];
    const std::size_t bytes = bytes_of(frames);
    if (waiting.messages.size() >= kMessagesPerPeer || waiting.bytes + bytes > kBytesPerPeer ||
        total_bytes_ + bytes > kBytes) {
        return lose(to);
    }
    waiting.bytes += bytes;
    total_bytes_ += bytes;
    waiting.messages.push_back(std::move(frames));
}

void Outlet::retry() {
    std::vector<Connection> gone;
    for (auto at = waiting_.begin(); at != waiting_.end();) {
        Waiting& waiting = at->second;
        SendStatus status = SendStatus::kSent;
        while (!waiting.messages.empty()) {
            status = sender_.send(at->first.door, waiting.messages.front());
            if (status != SendStatus::kSent) break;
            const std::size_t bytes = bytes_of(waiting.messages.front());
            waiting.bytes -= bytes;
            total_bytes_ -= bytes;
            waiting.messages.pop_front();
        }
        if (status == SendStatus::kGone) gone.push_back(at->first);
        at = waiting.messages.empty() ? waiting_.erase(at) : std::next(at);
    }
    for (const Connection& connection : gone) lose(connection);
}

std::vector<Connection> Outlet::take_lost() {
    return std::exchange(lost_, {});
}

}  // namespace zq::edge
