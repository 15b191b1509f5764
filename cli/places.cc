#include "cli/places.h"

#include <algorithm>
#include <array>

#include "common/platform/digest.h"

namespace zq::cli {
namespace {

constexpr auto kHomes = std::to_array<std::string_view>({"/home/", "/Users/"});
constexpr std::string_view kRoot = "/root";
constexpr std::string_view kFile = "file://";
constexpr std::size_t kNameDigits = 8;

/// Where a path in a text ends.
std::size_t end_of_path(std::string_view text, std::size_t from) {
    const auto end = text.find_first_of(" \t\r\n\"'<>|;,)", from);
    return end == std::string_view::npos ? text.size() : end;
}

/// `file:///srv/tasks/a.md` -> `file:///…/a.md`.
void hide_uris(std::string& text) {
    for (std::size_t at = text.find(kFile); at != std::string::npos;
         at = text.find(kFile, at + 1)) {
        const std::size_t path = at + kFile.size();
        const std::size_t end = end_of_path(text, path);
        const std::size_t last = text.rfind('/', end - 1);
        if (last == std::string::npos || last <= path) continue;
        text.replace(path, last - path, "/…");
    }
}

/// `/home/ann/src` -> `~/src`.
void hide_homes(std::string& text) {
    for (std::string_view home : kHomes) {
        for (std::size_t at = text.find(home); at != std::string::npos; at = text.find(home, at)) {
            const std::size_t name = at + home.size();
            const std::size_t slash = text.find('/', name);
            const std::size_t end = std::min(end_of_path(text, name), slash);
            text.replace(at, end - at, "~");
        }
    }
    for (std::size_t at = text.find(kRoot); at != std::string::npos;
         at = text.find(kRoot, at + 1)) {
        const std::size_t end = at + kRoot.size();
        const bool whole = end == text.size() || text[end] == '/' || end == end_of_path(text, end);
        const bool begins = at == 0 || end_of_path(text, at - 1) == at - 1 || text[at - 1] == '=';
        if (whole && begins) text.replace(at, kRoot.size(), "~");
    }
}

std::string pseudonym(const std::string& worker) {
    if (worker.empty()) return worker;
    return "worker-" + to_hex(sha256(worker)).substr(0, kNameDigits);
}

std::string key_alone(const std::string& identity) {
    const auto at = identity.rfind('@');
    return at == std::string::npos ? identity : identity.substr(at);
}

bool is_identity(std::string_view key) {
    return key == "identity" || key == "submitter" || key == "answered_by" || key == "invited_by" ||
           key == "by";
}

Json text_without(std::string_view key, const std::string& text) {
    if (key == "worker") return Json::text(pseudonym(text));
    if (is_identity(key)) return Json::text(key_alone(text));
    return Json::text(without_paths(text));
}

Json value_without(std::string_view key, const Json& value) {
    if (value.is_object()) return without_places(value);
    if (value.is_array()) {
        Json list = Json::array();
        for (std::size_t i = 0; i < value.size(); ++i) list.push(value_without(key, value.at(i)));
        return list;
    }
    const auto text = value.as_text();
    return text ? text_without(key, *text) : value;
}

}  // namespace

std::string without_paths(std::string_view text) {
    std::string hidden(text);
    hide_uris(hidden);
    hide_homes(hidden);
    return hidden;
}

Json without_places(const Json& record) {
    Json hidden = Json::object();
    for (const std::string& key : record.keys()) {
        hidden.set(key, value_without(key, *record.find(key)));
    }
    return hidden;
}

}  // namespace zq::cli
