// What the text of a result lacks by its contract: headings, JSON, a schema. The rest of the
// contract is common/base/contract.h's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/task_spec.h"

namespace zq {

struct ResultFindings {
    std::vector<std::string> broken;  // a sentence each
    bool unchecked = false;           // the schema's check would take more steps than allowed
};

/// `name` is the result's artifact, for the sentences. At most `most_steps` of JsonSchema::check.
ResultFindings check_result(const ExpectedOutput& expected, const std::string& name,
                            std::string_view text, std::uint64_t most_steps);

}  // namespace zq
