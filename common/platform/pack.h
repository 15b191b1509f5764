// Structs to MessagePack and back, field by field. A struct takes part by a `describe(visitor,
// value)` that names its fields once, for both ways:
//
//     template <class V, Of<Ping> T>
//     void describe(V& v, T& m) { v("text", m.text); v.optional("count", m.count); }
//
// A struct becomes a map with string keys. Required fields (`v(...)`) are always written and must
// be there; optional ones (`v.optional(key, field, absent = {})`) are left out when they equal
// `absent`, and read as `absent` where the key is missing or nil. Unknown keys are ignored. There
// are no floats: Millis and Instant are integers, Digest and Bytes are bin, LeaseToken and enums
// are strings (an enum needs `to_string(E)` and `from_text(text, E&)` beside it). Strings must be
// UTF-8.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "common/base/error.h"
#include "common/base/ids.h"
#include "common/base/shared.h"
#include "common/base/time.h"
#include "common/platform/pack_tokens.h"

namespace zq {

/// T is U or const U: lets one `describe` serve reading and writing.
template <class T, class U>
concept Of = std::same_as<std::remove_const_t<T>, U>;

namespace pack {

class Encoder;
class Decoder;

namespace detail {

template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;
template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <class T>
inline constexpr bool kIsShared = false;
template <class T>
inline constexpr bool kIsShared<Shared<T>> = true;
template <class T>
inline constexpr bool kIsName = false;
template <class Tag>
inline constexpr bool kIsName<Name<Tag>> = true;

/// Counts the fields that an Encoder will write.
struct Counter {
    std::size_t count = 0;
    template <class T>
    void operator()(const char*, const T&) {
        ++count;
    }
    template <class T>
    void optional(const char*, const T& value, const std::type_identity_t<T>& absent = T{}) {
        if (!(value == absent)) ++count;
    }
};

}  // namespace detail

/// Where in a message something stands, such as `task.inputs[2].digest`: a text only where that is
/// asked for. One of a field points at that of what it is in.
class Path {
  public:
    Path() = default;
    Path at(const char* key) const { return {this, key, 0}; }
    Path at(std::size_t index) const { return {this, nullptr, index}; }
    std::string text() const;

  private:
    Path(const Path* outer, const char* key, std::size_t index)
        : outer_(outer), key_(key), index_(index) {}

    const Path* outer_ = nullptr;  // null: the whole message
    const char* key_ = nullptr;    // null: an element
    std::size_t index_ = 0;
};

template <class T>
void write(Writer& out, const T& value);
template <class T>
Result<void> read(Node node, T& out, const Path& path);

class Encoder {
  public:
    explicit Encoder(Writer& out) : out_(out) {}
    template <class T>
    void operator()(const char* key, const T& value) {
        out_.text(key);
        write(out_, value);
    }
    template <class T>
    void optional(const char* key, const T& value, const std::type_identity_t<T>& absent = T{}) {
        if (!(value == absent)) (*this)(key, value);
    }

  private:
    Writer& out_;
};

template <class T>
void write_struct(Writer& out, const T& value) {
    detail::Counter counter;
    describe(counter, value);
    out.map(counter.count);
    Encoder encoder(out);
    describe(encoder, value);
}

template <class T>
void write(Writer& out, const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
        out.boolean(value);
    } else if constexpr (std::is_enum_v<T>) {
        out.text(to_string(value));
    } else if constexpr (std::is_unsigned_v<T>) {
        out.uint(value);
    } else if constexpr (std::is_integral_v<T>) {
        out.sint(value);
    } else if constexpr (std::is_same_v<T, std::string>) {
        out.text(value);
    } else if constexpr (detail::kIsName<T>) {
        out.text(value.text);
    } else if constexpr (std::is_same_v<T, Bytes>) {
        out.bytes(value.data);
    } else if constexpr (std::is_same_v<T, Digest>) {
        out.bytes({reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()});
    } else if constexpr (std::is_same_v<T, LeaseToken>) {
        out.text(to_string(value));
    } else if constexpr (std::is_same_v<T, Millis>) {
        out.sint(value.count);
    } else if constexpr (std::is_same_v<T, Instant>) {
        out.sint(value.ms);
    } else if constexpr (std::is_same_v<T, std::map<std::string, std::string>>) {
        out.map(value.size());
        for (const auto& [k, v] : value) {
            out.text(k);
            out.text(v);
        }
    } else if constexpr (detail::kIsVector<T>) {
        out.array(value.size());
        for (const auto& element : value) write(out, element);
    } else if constexpr (detail::kIsShared<T>) {
        write(out, *value);
    } else if constexpr (detail::kIsOptional<T>) {
        if (value) {
            write(out, *value);
        } else {
            out.nil();
        }
    } else {
        write_struct(out, value);
    }
}

/// Reads the fields of one map; keeps the first error and does nothing after it.
class Decoder {
  public:
    /// `path` must outlive it.
    Decoder(Node map, const Path& path) : map_(map), path_(path) {}
    Decoder(Node map, const Path&& path) = delete;

