// The artifacts thread: its sockets, its store, its reader, so that a big file never delays a
// heartbeat. Talks with the loop by two mailboxes.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "coordinator/artifact_desk.h"

namespace zq::coordinator {

struct ArtifactServerParts {
    Doors doors;
    std::unique_ptr<store::ArtifactStore> store;
    std::unique_ptr<store::Reader> reader;
    std::unique_ptr<store::Reader> trailing;
    edge::Counters& counters;
    edge::KeyBook& keys;
    edge::Possession& shown;
    edge::Self self;
    Epoch epoch = 0;
    Millis unreferenced = hours(24);  // that content nothing refers to lives
};

class ArtifactServer {
  public:
    explicit ArtifactServer(ArtifactServerParts parts);
    /// Ends the thread.
    ~ArtifactServer();

    void start();
    void stop();

    /// What the loop is asked, and where it answers.
    Mailbox<StoreRequest>& requests() { return requests_; }
    Mailbox<StoreResult>& results() { return results_; }
    Mailbox<RemoveOrder>& orders() { return orders_; }

  private:
    void serve();
    ArtifactDesk make_desk();

    ArtifactServerParts parts_;  // the thread's alone, once it runs
    Mailbox<StoreRequest> requests_;
    Mailbox<StoreResult> results_;
    Mailbox<RemoveOrder> orders_;
    Wakeup stop_;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

}  // namespace zq::coordinator
