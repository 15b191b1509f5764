#include "worker/live/log_sender.h"

#include <pthread.h>

#include "common/platform/clock.h"
#include "common/platform/log.h"

namespace zq::worker {
namespace {

constexpr Millis kEvery = millis(200);         // an attempt's next LOG
constexpr std::size_t kOnceBytes = 64 * 1024;  // of one attempt in one LOG
constexpr int kSendHighWater = 8;              // LOGs that libzmq may hold
constexpr Millis kSilence = seconds(5);        // then a new connection
constexpr Millis kLeftOver = seconds(5);       // for what is left of a log that was closed

}  // namespace

LogSender::LogSender(SocketContext& context, std::optional<CurveKeys> curve)
    : context_(context), curve_(std::move(curve)), thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "zq-logs");
}

LogSender::~LogSender() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wakeup_.signal();
    thread_.join();
}

void LogSender::set_endpoint(const std::string& endpoint) {
    const std::lock_guard lock(mutex_);
    endpoint_ = endpoint;
}

LiveLog& LogSender::open(const wire::HeldLease& held) {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[held.lease];
    entry.held = held;
    entry.log = std::make_unique<LiveLog>();
    // Not before there is something to see: the thread would look, and sleep on.
    wakeup_.signal();
    return *entry.log;
}

void LogSender::close(const LeaseToken& lease) {
    const std::lock_guard lock(mutex_);
    auto at = entries_.find(lease);
    if (at == entries_.end()) return;
    at->second.closed = true;
    at->second.closed_at = boottime();
    wakeup_.signal();
}

void LogSender::run() {
    bool idle = true;
    while (true) {
        std::vector<PollItem> items{{nullptr, wakeup_.fd()}};
        if (socket_) items.push_back({socket_->raw(), -1});
        poll(items, idle ? minutes(1) : kEvery);
        wakeup_.clear();
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
        turn(boottime());
        idle = entries_.empty();
    }
}

void LogSender::turn(Millis now) {
    receive();
    if (connect()) send_due(now);
    forget(now);
}

/// True if there is a connection to the endpoint that counts now.
bool LogSender::connect() {
    if (endpoint_.empty() || entries_.empty()) return false;
    if (socket_ && connected_ == endpoint_) return true;
    socket_.reset();
    for (auto& [lease, entry] : entries_) entry.under_way = 0;
    SocketOptions options;
    options.curve = curve_;
    options.immediate = true;
    options.send_high_water = kSendHighWater;
    auto opened = Socket::open(context_, options);
    if (!opened || !opened->connect(endpoint_)) return false;
    socket_ = std::move(*opened);
    connected_ = endpoint_;
    return true;
}

/// Those that waited longest come first: where the line is slow, nobody is left out.
void LogSender::send_due(Millis now) {
    auto at = entries_.upper_bound(last_sent_);
    for (std::size_t left = entries_.size(); left > 0; --left, ++at) {
        if (at == entries_.end()) at = entries_.begin();
        Entry& entry = at->second;
        if (entry.done) continue;
        if (entry.under_way != 0) {
            if (now - entry.sent_at <= kSilence) continue;
            connected_.clear();  // a new connection with the next turn
            return;
        }
        if (!entry.closed && now - entry.sent_at < kEvery) continue;
        if (!send(entry, now)) return;
    }
}

/// False: the line takes nothing just now.
bool LogSender::send(Entry& entry, Millis now) {
    LiveLog::Batch batch = entry.log->oldest(kOnceBytes);
    const bool last = entry.closed && batch.is_all;
    if (batch.pieces.empty() && !last) return true;
    wire::Message message;
    message.body = wire::Log{entry.held.task, entry.held.attempt, entry.held.lease,
                             std::move(batch.pieces), last};
    message.header.id = ++last_request_;
    Frames frames = wire::encode(message);
    frames.insert(frames.begin(), std::string());
    if (socket_->send(frames) != SendStatus::kSent) return false;
    entry.under_way = last_request_;
    entry.last_under_way = last;
    entry.sent_at = now;
    last_sent_ = entry.held.lease;
    return true;
}

void LogSender::receive() {
    while (socket_) {
        auto received = socket_->receive();
        if (!received) return;
        Frames& frames = received->frames;
        if (frames.empty() || !frames.front().empty() || received->too_many) continue;
        frames.erase(frames.begin());
        const auto message = wire::decode(frames);
        if (!message || message->header.id == 0) continue;
        for (auto& [lease, entry] : entries_) {
            if (entry.under_way == message->header.id) take(entry, message->body);
        }
    }
}

void LogSender::take(Entry& entry, const wire::Body& answer) {
    entry.under_way = 0;
    if (const auto* logged = std::get_if<wire::Logged>(&answer)) {
        entry.log->acknowledge(logged->next);
        entry.done = entry.last_under_way;
        return;
    }
    const auto* error = std::get_if<wire::ErrorReply>(&answer);
    if (error == nullptr) return;
    // Whatever else it is, the log is not worth asking twice.
    if (error->code == ErrorCode::BUSY || error->code == ErrorCode::SHUTTING_DOWN) return;
    entry.done = true;
    // A short attempt's report is often quicker than its log: the artifacts have it all.
    if (error->code == ErrorCode::STALE_LEASE) return;
    log_warn("the live log is not taken",
             {{"task", entry.held.task.text}, {"reason", error->message}});
}

void LogSender::forget(Millis now) {
    std::erase_if(entries_, [&](const auto& each) {
        const Entry& entry = each.second;
        return entry.closed && (entry.done || now - entry.closed_at > kLeftOver);
    });
}

}  // namespace zq::worker
