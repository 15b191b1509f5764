// The result contract's rules as pure functions over what an attempt hands over. The worker asks
// them before it reports, the coordinator again before it accepts. Contents are read by whoever
// asks; a JSON Schema is common/platform/json_schema.h's.
#pragma once

#include <string>
#include <vector>

#include "common/base/task_spec.h"

namespace zq {

/// Every bound and spelling of a contract but its schema's; the error's field is rooted at
/// `task.expected_output.`.
Result<void> validate(const ExpectedOutput& expected);

/// True for the artifact that is the result: `result` or `result.*`.
bool is_result_name(const std::string& name);
/// Which of the names is the result of that format; empty: none is.
std::string result_name_of(const std::string& format, const std::vector<std::string>& names);

/// One file that an attempt hands over.
struct Delivered {
    std::string name;
    std::uint64_t size = 0;
    std::string media;
};

/// What the files lack by `rules` and by the result's `max_bytes`, a sentence each.
std::vector<std::string> broken_rules(const ExpectedOutput& expected,
                                      const std::vector<Delivered>& files);

/// The headings (`# Risks`, or underlined by = or -) that a Markdown text lacks. Compared without
/// regard to level, case of ASCII letters, closing #s and surrounding blanks; lines in fenced code
/// are no headings.
std::vector<std::string> missing_headings(const std::vector<std::string>& expected,
                                          std::string_view markdown);

/// The sentences as one text for people and for the next attempt; "; " between them, at most
/// kReasonBytes.
std::string joined_violations(const std::vector<std::string>& sentences);

}  // namespace zq