    template <class T>
    void operator()(const char* key, T& value) {
        if (error_) return;
        auto node = map_.find(key);
        if (!node) {
            if constexpr (detail::kIsOptional<T>) return;
            set_error(
                Error{ErrorCode::INVALID, "required field is missing", path_.at(key).text(), {}});
            return;
        }
        read_into(*node, value, key);
    }
    template <class T>
    void optional(const char* key, T& value, const std::type_identity_t<T>& absent = T{}) {
        if (error_) return;
        auto node = map_.find(key);
        if (node && !node->is_nil()) {
            read_into(*node, value, key);
        } else {
            value = absent;
        }
    }
    const std::optional<Error>& error() const { return error_; }

  private:
    template <class T>
    void read_into(Node node, T& value, const char* key);
    void set_error(Error error) { error_ = std::move(error); }

    MapKeys map_;
    const Path& path_;
    std::optional<Error> error_;
};

namespace detail {

inline Failure wrong_type(const char* wanted, const Path& path) {
    return fail(ErrorCode::INVALID, std::string("expected ") + wanted, path.text());
}

template <class T>
Result<void> read_integer(Node node, T& out, const Path& path) {
    if constexpr (std::is_unsigned_v<T>) {
        auto value = node.uint();
        if (!value) return wrong_type("an unsigned integer", path);
        out = static_cast<T>(*value);
        if (out != *value) return fail(ErrorCode::INVALID, "number too large", path.text());
    } else {
        auto value = node.sint();
        if (!value) return wrong_type("an integer", path);
        out = static_cast<T>(*value);
        if (out != *value) return fail(ErrorCode::INVALID, "number out of range", path.text());
    }
    return {};
}

inline Result<void> read_duration(Node node, std::int64_t& out, const Path& path) {
    auto value = node.sint();
    if (!value || *value < 0) return wrong_type("a non-negative integer of milliseconds", path);
    out = *value;
    return {};
}

inline Result<void> read_digest(Node node, Digest& out, const Path& path) {
    auto value = node.bytes();
    if (!value || value->size() != out.bytes.size()) return wrong_type("bin of 32 bytes", path);
    std::copy(value->begin(), value->end(), out.bytes.begin());
    return {};
}

inline Result<void> read_texts(Node node, std::map<std::string, std::string>& out,
                               const Path& path) {
    auto size = node.map_size();
    if (!size) return wrong_type("a map of strings", path);
    for (std::size_t i = 0; i < *size; ++i) {
        auto [key, value] = node.pair_at(i);
        if (!key.text() || !value.text()) return wrong_type("a map of strings", path);
        out.emplace(*key.text(), *value.text());
    }
    return {};
}

inline Result<void> read_boolean(Node node, bool& out, const Path& path) {
    auto value = node.boolean();
    if (!value) return wrong_type("a boolean", path);
    out = *value;
    return {};
}

inline Result<void> read_text(Node node, std::string& out, const Path& path) {
    auto value = node.text();
    if (!value) return wrong_type("a string", path);
    out = std::string(*value);
    return {};
}

inline Result<void> read_bytes(Node node, std::string& out, const Path& path) {
    auto value = node.bytes();
    if (!value) return wrong_type("bin", path);
    out = std::string(*value);
    return {};
}

inline Result<void> read_token(Node node, LeaseToken& out, const Path& path) {
    auto value = node.text();
    if (!value) return wrong_type("a string", path);
    auto token = parse_lease_token(*value, {});
    if (!token) return fail(token.error().code, token.error().message, path.text());
    out = *token;
    return {};
}

template <class Enum>
Result<void> read_word(Node node, Enum& out, const Path& path) {
    auto value = node.text();
    if (!value) return wrong_type("a string", path);
    if (from_text(*value, out)) return {};
    return fail(ErrorCode::INVALID, "unknown word '" + std::string(value->substr(0, 64)) + "'",
                path.text());
}

template <class T>
Result<void> read_list(Node node, std::vector<T>& out, const Path& path) {
    auto size = node.array_size();
    if (!size) return wrong_type("an array", path);
    out.clear();
    for (std::size_t i = 0; i < *size; ++i) {
        T element{};
        auto ok = read(node.at(i), element, path.at(i));
        if (!ok) return ok;
        out.push_back(std::move(element));
    }
    return {};
}

template <class T>
Result<void> read_optional(Node node, std::optional<T>& out, const Path& path) {
    if (node.is_nil()) return {};
    T element{};
    if (auto ok = read(node, element, path); !ok) return ok;
    out = std::move(element);
    return {};
}

template <class T>
Result<void> read_struct(Node node, T& out, const Path& path) {
    if (!node.is_map()) return wrong_type("a map", path);
    Decoder decoder(node, path);
    describe(decoder, out);
    if (decoder.error()) return Failure(*decoder.error());
    return {};
}

}  // namespace detail

template <class T>
Result<void> read(Node node, T& out, const Path& path) {
    if constexpr (std::is_same_v<T, bool>) {
        return detail::read_boolean(node, out, path);
    } else if constexpr (std::is_enum_v<T>) {
        return detail::read_word(node, out, path);
    } else if constexpr (std::is_integral_v<T>) {
        return detail::read_integer(node, out, path);
    } else if constexpr (std::is_same_v<T, std::string>) {
        return detail::read_text(node, out, path);
    } else if constexpr (detail::kIsName<T>) {
        return detail::read_text(node, out.text, path);
    } else if constexpr (std::is_same_v<T, Bytes>) {
        return detail::read_bytes(node, out.data, path);
    } else if constexpr (std::is_same_v<T, Digest>) {
        return detail::read_digest(node, out, path);
    } else if constexpr (std::is_same_v<T, LeaseToken>) {
        return detail::read_token(node, out, path);
    } else if constexpr (std::is_same_v<T, Millis>) {
        return detail::read_duration(node, out.count, path);
    } else if constexpr (std::is_same_v<T, Instant>) {
        return detail::read_duration(node, out.ms, path);
    } else if constexpr (std::is_same_v<T, std::map<std::string, std::string>>) {
        return detail::read_texts(node, out, path);
    } else if constexpr (detail::kIsVector<T>) {
        return detail::read_list(node, out, path);
    } else if constexpr (detail::kIsShared<T>) {
        return read(node, out.edit(), path);
    } else if constexpr (detail::kIsOptional<T>) {
        return detail::read_optional(node, out, path);
    } else {
        return detail::read_struct(node, out, path);
    }
}

template <class T>
void Decoder::read_into(Node node, T& value, const char* key) {
    if (auto ok = read(node, value, path_.at(key)); !ok) set_error(std::move(ok.error()));
}

/// The MessagePack of a described struct.
template <class T>
std::string encode(const T& value) {
    Writer writer;
    write(writer, value);
    return writer.take();
}

}  // namespace pack
}  // namespace zq

#include "common/platform/pack_quick.h"

namespace zq::pack {

/// Parses a described struct. Errors: MALFORMED (not MessagePack), TOO_LARGE (over a bound of it),
/// INVALID with the field's path.
template <class T>
Result<T> decode(std::string_view bytes) {
    Result<T> value{T{}};
    if (quick_decode(bytes, *value)) return value;
    auto document = Document::parse(bytes);
    if (!document) return Failure(document.error());
    *value = T{};
    if (auto ok = read(document->root(), *value, Path{}); !ok) return Failure(ok.error());
    return value;
}

}  // namespace zq::pack
