#include "cli/bench/latencies.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

namespace zq::cli {
namespace {

// A power of two is told apart in 128 steps; what is below 128 ns in single ones.
constexpr int kBits = 7;
constexpr std::uint64_t kSteps = 1ULL << kBits;
constexpr std::size_t kBuckets = (64 - kBits + 1) * kSteps;

std::size_t bucket_of(std::uint64_t value) {
    if (value < kSteps) return value;
    const int shift = static_cast<int>(std::bit_width(value)) - kBits - 1;
    return static_cast<std::size_t>(shift + 1) * kSteps + ((value >> shift) - kSteps);
}

/// The middle of a bucket.
double value_of(std::size_t bucket) {
    if (bucket < kSteps) return static_cast<double>(bucket);
    const std::size_t shift = bucket / kSteps - 1;
    const double least =
        std::ldexp(static_cast<double>(kSteps + bucket % kSteps), static_cast<int>(shift));
    return least + std::ldexp(0.5, static_cast<int>(shift));
}

}  // namespace

Latencies::Latencies() : buckets_(kBuckets) {}

void Latencies::add(std::int64_t nanoseconds) {
    ++buckets_[bucket_of(static_cast<std::uint64_t>(std::max<std::int64_t>(0, nanoseconds)))];
    ++count_;
}

void Latencies::merge(const Latencies& other) {
    for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
}

double Latencies::quantile(double share) const {
    const auto wanted = static_cast<std::uint64_t>(
        std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
        seen += buckets_[i];
        if (seen > 0 && seen >= wanted) return value_of(i) / 1000;
    }
    return 0;
}

std::string Latencies::to_text() const {
    std::string text;
    for (std::size_t i = 0; i < kBuckets; ++i) {
        if (buckets_[i] == 0) continue;
        text += std::to_string(i) + ":" + std::to_string(buckets_[i]) + ",";
    }
    return text;
}

Latencies Latencies::from_text(std::string_view text) {
    Latencies latencies;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        std::size_t bucket = 0;
        std::uint64_t count = 0;
        const auto first = std::from_chars(at, end, bucket);
        if (first.ptr == end || bucket >= kBuckets) break;
        const auto second = std::from_chars(first.ptr + 1, end, count);
        latencies.buckets_[bucket] += count;
        latencies.count_ += count;
        at = second.ptr + 1;
    }
    return latencies;
}

}  // namespace zq::cli
