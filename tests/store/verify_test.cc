// --check: a sound folder is called sound, and every kind of damage is found and named.
#include <gtest/gtest.h>

#include <filesystem>

#include "common/platform/digest.h"
#include "coordinator/store/folder_artifact_store.h"
#include "coordinator/store/record_codec.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/verify.h"
#include "tests/store/journal_bench.h"
#include "tests/store/story.h"

namespace zq::store {
namespace {

/// A folder with one of everything, one artifact on disk included.
class Verify : public testing::Test {
  protected:
    void SetUp() override {
        SqliteJournal journal(sqlite_options(folder.path()));
        Story story(acquire(journal));
        auto artifacts =
            FolderArtifactStore::open({.folder = folder.path() + "/artifacts"}).value();
        ASSERT_TRUE(artifacts->begin(sha256(kData), kData.size()).has_value());
        ASSERT_TRUE(artifacts->append(sha256(kData), 0, kData).has_value());
        story.start(story.state().durable.journal);
        story.store_file(sha256(kData), kData.size());
        TaskSpec spec = Story::spec("with-input");
        spec.inputs = {{"context.md", sha256(kData), kData.size(), "", ""}};
        story.submit(spec);
        commit(journal, story.take_batch());
        commit_all(journal, tell_everything(story, story.state().durable.journal, "a-"));
        events = story.last_seq();
        live = state_hash(story.state());
        ASSERT_TRUE(journal.close().has_value());
    }

    void change(const std::string& sql) {
        auto database = Database::open(journal_path(folder.path()), OpenMode::kExisting).value();
        auto done = database.run(sql);
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }

    std::string problems(VerifyDepth depth = VerifyDepth::kContents) {
        auto report = verify(folder.path(), depth);
        if (!report) return "error: " + report.error().message;
        std::string text;
        for (const std::string& problem : report->problems) text += problem + "\n";
        return text;
    }

