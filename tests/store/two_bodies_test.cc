// Both bodies of the journal are told the same story: every query must give the same.
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "coordinator/store/event_codec.h"
#include "tests/store/journal_bench.h"
#include "tests/store/story.h"

namespace zq::store {
namespace {

class TwoBodies : public testing::Test {
  protected:
    void SetUp() override {
        auto memory = memory_bench.make();
        auto sqlite = sqlite_bench.make();
        core::State ignored = acquire(*sqlite);
        Story story(acquire(*memory));
        for (const char* prefix : {"a-", "b-", "c-"}) {
            for (const Batch& batch : tell_everything(story, 77, prefix)) {
                const Digest head = commit(*memory, batch).chain_head;
                EXPECT_EQ(commit(*sqlite, batch).chain_head, head);
            }
        }
        sqlite->catch_up();
        left = std::move(memory->open_reader().value());
        right = std::move(sqlite->open_reader().value());
        memory_journal = std::move(memory);
        sqlite_journal = std::move(sqlite);
    }

    JournalBench memory_bench{BodyKind::kMemory};
    JournalBench sqlite_bench{BodyKind::kSqlite};
    std::unique_ptr<Journal> memory_journal;
    std::unique_ptr<Journal> sqlite_journal;
    std::unique_ptr<Reader> left;
    std::unique_ptr<Reader> right;
};

TEST_F(TwoBodies, ListTheSameTasksForEveryFilter) {
    const std::vector<std::vector<TaskState>> states = {
        {},
        {TaskState::kQueued},
        {TaskState::kDead, TaskState::kExpired},
        {TaskState::kRunning, TaskState::kCompleted, TaskState::kRunning}};
    std::size_t found = 0;
    for (const auto& wanted : states) {
        for (const char* role : {"", "review", "research", "nobody"}) {
            for (const char* group : {"", "day", "nobody"}) {
                for (const char* from : {"", "planner", "supervisor"}) {
                    for (Seq before : {Seq{0}, Seq{20}, Seq{45}}) {
                        for (std::size_t limit : {0U, 1U, 4U, 100U}) {
                            TaskFilter filter;
                            filter.states = wanted;
                            filter.role = RoleName(role);
                            filter.group = GroupName(group);
                            filter.from = from;
                            filter.before = before;
                            filter.limit = limit;
                            auto expected = left->tasks(filter).value();
                            EXPECT_EQ(right->tasks(filter).value(), expected)
                                << role << "/" << group << "/" << from << "/" << before;
                            found += expected.tasks.size();
                        }
                    }
                }
            }
        }
    }
    EXPECT_GT(found, 500U);
    TaskFilter other_namespace;
    other_namespace.ns = Namespace("elsewhere");
    EXPECT_TRUE(right->tasks(other_namespace).value().tasks.empty());
}

/// What no index leads to is looked at task by task.
TEST_F(TwoBodies, ListTheSameTasksForConditionsOfEveryKind) {
    const auto all = left->tasks({}).value().tasks;
    const Instant middle = all.at(all.size() / 2).submitted_at;
    const std::vector<std::pair<std::string, std::function<void(TaskFilter&)>>> conditions = {
        {"type", [](TaskFilter& f) { f.type = "reasoning"; }},
        {"no such type", [](TaskFilter& f) { f.type = "nothing"; }},
        {"trace", [](TaskFilter& f) { f.trace_id = "trace-of-a-keyed"; }},
        {"worker", [](TaskFilter& f) { f.worker = "host-review-2"; }},
        {"label",
         [](TaskFilter& f) {
             f.labels = {{"team", "blue"}};
         }},
        {"another label",
         [](TaskFilter& f) {
             f.labels = {{"team", "red"}};
         }},
        {"two labels",
         [](TaskFilter& f) {
             f.labels = {{"team", "blue"}, {"x", "y"}};
         }},
        {"reason", [](TaskFilter& f) { f.dead_reason = DeadReason::kAttemptsExhausted; }},
        {"ended since", [&](TaskFilter& f) { f.ended_since = middle; }},
        {"ended before", [&](TaskFilter& f) { f.ended_before = middle; }},
        {"since", [&](TaskFilter& f) { f.since = middle; }},
        {"until", [&](TaskFilter& f) { f.until = middle; }},
    };
    std::map<std::string, std::size_t> found;
    for (const auto& [name, narrow] : conditions) {
        for (std::size_t limit : {0U, 1U, 3U, 100U}) {
            for (const char* role : {"", "review", "research"}) {
                TaskFilter filter;
                filter.role = RoleName(role);
                filter.limit = limit;
                narrow(filter);
                const auto expected = left->tasks(filter).value();
                EXPECT_EQ(right->tasks(filter).value(), expected) << name << "/" << role;
                for (const core::Task& task : expected.tasks) EXPECT_TRUE(matches(filter, task));
                found[name] += expected.tasks.size();
            }
        }
    }
    for (const auto& [name, narrow] : conditions) {
        const bool none = name == "no such type" || name == "another label" || name == "two labels";
        EXPECT_EQ(found[name] == 0, none) << name;
    }
}

TEST_F(TwoBodies, GiveAFilteredListPageByPageWithoutAGap) {
    TaskFilter filter;
    filter.until = Instant{INT64_MAX};
    const auto whole = right->tasks(filter).value().tasks;
    for (Reader* reader : {left.get(), right.get()}) {
        std::vector<core::Task> paged;
        TaskFilter next = filter;
        next.limit = 7;
        while (true) {
            auto page = reader->tasks(next).value();
            paged.insert(paged.end(), page.tasks.begin(), page.tasks.end());
            if (!page.more) break;
            next.before = page.looked;
        }
        EXPECT_EQ(paged, whole);
    }
}

TEST_F(TwoBodies, GiveEventsByKindAndTheEnvelopeOfEachTime) {
    const Seq last = left->last_seq().value();
    const std::uint64_t ends = 1ULL << kind_number(core::AttemptEnded{});
    std::size_t found = 0;
    for (std::uint64_t kinds : {std::uint64_t{0}, ends, ends | envelope_kinds(), UINT64_MAX}) {
        for (Seq after : {Seq{0}, Seq{30}, last}) {
            for (Seq upto : {Seq{40}, last, last + 100}) {
                auto expected = left->events_of_kinds(after, upto, kinds, 25).value();
                auto given = right->events_of_kinds(after, upto, kinds, 25).value();
                ASSERT_EQ(given.size(), expected.size());
                for (std::size_t i = 0; i < given.size(); ++i) {
                    EXPECT_EQ(given[i].event, expected[i].event);
                    EXPECT_TRUE(kinds >> kind_number(given[i].event.body) & 1U);
                }
                found += given.size();
            }
        }
    }
    EXPECT_GT(found, 100U);
    for (const char* id : {"a-mended", "a-unloved", "b-again", "nobody"}) {
        std::set<Seq> places;
        for (Seq upto = 0; upto <= last; ++upto) {
            auto expected = left->envelope_event(Story::key(id), upto).value();
            auto given = right->envelope_event(Story::key(id), upto).value();
            ASSERT_EQ(given.has_value(), expected.has_value()) << id << " up to " << upto;
            if (!given) continue;
            EXPECT_EQ(given->event, expected->event);
            places.insert(given->event.seq);
        }
        const std::size_t envelopes = id == std::string("nobody")     ? 0
                                      : id == std::string("a-mended") ? 2
                                                                      : 1;
        EXPECT_EQ(places.size(), envelopes) << id;
    }
}

TEST_F(TwoBodies, SumUpTheSameStatistics) {
    for (const StatsBy by : {StatsBy::kRole, StatsBy::kType, StatsBy::kWorker, StatsBy::kModel}) {
        for (const RollupSpan& span : kRollupSpans) {
            const auto expected = left->rollups(kDefaultNamespace, by, span.length, {}).value();
            EXPECT_EQ(right->rollups(kDefaultNamespace, by, span.length, {}).value(), expected)
                << to_string(by);
            EXPECT_TRUE(right->rollups(kDefaultNamespace, by, span.length, kNever)->empty());
            EXPECT_FALSE(expected.empty()) << to_string(by);
        }
    }
    const auto roles =
        right->rollups(kDefaultNamespace, StatsBy::kRole, kRollupSpans[0].length, {}).value();
    EXPECT_EQ(roles.at("research").submitted, 3U);
    EXPECT_EQ(roles.at("review").expired, 3U);
    EXPECT_GT(roles.at("review").run.count(), 0U);
}

TEST_F(TwoBodies, AnswerEveryOtherReadAlike) {
    for (const char* id : {"a-done", "b-failing", "c-later", "nobody"}) {
        const TaskKey key = Story::key(id);
        EXPECT_EQ(right->task(key).value(), left->task(key).value());
        EXPECT_EQ(right->attempts(key).value(), left->attempts(key).value());
        EXPECT_EQ(right->attempt(key, 1).value(), left->attempt(key, 1).value());
    }
    EXPECT_EQ(right->attempts(Story::key("a-failing")).value().size(), 1U);
    for (const char* prefix : {"", "a-", "b-l", "c-later", "z"}) {
        for (std::size_t limit : {0U, 2U, 100U}) {
            EXPECT_EQ(right->ids_with_prefix(kDefaultNamespace, prefix, limit).value(),
                      left->ids_with_prefix(kDefaultNamespace, prefix, limit).value());
        }
    }
    for (const char* key : {"", "a-key-1", "c-key-1", "no"}) {
        EXPECT_EQ(right->task_by_idempotency_key(kDefaultNamespace, key).value(),
                  left->task_by_idempotency_key(kDefaultNamespace, key).value());
    }
    for (Seq after : {0U, 30U, 60U, 1000U}) {
        EXPECT_EQ(right->answers(kDefaultNamespace, "planner-inbox", after, 3).value(),
                  left->answers(kDefaultNamespace, "planner-inbox", after, 3).value());
    }
    EXPECT_EQ(right->answers(kDefaultNamespace, "planner-inbox", 0, 100).value().size(), 12U);
    EXPECT_TRUE(right->answers(kDefaultNamespace, "", 0, 100).value().empty());
    EXPECT_EQ(right->group(kDefaultNamespace, GroupName("day"), 5).value(),
              left->group(kDefaultNamespace, GroupName("day"), 5).value());
    EXPECT_EQ(right->dead_counts().value(), left->dead_counts().value());
    EXPECT_EQ(right->dead_counts().value().front().second, 3U);
    const auto totals = left->held_totals().value();
    EXPECT_EQ(right->held_totals().value(), totals);
    ASSERT_EQ(totals.size(), 3U);
    EXPECT_GT(totals[1].bytes, 0U) << "the finished ones of review";
    EXPECT_EQ(totals.back().tasks, 9U) << "its dead and expired ones";
    for (const bool dead : {false, true}) {
        for (const Seq after : {0U, 60U, 1000U}) {
            const RoleKey role{kDefaultNamespace, RoleName("review")};
            EXPECT_EQ(right->holding_tasks(role, dead, after, 2).value(),
                      left->holding_tasks(role, dead, after, 2).value());
        }
    }
}

}  // namespace
}  // namespace zq::store
