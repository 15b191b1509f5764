#include "common/base/secret_scan.h"

#include <algorithm>

#include "common/base/secret_formats.h"

namespace zq {
namespace {

constexpr std::size_t kSniffed = 8 * 1024;
constexpr std::string_view kRemedy =
    ": leave it out, name it as secret://NAME where the worker has it, or let it pass with "
    "allow_secrets (--allow-secrets)";

std::string replaced(const std::string& text, std::string_view before, std::string_view after) {
    auto found = find_secret(text);
    if (!found) return text;
    std::string out;
    std::size_t at = 0;
    for (; found; found = find_secret(text, at)) {
        out.append(text, at, found->begin - at);
        out.append(before).append(found->kind).append(after);
        at = found->end;
    }
    return out.append(text, at);
}

void cut(std::string& text, std::size_t limit) {
    if (text.size() <= limit) return;
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) --limit;
    text.resize(limit);
}

}  // namespace

std::string redacted(const std::string& text) {
    return replaced(text, "[redacted:", "]");
}

std::string redacted(const std::string& text, std::size_t limit) {
    std::string out = redacted(text);
    cut(out, limit);
    return out;
}

std::string redacted_name(const std::string& name, std::size_t limit) {
    std::string out = replaced(name, "redacted-", "");
    cut(out, limit);
    return out;
}

std::vector<std::string> secret_kinds(std::string_view text) {
    std::vector<std::string> kinds;
    for (auto found = find_secret(text); found; found = find_secret(text, found->end)) {
        const auto at = std::lower_bound(kinds.begin(), kinds.end(), found->kind);
        if (at == kinds.end() || *at != found->kind) kinds.emplace(at, found->kind);
    }
    return kinds;
}

std::string kinds_text(const std::vector<std::string>& kinds) {
    std::string text;
    for (const std::string& kind : kinds) text += (text.empty() ? "" : ",") + kind;
    return text;
}

std::vector<std::string> kinds_in(std::string_view text) {
    std::vector<std::string> kinds;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        kinds.emplace_back(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return kinds;
}

bool is_binary(std::string_view bytes) {
    return bytes.substr(0, kSniffed).find('\0') != std::string_view::npos;
}

Result<void> check_no_secret(std::string_view text, const std::string& field) {
    const auto found = find_secret(text);
    if (!found) return {};
    return fail(ErrorCode::SECRET_FOUND,
                "what looks like a " + std::string(found->kind) + " stands at byte " +
                    std::to_string(found->begin) + std::string(kRemedy),
                field);
}

Failure secret_found(const std::string& what, const std::vector<std::string>& kinds,
                     const std::string& field) {
    return fail(
        ErrorCode::SECRET_FOUND,
        "what looks like a " + kinds_text(kinds) + " stands in " + what + std::string(kRemedy),
        field);
}

}  // namespace zq
