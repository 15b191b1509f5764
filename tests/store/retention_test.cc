// Retention on disk: references are counted as a model counts them whatever happens, what nothing
// refers to leaves, and every tool still finds the journal sound: verify, archive, restore, backup.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "common/platform/digest.h"
#include "coordinator/store/archive.h"
#include "coordinator/store/offline.h"
#include "coordinator/store/restore.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/verify.h"
#include "tests/store/journal_bench.h"
#include "tests/store/story.h"

namespace zq::store {
namespace {

std::vector<std::string> problems_in(const std::string& folder) {
    auto report = verify(folder, VerifyDepth::kContents);
    if (!report) return {report.error().message};
    return report->problems;
}

/// Random lives of tasks with few contents among them, and retention at any moment; what refers to
/// what is kept apart, in plain sets.
class Life {
  public:
    Life(const std::string& folder, unsigned seed)
        : folder_(folder), journal_(sqlite_options(folder)), story_(acquire(journal_)), rng_(seed) {
        story_.start(story_.state().durable.journal);
        commit(journal_, story_.take_batch());
        reader_ = *journal_.open_reader();
    }

    void run(int steps) {
        for (int i = 0; i < steps; ++i) {
            story_.pass(seconds(1));
            const auto which = rng_() % 11;
            if (which == 10)
                run_again();
            else if (which < 4)
                submit();
            else if (which < 6)
                end();
            else if (which < 7)
                remove_artifacts();
            else if (which < 8)
                remove_task();
            else
                condemn();
            Batch batch = story_.take_batch();
            if (!batch.events.empty()) commit(journal_, std::move(batch));
            check();
        }
        // What is left has something to count.
        while (ended_.empty()) {
            submit();
            end();
            commit(journal_, story_.take_batch());
        }
    }
    void close() {
        reader_.reset();
        ASSERT_TRUE(journal_.close());
    }
    Seq last_seq() const { return story_.last_seq(); }
    std::uint64_t condemned() const { return condemned_; }
    std::uint64_t removed() const { return removed_; }

  private:
    struct Ended {
        core::Task task;
        std::vector<Digest> inputs;
        std::vector<Digest> outputs;
        std::uint64_t bytes = 0;  // of the outputs that are not removed
    };

    std::string content() { return "content " + std::to_string(rng_() % 40); }
    /// A reference to one of few contents, stored where it is not.
    ArtifactRef some(const std::string& name) {
        const std::string data = content();
        const Digest digest = sha256(data);
        if (stored_.insert(digest).second) story_.store_inline(data);
        return {name, digest, data.size(), "", ""};
    }

    void submit() {
        const std::string id = "t" + std::to_string(++last_);
        TaskSpec spec = Story::spec(id);
        for (auto i = rng_() % 3; i > 0; --i) spec.inputs.push_back(some("in"));
        for (const ArtifactRef& ref : spec.inputs) ++refs_[ref.digest];
        story_.submit(spec);
        inputs_[id] = digests(spec.inputs);
        open_.push_back(id);
        if (rng_() % 4 == 0) some("unnamed");
    }

    void end() {
        if (open_.empty()) return;
        const std::string id = open_[rng_() % open_.size()];
        std::erase(open_, id);
        story_.assign(id);
        std::vector<ArtifactRef> outputs;
        for (auto i = rng_() % 4; i > 0; --i) outputs.push_back(some("out" + std::to_string(i)));
        for (const ArtifactRef& ref : outputs) ++refs_[ref.digest];
        story_.artifacts = outputs;
        story_.complete(id);
        const core::Task* task = core::find_task(story_.state(), Story::key(id));
        std::vector<Digest> all = std::exchange(earlier_[id], {});
        for (const ArtifactRef& ref : outputs) all.push_back(ref.digest);
        std::uint64_t bytes = std::exchange(earlier_bytes_[id], 0);
        for (const ArtifactRef& ref : outputs) bytes += ref.size;
        ended_.push_back({*task, inputs_[id], all, bytes});
    }

