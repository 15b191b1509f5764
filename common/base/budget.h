// What a task may use of models, and what it has used of that. Whole numbers alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/usage.h"

namespace zq {

/// What becomes of a task that has used up its budget before it is done.
enum class OnBudget : std::uint8_t {
    kAsk,   // a person is asked: it goes on with as much again, or ends
    kDead,  // it is dead, with reason `budget`
};
std::string_view to_string(OnBudget on);
bool from_text(std::string_view text, OnBudget& out);

/// Input and output tokens together, and money in micro-units of a US dollar.
struct Spent {
    std::uint64_t usd_micros = 0;
    std::uint64_t tokens = 0;

    friend bool operator==(const Spent&, const Spent&) = default;
};
/// Sums stay at their greatest.
Spent operator+(const Spent& a, const Spent& b);
Spent spent_in(const Usage& usage);

/// Of all attempts of a task together.
struct Budget {
    std::uint64_t usd_micros = 0;  // 0: no bound
    std::uint64_t tokens = 0;      // 0: no bound
    OnBudget on = OnBudget::kAsk;

    bool is_set() const { return usd_micros != 0 || tokens != 0; }
    friend bool operator==(const Budget&, const Budget&) = default;
};

/// The whole bound of a budget that was granted anew when `from` was spent.
Budget granted(const Budget& budget, const Spent& from);
/// True if nothing of one of its bounds is left.
bool is_used_up(const Budget& budget, const Spent& spent);
/// `$2.51 of $2.5` and, where tokens are bounded, `210000 of 200000 tokens`; for people.
std::string budget_text(const Budget& budget, const Spent& spent);

}  // namespace zq
