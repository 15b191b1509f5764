#include "common/base/budget.h"

#include <limits>

#include "common/base/words.h"

namespace zq {
namespace {

constexpr auto kOnBudget = std::to_array<std::string_view>({"ask", "dead"});
constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

std::uint64_t sum(std::uint64_t a, std::uint64_t b) {
    return a > kMost - b ? kMost : a + b;
}

/// 0 stays: no bound.
std::uint64_t moved(std::uint64_t bound, std::uint64_t from) {
    return bound == 0 ? 0 : sum(bound, from);
}

}  // namespace

std::string_view to_string(OnBudget on) {
    return word_of(kOnBudget, on);
}
bool from_text(std::string_view text, OnBudget& out) {
    return value_of(kOnBudget, text, out);
}

Spent operator+(const Spent& a, const Spent& b) {
    return {sum(a.usd_micros, b.usd_micros), sum(a.tokens, b.tokens)};
}

Spent spent_in(const Usage& usage) {
    return {usage.cost_usd_micros, sum(usage.input_tokens, usage.output_tokens)};
}

Budget granted(const Budget& budget, const Spent& from) {
    return {moved(budget.usd_micros, from.usd_micros), moved(budget.tokens, from.tokens),
            budget.on};
}

bool is_used_up(const Budget& budget, const Spent& spent) {
    return (budget.usd_micros != 0 && spent.usd_micros >= budget.usd_micros) ||
           (budget.tokens != 0 && spent.tokens >= budget.tokens);
}

std::string budget_text(const Budget& budget, const Spent& spent) {
    std::string text;
    if (budget.usd_micros != 0) {
        text = "$" + usd_text(spent.usd_micros) + " of $" + usd_text(budget.usd_micros);
    }
    if (budget.tokens != 0) {
        text += (text.empty() ? "" : ", ") + std::to_string(spent.tokens) + " of " +
                std::to_string(budget.tokens) + " tokens";
    }
    return text;
}

}  // namespace zq
