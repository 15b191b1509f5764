// What the coordinator checks of a contract when COMPLETE comes, and of a payload when SUBMIT does.
#include <gtest/gtest.h>

#include "common/platform/digest.h"
#include "tests/edge/control_rig.h"

namespace zq::coordinator {
namespace {

class ContractTest : public ControlTest {
  protected:
    /// The lease under which the worker has the task.
    LeaseToken run(const ExpectedOutput& expected) {
        wire::Submit message = submit("t");
        message.task.expected = expected;
        tell("w", hello("w"));
        turn_and_sync();
        expect<wire::Welcome>("w");
        tell("w", wire::Ready{1, {}}, 2);
        tell("c", message, 1, "client");
        turn_and_sync();
        expect<wire::Submitted>("c");
        expect<wire::Beat>("w");
        return expect<wire::Assign>("w").lease;
    }
    wire::Complete complete(const LeaseToken& lease, const std::string& name,
                            const std::string& text) {
        wire::Complete body;
        body.report.task = TaskId("t");
        body.report.lease = lease;
        body.report.artifacts = {{{name, sha256(text), text.size(), "", ""}, Bytes{text}}};
        return body;
    }
    wire::ErrorReply refused(const wire::Complete& body) {
        tell("w", body, ++last_);
        turn_and_sync();
        return expect<wire::ErrorReply>("w");
    }
    void accepted(const wire::Complete& body) {
        tell("w", body, ++last_);
        turn_and_sync();
        EXPECT_EQ(expect<wire::Accepted>("w").state, TaskState::kCompleted);
    }
    static ExpectedOutput json(const std::string& schema) {
        ExpectedOutput expected;
        expected.format = "json";
        expected.schema = schema;
        return expected;
    }
    std::uint64_t last_ = 2;
};

TEST_F(ContractTest, AResultIsHeldAgainstItsSchemaAndTheLeaseGoesOn) {
    const LeaseToken lease = run(json(R"({"required": ["risks"]})"));
    const wire::ErrorReply no = refused(complete(lease, "result.json", "{}"));
    EXPECT_EQ(no.code, ErrorCode::CONTRACT);
    EXPECT_EQ(no.field, "artifacts");
    EXPECT_NE(no.message.find("result.json does not fit its schema: at the root"),
              std::string::npos);
    accepted(complete(lease, "result.json", R"({"risks": []})"));
}

TEST_F(ContractTest, SizesMediaTypesAndHeadingsAreHeldAgainstTheRules) {
    ExpectedOutput expected;
    expected.format = "markdown";
    expected.headings = {"Risks"};
    expected.max_bytes = 20;
    expected.rules = {{"result", "text/markdown", 0, 0, true}, {"patch", "", 0, 0, true}};
    const LeaseToken lease = run(expected);
    wire::Complete body = complete(lease, "result.md", "# Report, longer than 20 bytes");
    EXPECT_EQ(
        refused(body).message,
        "result.md is of no known type; text/markdown was expected; patch is missing; the "
        "result result.md has 30 bytes; at most 20 were expected; result.md lacks the heading "
        "\"Risks\"");
    body = complete(lease, "result.md", "# Risks");
    body.report.artifacts[0].ref.media = "text/markdown";
    body.report.artifacts.push_back({{"patch.diff", sha256("x"), 1, "", ""}, Bytes{"x"}});
    accepted(body);
}

TEST_F(ContractTest, AResultThatIsStoredAlreadyIsReadFromTheStore) {
    const LeaseToken lease = run(json(R"({"type": "array"})"));
    wire::Complete body = complete(lease, "result.json", "{}");
    wire::Submit other = submit("other");
    other.task.inputs = {{"context", sha256("{}"), 2, "", ""}};
    other.contents = {{sha256("{}"), {"{}"}}};
    tell("c", other, 2, "client");
    body.report.artifacts[0].data.reset();
    // Decided, but not yet on disk: ask again.
    EXPECT_EQ(refused(body).code, ErrorCode::BUSY);
    expect<wire::Submitted>("c");
    EXPECT_EQ(refused(body).code, ErrorCode::CONTRACT);
}

TEST_F(ContractTest, WhatIsTooMuchToCheckHereIsLeftToTheWorker) {
    const LeaseToken lease = run(json(R"({"uniqueItems": true})"));
    std::string many = "[1";
    for (int i = 0; i < 4000; ++i) many += ",1";
    accepted(complete(lease, "result.json", many + "]"));
}

TEST_F(ContractTest, AFailureNeedsNoContract) {
    wire::Fail body;
    body.report.task = TaskId("t");
    body.report.lease = run(json(R"({"type": "array"})"));
    body.reason = "could not";
    tell("w", body, 3);
    turn_and_sync();
    EXPECT_EQ(expect<wire::Accepted>("w").state, TaskState::kRetryWait);
}

TEST_F(ContractTest, ABrokenSchemaAndAnInputByReferenceWithoutPlaceAreRefusedAtSubmit) {
    wire::Submit message = submit("t");
    message.task.expected = json(R"({"pattern": "x"})");
    tell("c", message, 1, "client");
    wire::Submit reference = submit("t");
    reference.task.inputs = {{"context", sha256("x"), 1, "", "https://x/y", true}};
    tell("c", reference, 2, "client");
    turn_and_sync();
    EXPECT_EQ(expect<wire::ErrorReply>("c").field, "task.expected_output.schema");
    EXPECT_EQ(expect<wire::ErrorReply>("c").field, "task.inputs[0].uri");
}

TEST_F(ContractTest, AnInputByReferenceIsNotStoredAndNoArtifactIs) {
    wire::Submit message = submit("t");
    message.task.inputs = {{"context", sha256("x"), 1, "", "file:///shared/x", true}};
    tell("c", message, 1, "client");
    turn_and_sync();
    expect<wire::Submitted>("c");
    EXPECT_TRUE(disk_.contents.empty());
    wire::Complete body = complete({}, "result.md", "x");
    body.report.artifacts[0].ref.uri = "file:///shared/x";
    body.report.artifacts[0].ref.by_reference = true;
    tell("c", body, 2, "client");
    turn_and_sync();
    EXPECT_EQ(expect<wire::ErrorReply>("c").field, "artifacts[0].by_reference");
}

TEST(PayloadSchemas, TheTypesOwnSchemaComesBeforeItsRoles) {
    edge::PayloadSchemas schemas;
    ASSERT_TRUE(schemas.add("build", R"({"required": ["branch"]})"));
    ASSERT_TRUE(schemas.add("build/clean", "true"));
    EXPECT_EQ(schemas.add("build", "{}").error().code, ErrorCode::CONFLICT);
    EXPECT_EQ(schemas.add("no role", "{}").error().code, ErrorCode::INVALID);
    EXPECT_EQ(schemas.add("build/", "{}").error().code, ErrorCode::INVALID);
    EXPECT_EQ(schemas.add("other", R"({"type": "x"})").error().field, "other");
    TaskSpec spec;
    spec.role = RoleName("build");
    EXPECT_EQ(schemas.error_of(spec)->field, "task.payload");
    spec.payload = "{}";
    EXPECT_NE(schemas.error_of(spec)->message.find("not what build takes: at the root: "),
              std::string::npos);
    spec.payload = R"({"branch": "main"})";
    EXPECT_FALSE(schemas.error_of(spec));
    spec.payload = "[]";
    spec.type = "clean";
    EXPECT_FALSE(schemas.error_of(spec));
    spec.payload = "[";
    EXPECT_TRUE(schemas.error_of(spec)) << "a schema takes JSON alone";
    spec.role = RoleName("other");
    EXPECT_FALSE(schemas.error_of(spec));
}

}  // namespace
}  // namespace zq::coordinator
