// What is SQLite's own: crashes, foreign and later formats, the log. Bad disks: bad_disk_test.cc.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "common/platform/digest.h"
#include "coordinator/core/invariants.h"
#include "coordinator/store/event_codec.h"
#include "coordinator/store/record_codec.h"
#include "coordinator/store/rollup.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/verify.h"
#include "tests/store/journal_bench.h"
#include "tests/store/story.h"

namespace zq::store {
namespace {

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

/// Appends batches until it is killed, and says in the pipe what was acknowledged.
[[noreturn]] void append_until_killed(const std::string& folder, int pipe) {
    SqliteJournalOptions options = sqlite_options(folder);
    options.log = {.checkpoint_pages = 64, .most_pages = 128};
    SqliteJournal journal(options);
    Story story(acquire(journal));
    story.start(story.state().durable.journal);
    const std::string prefix = "e" + std::to_string(story.state().durable.epoch) + "-";
    for (int i = 0;; ++i) {
        const std::string id = prefix + std::to_string(i);
        story.submit(id);
        story.assign(id);
        if (i % 3 == 0) story.complete(id);
        if (i % 2 == 0) {
            journal.append_now(story.take_batch());
        } else {
            journal.append(story.take_batch());
        }
        for (const CommitResult& result : journal.results()) {
            if (result.status != CommitStatus::kCommitted) ::_exit(3);
            if (::write(pipe, &result.last_seq, sizeof result.last_seq) < 0) ::_exit(4);
        }
    }
}

/// Kills the child at some moment after `acknowledged` results. Gives the last acknowledged seq.
Seq run_and_kill(const std::string& folder, int acknowledged) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);
        append_until_killed(folder, ends[1]);
    }
    ::close(ends[1]);
    Seq last = 0;
    Seq seq = 0;
    for (int i = 0; i < acknowledged && ::read(ends[0], &seq, sizeof seq) == sizeof seq; ++i) {
        last = seq;
    }
    ::kill(child, SIGKILL);
    while (::read(ends[0], &seq, sizeof seq) == sizeof seq) last = seq;
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << status;
    ::close(ends[0]);
    return last;
}

/// Submits that the statistics know of.
std::uint64_t counted_submits(Journal& journal) {
    journal.catch_up();
    auto reader = std::move(journal.open_reader().value());
    const Millis hour = kRollupSpans[1].length;
    const auto roles = reader->rollups(kDefaultNamespace, StatsBy::kRole, hour, {}).value();
    std::uint64_t count = 0;
    for (const auto& [name, sums] : roles) count += sums.submitted;
    return count;
}

std::uint64_t stored_submits(const std::string& folder) {
    auto database = Database::open(journal_path(folder), OpenMode::kReadOnly).value();
    const std::string kind = std::to_string(kind_number(core::TaskSubmitted{}));
    return static_cast<std::uint64_t>(
        database.number("SELECT count(*) FROM journal WHERE kind = " + kind).value());
}

TEST(SqliteJournal, AKilledProcessLosesNothingItAcknowledged) {
    TemporaryFolder folder;
    Seq before = 0;
    for (int round = 0; round < 6; ++round) {
        const Seq acknowledged = run_and_kill(folder.path(), 1 + round * 37);
        EXPECT_GT(acknowledged, before);
        auto report = verify(folder.path(), VerifyDepth::kContents);
        ASSERT_TRUE(report.has_value()) << report.error().message;
        EXPECT_EQ(joined(report->problems), "");
        EXPECT_GE(report->last_seq, acknowledged);
        before = report->last_seq;
        SqliteJournal journal(sqlite_options(folder.path()));
        core::State state = acquire(journal);
        EXPECT_EQ(state_hash(state), report->state);
        EXPECT_EQ(counted_submits(journal), stored_submits(folder.path()))
            << "statistics that trailed behind are made up for";
        // As a start does: the epoch's event first, then everything made durable.
        Story story(std::move(state));
        story.start(story.state().durable.journal);
        commit(journal, story.take_batch());
        ASSERT_TRUE(journal.settle().has_value());
        EXPECT_EQ(std::filesystem::file_size(folder.path() + "/journal.db-wal"), 0U);
    }
}