    /// It keeps what it has still got.
    void run_again() {
        if (ended_.empty()) return;
        const std::size_t which = rng_() % ended_.size();
        const Ended again = ended_[which];
        ended_.erase(ended_.begin() + static_cast<std::ptrdiff_t>(which));
        const std::string id = again.task.key.id.text;
        auto attempts = reader_->attempts(again.task.key);
        ASSERT_TRUE(attempts);
        story_.replay(again.task, *attempts);
        earlier_[id] = again.outputs;
        earlier_bytes_[id] = again.bytes;
        open_.push_back(id);
    }

    /// What the records and removals of a task say that it refers to.
    void expect_held(const Ended& ended) {
        auto spec = reader_->spec(ended.task.submitted_seq);
        auto attempts = reader_->attempts(ended.task.key);
        auto removals = reader_->removals(ended.task.submitted_seq);
        ASSERT_TRUE(spec && attempts && removals);
        const HeldContents held = held_by(ended.task, (*spec)->inputs, *attempts, *removals);
        EXPECT_EQ(std::multiset<Digest>(held.inputs.begin(), held.inputs.end()),
                  std::multiset<Digest>(ended.inputs.begin(), ended.inputs.end()));
        EXPECT_EQ(std::multiset<Digest>(held.artifacts.begin(), held.artifacts.end()),
                  std::multiset<Digest>(ended.outputs.begin(), ended.outputs.end()));
    }

    void remove_artifacts() {
        for (Ended& ended : ended_) {
            if (ended.outputs.empty()) continue;
            expect_held(ended);
            for (const Digest& digest : ended.outputs) release(digest);
            story_.remove_artifacts(ended.task, RemovedKind::kArtifacts,
                                    std::exchange(ended.outputs, {}));
            ended.bytes = 0;
            return;
        }
    }

    void remove_task() {
        if (ended_.empty()) return;
        const std::size_t which = rng_() % ended_.size();
        Ended gone = ended_[which];
        expect_held(gone);
        ended_.erase(ended_.begin() + static_cast<std::ptrdiff_t>(which));
        std::vector<Digest> all = gone.inputs;
        all.insert(all.end(), gone.outputs.begin(), gone.outputs.end());
        for (const Digest& digest : all) release(digest);
        story_.remove_task(gone.task, all);
        ++removed_;
    }

    /// What the reader calls unused.
    void condemn() {
        auto unused = reader_->unused_contents({}, Instant{INT64_MAX}, 3);
        ASSERT_TRUE(unused);
        std::vector<core::CondemnedContent> contents;
        for (const core::UnusedContent& content : *unused) {
            EXPECT_FALSE(refs_.contains(content.digest)) << "something refers to it";
            stored_.erase(content.digest);
            contents.push_back({content.digest, content.size, content.inlined});
        }
        condemned_ += contents.size();
        if (!contents.empty()) story_.condemn(contents);
    }

    void release(const Digest& digest) {
        if (--refs_.at(digest) == 0) refs_.erase(digest);
    }

    static std::vector<Digest> digests(const std::vector<ArtifactRef>& refs) {
        std::vector<Digest> all;
        for (const ArtifactRef& ref : refs) all.push_back(ref.digest);
        return all;
    }

