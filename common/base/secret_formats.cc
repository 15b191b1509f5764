#include "common/base/secret_formats.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "common/base/keyed_secret.h"

namespace zq {
namespace {

/// Letters that may follow a mark.
enum class Letters : std::uint8_t {
    kUpper,      // A-Z 0-9
    kPlain,      // and a-z
    kUnderline,  // and _
    kDashes,     // and -
    kDotted,     // and . ; three parts
    kBase64,     // A-Z a-z 0-9 + / =
    kToken68,    // RFC 9110: base64, and - . _ ~
};

struct Format {
    std::string_view mark;
    Letters letters;
    std::size_t least;  // letters after the mark
    std::string_view kind;
    bool mark_is_shown = false;  // it says what follows, and is no part of it
};

// From the issuers' own documentation; in the order of their marks.
constexpr auto kFormats = std::to_array<Format>({
    {"AIza", Letters::kDashes, 35, "google-key"},
    {"AKIA", Letters::kUpper, 16, "aws-key"},
    {"ASIA", Letters::kUpper, 16, "aws-key"},
    {"AWS_SECRET_ACCESS_KEY=", Letters::kBase64, 40, "aws-secret-key", true},
    {"AWS_SESSION_TOKEN=", Letters::kBase64, 100, "aws-session-token", true},
    {"Bearer ", Letters::kToken68, 20, "bearer-token", true},
    {"SG.", Letters::kDotted, 60, "sendgrid-key"},
    {"SecretAccessKey\": \"", Letters::kBase64, 40, "aws-secret-key", true},
    {"SessionToken\": \"", Letters::kBase64, 100, "aws-session-token", true},
    {"aws_secret_access_key = ", Letters::kBase64, 40, "aws-secret-key", true},
    {"aws_secret_access_key=", Letters::kBase64, 40, "aws-secret-key", true},
    {"aws_session_token = ", Letters::kBase64, 100, "aws-session-token", true},
    {"aws_session_token=", Letters::kBase64, 100, "aws-session-token", true},
    {"bearer ", Letters::kToken68, 20, "bearer-token", true},
    {"dop_v1_", Letters::kPlain, 64, "digitalocean-token"},
    {"eyJ", Letters::kDotted, 40, "jwt"},
    {"gho_", Letters::kPlain, 36, "github-token"},
    {"ghp_", Letters::kPlain, 36, "github-token"},
    {"ghr_", Letters::kPlain, 36, "github-token"},
    {"ghs_", Letters::kPlain, 36, "github-token"},
    {"ghu_", Letters::kPlain, 36, "github-token"},
    {"github_pat_", Letters::kUnderline, 22, "github-token"},
    {"glpat-", Letters::kDashes, 20, "gitlab-token"},
    {"hf_", Letters::kPlain, 30, "huggingface-token"},
    {"npm_", Letters::kPlain, 36, "npm-token"},
    {"pypi-", Letters::kDashes, 50, "pypi-token"},
    {"rk_live_", Letters::kPlain, 20, "stripe-key"},
    {"shpat_", Letters::kPlain, 32, "shopify-token"},
    {"sk-", Letters::kDashes, 32, "api-key"},  // Anthropic, OpenAI and those who do as they do
    {"sk_live_", Letters::kPlain, 20, "stripe-key"},
    {"sk_test_", Letters::kPlain, 20, "stripe-key"},
    {"xapp-", Letters::kDashes, 20, "slack-token"},
    {"xoxa-", Letters::kDashes, 20, "slack-token"},
    {"xoxb-", Letters::kDashes, 20, "slack-token"},
    {"xoxp-", Letters::kDashes, 20, "slack-token"},
    {"xoxr-", Letters::kDashes, 20, "slack-token"},
    {"xoxs-", Letters::kDashes, 20, "slack-token"},
    {"ya29.", Letters::kDashes, 20, "google-token"},
});
static_assert(std::is_sorted(kFormats.begin(), kFormats.end(),
                             [](const Format& a, const Format& b) { return a.mark < b.mark; }));

constexpr std::string_view kKeyBegin = "-----BEGIN ";
constexpr std::string_view kKeyEnd = "-----END ";
constexpr std::string_view kKeyLabel = "PRIVATE KEY-----";
constexpr std::size_t kLabelReach = 40;  // of BEGIN and `OPENSSH PRIVATE KEY`, `RSA …`
constexpr std::size_t kBodyReach = 120;  // after the label, the first letters of the key
constexpr std::size_t kBodyRun = 20;     // so many in a row are no words
constexpr std::size_t kTokenBytes = 4096;
constexpr std::size_t kDigitReach = 128;  // within so many letters one is a digit

constexpr bool is_upper(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
constexpr bool is_plain(char c) {
    return is_upper(c) || (c >= 'a' && c <= 'z');
}
constexpr bool is_base64(char c) {
    return is_plain(c) || c == '+' || c == '/' || c == '=';
}

constexpr bool belongs(char c, Letters letters) {
    switch (letters) {
        case Letters::kUpper:
            return is_upper(c);
        case Letters::kPlain:
            return is_plain(c);
        case Letters::kUnderline:
            return is_plain(c) || c == '_';
        case Letters::kDashes:
            return is_plain(c) || c == '-' || c == '_';
        case Letters::kDotted:
            return is_plain(c) || c == '-' || c == '_' || c == '.';
        case Letters::kBase64:
            return is_base64(c);
        case Letters::kToken68:
            return is_base64(c) || c == '-' || c == '.' || c == '_' || c == '~';
    }
    return false;
}

/// What may stand in a printed key: its letters, line ends (escaped or not), quotes, headers.
constexpr bool is_of_key(char c) {
    return is_base64(c) || std::string_view(" \t\r\n\\\"'-:,").find(c) != std::string_view::npos;
}

/// The formats whose marks begin with a letter, so that a text is passed over once.
struct Range {
    std::uint8_t begin = 0;
    std::uint8_t end = 0;
};
constexpr auto kByFirst = [] {
    std::array<Range, 256> ranges{};
    for (std::size_t i = 0; i < kFormats.size(); ++i) {
        Range& range = ranges[static_cast<unsigned char>(kFormats[i].mark[0])];
        if (range.end == 0) range.begin = static_cast<std::uint8_t>(i);
        range.end = static_cast<std::uint8_t>(i + 1);
    }
    return ranges;
}();

constexpr auto kStarts = [] {
    std::array<bool, 256> starts{};
    for (std::size_t i = 0; i < starts.size(); ++i) starts[i] = kByFirst[i].end != 0;
    starts[static_cast<unsigned char>('-')] = true;
    return starts;
}();

/// After these there may be a value that a word before them calls secret.
constexpr bool is_separator(char c) {
    return c == '=' || c == ':';
}

/// By two letters that follow on each other, the second one in the high bits: may something to look
/// at begin with the first? Bits, so that nearly all of a text is passed over in a few steps.
constexpr auto kPairs = [] {
    std::array<std::uint64_t, 1024> pairs{};
    const auto add = [&](char first, char second) {
        const unsigned at =
            static_cast<unsigned char>(second) * 256U + static_cast<unsigned char>(first);
        pairs[at / 64U] |= 1ULL << (at % 64U);
    };
    for (const Format& format : kFormats) add(format.mark[0], format.mark[1]);
    add(kKeyBegin[0], kKeyBegin[1]);
    for (int second = 0; second < 256; ++second) {
        add('=', static_cast<char>(second));
        add(':', static_cast<char>(second));
    }
    return pairs;
}();

/// May something begin here?
bool may_start(std::string_view text, std::size_t at) {
    if (!kStarts[static_cast<unsigned char>(text[at])]) return false;
    return at == 0 || text[at] == '-' || (!is_plain(text[at - 1]) && text[at - 1] != '_');
}

std::size_t run_end(std::string_view text, std::size_t at, Letters letters) {
    const std::size_t limit = std::min(text.size(), at + kTokenBytes);
    while (at < limit && belongs(text[at], letters)) ++at;
    return at;
}

/// Where the letters of a secret end whose mark stands at `at`; nullopt: it is none. By chance made
/// letters have a digit among them, words joined by dashes often none. Looks no further than it
/// must: a text of nothing but marks is not passed over again for each.
std::optional<std::size_t> secret_end(std::string_view text, std::size_t at, const Format& format) {
    const std::size_t body = at + format.mark.size();
    const std::size_t limit = std::min(text.size(), body + kTokenBytes);
    const bool dotted = format.letters == Letters::kDotted;
    auto dots = std::count(format.mark.begin(), format.mark.end(), '.');
    bool digit = false;
    std::size_t end = body;
    for (; end < limit && belongs(text[end], format.letters); ++end) {
        digit = digit || (text[end] >= '0' && text[end] <= '9');
        if (!digit && end - body >= kDigitReach) return std::nullopt;
        if (dotted && text[end] == '.' && ++dots > 2) return std::nullopt;
    }
    if (!digit || end - body < format.least) return std::nullopt;
    const bool parts = end == body + kTokenBytes || (dots == 2 && text[end - 1] != '.');
    if (dotted && !parts) return std::nullopt;
    return end;
}

/// Where the label of a private key ends whose BEGIN stands at `at`; npos: it is none.
std::size_t key_label_end(std::string_view text, std::size_t at) {
    if (text.substr(at, kKeyBegin.size()) != kKeyBegin) return std::string_view::npos;
    const std::size_t label = text.substr(at, kKeyBegin.size() + kLabelReach).find(kKeyLabel);
    return label == std::string_view::npos ? label : at + label + kKeyLabel.size();
}

/// Do letters of a key follow its label? A text that only speaks of keys has words there.
bool has_key_body(std::string_view text, std::size_t label_end) {
    std::size_t run = 0;
    for (const char c : text.substr(label_end, kBodyReach)) {
        run = is_base64(c) ? run + 1 : 0;
        if (run >= kBodyRun) return true;
    }
    return false;
}

struct KeyEnd {
    std::size_t at = 0;
    bool closed = false;  // by its END line, or by what no key has
};
KeyEnd key_end(std::string_view text, std::size_t begin, std::size_t label_end) {
    const std::size_t limit = std::min(text.size(), begin + kSecretBytes);
    const std::string_view reach = text.substr(0, limit);
    const std::size_t end = reach.find(kKeyEnd, label_end);
    std::size_t at = label_end;
    while (at < std::min(limit, end) && is_of_key(text[at])) ++at;
    if (at < std::min(limit, end)) return {at, true};
    const std::size_t close = end == reach.npos ? end : reach.find(kKeyLabel, end);
    if (close != reach.npos) return {close + kKeyLabel.size(), true};
    return {limit, limit < text.size()};
}

std::optional<FoundSecret> private_key_at(std::string_view text, std::size_t at) {
    const std::size_t label_end = key_label_end(text, at);
    if (label_end == std::string_view::npos || !has_key_body(text, label_end)) return std::nullopt;
    return FoundSecret{at, key_end(text, at, label_end).at, "private-key"};
}

std::optional<FoundSecret> secret_at(std::string_view text, std::size_t at) {
    if (text[at] == '-') return private_key_at(text, at);
    const Range range = kByFirst[static_cast<unsigned char>(text[at])];
    for (std::size_t i = range.begin; i < range.end; ++i) {
        const Format& format = kFormats[i];
        if (text.compare(at, format.mark.size(), format.mark) != 0) continue;
        const auto end = secret_end(text, at, format);
        if (!end) continue;
        const std::size_t shown = format.mark_is_shown ? format.mark.size() : 0;
        return FoundSecret{at + shown, *end, format.kind};
    }
    return std::nullopt;
}

/// A value after a word that speaks of secrets; where it has a form, as that.
std::optional<FoundSecret> named_secret_at(std::string_view text, std::size_t sep) {
    const auto value = keyed_secret_at(text, sep);
    if (!value) return std::nullopt;
    if (may_start(text, value->begin)) {
        if (auto formed = secret_at(text, value->begin)) return formed;
    }
    return FoundSecret{value->begin, value->end, kNamedSecret};
}

bool key_may_go_on(std::string_view text, std::size_t at) {
    const std::string_view rest = text.substr(at);
    const std::size_t common = std::min(rest.size(), kKeyBegin.size());
    if (rest.substr(0, common) != kKeyBegin.substr(0, common)) return false;
    if (rest.size() < kKeyBegin.size() + kLabelReach) return true;
    const std::size_t label_end = key_label_end(text, at);
    if (label_end == std::string_view::npos) return false;
    if (!has_key_body(text, label_end)) return text.size() - label_end < kBodyReach;
    return !key_end(text, at, label_end).closed;
}

/// Could what stands from `at` to the end go on as a secret?
bool may_go_on(std::string_view text, std::size_t at) {
    if (text[at] == '-') return key_may_go_on(text, at);
    const std::string_view rest = text.substr(at);
    const Range range = kByFirst[static_cast<unsigned char>(text[at])];
    return std::any_of(
        kFormats.begin() + range.begin, kFormats.begin() + range.end, [&](const Format& format) {
            const std::size_t common = std::min(rest.size(), format.mark.size());
            if (rest.substr(0, common) != format.mark.substr(0, common)) return false;
            const std::size_t body = at + format.mark.size();
            if (rest.size() >= format.mark.size() + kTokenBytes) return false;
            return body >= text.size() || run_end(text, body, format.letters) == text.size();
        });
}

}  // namespace

std::optional<FoundSecret> find_secret(std::string_view text, std::size_t from) {
    // Nothing begins with the last letter.
    for (std::size_t at = from; at + 1 < text.size(); ++at) {
        const unsigned pair =
            static_cast<unsigned char>(text[at + 1]) * 256U + static_cast<unsigned char>(text[at]);
        if ((kPairs[pair / 64U] >> (pair % 64U) & 1U) == 0) continue;
        if (is_separator(text[at])) {
            if (auto found = named_secret_at(text, at); found && found->begin >= from) return found;
        } else if (may_start(text, at)) {
            if (auto found = secret_at(text, at)) return found;
        }
    }
    return std::nullopt;
}

std::size_t unfinished_secret(std::string_view text, std::size_t from) {
    // All but a private key is short.
    const std::size_t longest = kTokenBytes + 64;
    const std::size_t named = unfinished_keyed_secret(text, from);
    for (std::size_t at = std::max(from, text.size() - std::min(text.size(), kSecretBytes));
         at < text.size(); ++at) {
        if (text.size() - at > longest && text[at] != '-') continue;
        if (may_start(text, at) && may_go_on(text, at)) return std::max(text.size() - at, named);
    }
    return named;
}

}  // namespace zq
