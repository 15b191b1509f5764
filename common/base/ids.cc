#include "common/base/ids.h"

#include "common/base/limits.h"

namespace zq {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kCrockford = "0123456789abcdefghjkmnpqrstvwxyz";

bool is_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

Result<std::uint64_t> parse_hex64(std::string_view text, const std::string& field) {
    std::uint64_t value = 0;
    for (char c : text) {
        int digit = hex_value(c);
        if (digit < 0) return fail(ErrorCode::INVALID, "not lower-case hex", field);
        value = value << 4 | static_cast<std::uint64_t>(digit);
    }
    return value;
}

}  // namespace

std::string to_hex(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (char c : bytes) {
        auto b = static_cast<unsigned char>(c);
        out += kHex[b >> 4];
        out += kHex[b & 15];
    }
    return out;
}

std::string to_hex(const Digest& digest) {
    return to_hex(
        std::string_view(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()));
}

std::string to_hex(std::uint64_t number) {
    std::string out(16, '0');
    for (int i = 15; i >= 0; --i, number >>= 4)
        out[static_cast<std::size_t>(i)] = kHex[number & 15];
    return out;
}

Result<Digest> parse_digest(std::string_view hex, std::string field) {
    if (hex.size() != 64)
        return fail(ErrorCode::INVALID, "a SHA-256 has 64 hex digits", std::move(field));
    Digest digest;
    for (std::size_t i = 0; i < 32; ++i) {
        int high = hex_value(hex[2 * i]);
        int low = hex_value(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return fail(ErrorCode::INVALID, "not lower-case hex", std::move(field));
        digest.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return digest;
}

std::string to_string(const LeaseToken& token) {
    return to_hex(token.journal) + "-" + to_hex(token.number);
}

Result<LeaseToken> parse_lease_token(std::string_view text, std::string field) {
    if (text.size() != 33 || text[16] != '-') {
        return fail(ErrorCode::INVALID, "a lease is 16 hex digits, a dash, 16 hex digits",
                    std::move(field));
    }
    auto journal = parse_hex64(text.substr(0, 16), field);
    if (!journal) return Failure(journal.error());
    auto number = parse_hex64(text.substr(17), field);
    if (!number) return Failure(number.error());
    return LeaseToken{*journal, *number};
}

bool is_valid_name(std::string_view text) {
    if (text.empty() || text.size() > limits::kNameBytes || !is_alnum(text[0])) return false;
    for (char c : text) {
        if (!is_alnum(c) && c != '.' && c != '_' && c != '-') return false;
    }
    return true;
}

Result<std::string> parse_name(std::string_view text, std::string field) {
    if (is_valid_name(text)) return std::string(text);
    return fail(ErrorCode::INVALID,
                "a name has 1 to 64 of letters, digits, '.', '_', '-' and starts with a letter or "
                "digit",
                std::move(field));
}

bool is_valid_artifact_name(std::string_view text) {
    if (text.empty() || text.size() > limits::kArtifactNameBytes) return false;
    while (true) {
        auto slash = text.find('/');
        if (!is_valid_name(text.substr(0, slash))) return false;
        if (slash == std::string_view::npos) return true;
        text.remove_prefix(slash + 1);
    }
}

TaskId make_task_id(Instant now, const std::array<std::uint8_t, 10>& random) {
    std::array<std::uint8_t, 16> raw{};
    for (std::size_t i = 0; i < 6; ++i) {
        raw[i] = static_cast<std::uint8_t>(now.ms >> (40 - 8 * static_cast<int>(i)));
    }
    for (std::size_t i = 0; i < 10; ++i) raw[6 + i] = random[i];
    // 128 bits in 26 characters of 5: the first character carries the top 3 bits.
    std::string text = "t-";
    for (int bit = -2; bit < 128; bit += 5) {
        unsigned value = 0;
        for (int i = bit; i < bit + 5; ++i) {
            unsigned b = i < 0 ? 0U : raw[static_cast<std::size_t>(i) / 8] >> (7 - i % 8) & 1U;
            value = value << 1 | b;
        }
        text += kCrockford[value];
    }
    return TaskId(std::move(text));
}

}  // namespace zq