    /// Exactly what is stored and not referred to is unused; what is referred to can be read.
    void check() {
        auto unused = reader_->unused_contents({}, Instant{INT64_MAX}, 1'000);
        ASSERT_TRUE(unused);
        std::set<Digest> found;
        for (const core::UnusedContent& content : *unused) found.insert(content.digest);
        std::set<Digest> expected;
        for (const Digest& digest : stored_) {
            if (!refs_.contains(digest)) expected.insert(digest);
        }
        ASSERT_EQ(found, expected);
        std::uint64_t bytes = 0;
        for (const Ended& ended : ended_) bytes += ended.bytes;
        std::uint64_t held = 0;
        std::uint64_t tasks = 0;
        const std::vector<HeldTotal> totals = reader_->held_totals().value();
        for (const HeldTotal& total : totals) {
            tasks += total.tasks;
            held += total.bytes;
        }
        ASSERT_EQ(tasks, ended_.size());
        ASSERT_EQ(held, bytes);
        auto oldest = reader_->holding_tasks({kDefaultNamespace, RoleName("review")}, false, 0, 1);
        ASSERT_TRUE(oldest);
        const auto first = std::find_if(ended_.begin(), ended_.end(),
                                        [](const Ended& ended) { return ended.bytes > 0; });
        ASSERT_EQ(oldest->empty(), first == ended_.end());
        if (!oldest->empty()) {
            ASSERT_EQ(oldest->front().key, first->task.key);
        }
        for (const auto& [digest, refs] : refs_) {
            auto place = reader_->content(digest);
            ASSERT_TRUE(place && *place) << "what is referred to is gone";
        }
    }

    std::string folder_;
    SqliteJournal journal_;
    Story story_;
    std::mt19937 rng_;
    std::unique_ptr<Reader> reader_;
    int last_ = 0;
    std::vector<std::string> open_;
    std::map<std::string, std::vector<Digest>> inputs_;
    std::map<std::string, std::vector<Digest>> earlier_;  // outputs of attempts before a replay
    std::map<std::string, std::uint64_t> earlier_bytes_;  // and their sizes
    std::vector<Ended> ended_;
    std::set<Digest> stored_;
    std::map<Digest, std::uint64_t> refs_;
    std::uint64_t condemned_ = 0;
    std::uint64_t removed_ = 0;
};

class StoreRetention : public testing::TestWithParam<unsigned> {
  protected:
    void SetUp() override {
        Life life(folder.path(), GetParam());
        life.run(300);
        last = life.last_seq();
        EXPECT_GT(life.condemned(), 10U);
        EXPECT_GT(life.removed(), 3U);
        life.close();
    }
    void change(const std::string& sql) {
        auto database = Database::open(journal_path(folder.path()), OpenMode::kExisting).value();
        auto done = database.run(sql);
        ASSERT_TRUE(done) << done.error().message;
    }

    /// Rows that stayed from before the base are removed too, and one runs again.
    void remove_some() {
        SqliteJournal journal(sqlite_options(folder.path()));
        Story story(acquire(journal));
        story.start(story.state().durable.journal);
        commit(journal, story.take_batch());
        auto reader = *journal.open_reader();
        auto tasks = reader->ended_tasks({kDefaultNamespace, RoleName("review")},
                                         TaskState::kCompleted, 0, 3);
        ASSERT_TRUE(tasks);
        for (const core::Task& task : *tasks) {
            if (task.key == tasks->front().key) {
                story.replay(task, *reader->attempts(task.key));
                story.assign(task.key.id.text);
                commit(journal, story.take_batch());
                story.complete(task.key.id.text);
                commit(journal, story.take_batch());
                continue;
            }
            const HeldContents held =
                held_by(task, (*reader->spec(task.submitted_seq))->inputs,
                        *reader->attempts(task.key), *reader->removals(task.submitted_seq));
            std::vector<Digest> all = held.inputs;
            all.insert(all.end(), held.artifacts.begin(), held.artifacts.end());
            story.remove_task(task, all);
            commit(journal, story.take_batch());
        }
        auto unused = reader->unused_contents({}, Instant{INT64_MAX}, 5);
        ASSERT_TRUE(unused);
        std::vector<core::CondemnedContent> contents;
        for (const core::UnusedContent& content : *unused) {
            contents.push_back({content.digest, content.size, content.inlined});
        }
        if (!contents.empty()) {
            story.condemn(contents);
            commit(journal, story.take_batch());
        }
        last = story.last_seq();
        reader.reset();
        ASSERT_TRUE(journal.close());
    }

