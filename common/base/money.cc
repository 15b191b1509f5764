#include "common/base/money.h"

#include <algorithm>
#include <charconv>

namespace zq {
namespace {

constexpr std::size_t kWholeDigits = 18;  // of micros: fits into 64 bits
constexpr int kScale = 6;
constexpr int kExponentMost = 1000;
constexpr std::uint64_t kMicros = 1'000'000;

std::string_view take_digits(std::string_view& rest) {
    const auto end = std::min(rest.find_first_not_of("0123456789"), rest.size());
    const std::string_view digits = rest.substr(0, end);
    rest.remove_prefix(end);
    return digits;
}

/// `e-05`; nullopt where what follows the digits is something else.
std::optional<int> take_exponent(std::string_view rest) {
    if (rest.empty()) return 0;
    if (rest[0] != 'e' && rest[0] != 'E') return std::nullopt;
    rest.remove_prefix(1);
    if (rest.starts_with('+')) rest.remove_prefix(1);
    int exponent = 0;
    auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), exponent);
    if (error != std::errc{} || stop != rest.data() + rest.size()) return std::nullopt;
    if (exponent > kExponentMost || exponent < -kExponentMost) return std::nullopt;
    return exponent;
}

}  // namespace

std::optional<std::uint64_t> micros_of(std::string_view decimal) {
    std::string_view rest = decimal;
    const std::string_view whole = take_digits(rest);
    std::string_view fraction;
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        fraction = take_digits(rest);
        if (fraction.empty()) return std::nullopt;
    }
    const auto exponent = take_exponent(rest);
    if (whole.empty() || !exponent) return std::nullopt;
    // The digits, and how many of them stand before the point once it is counted in millionths.
    std::string digits = std::string(whole) + std::string(fraction);
    const int before = static_cast<int>(whole.size()) + *exponent + kScale;
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
    const int leading = static_cast<int>(whole.size() + fraction.size() - digits.size());
    const int length = before - leading;
    if (digits.empty() || length < 0) return 0;
    if (length > static_cast<int>(kWholeDigits)) return std::nullopt;
    const auto size = static_cast<std::size_t>(length);
    const bool up = digits.size() > size && digits[size] >= '5';
    digits.resize(size, '0');
    std::uint64_t micros = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), micros);
    return micros + (up ? 1 : 0);
}

Result<std::uint64_t> parse_usd(std::string_view text, std::string field) {
    if (auto micros = micros_of(text)) return *micros;
    return fail(ErrorCode::INVALID, "dollars such as 0.09", std::move(field));
}

std::string usd_text(std::uint64_t micros) {
    std::string part = std::to_string(micros % kMicros);
    part.insert(0, kScale - part.size(), '0');
    part.resize(part.find_last_not_of('0') + 1);
    return std::to_string(micros / kMicros) + (part.empty() ? "" : "." + part);
}

}  // namespace zq
