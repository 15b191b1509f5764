// Redis Streams as a queue for the load loops: what a user would build on it who wants the same, a
// consumer group with acknowledgements and a stream of results.
#pragma once

#include "cli/bench/queue.h"

namespace zq::tests {

class RedisQueue : public cli::Queue {
  public:
    explicit RedisQueue(int port, std::size_t text_bytes = 1024)
        : port_(port), text_bytes_(text_bytes) {}
    std::string name() const override { return "redis"; }
    std::unique_ptr<cli::Submitter> submitter() override;
    std::unique_ptr<cli::Server> server() override;
    std::unique_ptr<cli::ResultReader> result_reader() override;

    /// Empties it, and makes the stream and its group. Before anything else.
    void set_up();
    /// `used_memory_rss` of INFO, in MiB.
    double rss_mib();

  private:
    int port_;
    std::size_t text_bytes_;
};

}  // namespace zq::tests
