// Random changes to inputs, for builds without libFuzzer. The same numbers make the same change.
#pragma once

#include <random>
#include <string>
#include <vector>

namespace zq::fuzz {

using Random = std::mt19937_64;

inline constexpr std::size_t kLargestInput = 4096;  // longer ones say nothing new and take time

/// From 0 to bound - 1; 0 for a bound of 0.
std::size_t below(Random& random, std::size_t bound);

/// One to four edits: bytes put in, changed, flipped, cut out, and pieces of other inputs.
std::string mutate(std::string input, const std::vector<std::string>& others, Random& random);

}  // namespace zq::fuzz
