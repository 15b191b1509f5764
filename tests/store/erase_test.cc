// What was erased is nowhere in the folder's bytes, and everything else is as provable as before.
#include "coordinator/store/erase.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "common/platform/digest.h"
#include "coordinator/core/redact.h"
#include "coordinator/store/archive.h"
#include "coordinator/store/erasable.h"
#include "coordinator/store/event_codec.h"
#include "coordinator/store/offline.h"
#include "coordinator/store/record_codec.h"
#include "coordinator/store/restore.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/verify.h"
#include "tests/store/journal_bench.h"
#include "tests/store/story.h"

namespace zq::store {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSecret = "hunter2-the-secret";

std::vector<std::string> problems_in(const std::string& folder) {
    auto report = verify(folder, VerifyDepth::kContents);
    if (!report) return {report.error().message};
    return report->problems;
}

/// Files below the folder in whose bytes the secret is.
std::vector<std::string> files_with_it(const std::string& folder) {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream in(entry.path(), std::ios::binary);
        const std::string bytes((std::istreambuf_iterator<char>(in)), {});
        if (bytes.find(kSecret) != std::string::npos) found.push_back(entry.path().filename());
    }
    return found;
}

/// A task whose every text has the secret, open while others come and go; in two runs, so that an
/// anchor hashes it. It has ended and is removed.
class Erase : public testing::Test {
  protected:
    void SetUp() override {
        {
            SqliteJournal journal(sqlite_options(folder.path()));
            Story story(acquire(journal));
            story.start(story.state().durable.journal);
            story.submit("before");
            TaskSpec spec = Story::spec("secret");
            spec.instructions = text("instructions", 6'000);
            spec.payload = '"' + text("payload", 9'000) + '"';
            spec.inputs = {store(story, "input")};
            story.submit(spec);
            story.assign("secret");
            story.ask("secret", "q1");
            story.end("secret", Outcome::kFailed, TaskState::kQueued);
            story.submit("between");
            commit_all(journal, {story.take_batch()});
            open_upto = story.last_seq();
            ASSERT_TRUE(journal.close().has_value());
        }
        end();
        ASSERT_FALSE(files_with_it(folder.path()).empty());
        ASSERT_EQ(problems_in(folder.path()), std::vector<std::string>{});
    }

    /// A second run.
    void end() {
        SqliteJournal journal(sqlite_options(folder.path()));
        Story story(acquire(journal));
        story.start(story.state().durable.journal);
        story.assign("secret");
        story.artifacts = {store(story, "output")};
        story.complete("secret");
        ended = story.last_seq();
        story.submit("after");
        commit_all(journal, {story.take_batch()});
        ASSERT_TRUE(journal.close().has_value());
    }

    static std::string text(const std::string& what, std::size_t size) {
        return what + " " + kSecret + std::string(size, 'x');
    }

    static ArtifactRef store(Story& story, const std::string& what) {
        const std::string data = what + " " + kSecret;
        return {what, story.store_inline(data), data.size(), "", ""};
    }

    /// As the coordinator does it: what there is to erase is read, decided, and committed.
    void erase() {
        SqliteJournal journal(sqlite_options(folder.path()));
        Story story(acquire(journal));
        story.start(story.state().durable.journal);
        auto reader = std::move(journal.open_reader().value());
        const TaskKey key = Story::key("secret");
        auto found = erasable(*reader, key);
        ASSERT_TRUE(found.has_value());
        bodies = found->bodies;
        const core::Task task = *reader->task(key).value();
        const Digest input = sha256(std::string("input ") + kSecret);
        const Digest output = sha256(std::string("output ") + kSecret);
        EXPECT_EQ(std::set(found->contents.begin(), found->contents.end()),
                  (std::set{input, output}));
        story.remove_task(task, {input, output});
        story.erase("secret", *found);
        erased = story.last_seq();
        commit_all(journal, {story.take_batch()});
        auto unused = reader->unused_contents({Instant{}, Digest{}}, Instant{2}, 10).value();
        EXPECT_EQ(unused.size(), 2U) << "as if nothing had used them for ever";
        story.condemn({{input, 24, true}, {output, 25, true}});
        commit_all(journal, {story.take_batch()});
        ASSERT_TRUE(journal.close().has_value());
    }

    Result<ArchiveReport> cut(Seq upto, const std::string& name) {
        auto journal = OfflineJournal::open(folder.path());
        if (!journal) return Failure(journal.error());
        return archive(journal->database(), {upto, files.path() + "/" + name, EndedTasks::kKeep});
    }

    Result<RestoreReport> restore_to(Seq upto, const std::string& name) {
        auto journal = OfflineJournal::open(folder.path());
        if (!journal) return Failure(journal.error());
        return restore(*journal, {files.path() + "/" + name, upto, "test", ""});
    }

    void change(const std::string& sql) {
        auto database = Database::open(journal_path(folder.path()), OpenMode::kExisting).value();
        auto done = database.run(sql);
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }

    TemporaryFolder folder;
    TemporaryFolder files;
    std::vector<core::ErasedBody> bodies;
    Seq open_upto = 0;
    Seq ended = 0;
    Seq erased = 0;
};

TEST_F(Erase, LeavesNoByteOfItAndAJournalThatVerifies) {
    erase();
    EXPECT_EQ(files_with_it(folder.path()), std::vector<std::string>{});
    EXPECT_EQ(problems_in(folder.path()), std::vector<std::string>{});
    SqliteJournal journal(sqlite_options(folder.path()));
    acquire(journal);
    auto reader = std::move(journal.open_reader().value());
    EXPECT_TRUE(reader->task(Story::key("before")).value().has_value()) << "others stay";
    auto events = reader->events(0, 100, Story::key("secret")).value();
    ASSERT_GE(events.size(), 8U) << "what happened stays";
    EXPECT_EQ(core::spec_in(events.front().event.body)->instructions, core::kErasedText);
    EXPECT_TRUE(erasable(*reader, Story::key("secret"))->bodies.empty()) << "nothing is left";
}

TEST_F(Erase, OfATaskThatWasOpenAtTheBaseRedactsTheBaseToo) {
    ASSERT_TRUE(cut(open_upto, "old").has_value());
    ASSERT_FALSE(files_with_it(folder.path()).empty());
    erase();
    EXPECT_EQ(files_with_it(folder.path()), std::vector<std::string>{});
    EXPECT_EQ(problems_in(folder.path()), std::vector<std::string>{});
    EXPECT_EQ(files_with_it(files.path()), std::vector<std::string>{"old"})
        << "an archive from before has it";
    ASSERT_TRUE(cut(erased, "later").has_value());
    EXPECT_EQ(problems_in(folder.path()), std::vector<std::string>{});
    EXPECT_TRUE(verify_archive(files.path() + "/later").has_value());
}

/// It submitted no text, failed with one, and is cut off then: the base has what no event has.
TEST(EraseInBase, OfATaskWhoseTextsOnlyTheBaseHas) {
    for (const bool ends_with_text : {true, false}) {
        TemporaryFolder folder;
        TemporaryFolder files;
        const auto run = [&](const std::function<void(Story&, Journal&)>& tell) {
            SqliteJournal journal(sqlite_options(folder.path()));
            Story story(acquire(journal));
            story.start(story.state().durable.journal);
            tell(story, journal);
            commit_all(journal, {story.take_batch()});
            ASSERT_TRUE(journal.close().has_value());
        };
        Seq upto = 0;
        run([&](Story& story, Journal&) {
            TaskSpec spec = Story::spec("secret");
            spec.instructions.clear();
            story.submit(spec);
            story.assign("secret");
            story.reason = kSecret;
            story.end("secret", Outcome::kFailed, TaskState::kQueued);
            upto = story.last_seq();
            story.submit("between");
        });
        {
            auto journal = OfflineJournal::open(folder.path());
            ASSERT_TRUE(
                archive(journal->database(), {upto, files.path() + "/old", EndedTasks::kKeep})
                    .has_value());
        }
        ASSERT_FALSE(files_with_it(folder.path()).empty());
        run([](Story& story, Journal&) {
            story.submit("later");
        });  // an anchor that hashes the record
        run([&](Story& story, Journal&) {
            if (ends_with_text) {
                story.assign("secret");
                story.complete("secret");
            } else {
                story.expire("secret");
            }
        });
        run([&](Story& story, Journal& journal) {
            auto reader = std::move(journal.open_reader().value());
            auto found = erasable(*reader, Story::key("secret"));
            ASSERT_TRUE(found.has_value());
            EXPECT_TRUE(found->known);
            EXPECT_EQ(found->bodies.empty(), !ends_with_text);
            story.remove_task(*reader->task(Story::key("secret")).value(), {});
            story.erase("secret", *found);
        });
        EXPECT_EQ(files_with_it(folder.path()), std::vector<std::string>{}) << ends_with_text;
        EXPECT_EQ(problems_in(folder.path()), std::vector<std::string>{}) << ends_with_text;
    }
}

TEST_F(Erase, ALaterArchiveHasWhatIsLeftAndIsProved) {
    erase();
    ASSERT_TRUE(cut(ended, "first").has_value());
    EXPECT_EQ(problems_in(folder.path()), std::vector<std::string>{});
    EXPECT_EQ(files_with_it(files.path()), std::vector<std::string>{});
    auto proved = verify_archive(files.path() + "/first");
    ASSERT_TRUE(proved.has_value()) << proved.error().message;
    ASSERT_TRUE(cut(erased, "second").has_value());
    EXPECT_EQ(problems_in(folder.path()), std::vector<std::string>{});
    auto database = Database::open(files.path() + "/first", OpenMode::kExisting).value();
    ASSERT_TRUE(database.run("UPDATE bodies SET body = x'80' WHERE seq = 3").has_value());
    EXPECT_FALSE(verify_archive(files.path() + "/first").has_value());
}

TEST_F(Erase, WhatIsLeftIsProvedByTheEventThatErased) {
    erase();
    const std::string seq = std::to_string(bodies.front().seq);
    const std::string body =
        "UPDATE bodies SET body = CAST(replace(CAST(body AS TEXT), '[erased]',"
        " '[a word]') AS BLOB) WHERE seq = ";
    change(body + seq);
    ASSERT_EQ(problems_in(folder.path()).size(), 1U);
    EXPECT_EQ(problems_in(folder.path()).front(),
              "event " + seq + ": its body has another digest than it was stored with");
}

TEST_F(Erase, AnErasedBodyWithoutThatEventIsADamage) {
    erase();
    change("DELETE FROM bodies WHERE seq = " + std::to_string(erased));
    EXPECT_NE(problems_in(folder.path()), std::vector<std::string>{});
}

TEST_F(Erase, AnchorsOfItsTimeGoAndOthersStay) {
    const auto anchors_in = [&](Seq from, Seq upto) {
        auto database = Database::open(journal_path(folder.path()), OpenMode::kExisting).value();
        return database
            .number("SELECT count(*) FROM anchors WHERE seq BETWEEN " + std::to_string(from) +
                    " AND " + std::to_string(upto))
            .value();
    };
    ASSERT_EQ(anchors_in(1, open_upto), 1);
    ASSERT_EQ(anchors_in(ended + 1, 1'000), 1);
    erase();
    EXPECT_EQ(anchors_in(1, open_upto), 0);
    EXPECT_EQ(anchors_in(ended + 1, 1'000), 2) << "that of the second run, and of the third";
}

TEST_F(Erase, NoPlaceIsRestoredWhoseProofWouldBeCutOff) {
    erase();
    for (const Seq upto : {open_upto, ended, erased - 1}) {
        auto refused = restore_to(upto, "at-" + std::to_string(upto));
        ASSERT_FALSE(refused.has_value()) << upto;
        EXPECT_EQ(refused.error().code, ErrorCode::CONFLICT);
        EXPECT_NE(refused.error().message.find("erased the texts of task secret"),
                  std::string::npos);
    }
    for (const Seq upto : {bodies.front().seq - 1, erased, erased + 1}) {
        const std::string name = "at-" + std::to_string(upto);
        auto restored = restore_to(upto, name);
        ASSERT_TRUE(restored.has_value()) << upto << ": " << restored.error().message;
        EXPECT_EQ(problems_in(files.path() + "/" + name), std::vector<std::string>{}) << upto;
    }
}

TEST(Redact, TwiceIsOnceForEveryKindOfEventAndKeepsItsPlace) {
    MemoryDisk disk;
    disk.journal = 77;
    MemoryJournal journal(disk, MemorySync::kAtOnce);
    Story story(acquire(journal));
    std::set<std::uint16_t> changed;
    for (const Batch& batch : tell_everything(story, 77, "a-")) {
        for (const core::Event& event : batch.events) {
            const core::EventBody once = core::redacted(event.body);
            EXPECT_EQ(once.index(), event.body.index());
            EXPECT_EQ(core::redacted(once), once);
            if (once != event.body) changed.insert(kind_number(event.body));
            const std::uint16_t kind = kind_number(event.body);
            auto back = decode_body(kind, kBodyVersion, encode_body(once));
            ASSERT_TRUE(back.has_value());
            EXPECT_EQ(*back, once);
        }
    }
    EXPECT_GE(changed.size(), 8U) << "kinds that bring texts";
}

}  // namespace
}  // namespace zq::store
