#include "common/platform/config.h"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>
#include <cstdio>

#include "common/base/nearest.h"
#include "common/platform/files.h"

namespace zq {
namespace {

constexpr std::uint64_t kFileBytes = 1ULL << 20;

using Values = std::map<std::string, ConfigValue>;

std::uint32_t line_of(const toml::node& node) {
    return node.source().begin.line;
}

Failure complaint(const std::string& path, std::uint32_t line, const std::string& what,
                  const std::string& key) {
    return fail(ErrorCode::INVALID, path + ":" + std::to_string(line) + ": " + what, key);
}

std::optional<std::vector<std::string>> texts_of(const toml::array& array) {
    std::vector<std::string> texts;
    for (const toml::node& element : array) {
        const auto* text = element.as_string();
        if (text == nullptr) return std::nullopt;
        texts.push_back(text->get());
    }
    return texts;
}

Result<void> flatten(const toml::table& table, const std::string& prefix, const std::string& path,
                     Values& values) {
    for (const auto& [name, node] : table) {
        const std::string key = prefix + std::string(name.str());
        if (const auto* inner = node.as_table()) {
            if (auto ok = flatten(*inner, key + ".", path, values); !ok) return ok;
            continue;
        }
        ConfigValue entry;
        entry.line = line_of(node);
        if (const auto* text = node.as_string()) {
            entry.value = text->get();
        } else if (const auto* number = node.as_integer()) {
            entry.value = number->get();
        } else if (const auto* truth = node.as_boolean()) {
            entry.value = truth->get();
        } else if (const auto* array = node.as_array(); array != nullptr && texts_of(*array)) {
            entry.value = *texts_of(*array);
        } else {
            return complaint(path, entry.line,
                             key +
                                 ": a value is a string, an integer, true, false, or a list of "
                                 "strings",
                             key);
        }
        values.emplace(key, std::move(entry));
    }
    return {};
}

}  // namespace

Result<ConfigFile> ConfigFile::parse(std::string_view text, const std::string& path) {
    toml::parse_result parsed = toml::parse(text, std::string_view(path));
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        return complaint(path, error.source().begin.line, std::string(error.description()), "");
    }
    ConfigFile file;
    file.path_ = path;
    if (auto ok = flatten(parsed.table(), "", path, file.values_); !ok) return Failure(ok.error());
    return file;
}

Result<ConfigFile> ConfigFile::read(const std::string& path) {
    auto text = read_file(path, kFileBytes);
    if (!text) return Failure(text.error());
    return parse(*text, path);
}

Result<void> ConfigFile::allow_only(const std::vector<std::string>& known) const {
    const std::pair<const std::string, ConfigValue>* first = nullptr;
    for (const auto& entry : values_) {
        if (std::find(known.begin(), known.end(), entry.first) != known.end()) continue;
        if (first == nullptr || entry.second.line < first->second.line) first = &entry;
    }
    if (first == nullptr) return {};
    const std::string nearest = nearest_word(first->first, known);
    return complaint(path_, first->second.line,
                     "unknown key '" + first->first + "'" +
                         (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"),
                     first->first);
}

template <class T>
Result<std::optional<T>> ConfigFile::get(const std::string& key, const char* wanted) const {
    auto it = values_.find(key);
    if (it == values_.end()) return std::optional<T>{};
    const T* value = std::get_if<T>(&it->second.value);
    if (value == nullptr) return wrong(key, std::string("expected ") + wanted);
    return std::optional<T>(*value);
}

Result<std::optional<std::string>> ConfigFile::text(const std::string& key) const {
    return get<std::string>(key, "a string");
}

Result<std::optional<std::int64_t>> ConfigFile::integer(const std::string& key) const {
    return get<std::int64_t>(key, "an integer");
}

Result<std::optional<bool>> ConfigFile::boolean(const std::string& key) const {
    return get<bool>(key, "true or false");
}

Result<std::optional<std::vector<std::string>>> ConfigFile::texts(const std::string& key) const {
    auto it = values_.find(key);
    if (it != values_.end()) {
        if (const auto* one = std::get_if<std::string>(&it->second.value)) {
            return std::optional(std::vector<std::string>{*one});
        }
    }
    return get<std::vector<std::string>>(key, "a string or a list of strings");
}

Failure ConfigFile::wrong(const std::string& key, const std::string& what) const {
    auto it = values_.find(key);
    const std::uint32_t line = it == values_.end() ? 0 : it->second.line;
    return complaint(path_, line, key + ": " + what, key);
}

std::string to_toml(std::string_view text) {
    std::string quoted = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') {
            quoted += '\\';
            quoted += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == '\x7f') {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned char>(c));
            quoted += escaped;
        } else {
            quoted += c;
        }
    }
    return quoted + '"';
}

}  // namespace zq
