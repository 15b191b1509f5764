// What a fuzz target is: one function over any bytes, and the inputs that it starts from. Each
// target is one file TARGET_fuzz.cc that defines both; libfuzzer_main.cc drives it with libFuzzer,
// replay_main.cc with the corpus and a bounded number of random mutations in every build.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zq::fuzz {

/// Takes any bytes. Returns if all promises hold, and stops the process (ZQ_CHECK, a sanitizer)
/// where one does not. Forgets everything between two calls, so that an input tells the same story
/// every time.
void run(std::string_view input);

/// Inputs made from samples in the code: they follow a change of format by themselves, where a
/// corpus would only grow stale. What fuzzing has found beyond them is corpus/TARGET.txt.
std::vector<std::string> seeds();

}  // namespace zq::fuzz