TEST(SqliteJournal, AStartBringsBackTheOpenTasksOfEveryRoleInEveryNamespace) {
    TemporaryFolder folder;
    Digest before;
    {
        SqliteJournal journal(sqlite_options(folder.path()));
        Story story(acquire(journal));
        story.start(7);
        for (const char* ns : {"a", "b", "default"}) {
            story.submit_in(Namespace(ns));
            for (const char* role : {"b", "a", "x"}) story.submit(std::string(ns) + role, role);
        }
        // More than are read at once, and ended ones of a role without others.
        for (int i = 0; i < 2'500; ++i) story.submit("many-" + std::to_string(i), "many");
        story.submit("done", "none-open");
        story.assign("done");
        story.complete("done");
        before = state_hash(story.state());
        commit(journal, story.take_batch());
        ASSERT_TRUE(journal.close().has_value());
    }
    SqliteJournal journal(sqlite_options(folder.path()));
    const core::State state = acquire(journal);
    EXPECT_EQ(state.durable.open.size(), 2'509U);
    EXPECT_EQ(state.index.roles.size(), 10U);
    EXPECT_EQ(state_hash(state), before);
    std::string broken;
    for (const std::string& rule : core::broken_invariants(state)) broken += rule + "\n";
    EXPECT_EQ(broken, "");
}

TEST(SqliteJournal, IsSetUpAsDurableAsItMustBe) {
    TemporaryFolder folder;
    {
        SqliteJournal journal(sqlite_options(folder.path()));
        acquire(journal);
        ASSERT_TRUE(journal.close().has_value());
    }
    auto database = Database::open(journal_path(folder.path()), OpenMode::kExisting).value();
    ASSERT_TRUE(configure_writer(database).has_value());
    EXPECT_EQ(database.text("PRAGMA journal_mode").value(), "wal");
    EXPECT_EQ(database.number("PRAGMA synchronous").value(), 2);
    EXPECT_EQ(database.number("PRAGMA page_size").value(), 8192);
    EXPECT_EQ(database.number("PRAGMA secure_delete").value(), 1) << "what is erased is nowhere";
    EXPECT_EQ(database.number("PRAGMA mmap_size").value(), 0);
    EXPECT_EQ(database.number("PRAGMA wal_autocheckpoint").value(), 0);
    EXPECT_EQ(database.number("PRAGMA user_version").value(), kFormatVersion);
    struct stat info {};
    ASSERT_EQ(::stat((folder.path() + "/reserve").c_str(), &info), 0);
    EXPECT_GE(info.st_blocks * 512, 1 << 20) << "the reserve must have real blocks";
    ASSERT_EQ(::stat(journal_path(folder.path()).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST(SqliteJournal, WaitsForAHolderThatIsAboutToBeGone) {
    TemporaryFolder folder;
    auto held = lock_data_folder(folder.path(), Millis{});
    ASSERT_TRUE(held.has_value());
    SqliteJournalOptions options = sqlite_options(folder.path());
    core::State state;
    EXPECT_EQ(SqliteJournal(options).acquire(state).error().code, ErrorCode::CONFLICT);
    options.lock_patience = seconds(30);
    std::thread holder([&] { *held = FileHandle(); });
    SqliteJournal journal(options);
    EXPECT_TRUE(journal.acquire(state).has_value());
    holder.join();
}

TEST(SqliteJournal, ALaterFormatIsRefusedAndNotTouched) {
    TemporaryFolder folder;
    {
        SqliteJournal journal(sqlite_options(folder.path()));
        acquire(journal);
        ASSERT_TRUE(journal.close().has_value());
        auto database = Database::open(journal_path(folder.path()), OpenMode::kExisting).value();
        ASSERT_TRUE(database.run("PRAGMA user_version = 999").has_value());
    }
    const Digest before = sha256_file(journal_path(folder.path())).value().digest;
    SqliteJournal journal(sqlite_options(folder.path()));
    core::State state;
    auto refused = journal.acquire(state);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::UNSUPPORTED_VERSION);
    EXPECT_NE(refused.error().message.find("999"), std::string::npos);
    EXPECT_EQ(sha256_file(journal_path(folder.path())).value().digest, before);
}

TEST(SqliteJournal, AnotherProgramsDatabaseIsRefused) {
    TemporaryFolder folder;
    {
        auto database = Database::open(journal_path(folder.path()), OpenMode::kCreate).value();
        ASSERT_TRUE(database.run("CREATE TABLE recipes(name TEXT)").has_value());
    }
    SqliteJournal journal(sqlite_options(folder.path()));
    core::State state;
    EXPECT_EQ(journal.acquire(state).error().code, ErrorCode::UNSUPPORTED_VERSION);
}

TEST(SqliteJournal, AFileThatIsNoDatabaseIsAnErrorNotACrash) {
    TemporaryFolder folder;
    ASSERT_TRUE(
        write_file(journal_path(folder.path()), std::string(9000, 'x'), 0600, Durability::kNone)
            .has_value());
    SqliteJournal journal(sqlite_options(folder.path()));
    core::State state;
    EXPECT_EQ(journal.acquire(state).error().code, ErrorCode::IO);
    EXPECT_EQ(verify(folder.path(), VerifyDepth::kPresence).error().code, ErrorCode::IO);
}

TEST(SqliteJournal, TablesThatDoNotEndWithTheEventsAreRefusedAtTheStart) {
    TemporaryFolder folder;
    {
        SqliteJournal journal(sqlite_options(folder.path()));
        Story story(acquire(journal));
        commit_all(journal, tell_everything(story, story.state().durable.journal, "a-"));
        ASSERT_TRUE(journal.close().has_value());
    }
    auto database = Database::open(journal_path(folder.path()), OpenMode::kExisting).value();
    ASSERT_TRUE(
        database.run("DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)").has_value());
    database = Database::open(journal_path(folder.path()), OpenMode::kExisting).value();
    SqliteJournal journal(sqlite_options(folder.path()));
    core::State state;
    auto refused = journal.acquire(state);
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("--check"), std::string::npos);
}

TEST(SqliteJournal, TheLogStaysBoundedWhileItIsWrittenAndRead) {
    TemporaryFolder folder;
    SqliteJournalOptions options = sqlite_options(folder.path());
    options.log = {.checkpoint_pages = 40, .most_pages = 80};
    SqliteJournal journal(options);
    Story story(acquire(journal));
    story.start(story.state().durable.journal);
    auto reader = std::move(journal.open_reader().value());
    std::uintmax_t largest = 0;
    std::size_t appended = 0;
    std::size_t answered = 0;
    for (int i = 0; i < 600; ++i) {
        story.submit("t" + std::to_string(i));
        journal.append(story.take_batch());
        ++appended;
        if (journal.uncommitted_batches() >= 8) answered += await_results(journal, 1).size();
        if (i % 50 != 0) continue;
        largest = std::max(largest, std::filesystem::file_size(folder.path() + "/journal.db-wal"));
        EXPECT_TRUE(reader->tasks({}).has_value());
    }
    await_results(journal, appended - answered);
    EXPECT_LT(largest, 1U << 20);
    EXPECT_EQ(reader->last_seq().value(), story.last_seq());
}

TEST(SqliteJournal, ReadersOnOtherThreadsSeeWholeBatchesOnly) {
    TemporaryFolder folder;
    SqliteJournal journal(sqlite_options(folder.path()));
    Story story(acquire(journal));
    story.start(story.state().durable.journal);
    commit(journal, story.take_batch());
    auto reader = std::move(journal.open_reader().value());
    std::atomic<bool> done = false;
    std::atomic<int> torn = 0;
    std::thread watcher([&] {
        while (!done) {
            // Every batch submits a pair.
            TaskFilter filter;
            filter.limit = 1'000;
            if (reader->tasks(filter).value().tasks.size() % 2 != 0) ++torn;
        }
    });
    for (int i = 0; i < 100; ++i) {
        story.submit("a" + std::to_string(i));
        story.submit("b" + std::to_string(i));
        commit(journal, story.take_batch());
    }
    done = true;
    watcher.join();
    EXPECT_EQ(torn, 0);
}

}  // namespace
}  // namespace zq::store
