// A task in JSON: under which names it may be written, and what is said of a wrong one.
#include <gtest/gtest.h>

#include "common/platform/json_task.h"
#include "common/wire/codec.h"

namespace zq {
namespace {

JsonTask read(const std::string& text) {
    auto task = read_json_task(text);
    EXPECT_TRUE(task) << task.error().field << ": " << task.error().message;
    return task ? *task : JsonTask{};
}

struct Same {
    const char* written;
    const char* own;
};

TEST(JsonTask, TakesTheNamesThatAgentQueuesUse) {
    const Same rows[] = {
        {R"({"ttl_seconds": 3600})", R"({"ttl_ms": 3600000})"},
        {R"({"ttl": "1h"})", R"({"ttl_ms": 3600000})"},
        {R"({"run_timeout": "15m"})", R"({"run_timeout_ms": 900000})"},
        {R"({"delay_seconds": 0})", R"({})"},
        {R"({"max_retries": 3})", R"({"max_attempts": 4})"},
        {R"({"max_retries": 0})", R"({"max_attempts": 1})"},
        {R"({"agent_type": "research"})", R"({"to": "research"})"},
        {R"({"role": "research"})", R"({"to": "research"})"},
        {R"({"action": "analyze"})", R"({"type": "analyze"})"},
        {R"({"id": "task-1"})", R"({"task_id": "task-1"})"},
        {R"({"priority": "low"})", R"({"priority": 2})"},
        {R"({"priority": "normal"})", R"({})"},
        {R"({"priority": "high"})", R"({"priority": 8})"},
        {R"({"priority": "urgent"})", R"({"priority": 10})"},
        {R"({"trace_id": null, "payload": null, "context": null})", R"({})"},
        {R"({"backoff": "fixed:30s"})",
         R"({"backoff": {"kind": "fixed", "min_ms": 30000, "max_ms": 30000}})"},
        {R"({"expected_output": ["summary", "patch"]})",
         R"({"expected_output": {"artifacts": ["summary", "patch"]}})"},
        {R"({"expected_output": {"format": "json", "schema": {"type": "object"}}})",
         R"({"expected_output": {"format": "json", "schema": "{\"type\":\"object\"}"}})"},
        {R"({"created_at": "2026-07-01T12:00:00+00:00"})",
         R"({"labels": {"created_at": "2026-07-01T12:00:00+00:00"}})"},
    };
    for (const Same& row : rows)
        EXPECT_EQ(read(row.written).spec, read(row.own).spec) << row.written;
}

TEST(JsonTask, AnAbsentPriorityIsNormalAndZeroIsTheLowest) {
    EXPECT_EQ(read("{}").spec.priority, 5);
    EXPECT_EQ(read(R"({"priority": 0})").spec.priority, 0);
}

TEST(JsonTask, ReadsTheMessageOfTheFirstSeed) {
    const JsonTask task = read(R"({
      "task_id": "task-123", "from": "coordinator", "to": "implementation-worker",
      "type": "implementation", "priority": "normal", "ttl_seconds": 3600,
      "reply_to": "results.coordinator", "context_ref": "file:///shared/tasks/task-123.md",
      "instructions": "Implement one scoped change and run tests.",
      "expected_output": {"format": "markdown",
                          "artifacts": ["summary", "patch", "test-output", "risks"]}})");
    EXPECT_EQ(task.spec.id.text, "task-123");
    EXPECT_EQ(task.spec.role.text, "implementation-worker");
    EXPECT_EQ(task.spec.ttl, hours(1));
    EXPECT_EQ(task.spec.reply_to, "results.coordinator");
    EXPECT_EQ(task.spec.expected.artifacts.size(), 4U);
    EXPECT_EQ(task.context_ref, "file:///shared/tasks/task-123.md");
    EXPECT_TRUE(validate(task.spec));
}

TEST(JsonTask, ReadsTheTaskOfTheSecondSeed) {
    const JsonTask task = read(R"({
      "task_id": "research-1a2b3c4d", "agent_type": "research", "action": "analyze_codebase",
      "payload": {"repo": "https://github.com/org/my-project", "depth": 1.5}, "priority": 0,
      "max_retries": 3, "created_at": "2026-07-01T12:00:00.123456+00:00",
      "trace_id": "wf-20260701-001"})");
    EXPECT_EQ(task.spec.role.text, "research");
    EXPECT_EQ(task.spec.type, "analyze_codebase");
    EXPECT_EQ(task.spec.payload, R"({"repo":"https://github.com/org/my-project","depth":1.5})");
    EXPECT_EQ(task.spec.max_attempts, 4U);
    EXPECT_EQ(task.spec.trace_id, "wf-20260701-001");
    EXPECT_TRUE(validate(task.spec));
}

