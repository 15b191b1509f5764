// Described structs (pack.h) as JSON, with the field names of the wire. Included by json.h alone.
//
// Optional fields that equal their absent value are left out, except numbers, booleans and enums: a
// reader of JSON need not know the protocol's defaults. A moment that is not set becomes null.
#pragma once

#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "common/platform/clock.h"
#include "common/platform/json.h"

namespace zq {

/// RFC 4648 base64 with padding.
std::string to_base64(std::string_view bytes);

namespace detail {

/// The visitor that `describe` is given: puts every field into one object.
class JsonEncoder {
  public:
    explicit JsonEncoder(Json& out) : out_(out) {}

    template <class T>
    void operator()(const char* key, const T& value) {
        out_.set(key, to_json(value));
    }
    template <class T>
    void optional(const char* key, const T& value, const std::type_identity_t<T>& absent = T{}) {
        if (value == absent && !is_told(value)) return;
        (*this)(key, value);
    }

  private:
    /// True for absent values that say something: numbers, booleans, and enums that have a word.
    template <class T>
    static bool is_told(const T& value) {
        if constexpr (std::is_enum_v<T>) return !to_string(value).empty();
        return std::is_arithmetic_v<T>;
    }

    Json& out_;
};

template <class T>
Json json_of_integer(T value) {
    if constexpr (std::is_unsigned_v<T>) return Json::number(static_cast<std::uint64_t>(value));
    return Json::number(static_cast<std::int64_t>(value));
}

template <class T>
Json json_of_list(const std::vector<T>& values) {
    Json list = Json::array();
    for (const T& value : values) list.push(to_json(value));
    return list;
}

inline Json json_of_texts(const std::map<std::string, std::string>& texts) {
    Json object = Json::object();
    for (const auto& [key, value] : texts) object.set(key, Json::text(value));
    return object;
}

template <class T>
Json json_of_struct(const T& value) {
    Json object = Json::object();
    JsonEncoder encoder(object);
    describe(encoder, value);
    return object;
}

}  // namespace detail

template <class T>
Json to_json(const T& value) {
    if constexpr (std::is_same_v<T, Json>) {
        return value;
    } else if constexpr (std::is_same_v<T, bool>) {
        return Json::boolean(value);
    } else if constexpr (std::is_enum_v<T>) {
        return Json::text(to_string(value));
    } else if constexpr (std::is_integral_v<T>) {
        return detail::json_of_integer(value);
    } else if constexpr (std::is_same_v<T, std::string>) {
        return Json::text(value);
    } else if constexpr (pack::detail::kIsName<T>) {
        return Json::text(value.text);
    } else if constexpr (std::is_same_v<T, Bytes>) {
        return Json::text(to_base64(value.data));
    } else if constexpr (std::is_same_v<T, Digest>) {
        return Json::text(to_hex(value));
    } else if constexpr (std::is_same_v<T, LeaseToken>) {
        return Json::text(to_string(value));
    } else if constexpr (std::is_same_v<T, Millis>) {
        return Json::number(value.count);
    } else if constexpr (std::is_same_v<T, Instant>) {
        return value.is_set() ? Json::text(to_rfc3339(value)) : Json();
    } else if constexpr (std::is_same_v<T, std::map<std::string, std::string>>) {
        return detail::json_of_texts(value);
    } else if constexpr (pack::detail::kIsVector<T>) {
        return detail::json_of_list(value);
    } else if constexpr (pack::detail::kIsShared<T>) {
        return to_json(*value);
    } else if constexpr (pack::detail::kIsOptional<T>) {
        return value ? to_json(*value) : Json();
    } else {
        return detail::json_of_struct(value);
    }
}

}  // namespace zq
