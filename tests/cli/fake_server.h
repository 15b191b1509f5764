// A coordinator's socket without a coordinator: a ROUTER on a free loopback port, in a thread of
// its own, that answers as the test says and keeps what it was asked.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "common/platform/socket.h"
#include "common/wire/codec.h"

namespace zq::test {

class FakeServer {
  public:
    /// What is said to a request; nothing: silence. A header id of 0 becomes the request's.
    using Answer = std::function<std::vector<wire::Message>(const wire::Message& request)>;

    FakeServer(SocketContext& context, Answer answer)
        : socket_(open(context)), endpoint_(socket_.last_endpoint()), answer_(std::move(answer)) {
        thread_ = std::thread([this] { serve(); });
    }
    ~FakeServer() {
        stop_ = true;
        thread_.join();
    }

    const std::string& endpoint() const { return endpoint_; }
    std::vector<wire::Message> requests() const {
        std::lock_guard lock(mutex_);
        return requests_;
    }

  private:
    static Socket open(SocketContext& context) {
        SocketOptions options;
        options.kind = SocketKind::kRouter;
        Socket socket = std::move(*Socket::open(context, options));
        auto bound = socket.bind("tcp://127.0.0.1:*");
        if (!bound) std::abort();
        return socket;
    }

    void serve() {
        while (!stop_) {
            std::vector<PollItem> items{{socket_.raw(), -1, false}};
            poll(items, millis(20));
            while (auto received = socket_.receive()) handle(received->frames);
        }
    }

    void handle(const Frames& frames) {
        std::size_t body = 0;
        while (body < frames.size() && !frames[body].empty()) ++body;
        const Frames envelope(frames.begin(),
                              frames.begin() + static_cast<std::ptrdiff_t>(body) + 1);
        auto request =
            wire::decode({frames.begin() + static_cast<std::ptrdiff_t>(body) + 1, frames.end()});
        if (!request) return;
        {
            std::lock_guard lock(mutex_);
            requests_.push_back(*request);
        }
        for (wire::Message& reply : answer_(*request)) {
            if (reply.header.id == 0) reply.header.id = request->header.id;
            Frames out = envelope;
            for (std::string& frame : wire::encode(reply)) out.push_back(std::move(frame));
            socket_.send(out);
        }
    }

    Socket socket_;
    std::string endpoint_;
    Answer answer_;
    mutable std::mutex mutex_;
    std::vector<wire::Message> requests_;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

inline std::vector<wire::Message> say(wire::Body body) {
    return {{{}, std::move(body), {}}};
}

}  // namespace zq::test
