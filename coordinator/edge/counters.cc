#include "coordinator/edge/counters.h"

namespace zq::edge {
namespace {

/// As STATUS names them, in the order of Tally.
constexpr std::array<const char*, static_cast<std::size_t>(Tally::kCount)> kTallies = {
    "connections",    "connections_ended", "keys_refused",  "handshakes_failed",
    "accepts_failed", "replies_dropped",   "stale_verdicts"};

}  // namespace

void Counters::count(std::string_view name, std::uint64_t by) {
    auto at = totals_.find(name);
    if (at == totals_.end()) at = totals_.emplace(std::string(name), 0).first;
    at->second += by;
}

std::map<std::string, std::string> Counters::texts() const {
    std::map<std::string, std::string> texts;
    for (const auto& [name, number] : totals_) texts.emplace(name, std::to_string(number));
    for (std::size_t i = 0; i < tallies_.size(); ++i) {
        const std::uint64_t number = tallies_[i].load(std::memory_order_relaxed);
        if (number != 0) texts.emplace(kTallies.at(i), std::to_string(number));
    }
    for (std::size_t i = 0; i < refused_.size(); ++i) {
        const std::uint64_t number = refused_[i].load(std::memory_order_relaxed);
        if (number == 0) continue;
        texts.emplace("refused_" + std::string(to_string(static_cast<ErrorCode>(i))),
                      std::to_string(number));
    }
    return texts;
}

}  // namespace zq::edge
