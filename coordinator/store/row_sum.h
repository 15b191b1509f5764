// One digest over a set of rows, whatever their order: the sum of each row's SHA-256, modulo 2^256.
// A row that leaves the set can be taken out of the sum by whoever still has its record, which one
// hash over all of them would not allow.
#pragma once

#include <string_view>

#include "common/base/ids.h"
#include "coordinator/store/sqlite.h"

namespace zq::store {

class RowSum {
  public:
    /// All columns of a row, with their kinds, as one of `table`.
    void add(std::string_view table, const Statement& row);
    /// A record that stands for one.
    void add(std::string_view table, std::string_view record);
    void subtract(std::string_view table, std::string_view record);
    /// Takes a row out that is in it.
    void subtract(std::string_view table, const Statement& row);
    /// A digest as it is, so many times; and out again.
    void add(const Digest& digest, std::uint64_t times = 1);
    void subtract(const Digest& digest);
    const Digest& value() const { return sum_; }

    RowSum() = default;
    explicit RowSum(const Digest& sum) : sum_(sum) {}

  private:
    Digest sum_;
};

}  // namespace zq::store
