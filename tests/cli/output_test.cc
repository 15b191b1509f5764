// Rendering: golden texts of every format, JSON shapes, and what becomes of hostile text.
#include "cli/output.h"

#include <gtest/gtest.h>

#include "cli/records.h"
#include "cli/text.h"

namespace zq::cli {
namespace {

constexpr Instant kNow{1'800'000'000'000};  // 2027-01-15T08:00:00Z

wire::TaskRow completed_row() {
    wire::TaskRow row;
    row.id = TaskId("task-1");
    row.state = TaskState::kCompleted;
    row.role = RoleName("review");
    row.submitter = kLocalIdentity;
    row.submitted_at = kNow - minutes(5);
    row.started_at = kNow - seconds(252);
    row.ended_at = kNow;
    row.max_attempts = 3;
    row.attempts = 1;
    row.summary = "12 risks found";
    return row;
}

wire::TaskRow dead_row() {
    wire::TaskRow row = completed_row();
    row.id = TaskId("t-2");
    row.state = TaskState::kDead;
    row.dead_reason = DeadReason::kPermanent;
    row.reason = "bad\ninput\x1b[31m";
    row.summary.clear();
    return row;
}

View tasks() {
    return {Shape::kList,
            "zq/task-list/v1",
            task_columns(),
            {task_record(completed_row()), task_record(dead_row())},
            false};
}

OutputOptions options(Format format) {
    OutputOptions options;
    options.format = format;
    options.now = kNow;
    return options;
}

TEST(Output, ATableOffATerminalHasIsoTimesAndNoColour) {
    EXPECT_EQ(
        *render(tasks(), options(Format::kTable)),
        "ID      STATE      ROLE    SUBMITTED                 NOTE\n"
        "task-1  completed  review  2027-01-15T07:55:00.000Z  12 risks found\n"
        "t-2     dead       review  2027-01-15T07:55:00.000Z  permanent: bad\\ninput\\x1b[31m\n");
}

TEST(Output, ATableOnATerminalHasRelativeTimesAndFitsItsWidth) {
    OutputOptions terminal = options(Format::kTable);
    terminal.terminal = true;
    terminal.width = 50;
    EXPECT_EQ(*render(tasks(), terminal),
              "ID      STATE      ROLE    SUBMITTED  NOTE\n"
              "task-1  completed  review  5m00s ago  12 risks fo…\n"
              "t-2     dead       review  5m00s ago  permanent: …\n");
    terminal.colour = true;
    EXPECT_NE(render(tasks(), terminal)->find("\x1b[31mdead     \x1b[0m"), std::string::npos)
        << *render(tasks(), terminal);
}

TEST(Output, TsvHasNoHeadingAndNoLineEndsInCells) {
    EXPECT_EQ(*render(tasks(), options(Format::kTsv)),
              "task-1\tcompleted\treview\t2027-01-15T07:55:00.000Z\t12 risks found\n"
              "t-2\tdead\treview\t2027-01-15T07:55:00.000Z\tpermanent: bad\\ninput\\x1b[31m\n");
}

TEST(Output, IdsAloneAndNothingAtAll) {
    EXPECT_EQ(*render(tasks(), options(Format::kId)), "task-1\nt-2\n");
    EXPECT_EQ(*render(tasks(), options(Format::kNone)), "");
}

TEST(Output, JsonListsAreOneObjectAndJsonLinesAreOneEach) {
    OutputOptions json = options(Format::kJson);
    json.fields = {"id", "state"};
    EXPECT_EQ(*render(tasks(), json),
              R"({"schema":"zq/task-list/v1","items":[)"
              R"({"schema":"zq/task/v1","id":"task-1","state":"completed"},)"
              R"({"schema":"zq/task/v1","id":"t-2","state":"dead"}],"more":false})"
              "\n");
    json.format = Format::kJsonl;
    EXPECT_EQ(*render(tasks(), json),
              "{\"schema\":\"zq/task/v1\",\"id\":\"task-1\",\"state\":\"completed\"}\n"
              "{\"schema\":\"zq/task/v1\",\"id\":\"t-2\",\"state\":\"dead\"}\n");
}

TEST(Output, AFieldThatIsNotThereIsRefusedWithASuggestion) {
    OutputOptions some = options(Format::kTable);
    some.fields = {"id", "sumary"};
    auto text = render(tasks(), some);
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().hint, "did you mean summary?");
    EXPECT_EQ(exit_code_of(text.error()), ExitCode::kUsage);
}

TEST(Records, ATaskHasSchemaIdAndStateFirst) {
    const std::string json = task_record(completed_row()).dump();
    EXPECT_EQ(
        json.rfind(R"({"schema":"zq/task/v1","id":"task-1","state":"completed","to":"review")", 0),
        0U)
        << json;
    EXPECT_NE(json.find(R"("duration_ms":252000)"), std::string::npos);
    EXPECT_NE(json.find(R"("ended_at":"2027-01-15T08:00:00.000Z")"), std::string::npos);
    EXPECT_EQ(json.find("task_id"), std::string::npos);
    EXPECT_EQ(json.find("dead_reason"), std::string::npos);
}

TEST(Records, AWholeTaskHasAttemptsArtifactsAndResultRef) {
    wire::TaskReply task;
    task.row = completed_row();
    task.spec.id = task.row.id;
    task.spec.payload = R"({"depth": 2})";
    wire::AttemptRow lost;
    lost.attempt = 1;
    lost.outcome = "lost";
    wire::AttemptRow done;
    done.attempt = 2;
    done.outcome = "completed";
    done.artifacts = {{"notes.md", {}, 3, {}, {}}, {"result.md", {}, 5, {}, {}}};
    task.attempts = {lost, done};
    const Json record = whole_task_record(task, {});
    EXPECT_EQ(record.find("result_ref")->as_text(), "zq://task-1/2/result.md");
    EXPECT_EQ(record.find("attempts")->size(), 2U);
    EXPECT_EQ(record.find("attempts")->at(0).find("attempt")->as_integer(), 1);
    EXPECT_EQ(record.find("artifacts")->size(), 2U);
    EXPECT_TRUE(record.find("envelope")->find("payload")->is_object());
    EXPECT_FALSE(record.find("events"));
}

TEST(Records, OnlyResultOrResultWithAnExtensionIsTheResult) {
    wire::AttemptRow attempt;
    attempt.artifacts = {{"results.md", {}, 0, {}, {}}, {"out/result.md", {}, 0, {}, {}}};
    EXPECT_EQ(result_artifact(attempt), nullptr);
    attempt.artifacts.push_back({"result.json", {}, 0, {}, {}});
    EXPECT_EQ(result_artifact(attempt)->name, "result.json");
}

TEST(Text, ControlCharactersAndDirectionChangesBecomeVisible) {
    EXPECT_EQ(escape_line("a\x1b]0;x\x07\r\n\tb"), "a\\x1b]0;x\\x07\\r\\n\\tb");
    EXPECT_EQ(escape_text("a\n\tb\x1b[2J"), "a\n\tb\\x1b[2J");
    EXPECT_EQ(escape_line("\xe2\x80\xaetxt"), "\\u202etxt");
    EXPECT_EQ(escape_line("\xc2\x9b"
                          "31m"),
              "\\x9b31m");
    EXPECT_EQ(escape_line("\xff\xc3"), "\\xff\\xc3");
    EXPECT_EQ(escape_line("Grüße, 世界 🙂"), "Grüße, 世界 🙂");
}

TEST(Text, DurationsSizesAndTimesReadWell) {
    EXPECT_EQ(human_duration(millis(850)), "850ms");
    EXPECT_EQ(human_duration(seconds(252)), "4m12s");
    EXPECT_EQ(human_duration(minutes(62)), "1h02m");
    EXPECT_EQ(human_duration(hours(76)), "3d04h");
    EXPECT_EQ(human_size(512), "512 B");
    EXPECT_EQ(human_size(1536), "1.5 KiB");
    EXPECT_EQ(human_time(kNow - seconds(3), kNow), "3s ago");
    EXPECT_EQ(human_time(kNow + seconds(3), kNow), "in 3s");
    EXPECT_EQ(human_time({}, kNow), "-");
    EXPECT_EQ(shorten("Grüße", 4), "Grü…");
}

TEST(ExitCodes, TheWorstTaskCounts) {
    EXPECT_EQ(worst(ExitCode::kDone, ExitCode::kNotFinished), ExitCode::kNotFinished);
    EXPECT_EQ(worst(ExitCode::kCancelled, ExitCode::kExpired), ExitCode::kExpired);
    EXPECT_EQ(worst(ExitCode::kUnverified, ExitCode::kFailed), ExitCode::kFailed);
}

TEST(ExitCodes, ErrorsAreOneJsonLineOrTwoLinesOfText) {
    const Problem problem(Error{ErrorCode::QUEUE_FULL, "too many\nopen tasks", {}, seconds(2)});
    EXPECT_EQ(render_text(problem), "error: too many\\nopen tasks\nhint: try again later\n");
    EXPECT_EQ(
        render_json(problem),
        R"({"error":{"code":"QUEUE_FULL","message":"too many\nopen tasks","hint":"try again later",)"
        R"("retryable":true,"retry_after_ms":2000,"exit":7}})"
        "\n");
}

}  // namespace
}  // namespace zq::cli
