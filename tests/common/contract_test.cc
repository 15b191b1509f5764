// The result contract's rules, and JSON Schemas.
#include "common/base/contract.h"

#include <gtest/gtest.h>

#include "common/platform/json_schema.h"
#include "common/platform/pack.h"
#include "common/platform/result_check.h"

namespace zq {
namespace {

std::string broken(const ExpectedOutput& expected, const std::vector<Delivered>& files) {
    return joined_violations(broken_rules(expected, files));
}

TEST(Contract, NamesTheArtifactThatARuleMisses) {
    ExpectedOutput expected;
    expected.rules = {{"patch", "", 0, 0, true}};
    EXPECT_EQ(broken(expected, {}), "patch is missing");
    EXPECT_EQ(broken(expected, {{"patch.diff", 0, ""}}),
              "patch.diff has 0 bytes; at least 1 were expected");
    EXPECT_EQ(broken(expected, {{"patch.diff", 1, ""}}), "");
}

TEST(Contract, HoldsSizesAndMediaTypesAgainstTheFiles) {
    ExpectedOutput expected;
    expected.rules = {{"patch", "text/x-diff", 10, 20, true}};
    EXPECT_EQ(broken(expected, {{"patch", 9, "text/x-diff"}}),
              "patch has 9 bytes; at least 10 were expected");
    EXPECT_EQ(broken(expected, {{"patch", 21, "text/x-diff"}}),
              "patch has 21 bytes; at most 20 were expected");
    EXPECT_EQ(broken(expected, {{"patch", 15, "text/plain"}}),
              "patch is text/plain; text/x-diff was expected");
    EXPECT_EQ(broken(expected, {{"patch", 20, "text/x-diff"}}), "");
}

TEST(Contract, LetsAnOptionalArtifactBeMissingButNotWrong) {
    ExpectedOutput expected;
    expected.rules = {{"notes", "", 0, 5, false}};
    EXPECT_EQ(broken(expected, {}), "");
    EXPECT_NE(broken(expected, {{"notes.txt", 6, ""}}), "");
}

TEST(Contract, BoundsTheResult) {
    ExpectedOutput expected;
    expected.max_bytes = 100;
    EXPECT_EQ(broken(expected, {{"result.md", 100, ""}, {"other", 1000, ""}}), "");
    EXPECT_EQ(broken(expected, {{"result.md", 101, ""}}),
              "the result result.md has 101 bytes; at most 100 were expected");
}

TEST(Contract, FindsHeadingsHoweverTheyAreWritten) {
    const std::string text = "# Risks #\n\nsome\n\nNext Steps\n---\n\n###   SUMMARY  \n";
    EXPECT_TRUE(missing_headings({"risks", "## Next steps", "Summary"}, text).empty());
    EXPECT_EQ(missing_headings({"Risk", "some"}, text), (std::vector<std::string>{"Risk", "some"}));
}

TEST(Contract, TakesNoCodeForAHeading) {
    const std::string text = "```sh\n# Risks\n```\n~~~\n# Other\n```\n# Inner\n~~~\n#NoHeading\n";
    EXPECT_EQ(missing_headings({"Risks", "Other", "Inner", "NoHeading"}, text).size(), 4U);
    EXPECT_TRUE(missing_headings({"Risks"}, "```\ncode\n```\n# Risks").empty());
}

TEST(Contract, IsRefusedWithTheFieldThatIsWrong) {
    const auto field_of = [](const ExpectedOutput& expected) {
        auto ok = validate(expected);
        return ok ? std::string() : ok.error().field;
    };
    ExpectedOutput e;
    e.rules = {{"../x", "", 0, 0, true}};
    EXPECT_EQ(field_of(e), "task.expected_output.rules[0].name");
    e.rules = {{"x", "", 0, 0, true}, {"x", "", 0, 0, true}};
    EXPECT_EQ(field_of(e), "task.expected_output.rules[1].name");
    e.rules = {{"x", "", 7, 6, true}};
    EXPECT_EQ(field_of(e), "task.expected_output.rules[0].min_bytes");
    e.rules = {{"x", std::string(limits::kMediaBytes + 1, 'x'), 0, 0, true}};
    EXPECT_EQ(field_of(e), "task.expected_output.rules[0].media");
    e = {};
    e.schema = "{}";
    EXPECT_EQ(field_of(e), "task.expected_output.schema");
    e.format = "json";
    EXPECT_EQ(field_of(e), "");
    e.headings = {"Risks"};
    EXPECT_EQ(field_of(e), "task.expected_output.headings");
    e.format = "markdown";
    e.schema.clear();
    EXPECT_EQ(field_of(e), "");
    e.headings = {"Risks", "# "};
    EXPECT_EQ(field_of(e), "task.expected_output.headings[1]");
    e.headings.clear();
    e.max_bytes = limits::kArtifactBytes + 1;
    EXPECT_EQ(field_of(e), "task.expected_output.max_bytes");
}

TEST(Contract, TellsAsMuchAsAReasonHolds) {
    const std::vector<std::string> many(100, std::string(100, 'x'));
    const std::string text = joined_violations(many);
    EXPECT_LE(text.size(), limits::kReasonBytes);
    EXPECT_TRUE(text.ends_with("; …"));
    std::string umlauts;
    for (int i = 0; i < 3000; ++i) umlauts += "ä";
    const std::string cut = joined_violations({"missing: patch, " + umlauts, "more"});
    EXPECT_LE(cut.size(), limits::kReasonBytes);
    EXPECT_EQ(cut, "missing: patch, …");
}

std::string refusal(const std::string& schema) {
    auto parsed = JsonSchema::parse(schema, "schema");
    if (parsed) return {};
    EXPECT_EQ(parsed.error().field, "schema");
    return parsed.error().message;
}

std::string verdict(const std::string& schema, const std::string& text) {
    auto parsed = JsonSchema::parse(schema, "schema");
    if (!parsed) return parsed.error().message;
    auto ok = parsed->check(text, limits::kSchemaSteps);
    return ok ? std::string() : ok.error().message;
}

constexpr const char* kRisks = R"({
  "$schema": "http://json-schema.org/draft-07/schema#", "title": "risks", "type": "object",
  "required": ["risks"], "additionalProperties": false,
  "properties": {"risks": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/risk"}}},
  "$defs": {"risk": {"type": "object", "required": ["level"], "properties": {
    "level": {"enum": ["low", "high"]}, "a/b": {"type": "string", "format": "date"}}}}})";

TEST(JsonSchema, HoldsForWhatFits) {
    EXPECT_EQ(verdict(kRisks, R"({"risks": [{"level": "low", "a/b": "any"}]})"), "");
    EXPECT_EQ(verdict("true", "[1, {}]"), "");
    EXPECT_EQ(verdict(R"({"const": 5})", "5"), "");
    EXPECT_EQ(verdict(R"({"if": {"type": "string"}, "then": {"minLength": 2}})", "7"), "");
}

TEST(JsonSchema, NamesThePlacesThatDoNotFit) {
    EXPECT_NE(verdict(kRisks, R"({"risks": [{"level": "low"}, {"level": "odd"}]})")
                  .find("/risks/1/level: "),
              std::string::npos);
    EXPECT_NE(verdict(kRisks, R"({"risks": [{"level": "low", "a/b": 5}]})").find("/risks/0/a~1b: "),
              std::string::npos);
    EXPECT_NE(verdict(kRisks, "{}").find("the root: "), std::string::npos);
    EXPECT_NE(verdict("false", "1"), "");
    EXPECT_NE(verdict("{}", "{").find("not JSON"), std::string::npos);
}

TEST(JsonSchema, IsRefusedWhereItWouldNotCheckWhatItSays) {
    EXPECT_NE(refusal(R"({"properties": {"x": {"pattern": "(a+)+$"}}})")
                  .find("at /properties/x/pattern: regular expressions are not served"),
              std::string::npos);
    EXPECT_NE(refusal(R"({"patternProperties": {"x": {}}})"), "");
    EXPECT_NE(refusal(R"({"typo": "string"})").find("at /typo: "), std::string::npos);
    EXPECT_NE(refusal(R"({"type": "strin"})"), "");
    EXPECT_NE(refusal(R"({"type": [{"type": "string"}]})"), "");
    EXPECT_NE(refusal(R"({"multipleOf": 0})"), "");
    EXPECT_NE(refusal(R"({"multipleOf": 18446744073709551615})"), "");
    EXPECT_NE(refusal(R"({"minLength": -1})"), "");
    EXPECT_NE(refusal("[]"), "");
    EXPECT_NE(refusal("{"), "");
}

TEST(JsonSchema, FollowsReferencesWithinItselfAlone) {
    EXPECT_NE(refusal(R"({"$ref": "http://example.org/x.json"})"), "");
    EXPECT_NE(refusal(R"({"$ref": "file:///etc/passwd"})"), "");
    EXPECT_NE(refusal(R"({"$ref": "#/definitions/none"})"), "");
    EXPECT_NE(refusal(R"({"$ref": "#"})"), "");
    EXPECT_NE(refusal(R"({"definitions": {"a": {"items": {"$ref": "#/definitions/a"}}},
                          "$ref": "#/definitions/a"})"),
              "");
}

TEST(JsonSchema, IsBoundedInWhatItCosts) {
    std::string doubling = R"({"definitions": {"a0": {"type": "string"})";
    for (int i = 1; i < 30; ++i) {
        const std::string before = R"({"$ref": "#/definitions/a)" + std::to_string(i - 1) + "\"}";
        doubling +=
            ", \"a" + std::to_string(i) + R"(": {"anyOf": [)" + before + "," + before + "]}";
    }
    EXPECT_NE(refusal(doubling + R"(}, "$ref": "#/definitions/a29"})"), "");
    EXPECT_EQ(JsonSchema::parse(std::string(limits::kSchemaBytes + 1, ' '), "f").error().code,
              ErrorCode::TOO_LARGE);

    auto unique = JsonSchema::parse(R"({"uniqueItems": true})", "f");
    ASSERT_TRUE(unique);
    std::string many = "[0";
    for (int i = 1; i < 5000; ++i) many += "," + std::to_string(i);
    many += "]";
    EXPECT_EQ(unique->check(many, limits::kSchemaSteps).error().code, ErrorCode::TOO_LARGE);
    EXPECT_TRUE(unique->check("[1, 2, 3]", limits::kSchemaSteps));
}

TEST(ResultCheck, TellsWhatTheTextLacks) {
    ExpectedOutput e;
    e.format = "json";
    e.schema = kRisks;
    EXPECT_NE(
        check_result(e, "result.json", "{", limits::kSchemaSteps).broken.at(0).find("is not JSON"),
        std::string::npos);
    EXPECT_NE(check_result(e, "result.json", "{}", limits::kSchemaSteps)
                  .broken.at(0)
                  .find("result.json does not fit its schema: at the root: "),
              std::string::npos);
    const ResultFindings costly =
        check_result(e, "result.json", R"({"risks": [{"level": "low"}]})", 1);
    EXPECT_TRUE(costly.unchecked);
    EXPECT_TRUE(costly.broken.empty());
    const auto bytes = check_result(e, "result.json", "\"\xff\xfe\"", limits::kSchemaSteps).broken;
    EXPECT_TRUE(pack::is_utf8(bytes.at(0))) << "what is told can be sent";
    e = {};
    e.format = "markdown";
    e.headings = {"Risks"};
    EXPECT_EQ(check_result(e, "result.md", "Risks", 1).broken.at(0),
              "result.md lacks the heading \"Risks\"");
}

}  // namespace
}  // namespace zq