TEST(JsonTask, EveryFieldOfAnEnvelopeComesBackUnderItsOwnName) {
    TaskSpec spec;
    spec.id = TaskId("t");
    spec.role = RoleName("r");
    spec.payload = "";
    spec.ttl = seconds(3);
    spec.delay = seconds(4);
    spec.run_timeout = seconds(5);
    spec.max_lost = 7;
    spec.budget.tokens = 9;
    spec.labels = {{"team", "blue"}};
    spec.inputs = {{"context.md", {}, 12, "text/markdown", "file:///a.md", true}};
    spec.expected.rules = {{"patch", "text/x-diff", 1, 2, false}};
    spec.unique_key = "deploy";
    spec.limit_key = "account-7";
    spec.needs = {"gpu", "region=eu"};
    spec.on_unique = OnUnique::kExisting;
    EXPECT_EQ(read(to_json(spec).dump()).spec, spec);
}

struct Wrong {
    const char* text;
    const char* field;
    const char* says;
};

TEST(JsonTask, SaysWhichFieldIsWrongAndHow) {
    const Wrong rows[] = {
        {R"({"ttl_seconds": 1, "ttl_ms": 1000})", "ttl_ms", "the same as `ttl_seconds`"},
        {R"({"to": "a", "agent_type": "a"})", "agent_type", "the same as `to`"},
        {R"({"max_attempts": 3, "max_retries": 2})", "max_retries", "`max_attempts`"},
        {R"({"context": "x", "context_ref": "file:///x"})", "context_ref", "`context`"},
        {R"({"context_ref": "file:///x", "context": "x"})", "context", "`context_ref`"},
        {R"({"created_at": "x", "labels": {"created_at": "y"}})", "created_at",
         "`labels.created_at`"},
        {R"({"ttl_second": 1})", "ttl_second", "did you mean `ttl_seconds`"},
        {R"({"payloads": 1})", "payloads", "did you mean `payload`"},
        {R"({"zzzzzzzzzzzz": 1})", "zzzzzzzzzzzz", "no such field"},
        {R"({"expected_output": {"artefacts": []}})", "expected_output.artefacts",
         "did you mean `artifacts`"},
        {R"({"ttl_seconds": 1.5})", "ttl_seconds", "a whole number"},
        {R"({"ttl_seconds": -1})", "ttl_seconds", "a whole number from 0 on"},
        {R"({"ttl": 60})", "ttl", "`ttl_seconds` takes a number"},
        {R"({"ttl": "60"})", "ttl", "not a duration"},
        {R"({"ttl_ms": -1})", "ttl_ms", "milliseconds from 0 on"},
        {R"({"max_retries": 1000})", "max_retries", "too large"},
        {R"({"max_attempts": -1})", "max_attempts", "from 0 on"},
        {R"({"priority": "hihg"})", "priority", "low, normal, high, urgent"},
        {R"({"agent_type": 5})", "agent_type", "is not a text"},
        {R"({"labels": {"a": 1}})", "labels.a", "is not a text"},
        {R"({"inputs": [{"name": "a", "size": 1}]})", "inputs[0].digest", "is missing"},
        {R"({"on_unique": "replace"})", "on_unique", "unknown word 'replace'"},
        {R"({"context": 1})", "context", "is not a text"},
        {R"([1])", "", "a task is a JSON object"},
        {R"({"to")", "", "not JSON"},
    };
    for (const Wrong& row : rows) {
        auto task = read_json_task(row.text);
        ASSERT_FALSE(task) << row.text;
        EXPECT_EQ(task.error().code, ErrorCode::INVALID) << row.text;
        EXPECT_EQ(task.error().field, row.field) << row.text;
        EXPECT_NE(task.error().message.find(row.says), std::string::npos) << task.error().message;
    }
}

TEST(JsonTask, WhatIsOutOfBoundsIsNamedAsItWasWritten) {
    const JsonTask task = read(R"({"id": "t", "agent_type": "a b"})");
    auto valid = validate(task.spec);
    ASSERT_FALSE(valid);
    EXPECT_EQ(as_written(valid.error(), task).field, "agent_type");
}

}  // namespace
}  // namespace zq
