#include "cli/text.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "common/platform/pack.h"

namespace zq::cli {
namespace {

std::size_t sequence_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead < 0xE0) return 2;
    return lead < 0xF0 ? 3 : 4;
}

std::uint32_t code_point(std::string_view sequence) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
    switch (sequence.size()) {
        case 1:
            return byte(0);
        case 2:
            return (byte(0) & 0x1FU) << 6 | (byte(1) & 0x3FU);
        case 3:
            return (byte(0) & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU);
        default:
            return (byte(0) & 0x07U) << 18 | (byte(1) & 0x3FU) << 12 | (byte(2) & 0x3FU) << 6 |
                   (byte(3) & 0x3FU);
    }
}

bool turns_direction(std::uint32_t c) {
    return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

bool is_control(std::uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

std::string visible(std::uint32_t c) {
    if (c == '\n') return "\\n";
    if (c == '\t') return "\\t";
    if (c == '\r') return "\\r";
    char text[16];
    std::snprintf(text, sizeof text, c < 0x100 ? "\\x%02x" : "\\u%04x", static_cast<unsigned>(c));
    return text;
}

/// `kept` are the control characters that stay.
std::string escape(std::string_view text, std::string_view kept) {
    std::string out;
    out.reserve(text.size());
    std::size_t i = 0;
    while (i < text.size()) {
        const std::size_t length = sequence_length(static_cast<unsigned char>(text[i]));
        const std::string_view sequence = text.substr(i, length);
        if (!pack::is_utf8(sequence)) {
            out += visible(static_cast<unsigned char>(text[i]));
            ++i;
            continue;
        }
        const std::uint32_t c = code_point(sequence);
        const bool stays = sequence.size() == 1 && kept.find(sequence[0]) != std::string_view::npos;
        if (!stays && (is_control(c) || turns_direction(c))) {
            out += visible(c);
        } else {
            out += sequence;
        }
        i += sequence.size();
    }
    return out;
}

}  // namespace

std::string escape_line(std::string_view text) {
    return escape(text, "");
}
std::string escape_text(std::string_view text) {
    return escape(text, "\n\t");
}

std::vector<std::string> comma_list(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const auto comma = text.find(',');
        words.emplace_back(text.substr(0, comma));
        if (comma == std::string_view::npos) break;
        text.remove_prefix(comma + 1);
    }
    return words;
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    for (char c : text) width += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
    return width;
}

std::string padded(std::string_view text, std::size_t width) {
    return std::string(text) + std::string(width - std::min(width, display_width(text)), ' ');
}

std::string shorten(std::string_view text, std::size_t width) {
    if (display_width(text) <= width) return std::string(text);
    if (width == 0) return {};
    std::size_t end = 0;
    for (std::size_t kept = 0; kept + 1 < width; ++kept) {
        end += sequence_length(static_cast<unsigned char>(text[end]));
    }
    return std::string(text.substr(0, end)) + "…";
}

std::string human_duration(Millis duration) {
    const std::int64_t ms = duration.count < 0 ? 0 : duration.count;
    if (ms < 1000) return std::to_string(ms) + "ms";
    const std::int64_t s = ms / 1000;
    char text[64];
    if (s < 60) {
        std::snprintf(text, sizeof text, "%llds", static_cast<long long>(s));
    } else if (s < 3600) {
        std::snprintf(text, sizeof text, "%lldm%02llds", static_cast<long long>(s / 60),
                      static_cast<long long>(s % 60));
    } else if (s < 86'400) {
        std::snprintf(text, sizeof text, "%lldh%02lldm", static_cast<long long>(s / 3600),
                      static_cast<long long>(s / 60 % 60));
    } else {
        std::snprintf(text, sizeof text, "%lldd%02lldh", static_cast<long long>(s / 86'400),
                      static_cast<long long>(s / 3600 % 24));
    }
    return text;
}

std::string human_time(Instant t, Instant now) {
    if (!t.is_set()) return "-";
    const Millis age = now - t;
    if (age < seconds(1) && age > millis(-1000)) return "now";
    if (age.count > 0) return human_duration(age) + " ago";
    return "in " + human_duration(t - now);
}

std::string human_size(std::uint64_t bytes) {
    static constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024) return std::to_string(bytes) + " B";
    double size = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (size >= 1024 && unit + 1 < kUnits.size()) {
        size /= 1024;
        ++unit;
    }
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %s", size, kUnits.at(unit));
    return text;
}

}  // namespace zq::cli
