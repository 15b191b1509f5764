// What of a simulated worker is gone when its process is. Internal to worker_host.cc and
// worker_actions.cc.
#pragma once

#include <set>

#include "tests/simulator/worker_host.h"

namespace zq::sim {

struct WorkerHost::Process {
    Process(worker::SessionOptions options, std::vector<worker::StoredReport> reports)
        : session(std::move(options), std::move(reports)) {}

    worker::Session session;
    std::map<LeaseToken, Attempt> attempts;
    LinkId link = 0;
    std::deque<Frames> inbox;
    std::optional<Millis> pass_at;
    std::set<Digest> stored;                                  // what was put by this process
    std::vector<LeaseToken> killed;                           // asked to die, to be told as gone
    std::vector<LeaseToken> put_again;                        // content that is stored by now
    std::vector<std::pair<LeaseToken, wire::Body>> replaced;  // in the outbox, to be sent
    std::uint64_t words = 0;                                  // that were told
    std::map<std::uint64_t, Digest> saying;                   // checkpoints, by their word
    std::set<std::uint64_t> asking;                           // words that ask a person
    std::vector<std::pair<LeaseToken, std::uint64_t>> words_stored;
    std::uint32_t signals = 0;
    std::optional<int> exit_code;
};

}  // namespace zq::sim
