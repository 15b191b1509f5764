#include "common/base/drop_mark.h"

#include <charconv>

namespace zq {
namespace {

constexpr std::string_view kBefore = "\n[zq: ";
constexpr std::string_view kAfter = " bytes were dropped here]\n";

}  // namespace

std::string drop_mark(std::uint64_t dropped) {
    return std::string(kBefore).append(std::to_string(dropped)).append(kAfter);
}

std::optional<DropMark> find_drop_mark(std::string_view text, std::size_t from) {
    for (std::size_t at = text.find(kBefore, from); at != std::string_view::npos;
         at = text.find(kBefore, at + 1)) {
        DropMark mark{at, 0, 0};
        const char* digits = text.data() + at + kBefore.size();
        const auto [stop, error] = std::from_chars(digits, text.data() + text.size(), mark.dropped);
        const auto after = static_cast<std::size_t>(stop - text.data());
        if (error != std::errc{} || !text.substr(after).starts_with(kAfter)) continue;
        mark.end = after + kAfter.size();
        return mark;
    }
    return std::nullopt;
}

bool is_place_of_mark(std::uint64_t at, std::size_t mark_size, std::uint64_t size) {
    const std::uint64_t end = at + mark_size;
    if (end > size) return false;
    const std::uint64_t behind = size - end;
    // Half of an odd cap is rounded down before it.
    return behind == 0 || behind == at || behind == at + 1;
}

}  // namespace zq