    static inline const std::string kData = "the context of a task\n";
    TemporaryFolder folder;
    Seq events = 0;
    Digest live;
};

TEST_F(Verify, CallsASoundFolderSoundAndChangesNothing) {
    const Digest before = sha256_file(journal_path(folder.path())).value().digest;
    auto report = verify(folder.path(), VerifyDepth::kContents);
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(report->problems, std::vector<std::string>{});
    EXPECT_EQ(report->events, events);
    EXPECT_EQ(report->last_seq, events);
    EXPECT_EQ(report->tasks, 34U);
    EXPECT_EQ(report->attempts, 19U);
    EXPECT_EQ(report->contents, 7U);
    EXPECT_EQ(report->state, live);
    EXPECT_EQ(report->format, kFormatVersion);
    EXPECT_EQ(sha256_file(journal_path(folder.path())).value().digest, before);
}

TEST_F(Verify, RefusesAFolderThatIsInUseOrHasNoJournal) {
    {
        SqliteJournal journal(sqlite_options(folder.path()));
        acquire(journal);
        EXPECT_EQ(verify(folder.path(), VerifyDepth::kPresence).error().code, ErrorCode::CONFLICT);
    }
    TemporaryFolder other;
    EXPECT_EQ(verify(other.path(), VerifyDepth::kPresence).error().code, ErrorCode::NOT_FOUND);
    EXPECT_TRUE(std::filesystem::is_empty(other.path()));
}

struct Damage {
    const char* sql;
    const char* found;  // part of a problem
};

TEST_F(Verify, FindsEveryKindOfDamage) {
    const std::vector<Damage> damages = {
        {"UPDATE bodies SET body = CAST(replace(CAST(body AS TEXT), 'Review', 'Revoew') AS BLOB)"
         " WHERE seq = 3",
         "event 3: its body has another digest"},
        {"DELETE FROM bodies WHERE seq = 7", "event 7: its body is missing"},
        {"UPDATE journal SET at = at + 1 WHERE seq = 5", "event 5: its hash does not follow"},
        {"UPDATE journal SET identity = 'system' WHERE seq = 6", "event 6: its hash"},
        {"UPDATE journal SET task = 'other' WHERE seq = 8", "event 8: its hash"},
        {"UPDATE journal SET hash = zeroblob(32) WHERE seq = 9", "event 9: its hash"},
        {"UPDATE journal SET version = 7 WHERE seq = 9", "event 9: cannot be read"},
        {"DELETE FROM journal WHERE seq = 10", "event 11: the one before it, 10, is missing"},
        {"UPDATE tasks SET state = 'queued' WHERE id = 'a-done'", "the row of task a-done"},
        {"UPDATE tasks SET reply_to = 'me' WHERE id = 'a-done'", "the row of task a-done"},
        {"UPDATE tasks SET changed_seq = changed_seq + 100 WHERE id = 'a-done'",
         "table tasks has 34 rows, the events lead to 33"},
        {"UPDATE tasks SET record = x'80' WHERE id = 'a-lost'", "the row of task a-lost"},
        {"DELETE FROM tasks WHERE id = 'a-later'", "task a-later has no row"},
        {"INSERT INTO tasks SELECT 9999, 9999, ns, 'forged', role, state, ended, grp, sender,"
         " reply_to, '', record FROM tasks WHERE id = 'a-done'",
         "table tasks has 35 rows"},
        {"UPDATE attempts SET record = (SELECT record FROM attempts WHERE task = 'a-done')"
         " WHERE task = 'a-dead'",
         "the row of attempt 1 of task a-dead"},
        {"DELETE FROM attempts WHERE task = 'a-dead'", "attempt 1 of task a-dead has no row"},
        {"DELETE FROM roles_served", "a restart would restore another state"},
        {"DELETE FROM controls WHERE kind = 'role'", "a restart would restore another state"},
        {"UPDATE controls SET held_until = held_until + 1", "contradicts itself"},
        {"UPDATE controls SET kind = 'team' WHERE kind = 'worker'", "contradicts itself"},
        {"DELETE FROM access", "a restart would restore another state"},
        {"UPDATE access SET fingerprint = 'x' WHERE fingerprint = 'a-1'",
         "a restart would restore another state"},
        {"DELETE FROM requests", "a restart would restore another state"},
        {"UPDATE meta SET last_token = last_token + 1", "a restart would restore another state"},
        {"UPDATE meta SET chain_head = zeroblob(32)", "do not end where"},
        {"UPDATE contents SET data = x'00' WHERE inlined = 1", "the stored bytes have another"},
        {"UPDATE contents SET size = 1 WHERE inlined = 0", "is not what its event says"},
        {"DELETE FROM contents WHERE inlined = 1", "has no row of its first event"},
        {"DROP INDEX tasks_dead", "index tasks_dead on tasks is missing"},
        {"CREATE TABLE notes(a)", "table notes on notes is none of format 8"},
        {"UPDATE anchors SET state = zeroblob(32)", "is not what the events up to it lead to"},
        {"UPDATE anchors SET at = at + 1", "is not what the events up to it lead to"},
        {"UPDATE anchors SET chain_head = zeroblob(32)", "is not what the events up to it lead"},
        {"UPDATE anchors SET seq = seq + 1", "speaks of no event that is there"},
        {"INSERT INTO base VALUES (0, 0, x'80')", "row 0 of the base"},
    };
    const std::string saved = folder.path() + "/saved";
    std::filesystem::copy_file(journal_path(folder.path()), saved);
    for (const Damage& damage : damages) {
        std::filesystem::copy_file(saved, journal_path(folder.path()),
                                   std::filesystem::copy_options::overwrite_existing);
        ASSERT_EQ(problems(), "") << damage.sql;
        change(damage.sql);
        EXPECT_NE(problems().find(damage.found), std::string::npos) << damage.sql << "\n"
                                                                    << problems();
    }
}

TEST_F(Verify, FindsAFlippedByteAnywhereInTheFile) {
    const std::string path = journal_path(folder.path());
    const std::string sound = read_file(path).value();
    int found = 0;
    int tried = 0;
    for (std::size_t at = 4096 + 11; at < sound.size(); at += 977) {
        if (sound[at] == 0) continue;  // mostly unused space
        std::string damaged = sound;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
        ASSERT_TRUE(write_file(path, damaged, 0600, Durability::kNone).has_value());
        ++tried;
        if (!problems().empty()) ++found;
    }
    EXPECT_GT(tried, 10);
    // Old copies of rows lie in unused space, where a flip means nothing.
    EXPECT_GT(found * 2, tried) << found << " of " << tried;
}

TEST_F(Verify, FindsArtifactsThatAreMissingCutOrChanged) {
    const std::string hex = to_hex(sha256(kData));
    const std::string path = folder.path() + "/artifacts/" + hex.substr(0, 2) + "/" + hex;
    std::string changed = kData;
    changed[3] = 'X';
    ASSERT_TRUE(write_file(path, changed, 0600, Durability::kNone).has_value());
    EXPECT_EQ(problems(VerifyDepth::kPresence), "");
    EXPECT_NE(problems().find("another digest"), std::string::npos);
    ASSERT_TRUE(write_file(path, kData.substr(1), 0600, Durability::kNone).has_value());
    EXPECT_NE(problems(VerifyDepth::kPresence).find("bytes instead of"), std::string::npos);
    std::filesystem::remove(path);
    EXPECT_NE(problems(VerifyDepth::kPresence).find("is missing from the artifacts folder"),
              std::string::npos);
}

}  // namespace
}  // namespace zq::store
