// Who may connect: the ZAP handler (RFC 27) of all authenticated sockets, in a thread of its own.
// Fails closed: only CURVE, only keys that the registry knows at that moment, and libzmq refuses
// everybody while no handler answers. If the thread ends, `ended` becomes readable and the process
// must stop.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "common/platform/clock.h"
#include "common/platform/key_registry.h"
#include "common/platform/mailbox.h"
#include "common/platform/socket.h"
#include "coordinator/edge/key_book.h"

namespace zq::edge {

/// The frames of one ZAP request to the frames of its reply. Pure but for the registry's files.
/// Empty where the request is not even ZAP. A key that is let in is in the book from then on.
Frames answer_zap(const Frames& request, const KeyRegistry& registry, KeyBook& book, Instant now);

class ZapHandler {
  public:
    /// Binds the handler and starts its thread; to be called before any authenticated socket is
    /// bound. Errors: IO.
    static Result<std::unique_ptr<ZapHandler>> start(SocketContext& context, KeyRegistry registry,
                                                     KeyBook& book);
    ~ZapHandler();

    /// Readable when the thread has ended.
    int ended_fd() const { return ended_.fd(); }

  private:
    ZapHandler(Socket socket, KeyRegistry registry, KeyBook& book);
    void serve();
    void note_refusal(const Frames& request, const Frames& reply);

    Socket socket_;  // the thread's alone, once it runs
    KeyRegistry registry_;
    KeyBook& book_;
    Instant minute_;  // in which refusals are counted: since when
    std::uint64_t refused_ = 0;
    Wakeup stop_;
    Wakeup ended_;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

}  // namespace zq::edge