    TemporaryFolder folder;
    Seq last = 0;
};

TEST_P(StoreRetention, NothingReferredToIsRemovedAndVerifyAgrees) {
    EXPECT_EQ(problems_in(folder.path()), std::vector<std::string>{});
}

TEST_P(StoreRetention, VerifyFindsWhatNoEventRemoved) {
    change("DELETE FROM tasks WHERE submitted_seq = (SELECT min(submitted_seq) FROM tasks)");
    EXPECT_NE(problems_in(folder.path()), std::vector<std::string>{});
}

TEST_P(StoreRetention, VerifyFindsACountThatIsWrong) {
    change(
        "UPDATE content_use SET refs = refs + 1 WHERE digest = (SELECT max(digest) FROM"
        " content_use)");
    EXPECT_NE(problems_in(folder.path()), std::vector<std::string>{});
}

TEST_P(StoreRetention, VerifyFindsAWrongCountOfWhatATaskHoldsAndAWrongSum) {
    const std::string some = " WHERE submitted_seq = (SELECT max(submitted_seq) FROM held)";
    for (const std::string& sql :
         {"UPDATE held SET bytes = bytes + 1" + some, "UPDATE held SET role = 'other'" + some,
          "UPDATE held SET dead = 1 - dead" + some, "UPDATE held SET ended_seq = 1" + some,
          std::string("UPDATE held_totals SET bytes = bytes - 1"),
          std::string("UPDATE held_totals SET tasks = tasks + 1"),
          std::string("INSERT INTO held_totals VALUES ('default', 'nobody', 0, 0, 0)"),
          std::string("INSERT INTO held VALUES (1000000, 'default', 'review', 0, 1, 0)")}) {
        TemporaryFolder copy;
        std::filesystem::copy(folder.path(), copy.path(),
                              std::filesystem::copy_options::recursive |
                                  std::filesystem::copy_options::overwrite_existing);
        auto database = Database::open(journal_path(copy.path()), OpenMode::kExisting).value();
        auto done = database.run(sql);
        ASSERT_TRUE(done) << done.error().message;
        database = Database::open(":memory:", OpenMode::kCreate).value();  // closes it
        EXPECT_NE(problems_in(copy.path()), std::vector<std::string>{}) << sql;
    }
}

TEST_P(StoreRetention, VerifyFindsAContentThatIsGoneWhileSomethingRefersToIt) {
    change(
        "DELETE FROM contents WHERE digest ="
        " (SELECT digest FROM content_use WHERE refs > 0 LIMIT 1)");
    EXPECT_NE(problems_in(folder.path()), std::vector<std::string>{});
}

TEST_P(StoreRetention, AnyPlaceOfThePastCanBeRestored) {
    for (const Seq upto : {last / 3, last / 2, last - 5}) {
        TemporaryFolder parent;
        auto journal = OfflineJournal::open(folder.path());
        ASSERT_TRUE(journal);
        RestoreOrder order;
        order.into = parent.path() + "/restored";
        order.program = "test";
        order.upto = upto;
        auto report = restore(*journal, order);
        ASSERT_TRUE(report) << report.error().message;
        EXPECT_EQ(problems_in(order.into), std::vector<std::string>{}) << "restored to " << upto;
    }
}

TEST_P(StoreRetention, AnArchivedJournalStillVerifiesAndLosesMoreRows) {
    TemporaryFolder files;
    for (const EndedTasks ended : {EndedTasks::kKeep, EndedTasks::kForget}) {
        {
            auto journal = OfflineJournal::open(folder.path());
            ASSERT_TRUE(journal);
            const Seq upto = ended == EndedTasks::kKeep ? last / 2 : last - 2;
            const std::string file = files.path() + (ended == EndedTasks::kKeep ? "/a" : "/b");
            auto report = archive(journal->database(), {upto, file, ended});
            ASSERT_TRUE(report) << report.error().message;
        }
        EXPECT_EQ(problems_in(folder.path()), std::vector<std::string>{});
        remove_some();
        EXPECT_EQ(problems_in(folder.path()), std::vector<std::string>{});
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, StoreRetention, testing::Values(1U, 2U, 3U));

}  // namespace
}  // namespace zq::store
