#include "tests/bench/redis_queue.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <deque>
#include <functional>
#include <optional>
#include <utility>

#include "cli/bench/zq_queue.h"

namespace zq::tests {
namespace {

using cli::fatal;

constexpr const char* kStream = "tasks";
constexpr const char* kGroup = "workers";
constexpr const char* kResults = "results";
constexpr const char* kResultsKept = "20000";

/// A connection: commands are collected and leave together; replies come in order.
class Line {
  public:
    explicit Line(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int one = 1;
        if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
            fatal("no redis-server on port " + std::to_string(port));
        }
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        ::fcntl(fd_, F_SETFL, O_NONBLOCK);
    }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    ~Line() {
        redisReaderFree(reader_);
        ::close(fd_);
    }

    PollItem item() const { return {nullptr, fd_, false}; }

    void say(std::initializer_list<std::string_view> words) {
        out_ += "*" + std::to_string(words.size()) + "\r\n";
        for (const std::string_view word : words) {
            out_ += "$" + std::to_string(word.size()) + "\r\n";
            out_ += word;
            out_ += "\r\n";
        }
    }

    void flush() {
        std::size_t done = 0;
        while (done < out_.size()) {
            const ssize_t wrote = ::write(fd_, out_.data() + done, out_.size() - done);
            if (wrote > 0) {
                done += static_cast<std::size_t>(wrote);
            } else if (errno == EAGAIN) {
                pollfd item{fd_, POLLOUT, 0};
                ::poll(&item, 1, 1000);
            } else if (errno != EINTR) {
                fatal("redis-server has hung up");
            }
        }
        out_.clear();
    }

    /// Calls `use` with each reply that is there.
    void hear(const std::function<void(const redisReply&)>& use) {
        char bytes[65536];
        ssize_t got = 0;
        while ((got = ::read(fd_, bytes, sizeof bytes)) > 0) {
            redisReaderFeed(reader_, bytes, static_cast<std::size_t>(got));
            void* reply = nullptr;
            while (redisReaderGetReply(reader_, &reply) == REDIS_OK && reply != nullptr) {
                const auto& one = *static_cast<redisReply*>(reply);
                if (one.type == REDIS_REPLY_ERROR) fatal(std::string("redis: ") + one.str);
                use(one);
                freeReplyObject(reply);
            }
        }
        if (got == 0) fatal("redis-server has hung up");
    }

