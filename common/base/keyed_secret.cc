#include "common/base/keyed_secret.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>

namespace zq {
namespace {

// Ends of names, in lower case and without `_`, `-` and `.`: `DB_PASSWORD`, `apiKey`, `auth-token`.
constexpr auto kWords = std::to_array<std::string_view>(
    {"password",   "passwd",    "passphrase", "passwort",      "pwd",
     "secret",     "token",     "apikey",     "accesskey",     "secretkey",
     "privatekey", "authkey",   "signingkey", "encryptionkey", "clientkey",
     "masterkey",  "sharedkey", "credential", "credentials",   "apisecret"});

constexpr std::size_t kNameBytes = 64;  // of a name, at most
constexpr std::size_t kGapBytes = 4;    // of blanks, and of quotes, beside the separator
constexpr std::size_t kValueLeast = 16;
constexpr std::size_t kValueMost = 256;
constexpr double kEntropyLeast = 3.0;      // bits for each byte of a short value
constexpr double kEntropyLeastLong = 3.3;  // from kLong bytes on
constexpr std::size_t kLong = 20;
constexpr std::size_t kBytesPerChange = 5;  // of the kind of letter, at most

constexpr bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
constexpr bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_of_name(char c) {
    return is_lower(c) || is_upper(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
}
constexpr bool is_blank(char c) {
    return c == ' ' || c == '\t';
}
constexpr bool is_quote(char c) {
    return c == '"' || c == '\'' || c == '`' || c == '\\';
}

constexpr auto kOfValue = [] {
    std::array<bool, 256> of{};
    for (int c = 0; c < 256; ++c) {
        const char letter = static_cast<char>(c);
        of[static_cast<std::size_t>(c)] =
            is_lower(letter) || is_upper(letter) || is_digit(letter) ||
            std::string_view("+/=_.~!@#$%^*?-").find(letter) != std::string_view::npos;
    }
    return of;
}();
constexpr bool is_of_value(char c) {
    return kOfValue[static_cast<unsigned char>(c)];
}

/// A name without its separators, in lower case.
std::string plain(std::string_view name) {
    std::string text;
    for (const char c : name) {
        if (c == '_' || c == '-' || c == '.') continue;
        text += is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return text;
}

bool speaks_of_secrets(std::string_view name) {
    const std::string text = plain(name);
    return std::any_of(kWords.begin(), kWords.end(),
                       [&](std::string_view word) { return text.ends_with(word); });
}

/// Could more letters make a name of it that speaks of secrets?
bool may_speak_of_secrets(std::string_view name) {
    const std::string text = plain(name);
    const std::string part = plain(name.substr(name.find_last_of("_-.") + 1));
    return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
        if (word.starts_with(part)) return true;
        for (std::size_t n = std::min(word.size(), text.size()); n > 0; --n) {
            if (text.ends_with(word.substr(0, n)) && (n > 2 || n == text.size())) return true;
        }
        return false;
    });
}

/// Where a run of at most `most` letters of a kind ends that begins at `at`.
template <class Is>
std::size_t run_end(std::string_view text, std::size_t at, std::size_t most, Is is) {
    const std::size_t limit = std::min(text.size(), at + most);
    while (at < limit && is(text[at])) ++at;
    return at;
}

/// The name that ends before `at`, blanks and quotes apart; empty: there is none.
std::string_view name_before(std::string_view text, std::size_t at) {
    for (std::size_t n = 0; n < kGapBytes && at > 0 && is_blank(text[at - 1]); ++n) --at;
    for (std::size_t n = 0; n < kGapBytes && at > 0; ++n, --at) {
        if (!is_quote(text[at - 1]) && text[at - 1] != ']') break;
    }
    std::size_t begin = at;
    while (begin > 0 && is_of_name(text[begin - 1])) {
        if (at - begin == kNameBytes) return {};
        --begin;
    }
    return text.substr(begin, at - begin);
}

/// Where the value begins after a separator; nullopt: it separates no name from a value.
std::optional<std::size_t> value_begin(std::string_view text, std::size_t sep) {
    std::size_t at = sep + 1;
    if (at < text.size() && text[sep] == ':' && text[at] == '=') ++at;
    if (at < text.size() && text[sep] == '=' && text[at] == '>') ++at;
    if (at < text.size() && (text[at] == '=' || text[at] == ':')) return std::nullopt;
    if (sep > 0 && std::string_view("=!<>:").find(text[sep - 1]) != std::string_view::npos) {
        return std::nullopt;
    }
    at = run_end(text, at, kGapBytes, is_blank);
    return run_end(text, at, kGapBytes, is_quote);
}

double entropy_of(std::string_view value) {
    std::array<std::uint16_t, 256> counts{};
    for (const char c : value) ++counts[static_cast<unsigned char>(c)];
    double bits = 0;
    const auto total = static_cast<double>(value.size());
    for (const std::uint16_t count : counts) {
        if (count > 0) bits -= count / total * std::log2(count / total);
    }
    return bits;
}

/// What no word, name or path has in it counts as a kind too.
constexpr char kind_of(char c) {
    if (is_lower(c)) return 'a';
    if (is_upper(c)) return 'A';
    if (is_digit(c)) return '0';
    return std::string_view("!@#$%^*?~+").find(c) != std::string_view::npos ? '!' : '\0';
}

/// Letters that chance has put together change their kind often; words, names and paths do not.
/// An upper-case letter before lower ones is the beginning of a word.
bool looks_random(std::string_view value) {
    if (value.size() < kValueLeast) return false;
    if (std::string_view("$%*.").find(value.front()) != std::string_view::npos) return false;
    std::size_t changes = 0;
    std::size_t digits = 0;
    std::size_t letters = 0;
    char before = '\0';
    for (const char c : value) {
        const char kind = kind_of(c);
        digits += kind == '0' ? 1 : 0;
        letters += kind == 'a' || kind == 'A' ? 1 : 0;
        const bool word = before == 'A' && kind == 'a';
        if (kind != '\0' && before != '\0' && kind != before && !word) ++changes;
        before = kind;
    }
    if (digits == 0 || letters == 0 || changes * kBytesPerChange < value.size()) return false;
    return entropy_of(value) >= (value.size() < kLong ? kEntropyLeast : kEntropyLeastLong);
}

}  // namespace

std::optional<TextRange> keyed_secret_at(std::string_view text, std::size_t sep) {
    const auto begin = value_begin(text, sep);
    if (!begin) return std::nullopt;
    // What is cheap to look at first: a text of nothing but separators is passed over quickly.
    if (run_end(text, *begin, kValueLeast, is_of_value) - *begin < kValueLeast) return std::nullopt;
    const std::string_view name = name_before(text, sep);
    if (name.empty() || !speaks_of_secrets(name)) return std::nullopt;
    std::size_t end = run_end(text, *begin, kValueMost, is_of_value);
    // A call or an element of something: code, and no value.
    if (end < text.size() && (text[end] == '(' || text[end] == '[')) return std::nullopt;
    while (end > *begin && (text[end - 1] == '.' || text[end - 1] == '?')) --end;
    if (!looks_random(text.substr(*begin, end - *begin))) return std::nullopt;
    return TextRange{*begin, end};
}

std::size_t unfinished_keyed_secret(std::string_view text, std::size_t from) {
    const std::size_t reach = kNameBytes + 4 * kGapBytes + 2 + kValueMost;
    const std::size_t first = text.size() - std::min(text.size(), reach);
    for (std::size_t at = std::max(from, first); at < text.size(); ++at) {
        if (!is_of_name(text[at]) || (at > 0 && is_of_name(text[at - 1]))) continue;
        std::size_t end = run_end(text, at, kNameBytes + 1, is_of_name);
        const std::string_view name = text.substr(at, end - at);
        if (name.size() > kNameBytes) continue;
        if (end == text.size() ? !may_speak_of_secrets(name) : !speaks_of_secrets(name)) continue;
        end = run_end(text, end, kGapBytes, [](char c) { return is_quote(c) || c == ']'; });
        end = run_end(text, end, kGapBytes, is_blank);
        if (end == text.size()) return text.size() - at;
        if (text[end] != '=' && text[end] != ':') continue;
        if (end + 1 == text.size()) return text.size() - at;
        const auto begin = value_begin(text, end);
        if (!begin) continue;
        end = run_end(text, *begin, kValueMost, is_of_value);
        if (end == text.size() && end - *begin < kValueMost) return text.size() - at;
    }
    return 0;
}

}  // namespace zq
