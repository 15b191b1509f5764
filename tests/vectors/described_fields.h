// What a message struct's `describe` says of its fields, as text: key, type in protocol.md's words,
// required or not. Lets a test compare protocol.md's tables with the structs.
#pragma once

#include <string>
#include <vector>

#include "common/wire/codec.h"

namespace zq::vectors {

struct DescribedField {
    std::string key;
    std::string type;
    bool required = false;
    friend bool operator==(const DescribedField&, const DescribedField&) = default;
};

inline std::string describe_text(const DescribedField& field) {
    return field.key + ": " + field.type + (field.required ? ", required" : "");
}

/// The kind of type: every text (names, ids, words and leases included) is `text`.
template <class T>
std::string type_word() {
    if constexpr (std::is_same_v<T, bool>) {
        return "bool";
    } else if constexpr (std::is_same_v<T, std::uint32_t>) {
        return "uint32";
    } else if constexpr (std::is_same_v<T, std::uint64_t>) {
        return "uint64";
    } else if constexpr (std::is_same_v<T, int>) {
        return "int";
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
        return "int64";
    } else if constexpr (std::is_same_v<T, std::string> || pack::detail::kIsName<T>) {
        return "text";
    } else if constexpr (std::is_enum_v<T>) {
        return "word";
    } else if constexpr (std::is_same_v<T, LeaseToken>) {
        return "lease";
    } else if constexpr (std::is_same_v<T, Digest>) {
        return "digest";
    } else if constexpr (std::is_same_v<T, Bytes>) {
        return "bin";
    } else if constexpr (std::is_same_v<T, Millis>) {
        return "ms";
    } else if constexpr (std::is_same_v<T, Instant>) {
        return "time";
    } else if constexpr (std::is_same_v<T, std::map<std::string, std::string>>) {
        return "texts";
    } else if constexpr (pack::detail::kIsVector<T>) {
        return "[" + type_word<typename T::value_type>() + "]";
    } else if constexpr (pack::detail::kIsOptional<T>) {
        return type_word<typename T::value_type>();
    } else {
        return "map";
    }
}

/// A visitor for `describe`.
struct FieldLister {
    std::vector<DescribedField> fields;

    template <class T>
    void operator()(const char* key, const T&) {
        fields.push_back({key, type_word<T>(), true});
    }
    template <class T>
    void optional(const char* key, const T&, const std::type_identity_t<T>& = T{}) {
        fields.push_back({key, type_word<T>(), false});
    }
};

template <class T>
std::vector<DescribedField> fields_of() {
    FieldLister lister;
    T value{};
    describe(lister, value);
    return lister.fields;
}

}  // namespace zq::vectors
