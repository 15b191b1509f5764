// What an attempt used of a model: tokens, and money in micro-units of a US dollar (money.h).
// Whole numbers alone.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/base/money.h"

namespace zq {

struct Usage {
    std::uint64_t cost_usd_micros = 0;
    std::uint64_t input_tokens = 0;
    std::uint64_t output_tokens = 0;
    std::string model;  // the last one that was named

    friend bool operator==(const Usage&, const Usage&) = default;
};

/// One line of an attempt's file `usage`: `COST_USD INPUT_TOKENS OUTPUT_TOKENS MODEL`, without its
/// end; `-` for no model.
std::string usage_line(const Usage& usage);
/// The sum of a file of such lines; what is none counts as nothing.
Usage read_usage_lines(std::string_view text);

/// Both together; sums stay at their greatest.
Usage operator+(const Usage& a, const Usage& b);

/// The usage that stands in an attempt's `output` under cost_usd_micros (or, as people write it,
/// cost_usd), input_tokens, output_tokens and model; what is not a number counts as none.
Usage usage_in(const std::map<std::string, std::string>& output);
/// Writes it there, money in micro-units alone; zero and empty are left out.
void put_usage(std::map<std::string, std::string>& output, const Usage& usage);

}  // namespace zq
