#include "coordinator/artifact_server.h"

#include <pthread.h>

#include <algorithm>

#include "common/platform/clock.h"

namespace zq::coordinator {
namespace {

/// Messages taken from one door before the others get their turn.
constexpr std::size_t kTurn = 64;

}  // namespace

ArtifactServer::ArtifactServer(ArtifactServerParts parts) : parts_(std::move(parts)) {}

ArtifactServer::~ArtifactServer() {
    stop();
}

void ArtifactServer::start() {
    thread_ = std::thread([this] { serve(); });
    pthread_setname_np(thread_.native_handle(), "zq-artifacts");
}

void ArtifactServer::stop() {
    stopping_ = true;
    stop_.signal();
    if (thread_.joinable()) thread_.join();
}

ArtifactDesk ArtifactServer::make_desk() {
    std::vector<edge::Trust> trusts;
    for (std::size_t i = 0; i < parts_.doors.size(); ++i)
        trusts.push_back(parts_.doors.at(i).trust);
    return ArtifactDesk({parts_.doors, *parts_.store, *parts_.reader, *parts_.trailing, requests_,
                         parts_.counters, trusts, parts_.keys, parts_.shown, parts_.self,
                         parts_.epoch, parts_.unreferenced});
}

void ArtifactServer::serve() {
    ArtifactDesk desk = make_desk();
    std::vector<PollItem> items{{nullptr, stop_.fd(), false},
                                {nullptr, results_.fd(), false},
                                {nullptr, orders_.fd(), false}};
    for (std::size_t i = 0; i < parts_.doors.size(); ++i) {
        items.push_back({parts_.doors.at(i).socket.raw(), -1, false});
    }
    while (!stopping_) {
        Millis patience = seconds(1);  // arrivals are counted
        if (auto next = desk.next_deadline()) {
            patience = std::clamp(*next - boottime(), Millis{}, patience);
        }
        poll(items, patience);
        parts_.doors.count_arrivals(parts_.counters);
        for (const StoreResult& result : results_.take()) desk.handle(result);
        for (const RemoveOrder& order : orders_.take()) desk.handle(order);
        for (std::size_t i = 0; i < parts_.doors.size(); ++i) {
            for (std::size_t taken = 0; taken < kTurn; ++taken) {
                auto received = parts_.doors.at(i).socket.receive();
                if (!received) break;
                desk.handle(i, std::move(*received), wall_time());
            }
        }
        desk.serve_logs(boottime());
    }
}

}  // namespace zq::coordinator
