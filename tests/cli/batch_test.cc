// What `zq batch` is made of: lines read one by one, ids that a repetition has again, the job log,
// and copies for several roles.
#include <gtest/gtest.h>

#include <filesystem>

#include "cli/copies.h"
#include "cli/job_log.h"
#include "cli/json_submission.h"
#include "cli/task_lines.h"

namespace zq::cli {
namespace {

class Batch : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = testing::TempDir() + "zq-batch-" + to_hex(random_u64());
        std::filesystem::create_directory(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string write(const std::string& name, const std::string& text) const {
        const std::string path = folder_ + "/" + name;
        EXPECT_TRUE(write_file(path, text, 0600, Durability::kNone));
        return path;
    }
    std::string text_of(const std::string& path) const { return read_file(path).value_or("?"); }

    /// `NUMBER:TEXT` of every line, those that are too long as `NUMBER:long`.
    std::string lines_of(const std::string& text) const {
        auto lines = TaskLines::open(write("tasks", text));
        EXPECT_TRUE(lines);
        std::string all;
        while (true) {
            auto line = lines->next();
            EXPECT_TRUE(line);
            if (!line || !*line) return all;
            all += std::to_string((*line)->number) + ":" +
                   ((*line)->too_long ? "long" : (*line)->text) + " ";
        }
    }

    std::string folder_;
};

TEST_F(Batch, LinesHaveTheirNumbersAndBlankOnesAreNone) {
    EXPECT_EQ(lines_of(""), "");
    EXPECT_EQ(lines_of("a\n\n \t\nb\n"), "1:a 4:b ");
    EXPECT_EQ(lines_of("a\nb"), "1:a 2:b ");
    EXPECT_EQ(lines_of("\n"), "");
}

TEST_F(Batch, ALineThatIsTooLongIsPassedOverAndTheNextOneRead) {
    const std::string longest(kTaskJsonBytes, 'x');
    EXPECT_EQ(lines_of("a\n" + longest + "x\nb\n"), "1:a 2:long 3:b ");
    EXPECT_EQ(lines_of(longest + longest + "\nb"), "1:long 2:b ");
    EXPECT_EQ(lines_of(longest + longest), "1:long ");
    EXPECT_EQ(lines_of(longest + "\nb"), "1:" + longest + " 2:b ");
}

TEST_F(Batch, ALineHasTheSameIdInEveryRunAndIdsSortAsTheyStand) {
    const BatchRun run = BatchRun::make();
    EXPECT_EQ(run.id_of(7), run.id_of(7));
    EXPECT_LT(run.id_of(255), run.id_of(256));
    EXPECT_NE(run.id_of(7), BatchRun::make().id_of(7));
    EXPECT_TRUE(parse_name(run.id_of(100'000).text, "id"));
}

TEST_F(Batch, AJobLogRemembersWhatWasAcknowledgedAndNotWhatWasRefused) {
    const std::string path = folder_ + "/job.log";
    TaskId id;
    {
        auto log = JobLog::open(path, BatchRun::make());
        ASSERT_TRUE(log) << log.error().error.message;
        id = (*log)->run().id_of(3);
        wire::BatchItem item;
        item.task = id;
        item.state = TaskState::kQueued;
        (*log)->note(3, line_digest("{}"), item);
        (*log)->note_refused(4, {ErrorCode::CONFLICT, "no", "task_id", {}});
        ASSERT_TRUE((*log)->flush());
        EXPECT_FALSE(JobLog::open(path, BatchRun::make())) << "it is in use";
    }
    const std::string whole = text_of(path);
    write("job.log", whole + R"({"line":5,"id":"t)");
    auto log = JobLog::open(path, BatchRun::make());
    ASSERT_TRUE(log) << log.error().error.message;
    EXPECT_EQ((*log)->run().id_of(3), id);
    EXPECT_EQ((*log)->acknowledged(3), line_digest("{}"));
    EXPECT_EQ((*log)->acknowledged(4), 0U);
    EXPECT_EQ((*log)->acknowledged(5), 0U);
    EXPECT_EQ((*log)->acknowledged(1'000'000), 0U);
    EXPECT_EQ(text_of(path), whole);
}

TEST_F(Batch, AnotherFileIsNoJobLogAndStaysAsItIs) {
    for (const char* text : {"notes", "notes\n", "{\"line\":1}\n", "\n"}) {
        const std::string path = write("notes", text);
        auto log = JobLog::open(path, BatchRun::make());
        ASSERT_FALSE(log) << text;
        EXPECT_EQ(exit_code_of(log.error()), ExitCode::kUsage);
        EXPECT_EQ(text_of(path), text);
    }
    // One that was begun and cut off is begun again.
    const std::string path = write("begun", R"({"job_log":"zq/jo)");
    EXPECT_TRUE(JobLog::open(path, BatchRun::make()));
}

TEST_F(Batch, CopiesHaveIdsKeysAndAGroupThatARepetitionHasAgain) {
    const auto copies = [](const std::string& id, const std::string& key) {
        Submission submission;
        submission.spec.id = TaskId(id);
        submission.own_id = !id.empty();
        submission.spec.idempotency_key = key;
        submission.roles = {RoleName("a"), RoleName("b")};
        return copies_of(std::move(submission)).value();
    };
    const auto named = copies("look", "");
    EXPECT_EQ(named.at(1).spec.id.text, "look-b");
    EXPECT_EQ(named.at(1).spec.role.text, "b");
    EXPECT_EQ(named.at(0).spec.group.text, "look");
    const auto keyed = copies("", "k");
    EXPECT_EQ(keyed.at(1).spec.idempotency_key, "k-b");
    EXPECT_EQ(keyed.at(0).spec.group, copies("", "k").at(1).spec.group);
    EXPECT_NE(keyed.at(0).spec.id, keyed.at(1).spec.id);
    EXPECT_NE(copies("", "").at(0).spec.group, copies("", "").at(0).spec.group);
}

TEST_F(Batch, ALargeContextOfALineLiesInAFileAndASmallOneTravels) {
    auto large = read_json_task(R"({"to":"r","context":")" +
                                std::string(limits::kInlineBytes + 1, 'x') + "\"}");
    auto submission = submission_of(large.value());
    ASSERT_TRUE(submission);
    EXPECT_FALSE(submission->contents.at(0).data);
    EXPECT_EQ(text_of(submission->contents.at(0).path).size(), limits::kInlineBytes + 1);
    auto small = read_json_task(R"({"to":"r","context":"x"})");
    submission = submission_of(small.value());
    ASSERT_TRUE(submission);
    EXPECT_EQ(submission->contents.at(0).data, "x");
    EXPECT_EQ(submission->spec.inputs.at(0).name, "context.md");
}

}  // namespace
}  // namespace zq::cli
