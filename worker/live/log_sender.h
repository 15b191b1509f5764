// Sends the live logs of a worker's attempts to the coordinator's artifacts socket, on a thread and
// a connection of its own: neither heartbeats nor uploads wait for a log. What cannot be sent in
// time goes by; the whole log is uploaded as an artifact when the attempt ends.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "common/platform/mailbox.h"
#include "common/platform/socket.h"
#include "common/wire/codec.h"
#include "worker/live/live_log.h"

namespace zq::worker {

class LogSender {
  public:
    LogSender(SocketContext& context, std::optional<CurveKeys> curve);
    /// Ends the thread; what was not sent is dropped.
    ~LogSender();
    LogSender(const LogSender&) = delete;
    LogSender& operator=(const LogSender&) = delete;

    /// Where the coordinator takes logs. Nothing is sent before.
    void set_endpoint(const std::string& endpoint);
    /// An attempt's log, to be written until `close`.
    LiveLog& open(const wire::HeldLease& held);
    /// Nothing is written to it any more. What is left is sent for a moment, then forgotten.
    void close(const LeaseToken& lease);

  private:
    struct Entry {
        wire::HeldLease held;
        std::unique_ptr<LiveLog> log;
        bool closed = false;
        bool done = false;            // all was said, or nobody wants it: nothing more is sent
        std::uint64_t under_way = 0;  // request id of the LOG that is not answered; 0: none
        bool last_under_way = false;  // and it was the last one
        Millis sent_at{};
        Millis closed_at{};
    };

    void run();
    void turn(Millis now);
    bool connect();
    void send_due(Millis now);
    bool send(Entry& entry, Millis now);
    void receive();
    static void take(Entry& entry, const wire::Body& answer);
    void forget(Millis now);

    SocketContext& context_;
    const std::optional<CurveKeys> curve_;
    Wakeup wakeup_;
    std::mutex mutex_;  // of what follows, but for the socket, which is the thread's
    std::map<LeaseToken, Entry> entries_;
    LeaseToken last_sent_;  // the turn goes on after it
    std::string endpoint_;
    bool stopping_ = false;
    std::string connected_;
    std::optional<Socket> socket_;
    std::uint64_t last_request_ = 0;
    std::thread thread_;
};

}  // namespace zq::worker
