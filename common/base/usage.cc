#include "common/base/usage.h"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace zq {
namespace {

constexpr std::uint64_t kMost = UINT64_MAX / 2;  // of any of the numbers

bool is_digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// False for what is no whole number up to kMost.
bool read_whole(std::string_view text, std::uint64_t& out) {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return is_digits(text) && error == std::errc{} && out <= kMost;
}

std::uint64_t sum(std::uint64_t a, std::uint64_t b) {
    return std::min(a + b, kMost);
}

std::string value(const std::map<std::string, std::string>& output, const char* key) {
    auto at = output.find(key);
    return at == output.end() ? std::string() : at->second;
}

std::uint64_t count(const std::map<std::string, std::string>& output, const char* key) {
    std::uint64_t number = 0;
    return read_whole(value(output, key), number) ? number : 0;
}

}  // namespace

std::string usage_line(const Usage& usage) {
    return usd_text(usage.cost_usd_micros) + " " + std::to_string(usage.input_tokens) + " " +
           std::to_string(usage.output_tokens) + " " + (usage.model.empty() ? "-" : usage.model);
}

Usage read_usage_lines(std::string_view text) {
    Usage total;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string cost;
        std::string input;
        std::string output;
        std::string model;
        words >> cost >> input >> output >> model;
        total = total + usage_in({{"cost_usd", cost},
                                  {"input_tokens", input},
                                  {"output_tokens", output},
                                  {"model", model == "-" ? "" : model}});
    }
    return total;
}

Usage operator+(const Usage& a, const Usage& b) {
    return {sum(a.cost_usd_micros, b.cost_usd_micros), sum(a.input_tokens, b.input_tokens),
            sum(a.output_tokens, b.output_tokens), b.model.empty() ? a.model : b.model};
}

Usage usage_in(const std::map<std::string, std::string>& output) {
    Usage usage;
    usage.cost_usd_micros = output.contains("cost_usd_micros")
                                ? count(output, "cost_usd_micros")
                                : micros_of(value(output, "cost_usd")).value_or(0);
    usage.input_tokens = count(output, "input_tokens");
    usage.output_tokens = count(output, "output_tokens");
    usage.model = value(output, "model");
    return usage;
}

void put_usage(std::map<std::string, std::string>& output, const Usage& usage) {
    output.erase("cost_usd");
    if (usage.cost_usd_micros > 0) {
        output["cost_usd_micros"] = std::to_string(usage.cost_usd_micros);
    }
    if (usage.input_tokens > 0) output["input_tokens"] = std::to_string(usage.input_tokens);
    if (usage.output_tokens > 0) output["output_tokens"] = std::to_string(usage.output_tokens);
    if (!usage.model.empty()) output["model"] = usage.model;
}

}  // namespace zq
