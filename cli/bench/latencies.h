// Durations counted in buckets of under a hundredth of their size, as an HDR histogram does: any
// number of them in 64 KiB, and every quantile to two digits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zq::cli {

class Latencies {
  public:
    Latencies();
    void add(std::int64_t nanoseconds);
    void merge(const Latencies& other);
    std::uint64_t count() const { return count_; }
    /// In microseconds: the least of which a share of `share` (0 to 1) is not above. 0 where there
    /// are none.
    double quantile(double share) const;

    /// One line, for another process; `from_text` reads what `to_text` gave.
    std::string to_text() const;
    static Latencies from_text(std::string_view text);

  private:
    std::vector<std::uint64_t> buckets_;
    std::uint64_t count_ = 0;
};

}  // namespace zq::cli
