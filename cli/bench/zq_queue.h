// zq as a queue for the load loops: DEALER sockets that speak the protocol, as any client would.
#pragma once

#include <optional>

#include "cli/bench/queue.h"
#include "common/base/ids.h"

namespace zq::cli {

struct ZqQueueOptions {
    std::string endpoint;
    std::optional<CurveKeys> curve;
    std::string role = "bench";
    std::string reply_to;           // whose answers the reader reads; empty: nobody's
    std::size_t text_bytes = 1024;  // of a task's instructions
};

/// One of them per process: it owns the sockets' context.
class ZqQueue : public Queue {
  public:
    explicit ZqQueue(ZqQueueOptions options) : options_(std::move(options)) {}
    std::string name() const override { return "zq"; }
    std::unique_ptr<Submitter> submitter() override;
    std::unique_ptr<Server> server() override;
    std::unique_ptr<ResultReader> result_reader() override;

    const ZqQueueOptions& options() const { return options_; }
    SocketContext& sockets() { return sockets_; }

  private:
    SocketContext sockets_;
    ZqQueueOptions options_;
};

/// Words for a task's instructions.
std::string filler_text(std::size_t bytes);

}  // namespace zq::cli
