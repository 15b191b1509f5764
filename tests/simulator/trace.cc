#include "tests/simulator/trace.h"

#include <cstdio>

namespace zq::sim {
namespace {

constexpr std::size_t kTail = 80;

}  // namespace

void Trace::line(Millis now, std::string_view who, std::string_view what) {
    char head[48];
    const int length = std::snprintf(
        head, sizeof head, "%6lld.%03lld %-8.*s ", static_cast<long long>(now.count / 1000),
        static_cast<long long>(now.count % 1000), static_cast<int>(who.size()), who.data());
    std::string text(head, static_cast<std::size_t>(length));
    text += what;
    for (const char c : text) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    ++lines_;
    if (echo_ == Echo::kStdout) std::printf("%s\n", text.c_str());
    if (tail_.size() == kTail) tail_.pop_front();
    tail_.push_back(std::move(text));
}

}  // namespace zq::sim