    /// The next reply's text, waiting for it.
    std::string ask(std::initializer_list<std::string_view> words) {
        say(words);
        flush();
        std::optional<std::string> text;
        while (!text) {
            pollfd item{fd_, POLLIN, 0};
            if (::poll(&item, 1, 60'000) == 0) fatal("redis-server does not answer");
            hear([&](const redisReply& reply) {
                text = reply.str == nullptr ? "" : std::string(reply.str, reply.len);
            });
        }
        return *text;
    }

  private:
    int fd_;
    std::string out_;
    redisReader* reader_ = redisReaderCreate();
};

/// Entries of XREAD's and XREADGROUP's reply for one stream: id and the one field's value.
void for_entries(const redisReply& reply,
                 const std::function<void(std::string_view, std::string_view)>& use) {
    if (reply.type != REDIS_REPLY_ARRAY || reply.elements == 0) return;
    const redisReply& entries = *reply.element[0]->element[1];
    for (std::size_t i = 0; i < entries.elements; ++i) {
        const redisReply& id = *entries.element[i]->element[0];
        const redisReply& value = *entries.element[i]->element[1]->element[1];
        use({id.str, id.len}, {value.str, value.len});
    }
}

class RedisSubmitter : public cli::Submitter {
  public:
    RedisSubmitter(int port, std::size_t bytes) : line_(port), text_(cli::filler_text(bytes)) {}
    PollItem item() const override { return line_.item(); }
    void submit() override { line_.say({"XADD", kStream, "*", "d", text_}); }
    void flush() override { line_.flush(); }
    std::size_t acknowledged() override {
        std::size_t count = 0;
        line_.hear([&](const redisReply&) { ++count; });
        return count;
    }

  private:
    Line line_;
    std::string text_;
};

class RedisServer : public cli::Server {
  public:
    explicit RedisServer(int port)
        : line_(port), name_("w" + std::to_string(::getpid()) + "-" + std::to_string(made_++)) {}
    PollItem item() const override { return line_.item(); }

    void serve(std::uint32_t slots) override {
        slots_ = std::to_string(slots);
        read_on();
        line_.flush();
    }

    std::vector<cli::Work> take() override {
        std::vector<cli::Work> works;
        line_.hear([&](const redisReply& reply) {
            const What what = asked_.front();
            asked_.pop_front();
            if (what == What::kAck) ++acknowledged_;
            if (what != What::kRead) return;
            for_entries(reply, [&](std::string_view id, std::string_view) {
                works.push_back({std::string(id), {}, 1});
            });
            read_ = true;
        });
        return works;
    }

    void finish(const cli::Work& work) override {
        line_.say({"XADD", kResults, "MAXLEN", "~", kResultsKept, "*", "d", result_});
        line_.say({"XACK", kStream, kGroup, work.task});
        line_.say({"XDEL", kStream, work.task});
        asked_.insert(asked_.end(), {What::kOther, What::kAck, What::kOther});
    }

    void flush() override {
        // Behind the acknowledgements: what follows a read that blocks waits with it.
        if (std::exchange(read_, false)) read_on();
        line_.flush();
    }
    std::uint64_t acknowledged() const override { return acknowledged_; }

  private:
    enum class What : std::uint8_t { kRead, kAck, kOther };

    void read_on() {
        line_.say({"XREADGROUP", "GROUP", kGroup, name_, "COUNT", slots_, "BLOCK", "0", "STREAMS",
                   kStream, ">"});
        asked_.push_back(What::kRead);
    }

    static inline int made_ = 0;
    Line line_;
    std::string name_;
    std::string slots_;
    std::string result_ = cli::filler_text(80);
    std::deque<What> asked_;
    bool read_ = false;  // what was asked for last has come
    std::uint64_t acknowledged_ = 0;
};

class RedisResultReader : public cli::ResultReader {
  public:
    explicit RedisResultReader(int port) : line_(port) {
        read_on();
        line_.flush();
    }
    PollItem item() const override { return line_.item(); }
    std::size_t take() override {
        std::size_t count = 0;
        line_.hear([&](const redisReply& reply) {
            for_entries(reply, [&](std::string_view id, std::string_view) {
                last_ = id;
                ++count;
            });
            read_on();
        });
        line_.flush();
        return count;
    }

  private:
    void read_on() {
        line_.say({"XREAD", "COUNT", "256", "BLOCK", "0", "STREAMS", kResults, last_});
    }

    Line line_;
    std::string last_ = "0";
};

}  // namespace

std::unique_ptr<cli::Submitter> RedisQueue::submitter() {
    return std::make_unique<RedisSubmitter>(port_, text_bytes_);
}

std::unique_ptr<cli::Server> RedisQueue::server() {
    return std::make_unique<RedisServer>(port_);
}

std::unique_ptr<cli::ResultReader> RedisQueue::result_reader() {
    return std::make_unique<RedisResultReader>(port_);
}

void RedisQueue::set_up() {
    Line line(port_);
    line.ask({"FLUSHALL"});
    line.ask({"XGROUP", "CREATE", kStream, kGroup, "0", "MKSTREAM"});
}

double RedisQueue::rss_mib() {
    const std::string info = Line(port_).ask({"INFO", "memory"});
    const auto at = info.find("used_memory_rss:");
    if (at == std::string::npos) fatal("INFO has no used_memory_rss");
    return std::strtod(info.c_str() + at + 16, nullptr) / 1024 / 1024;
}

}  // namespace zq::tests
