#include "common/base/byte_size.h"

#include <array>
#include <charconv>
#include <utility>

namespace zq {
namespace {

constexpr auto kUnits = std::to_array<std::pair<std::string_view, int>>(
    {{"", 0}, {"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}});

}  // namespace

std::optional<std::uint64_t> parse_byte_size(std::string_view text, std::uint64_t most) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{}) return std::nullopt;
    const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
    for (const auto& [name, shift] : kUnits) {
        if (unit == name && number <= (most >> shift)) return number << shift;
    }
    return std::nullopt;
}

}  // namespace zq
