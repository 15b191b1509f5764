// Described structs (pack.h) out of JSON that a person or another program wrote: the reverse of
// json_fields.h. Strict, unlike the wire: a field that is not known is an error with the nearest
// one.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "common/base/nearest.h"
#include "common/platform/json.h"

namespace zq {

/// Reads `json` into a described struct; `path` names it in errors (empty: the root). Errors:
/// INVALID with the field's path.
template <class T>
Result<void> read_json(const Json& json, T& out, const std::string& path);

/// `what` is no field: the error, with the nearest of those that are.
inline Failure unknown_field(const std::string& what, const std::vector<std::string>& known,
                             const std::string& path) {
    const std::string near = nearest_word(what, known);
    return fail(ErrorCode::INVALID,
                near.empty() ? "no such field" : "no such field; did you mean `" + near + "`?",
                path.empty() ? what : path + "." + what);
}

namespace detail {

/// The visitor that `describe` is given. Keeps the first error.
class JsonDecoder {
  public:
    JsonDecoder(const Json& json, std::string path) : json_(json), path_(std::move(path)) {}

    template <class T>
    void operator()(const char* key, T& value) {
        names_.emplace_back(key);
        if (error_) return;
        const auto found = json_.find(key);
        if (!found || found->is_null()) {
            error_ = Error{ErrorCode::INVALID, "is missing", path_of(key), {}};
            return;
        }
        take(*found, value, key);
    }
    template <class T>
    void optional(const char* key, T& value, const std::type_identity_t<T>& absent = T{}) {
        names_.emplace_back(key);
        if (error_) return;
        const auto found = json_.find(key);
        if (!found || found->is_null()) {
            value = absent;
            return;
        }
        take(*found, value, key);
    }

    /// After all fields.
    Result<void> finish() const {
        if (error_) return Failure(*error_);
        for (const std::string& key : json_.keys()) {
            if (std::find(names_.begin(), names_.end(), key) != names_.end()) continue;
            return unknown_field(key, names_, path_);
        }
        return {};
    }

  private:
    template <class T>
    void take(const Json& json, T& value, const char* key) {
        if (auto ok = read_json(json, value, path_of(key)); !ok) error_ = ok.error();
    }
    std::string path_of(const char* key) const { return path_.empty() ? key : path_ + "." + key; }

    const Json& json_;
    std::string path_;
    std::vector<std::string> names_;
    std::optional<Error> error_;
};

inline Failure not_a(const char* wanted, const std::string& path) {
    return fail(ErrorCode::INVALID, std::string("is not ") + wanted, path);
}

template <class T>
Result<void> json_integer(const Json& json, T& out, const std::string& path) {
    const auto number = json.as_integer();
    if (!number) return not_a("a whole number", path);
    if (std::is_unsigned_v<T> && *number < 0) return not_a("a number from 0 on", path);
    out = static_cast<T>(*number);
    if (static_cast<std::int64_t>(out) == *number) return {};
    return fail(ErrorCode::INVALID, "is too large a number", path);
}

inline Result<void> json_text(const Json& json, std::string& out, const std::string& path) {
    auto text = json.as_text();
    if (!text) return not_a("a text", path);
    out = std::move(*text);
    return {};
}

template <class T>
Result<void> json_list(const Json& json, std::vector<T>& out, const std::string& path) {
    if (!json.is_array()) return not_a("a list", path);
    out.clear();
    for (std::size_t i = 0; i < json.size(); ++i) {
        T element{};
        auto ok = read_json(json.at(i), element, path + "[" + std::to_string(i) + "]");
        if (!ok) return ok;
        out.push_back(std::move(element));
    }
    return {};
}

inline Result<void> json_texts(const Json& json, std::map<std::string, std::string>& out,
                               const std::string& path) {
    if (!json.is_object()) return not_a("an object of texts", path);
    for (const std::string& key : json.keys()) {
        std::string own = path;
        own.append(".").append(key);
        auto ok = json_text(*json.find(key), out[key], own);
        if (!ok) return ok;
    }
    return {};
}

template <class T>
Result<void> json_word(const Json& json, T& out, const std::string& path) {
    const auto word = json.as_text();
    if (!word) return not_a("a text", path);
    if (from_text(*word, out)) return {};
    return fail(ErrorCode::INVALID, "has the unknown word '" + word->substr(0, 64) + "'", path);
}

template <class T>
Result<void> json_struct(const Json& json, T& out, const std::string& path) {
    if (!json.is_object()) return not_a("an object", path);
    JsonDecoder decoder(json, path);
    describe(decoder, out);
    return decoder.finish();
}

}  // namespace detail

template <class T>
Result<void> read_json(const Json& json, T& out, const std::string& path) {
    if constexpr (std::is_same_v<T, bool>) {
        const auto value = json.as_boolean();
        if (!value) return detail::not_a("true or false", path);
        out = *value;
        return {};
    } else if constexpr (std::is_enum_v<T>) {
        return detail::json_word(json, out, path);
    } else if constexpr (std::is_integral_v<T>) {
        return detail::json_integer(json, out, path);
    } else if constexpr (std::is_same_v<T, std::string>) {
        return detail::json_text(json, out, path);
    } else if constexpr (pack::detail::kIsName<T>) {
        return detail::json_text(json, out.text, path);
    } else if constexpr (std::is_same_v<T, Digest>) {
        std::string hex;
        if (auto ok = detail::json_text(json, hex, path); !ok) return ok;
        auto digest = parse_digest(hex, path);
        if (!digest) return Failure(digest.error());
        out = *digest;
        return {};
    } else if constexpr (std::is_same_v<T, Millis>) {
        if (auto ok = detail::json_integer(json, out.count, path); !ok) return ok;
        if (out.count < 0) return detail::not_a("a number of milliseconds from 0 on", path);
        return {};
    } else if constexpr (std::is_same_v<T, Instant>) {
        std::string text;
        if (auto ok = detail::json_text(json, text, path); !ok) return ok;
        auto at = parse_rfc3339(text, path);
        if (!at) return Failure(at.error());
        out = *at;
        return {};
    } else if constexpr (std::is_same_v<T, std::map<std::string, std::string>>) {
        return detail::json_texts(json, out, path);
    } else if constexpr (pack::detail::kIsVector<T>) {
        return detail::json_list(json, out, path);
    } else if constexpr (pack::detail::kIsOptional<T>) {
        typename T::value_type element{};
        if (auto ok = read_json(json, element, path); !ok) return ok;
        out = std::move(element);
        return {};
    } else {
        return detail::json_struct(json, out, path);
    }
}

}  // namespace zq
