// The mutants by name: chosen before a run. A program without them knows none.
#pragma once

#include <string>
#include <vector>

namespace zq::sim {

std::vector<std::string> mutant_names();
/// Switches it on, and every other off. False if this program does not have it.
bool choose_mutant(const std::string& name);

}  // namespace zq::sim
