#include "coordinator/edge/counters.h"

namespace zq::edge {

void Counters::count(std::string_view name, std::uint64_t by) {
    auto at = totals_.find(name);
    if (at == totals_.end()) at = totals_.emplace(std::string(name), 0).first;
    at->second += by;
}

std::map<std::string, std::string> Counters::texts() const {
    std::map<std::string, std::string> texts;
    for (const auto& [name, number] : totals_) texts.emplace(name, std::to_string(number));
    for (std::size_t i = 0; i < refused_.size(); ++i) {
        const std::uint64_t number = refused_[i].load(std::memory_order_relaxed);
        if (number == 0) continue;
        texts.emplace("refused_" + std::string(to_string(static_cast<ErrorCode>(i))),
                      std::to_string(number));
    }
    return texts;
}

}  // namespace zq::edge
