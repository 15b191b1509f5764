#include "coordinator/intake.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace zq::coordinator {
namespace {

/// More waiting messages than these make a principal a busy one. A worker's report, credit and
/// heartbeat come together.
constexpr std::size_t kCalm = 4;
constexpr Micros kBusyPass{1'000};
/// A pass of the busy ones that took longer is followed by a rest of twice its time.
constexpr Micros kLongPass{2'000};
/// So long the busy ones rest for the sake of another who may speak again.
constexpr Micros kMayReturn{1'000'000};

/// What may take long, whoever asks: looked up, or written by the hundred. The rest is a decision
/// of microseconds.
constexpr std::array<std::string_view, 13> kLookups = {
    "GET",    "LIST",  "WAIT",  "EVENTS",   "ANSWERS",   "WORKERS", "LEASES",
    "STATUS", "STATS", "USAGE", "CONTROLS", "QUESTIONS", "BATCH"};

std::size_t bytes_of(const Incoming& incoming) {
    std::size_t bytes = 0;
    for (const std::string& frame : incoming.received.frames) bytes += frame.size();
    return bytes;
}

bool is_lookup(const Incoming& incoming) {
    const Frames& frames = incoming.received.frames;
    for (std::size_t i = 1; i + 1 < frames.size(); ++i) {
        if (frames[i].rfind("zq/", 0) != 0) continue;
        return std::find(kLookups.begin(), kLookups.end(), frames[i + 1]) != kLookups.end();
    }
    return false;
}

}  // namespace

/// A key is one principal however many connections it opens.
Intake::Principal Intake::principal_of(std::size_t door, const std::string& routing_id,
                                       const std::string& user_id) {
    return {door, user_id, user_id.empty() ? routing_id : std::string()};
}

std::optional<Incoming> Intake::put(Incoming incoming) {
    const Received& received = incoming.received;
    Principal who = principal_of(incoming.door, received.frames.front(), received.user_id);
    const std::size_t bytes = bytes_of(incoming);
    auto at = waiting_.find(who);
    const bool full =
        at != waiting_.end() && (at->second.messages.size() >= limits::kIntakeMessages ||
                                 at->second.bytes + bytes > limits::kIntakeBytesEach);
    if (full || bytes_ + bytes > limits::kIntakeBytes) return incoming;
    if (at == waiting_.end()) at = waiting_.try_emplace(std::move(who)).first;
    at->second.messages.push_back(std::move(incoming));
    at->second.bytes += bytes;
    bytes_ += bytes;
    return std::nullopt;
}

void Intake::begin_pass(Micros now, Lookups lookups) {
    pass_begun_ = now;
    lookups_ = lookups;
    closed_ = false;
    calm_.clear();
    busy_.clear();
    for (const auto& [who, queue] : waiting_) {
        (queue.messages.size() <= kCalm ? calm_ : busy_).push_back(who);
    }
    std::reverse(calm_.begin(), calm_.end());
    // The two kinds take turns; the busy ones only while they need not rest.
    const bool turn = calm_.empty() || !std::exchange(for_busy_, false);
    for_busy_ = turn && !busy_.empty() && now >= rest_until_;
    if (for_busy_) {
        calm_.clear();
        // Goes on behind the one that was served last.
        const auto behind = std::upper_bound(busy_.begin(), busy_.end(), served_);
        next_busy_ = static_cast<std::size_t>(behind - busy_.begin());
    } else {
        busy_.clear();
    }
}

std::optional<Incoming> Intake::next(Micros now) {
    if (for_busy_) return next_of_busy(now);
    while (!calm_.empty()) {
        auto at = waiting_.find(calm_.back());
        if (at != waiting_.end()) {
            calm_at_ = now;
            return pop(at);
        }
        calm_.pop_back();
    }
    return std::nullopt;
}

std::optional<Incoming> Intake::next_of_busy(Micros now) {
    if (closed_ || now.count - pass_begun_.count > kBusyPass.count) return std::nullopt;
    for (std::size_t tried = 0; tried < busy_.size(); ++tried) {
        next_busy_ = next_busy_ < busy_.size() ? next_busy_ : 0;
        auto at = waiting_.find(busy_[next_busy_++]);
        if (at == waiting_.end()) continue;
        // One at a time: what it takes may show only when its answer leaves.
        const bool lookup = is_lookup(at->second.messages.front());
        if (lookup && lookups_ == Lookups::kHeld) continue;
        closed_ = lookup;
        owed_ = owed_ || lookup;
        served_ = at->first;
        return pop(at);
    }
    return std::nullopt;
}

Incoming Intake::pop(Queues::iterator at) {
    Queue& queue = at->second;
    Incoming incoming = std::move(queue.messages.front());
    const std::size_t bytes = bytes_of(incoming);
    queue.messages.pop_front();
    queue.bytes -= bytes;
    bytes_ -= bytes;
    if (queue.messages.empty()) waiting_.erase(at);
    return incoming;
}

void Intake::end_turn(Micros now) {
    const std::int64_t took = now.count - begun_.count;
    if ((!for_busy_ && !owed_) || took <= kLongPass.count) return;
    owed_ = false;
    if (now.count - calm_at_.count > kMayReturn.count) return;
    rest_until_ = {now.count + 2 * took};
}

void Intake::forget_lookups(std::size_t door, const std::string& routing_id,
                            const std::string& user_id) {
    auto at = waiting_.find(principal_of(door, routing_id, user_id));
    if (at == waiting_.end()) return;
    Queue& queue = at->second;
    std::erase_if(queue.messages, [&](const Incoming& incoming) {
        if (incoming.received.frames.front() != routing_id || !is_lookup(incoming)) return false;
        queue.bytes -= bytes_of(incoming);
        bytes_ -= bytes_of(incoming);
        return true;
    });
    if (queue.messages.empty()) waiting_.erase(at);
}

Micros Intake::next_pass(Micros now, Lookups lookups) const {
    bool any = false;
    for (const auto& [who, queue] : waiting_) {
        if (queue.messages.size() <= kCalm) return {};
        any = any || lookups == Lookups::kGiven || !is_lookup(queue.messages.front());
    }
    if (!any) return kNever;
    return {std::max<std::int64_t>(0, rest_until_.count - now.count)};
}

}  // namespace zq::coordinator
