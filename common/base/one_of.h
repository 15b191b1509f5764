// Whether a type is one of several.
#pragma once

#include <type_traits>

namespace zq {

template <class T, class... Types>
inline constexpr bool kIsOneOf = (std::is_same_v<T, Types> || ...);

}  // namespace zq
