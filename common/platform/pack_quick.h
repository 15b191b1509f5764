// The quick way to read a described struct: fields in the order in which `describe` names them, as
// our own writers put them. Whatever else there is (another order, unknown keys, a wrong type), it
// gives up, and the reader that says what is wrong begins anew. What it accepts, that one would
// read as the same value. Included by pack.h alone.
#pragma once

#include "common/platform/pack_cursor.h"

namespace zq::pack {

template <class T>
bool quick_read(Cursor& from, T& out);

class QuickDecoder {
  public:
    /// `fields` of them follow.
    QuickDecoder(Cursor& from, std::uint64_t fields) : from_(from), left_(fields) {}

    template <class T>
    void operator()(std::string_view key, T& value) {
        if (!good_) return;
        if (takes(key)) {
            good_ = quick_read(from_, value);
        } else if constexpr (!detail::kIsOptional<T>) {
            good_ = false;
        }
    }
    template <class T>
    void optional(std::string_view key, T& value) {
        if (!good_) return;
        if (takes(key)) {
            good_ = quick_read(from_, value);
        } else if constexpr (std::is_same_v<T, std::string>) {
            value.clear();
        } else if constexpr (detail::kIsName<T>) {
            value.text.clear();
        } else {
            value = T{};
        }
    }
    template <class T>
    void optional(std::string_view key, T& value, const std::type_identity_t<T>& absent) {
        if (!good_) return;
        if (takes(key)) {
            good_ = quick_read(from_, value);
        } else {
            value = absent;
        }
    }
    /// All fields were read, and there were no others.
    bool is_complete() const { return good_ && left_ == 0; }

  private:
    bool takes(std::string_view key) {
        if (left_ == 0 || !from_.take_key(key)) return false;
        --left_;
        return true;
    }

    Cursor& from_;
    std::uint64_t left_;
    bool good_ = true;
};

namespace detail {

template <class T>
bool quick_integer(Cursor& from, T& out) {
    std::uint64_t value = 0;
    // What is below zero is rare: the other way reads it.
    if (!from.take_uint(value)) return false;
    out = static_cast<T>(value);
    return out >= T{} && static_cast<std::uint64_t>(out) == value;
}

inline bool quick_text(Cursor& from, std::string& out) {
    std::string_view text;
    if (!from.take_text(text) || !is_utf8(text)) return false;
    out.assign(text);
    return true;
}

inline bool quick_digest(Cursor& from, Digest& out) {
    std::string_view bytes;
    if (!from.take_bin(bytes) || bytes.size() != out.bytes.size()) return false;
    std::copy(bytes.begin(), bytes.end(), out.bytes.begin());
    return true;
}

inline bool quick_token(Cursor& from, LeaseToken& out) {
    std::string_view text;
    if (!from.take_text(text)) return false;
    auto token = parse_lease_token(text, {});
    if (token) out = *token;
    return token.has_value();
}

inline bool quick_bytes(Cursor& from, std::string& out) {
    std::string_view bytes;
    if (!from.take_bin(bytes)) return false;
    out.assign(bytes);
    return true;
}

template <class Enum>
bool quick_word(Cursor& from, Enum& out) {
    std::string_view text;
    return from.take_text(text) && from_text(text, out);
}

inline bool quick_texts(Cursor& from, std::map<std::string, std::string>& out) {
    std::uint64_t size = 0;
    if (!from.take_map(size)) return false;
    for (std::uint64_t i = 0; i < size; ++i) {
        std::string key;
        std::string value;
        if (!quick_text(from, key) || !quick_text(from, value)) return false;
        out.emplace(std::move(key), std::move(value));
    }
    return true;
}

template <class T>
bool quick_list(Cursor& from, std::vector<T>& out) {
    std::uint64_t size = 0;
    if (!from.take_array(size)) return false;
    out.clear();
    for (std::uint64_t i = 0; i < size; ++i) {
        if (!quick_read(from, out.emplace_back())) return false;
    }
    return true;
}

template <class T>
bool quick_struct(Cursor& from, T& out) {
    std::uint64_t fields = 0;
    if (!from.take_map(fields)) return false;
    QuickDecoder decoder(from, fields);
    describe(decoder, out);
    return decoder.is_complete();
}

}  // namespace detail

template <class T>
bool quick_read(Cursor& from, T& out) {
    if constexpr (std::is_same_v<T, bool>) {
        return from.take_boolean(out);
    } else if constexpr (std::is_enum_v<T>) {
        return detail::quick_word(from, out);
    } else if constexpr (std::is_integral_v<T>) {
        return detail::quick_integer(from, out);
    } else if constexpr (std::is_same_v<T, std::string>) {
        return detail::quick_text(from, out);
    } else if constexpr (detail::kIsName<T>) {
        return detail::quick_text(from, out.text);
    } else if constexpr (std::is_same_v<T, Bytes>) {
        return detail::quick_bytes(from, out.data);
    } else if constexpr (std::is_same_v<T, Digest>) {
        return detail::quick_digest(from, out);
    } else if constexpr (std::is_same_v<T, LeaseToken>) {
        return detail::quick_token(from, out);
    } else if constexpr (std::is_same_v<T, Millis>) {
        return from.take_natural(out.count);
    } else if constexpr (std::is_same_v<T, Instant>) {
        return from.take_natural(out.ms);
    } else if constexpr (std::is_same_v<T, std::map<std::string, std::string>>) {
        return detail::quick_texts(from, out);
    } else if constexpr (detail::kIsVector<T>) {
        return detail::quick_list(from, out);
    } else if constexpr (detail::kIsShared<T>) {
        return quick_read(from, out.edit());
    } else if constexpr (detail::kIsOptional<T>) {
        if (from.take_nil()) return true;
        return quick_read(from, out.emplace());
    } else {
        return detail::quick_struct(from, out);
    }
}

/// The whole of `bytes`.
template <class T>
bool quick_decode(std::string_view bytes, T&& out) {
    Cursor from(bytes);
    return bytes.size() <= limits::kMessageBytes && quick_read(from, out) && from.is_done();
}

}  // namespace zq::pack
