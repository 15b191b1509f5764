#include "common/platform/result_check.h"

#include "common/base/contract.h"
#include "common/platform/json.h"
#include "common/platform/json_schema.h"

namespace zq {
namespace {

void check_schema(const ExpectedOutput& expected, const std::string& name, std::string_view text,
                  std::uint64_t most_steps, ResultFindings& found) {
    auto schema = JsonSchema::parse(expected.schema, "schema");
    if (!schema) {
        found.broken.push_back("its schema cannot be used: " + schema.error().message);
        return;
    }
    auto holds = schema->check(text, most_steps);
    if (holds) return;
    found.unchecked = holds.error().code == ErrorCode::TOO_LARGE;
    if (!found.unchecked) {
        found.broken.push_back(name + " does not fit its schema: " + holds.error().message);
    }
}

}  // namespace

ResultFindings check_result(const ExpectedOutput& expected, const std::string& name,
                            std::string_view text, std::uint64_t most_steps) {
    ResultFindings found;
    for (const std::string& heading : missing_headings(expected.headings, text)) {
        std::string sentence = name;
        sentence += " lacks the heading \"";
        sentence += heading + "\"";
        found.broken.push_back(std::move(sentence));
    }
    if (expected.format != "json") return found;
    if (auto json = Json::parse(text, name); !json) {
        found.broken.push_back(name + " is not JSON: " + json.error().message);
    } else if (!expected.schema.empty()) {
        check_schema(expected, name, text, most_steps, found);
    }
    return found;
}

}  // namespace zq
