// What every body of the journal must do.
#include <gtest/gtest.h>

#include "common/platform/digest.h"
#include "coordinator/core/invariants.h"
#include "coordinator/core/redact.h"
#include "coordinator/store/record_codec.h"
#include "coordinator/store/sqlite_task_records.h"
#include "tests/store/journal_bench.h"
#include "tests/store/story.h"

namespace zq::store {
namespace {

class JournalOf : public testing::TestWithParam<BodyKind> {
  protected:
    JournalBench bench{GetParam()};
};

TEST_P(JournalOf, AFreshFolderIsAnEmptyJournalWithAnId) {
    auto journal = bench.make();
    core::State state;
    auto recovery = journal->acquire(state);
    ASSERT_TRUE(recovery.has_value());
    EXPECT_NE(recovery->journal, 0U);
    EXPECT_EQ(recovery->epoch, 0U);
    EXPECT_EQ(recovery->last_seq, 0U);
    EXPECT_EQ(recovery->open_tasks, 0U);
    EXPECT_TRUE(recovery->chain_head.is_zero());
    EXPECT_EQ(state.durable.journal, recovery->journal);
    EXPECT_EQ(journal->leadership_until(), kNever);
    EXPECT_FALSE(journal->storage_low());
}

TEST_P(JournalOf, ARestartRestoresTheDurableStateHashForHash) {
    Digest live;
    Digest head;
    std::size_t open = 0;
    {
        auto journal = bench.make();
        Story story(acquire(*journal));
        commit_all(*journal, tell_everything(story, story.state().durable.journal, "a-"));
        ASSERT_TRUE(journal->settle().has_value());
        story.submit("last");
        head = commit(*journal, story.take_batch()).chain_head;
        live = state_hash(story.state());
        open = story.state().durable.open.size();
        ASSERT_TRUE(journal->close().has_value());
    }
    auto journal = bench.make();
    core::State state;
    auto recovery = journal->acquire(state);
    ASSERT_TRUE(recovery.has_value());
    EXPECT_EQ(state_hash(state), live);
    EXPECT_EQ(recovery->chain_head, head);
    EXPECT_EQ(recovery->open_tasks, open);
    EXPECT_EQ(state.durable.open.size(), open);
    EXPECT_TRUE(core::broken_invariants(state).empty());
    EXPECT_FALSE(state.durable.open.contains(Story::key("a-done"))) << "ended tasks stay on disk";
    EXPECT_TRUE(state.durable.open.at(Story::key("a-lost")).lease == std::nullopt);
    EXPECT_EQ(state.durable.open.at(Story::key("a-failing")).attempts, 2U);
}

TEST_P(JournalOf, OpenTasksThatRestInItComeBackAsTheyWere) {
    auto journal = bench.make();
    Story story(acquire(*journal));
    commit_all(*journal, tell_everything(story, story.state().durable.journal, "a-"));
    auto reader = journal->open_reader();
    ASSERT_TRUE(reader.has_value());
    ASSERT_EQ((*reader)->last_seq().value(), story.last_seq()) << "the tables have it all";
    core::State rested = story.state();
    ASSERT_GT(rested.durable.open.size(), 4U) << "so many stay in memory";
    rested.durable.open.rest(journal->projected());
    story.state().durable.open.for_each([&](const core::Task& task) {
        const core::Task* found = rested.durable.open.find(task.key);
        ASSERT_NE(found, nullptr);
        EXPECT_EQ(*found, task) << task.key.id.text;
    });
    rested.durable.open.rest(journal->projected());
    EXPECT_EQ(state_hash(rested), state_hash(story.state()));
    EXPECT_TRUE(core::broken_invariants(rested).empty());
}

TEST_P(JournalOf, LivesOnThroughManyRestarts) {
    for (int run = 0; run < 4; ++run) {
        auto journal = bench.make();
        core::State restored = acquire(*journal);
        EXPECT_EQ(restored.durable.epoch, static_cast<Epoch>(run));
        Story story(std::move(restored));
        commit_all(*journal, tell_everything(story, story.state().durable.journal,
                                             "run" + std::to_string(run) + "-"));
        auto reader = journal->open_reader();
        ASSERT_TRUE(reader.has_value());
        EXPECT_EQ((*reader)->last_seq().value(), story.last_seq());
    }
}

TEST_P(JournalOf, ASecondCoordinatorIsRefusedUntilTheFirstIsGone) {
    auto first = bench.make();
    acquire(*first);
    core::State state;
    auto refused = bench.make()->acquire(state);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::CONFLICT);
    EXPECT_NE(refused.error().message.find("another coordinator is using"), std::string::npos);
    first.reset();
    EXPECT_TRUE(bench.make()->acquire(state).has_value());
}

TEST_P(JournalOf, ResultsComeInTheOrderOfTheBatches) {
    auto journal = bench.make();
    Story story(acquire(*journal));
    story.start(story.state().durable.journal);
    std::vector<Seq> wanted;
    for (int i = 0; i < 200; ++i) {
        story.submit("t" + std::to_string(i));
        wanted.push_back(story.last_seq());
        journal->append(story.take_batch());
    }
    EXPECT_GT(journal->uncommitted_batches(), 0U);
    std::vector<Seq> got;
    for (const CommitResult& result : await_results(*journal, wanted.size())) {
        EXPECT_EQ(result.status, CommitStatus::kCommitted);
        got.push_back(result.last_seq);
    }
    EXPECT_EQ(got, wanted);
    EXPECT_EQ(journal->uncommitted_batches(), 0U);
    EXPECT_EQ(journal->uncommitted_bytes(), 0U);
}

TEST_P(JournalOf, ABatchOfALoneRequestMayBeCommittedAtOnceAndTheOthersGoOnBehindIt) {
    auto journal = bench.make();
    Story story(acquire(*journal));
    story.start(story.state().durable.journal);
    std::vector<Seq> wanted;
    std::vector<Seq> got;
    std::size_t at_once = 0;
    for (int i = 0; i < 60; ++i) {
        story.submit("t" + std::to_string(i));
        wanted.push_back(story.last_seq());
        if (i % 3 == 0) {
            journal->append(story.take_batch());
        } else if (journal->append_now(story.take_batch())) {
            ++at_once;
            const auto results = journal->results();
            ASSERT_EQ(results.size(), 1U) << "nothing else was under way";
            EXPECT_EQ(results[0].status, CommitStatus::kCommitted);
            got.push_back(results[0].last_seq);
        }
        if (i % 3 != 1) continue;
        for (const CommitResult& result : await_results(*journal, wanted.size() - got.size())) {
            EXPECT_EQ(result.status, CommitStatus::kCommitted);
            got.push_back(result.last_seq);
        }
    }
    for (const CommitResult& result : await_results(*journal, wanted.size() - got.size())) {
        got.push_back(result.last_seq);
    }
    EXPECT_EQ(got, wanted);
    EXPECT_EQ(journal->uncommitted_batches(), 0U);
    if (GetParam() == BodyKind::kSqlite) EXPECT_GT(at_once, 0U);
}

TEST_P(JournalOf, RememberedRequestsAreForgottenAsTheCoreForgetsThem) {
    Digest live;
    {
        auto journal = bench.make();
        Story story(acquire(*journal));
        story.start(story.state().durable.journal);
        story.submit("t");
        story.record_request("c1", 1, "t");
        story.pass(limits::kRequestMemory - millis(14));
        story.record_request("c1", 2, "t");
        story.pass(millis(1));
        story.record_request("c2", 1, "t");  // the first is older than the memory now
        commit(*journal, story.take_batch());
        EXPECT_EQ(story.state().durable.requests.size(), 2U);
        live = state_hash(story.state());
    }
    auto journal = bench.make();
    EXPECT_EQ(state_hash(acquire(*journal)), live);
}

TEST_P(JournalOf, StatisticsSurviveARestartAndGoOn) {
    const auto sums = [](Journal& journal) {
        journal.catch_up();
        auto reader = std::move(journal.open_reader().value());
        return reader->rollups(kDefaultNamespace, StatsBy::kRole, kRollupSpans[1].length, {})
            .value();
    };
    std::map<std::string, Rollup> before;
    {
        auto journal = bench.make();
        Story story(acquire(*journal));
        story.start(story.state().durable.journal);
        story.submit("one");
        story.assign("one");
        story.pass(seconds(90));
        story.complete("one");
        commit(*journal, story.take_batch());
        before = sums(*journal);
    }
    EXPECT_EQ(before.at("review").completed, 1U);
    EXPECT_GE(before.at("review").run.percentile(50), seconds(90));
    auto journal = bench.make();
    Story story(acquire(*journal));
    EXPECT_EQ(sums(*journal), before);
    story.submit("two");
    commit(*journal, story.take_batch());
    EXPECT_EQ(sums(*journal).at("review").submitted, 2U);
}

TEST_P(JournalOf, StatisticsOfOldBucketsLeaveAndNamesOfOneAreBounded) {
    auto journal = bench.make();
    Story story(acquire(*journal));
    story.start(story.state().durable.journal);
    for (std::size_t i = 0; i < limits::kRollupNames + 20; ++i) {
        story.submit("t" + std::to_string(i), "role-" + std::to_string(i));
        if (i % 100 == 0) commit(*journal, story.take_batch());
    }
    commit(*journal, story.take_batch());
    journal->catch_up();
    auto reader = std::move(journal->open_reader().value());
    const auto [length, kept] = kRollupSpans[0];
    auto sums = reader->rollups(kDefaultNamespace, StatsBy::kRole, length, {}).value();
    EXPECT_LE(sums.size(), limits::kRollupNames + 1);
    std::uint64_t submitted = 0;
    for (const auto& [name, sum] : sums) submitted += sum.submitted;
    EXPECT_EQ(submitted, limits::kRollupNames + 20);
    EXPECT_EQ(sums.at(std::string(kOtherNames)).submitted, 20U);
    story.pass(kept + length + length);
    story.submit("later");
    commit(*journal, story.take_batch());
    journal->catch_up();
    sums = reader->rollups(kDefaultNamespace, StatsBy::kRole, length, {}).value();
    EXPECT_EQ(sums.size(), 1U);
    EXPECT_EQ(sums.at("review").submitted, 1U);
}

TEST_P(JournalOf, InlineContentIsReadBackInParts) {
    auto journal = bench.make();
    Story story(acquire(*journal));
    story.start(story.state().durable.journal);
    const std::string data("0\0001234567", 10);
    const Digest digest = story.store_inline(data, {"jwt", "named-secret"});
    const Digest empty = story.store_inline("");
    const Digest file = sha256("elsewhere");
    story.store_file(file, 9);
    commit(*journal, story.take_batch());
    story.store_inline(data);  // once more: the first row holds
    commit(*journal, story.take_batch());
    auto reader = std::move(journal->open_reader().value());
    EXPECT_EQ(reader->content(digest).value()->size, 10U);
    EXPECT_TRUE(reader->content(digest).value()->inlined);
    EXPECT_EQ(reader->content(digest).value()->secrets,
              (std::vector<std::string>{"jwt", "named-secret"}));
    EXPECT_TRUE(reader->content(file).value()->secrets.empty());
    EXPECT_FALSE(reader->content(file).value()->inlined);
    EXPECT_FALSE(reader->content(sha256("nowhere")).value().has_value());
    EXPECT_EQ(reader->inline_content(digest, 0, 100).value(), data);
    EXPECT_EQ(reader->inline_content(digest, 1, 3).value(), data.substr(1, 3));
    EXPECT_EQ(reader->inline_content(digest, 10, 3).value(), "");
    EXPECT_EQ(reader->inline_content(empty, 0, 3).value(), "");
    EXPECT_EQ(reader->inline_content(file, 0, 3).error().code, ErrorCode::NOT_FOUND);
}

TEST_P(JournalOf, EventsAreReadBackAsTheyWereWithTheirChain) {
    auto journal = bench.make();
    Story story(acquire(*journal));
    std::vector<core::Event> told;
    for (Batch& batch : tell_everything(story, story.state().durable.journal, "e-")) {
        told.insert(told.end(), batch.events.begin(), batch.events.end());
        commit(*journal, std::move(batch));
    }
    auto reader = std::move(journal->open_reader().value());
    auto all = reader->events(0, 1000, std::nullopt).value();
    ASSERT_EQ(all.size(), told.size());
    for (std::size_t i = 0; i < told.size(); ++i) {
        const bool erased = told[i].task == Story::key("e-erased");
        if (erased) told[i].body = core::redacted(told[i].body);
        EXPECT_EQ(all[i].event, told[i]) << i;
    }
    EXPECT_EQ(reader->events(5, 3, std::nullopt).value().front().event.seq, 6U);
    EXPECT_EQ(reader->events(5, 3, std::nullopt).value().size(), 3U);
    auto of_one = reader->events(0, 1000, Story::key("e-lost")).value();
    EXPECT_EQ(of_one.size(), 5U);
    for (const ChainedEvent& chained : of_one) {
        EXPECT_EQ(chained.event.task, Story::key("e-lost"));
        EXPECT_EQ(chained.hash, all[chained.event.seq - 1].hash);
    }
    EXPECT_EQ(reader->spec(of_one[0].event.seq).value(),
              std::get<core::TaskSubmitted>(of_one[0].event.body).spec);
    EXPECT_FALSE(reader->spec(of_one[1].event.seq).value().has_value());
    EXPECT_FALSE(reader->spec(100'000).value().has_value());
}

INSTANTIATE_TEST_SUITE_P(Bodies, JournalOf, testing::Values(BodyKind::kMemory, BodyKind::kSqlite),
                         [](const auto& body) {
                             return body.param == BodyKind::kMemory ? "Memory" : "Sqlite";
                         });

TEST(SqliteTaskRecords, EndTheProcessWithALineWhereAnOpenTaskHasNoRow) {
    TemporaryFolder folder;
    {
        SqliteJournal journal(sqlite_options(folder.path()));
        acquire(journal);
        ASSERT_TRUE(journal.close().has_value());
    }
    auto records = SqliteTaskRecords::open(folder.path() + "/journal.db");
    ASSERT_TRUE(records.has_value());
    EXPECT_EXIT((*records)->load(Story::key("gone")), testing::ExitedWithCode(EXIT_FAILURE),
                "can't be read.*start it again.*task=gone.*its row is not there");
}

TEST(MemoryJournal, LosesInACrashWhatWasNotSynced) {
    MemoryDisk disk;
    Digest synced;
    {
        MemoryJournal journal(disk, MemorySync::kByHand);
        Story story(acquire(journal));
        story.start(disk.journal);
        journal.append(story.take_batch());
        EXPECT_TRUE(journal.results().empty());
        journal.sync();
        EXPECT_EQ(journal.results().size(), 1U);
        synced = state_hash(story.state());
        story.submit("gone");
        journal.append(story.take_batch());
        EXPECT_EQ(journal.unsynced_batches(), 1U);
    }
    MemoryJournal journal(disk, MemorySync::kByHand);
    EXPECT_EQ(state_hash(acquire(journal)), synced);
}

TEST(MemoryJournal, AFullDiskTakesTheSameBatchLater) {
    MemoryDisk disk;
    MemoryJournal journal(disk, MemorySync::kAtOnce);
    Story story(acquire(journal));
    story.start(disk.journal);
    const Batch batch = story.take_batch();
    journal.fail_next(CommitStatus::kFull);
    journal.append(batch);
    EXPECT_EQ(journal.results().at(0).status, CommitStatus::kFull);
    EXPECT_TRUE(disk.events.empty());
    commit(journal, batch);
    journal.fail_next(CommitStatus::kUnknown);
    story.submit("t");
    journal.append(story.take_batch());
    story.submit("u");
    journal.append(story.take_batch());
    for (const CommitResult& result : journal.results()) {
        EXPECT_EQ(result.status, CommitStatus::kUnknown);
    }
}

}  // namespace
}  // namespace zq::store
