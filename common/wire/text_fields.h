// Visits every text of a described struct (pack.h), with its place in it: what a message's fields
// are is said once, in `describe`, and a new field is visited without a further word. Names and ids
// are texts too; numbers, words of enums, digests and bytes are not.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "common/platform/pack.h"

namespace zq::wire {

/// Where a text stands; its parents live as long as the visit.
struct TextPlace {
    const TextPlace* parent = nullptr;
    std::string_view name;
    std::optional<std::size_t> index = std::nullopt;  // in a list

    /// Such as `task.inputs[0].name`.
    std::string path() const {
        if (index) return parent->path() + "[" + std::to_string(*index) + "]";
        const std::string before = parent == nullptr ? std::string() : parent->path();
        return before.empty() ? std::string(name) : before + "." + std::string(name);
    }
};

namespace detail {

template <class Visit>
class TextWalker {
  public:
    TextWalker(const TextPlace& place, Visit& visit) : place_(place), visit_(visit) {}

    template <class T>
    void operator()(const char* key, T& value) {
        const TextPlace place{&place_, key};
        TextWalker(place, visit_).walk(value);
    }
    template <class T>
    void optional(const char* key, T& value) {
        (*this)(key, value);
    }
    template <class T, class U>
    void optional(const char* key, T& value, const U&) {
        (*this)(key, value);
    }

    template <class T>
    void walk(T& value) {
        using Plain = std::remove_const_t<T>;
        if constexpr (std::is_same_v<Plain, std::string>) {
            visit_(value, place_);
        } else if constexpr (requires { value.text.size() + value.empty(); }) {
            visit_(value.text, place_);
        } else if constexpr (requires { describe(*this, value); }) {
            describe(*this, value);
        } else if constexpr (requires {
                                 value.has_value();
                                 *value;
                             }) {
            if (value.has_value()) walk(*value);
        } else if constexpr (requires { typename Plain::mapped_type; }) {
            for (auto& [key, item] : value) {
                const TextPlace place{&place_, key};
                if constexpr (std::is_const_v<T>) TextWalker(place, visit_).walk(key);
                TextWalker(place, visit_).walk(item);
            }
        } else if constexpr (requires {
                                 value.begin();
                                 value.size();
                             }) {
            std::size_t index = 0;
            for (auto& item : value) {
                const TextPlace place{&place_, {}, index++};
                TextWalker(place, visit_).walk(item);
            }
        }
    }

  private:
    const TextPlace& place_;
    Visit& visit_;
};

}  // namespace detail

/// Calls `visit(text, place)` for each text of `value`, whose own place is called `root`. Of a map,
/// the values, and the keys where `value` is const.
template <class T, class Visit>
void for_each_text(T& value, std::string_view root, Visit visit) {
    const TextPlace place{nullptr, root};
    detail::TextWalker<Visit>(place, visit).walk(value);
}

}  // namespace zq::wire
