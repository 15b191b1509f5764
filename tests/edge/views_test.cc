// Looking on, and looking at all at once: EVENTS through filters, LIST by every condition, STATS,
// and the trace id that holds them together.
#include <set>

#include "tests/edge/control_rig.h"

namespace zq::coordinator {
namespace {

class Views : public ControlTest {
  protected:
    /// Asks as one client; the answer, once it is on disk.
    template <class Answer>
    Answer ask(wire::Body body) {
        tell("c", std::move(body), ++request_, "one");
        turn_and_sync();
        turn_and_sync();
        return expect<Answer>("c");
    }

    void hand_in(const std::string& id, const std::string& role, const std::string& group = "",
                 const std::string& trace = "") {
        wire::Submit task = submit(id, role);
        task.task.group = GroupName(group);
        task.task.trace_id = trace;
        task.task.max_attempts = 1;
        ask<wire::Submitted>(task);
    }

    void end(const std::string& id, FailureClass failure = FailureClass::kError) {
        wire::Fail failed;
        failed.report.task = TaskId(id);
        failed.report.from = "me";
        failed.failure = failure;
        ask<wire::Accepted>(failed);
    }

    void complete(const std::string& id, std::map<std::string, std::string> output = {}) {
        wire::Complete done;
        done.report.task = TaskId(id);
        done.report.from = "me";
        done.report.output = std::move(output);
        ask<wire::Accepted>(done);
    }

    std::set<std::string> seen(const wire::EventRows& rows) {
        std::set<std::string> texts;
        for (const wire::EventRow& row : rows.rows) {
            if (row.kind != "request_recorded") texts.insert(row.task.text + " " + row.kind);
        }
        return texts;
    }

    std::set<std::string> listed(wire::List list) {
        std::set<std::string> ids;
        for (const wire::TaskRow& row : ask<wire::Tasks>(std::move(list)).rows) {
            ids.insert(row.id.text);
        }
        return ids;
    }

    std::uint64_t request_ = 0;
};

using Ids = std::set<std::string>;

TEST_F(Views, EventsComeThroughEveryFilterAndAllOfThemTogether) {
    hand_in("a", "review", "night", "trace-1");
    hand_in("b", "review", "day", "trace-2");
    hand_in("c", "research", "night", "trace-1");
    end("a");
    wire::Events events;
    events.role = RoleName("review");
    EXPECT_EQ(seen(ask<wire::EventRows>(events)),
              (Ids{"a task_submitted", "a task_assigned", "a attempt_ended", "b task_submitted"}));
    events.kinds = {"task_submitted"};
    EXPECT_EQ(seen(ask<wire::EventRows>(events)), (Ids{"a task_submitted", "b task_submitted"}));
    events.group = GroupName("night");
    EXPECT_EQ(seen(ask<wire::EventRows>(events)), (Ids{"a task_submitted"}));
    wire::Events traced;
    traced.trace_id = "trace-1";
    traced.kinds = {"attempt_ended", "task_submitted"};
    EXPECT_EQ(seen(ask<wire::EventRows>(traced)),
              (Ids{"a task_submitted", "a attempt_ended", "c task_submitted"}));
    traced.task = TaskId("a");
    traced.kinds = {"attempt_ended"};
    EXPECT_EQ(seen(ask<wire::EventRows>(traced)), (Ids{"a attempt_ended"}));
}

TEST_F(Views, AnAnswerWithoutAMatchSaysHowFarItLooked) {
    hand_in("a", "review");
    wire::Events events;
    events.role = RoleName("nobody");
    const auto none = ask<wire::EventRows>(events);
    EXPECT_TRUE(none.rows.empty());
    EXPECT_FALSE(none.more);
    EXPECT_EQ(none.last, pipeline_.durable_seq());
}

TEST_F(Views, ALongStretchThatIsFilteredOutIsReadInBoundedSlices) {
    for (std::size_t i = 0; i < limits::kEventsLooked + 200; ++i) {
        tell("c", submit("t" + std::to_string(i), "common"), ++request_, "");
        if (i % 400 == 0) turn_and_sync();
    }
    turn_and_sync();
    sender_.inbox.clear();
    hand_in("last", "rare");
    wire::Events events;
    events.kinds = {"task_submitted"};
    events.role = RoleName("rare");
    events.wait = seconds(20);
    std::vector<std::string> found;
    std::size_t asked = 0;
    while (found.empty()) {
        ASSERT_LT(++asked, 100U);
        const auto rows = ask<wire::EventRows>(events);
        EXPECT_TRUE(rows.more || !rows.rows.empty());
        EXPECT_GT(rows.last, events.after) << "it always gets on";
        EXPECT_LE(rows.last, events.after + limits::kEventsLooked);
        for (const wire::EventRow& row : rows.rows) found.push_back(row.task.text);
        events.after = rows.last;
    }
    EXPECT_EQ(found, std::vector<std::string>{"last"});
    EXPECT_GT(asked, 1U);
    // Kinds are looked for without reading the others' bodies: a whole slice in one answer.
    wire::Events kinds;
    kinds.kinds = {"task_expired"};
    EXPECT_EQ(ask<wire::EventRows>(kinds).last, limits::kEventsLooked);
}

TEST_F(Views, AParkedPollIsWokenByWhatItWaitsForAlone) {
    wire::Events events;
    events.after = pipeline_.durable_seq();
    events.role = RoleName("rare");
    events.wait = seconds(20);
    tell("w", events, 1, "watcher");
    turn();
    hand_in("a", "common");
    EXPECT_FALSE(take("w"));
    hand_in("b", "rare");
    const auto rows = expect<wire::EventRows>("w");
    EXPECT_EQ(seen(rows), Ids{"b task_submitted"});
    EXPECT_EQ(rows.last, pipeline_.durable_seq());
    tell("w", events, 2, "watcher");
    turn();
    EXPECT_EQ(seen(expect<wire::EventRows>("w")), Ids{"b task_submitted"}) << "nothing is missed";
}

TEST_F(Views, APollThatFoundNothingSaysAtItsEndHowFarItHasLooked) {
    wire::Events events;
    events.role = RoleName("rare");
    events.wait = seconds(20);
    tell("w", events, 1, "watcher");
    turn();
    hand_in("a", "common");
    now_ = now_ + seconds(21);
    turn();
    const auto rows = expect<wire::EventRows>("w");
    EXPECT_TRUE(rows.rows.empty());
    EXPECT_EQ(rows.last, pipeline_.durable_seq());
}

TEST_F(Views, AnEventIsFoundByTheRoleItsTaskHadThen) {
    hand_in("a", "first");
    end("a");
    wire::Replay replay;
    replay.task = TaskId("a");
    replay.changes.role = RoleName("second");
    ask<wire::Changed>(replay);
    complete("a");
    wire::Events events;
    events.role = RoleName("first");
    EXPECT_EQ(seen(ask<wire::EventRows>(events)),
              (Ids{"a task_submitted", "a task_assigned", "a attempt_ended", "a task_replayed"}));
    events.role = RoleName("second");
    const auto second = ask<wire::EventRows>(events);
    EXPECT_EQ(seen(second), (Ids{"a task_replayed", "a task_assigned", "a attempt_ended"}));
    EXPECT_LT(second.rows.front().seq, second.rows.back().seq);
}

TEST_F(Views, EventsOfATaskThatIsGoneAreStillFound) {
    hand_in("a", "review", "night", "trace-1");
    end("a");
    ask<wire::Changed>(wire::Remove{TaskId("a"), "a trial"});
    hand_in("a", "review", "day", "trace-2");
    wire::Events events;
    events.trace_id = "trace-1";
    EXPECT_EQ(seen(ask<wire::EventRows>(events)),
              (Ids{"a task_submitted", "a task_assigned", "a attempt_ended", "a task_removed"}));
    events.trace_id = "trace-2";
    EXPECT_EQ(seen(ask<wire::EventRows>(events)), Ids{"a task_submitted"});
}

TEST_F(Views, AnUnknownKindIsRefusedWithTheNearest) {
    wire::Events events;
    events.kinds = {"task_submited"};
    const auto refused = ask<wire::ErrorReply>(events);
    EXPECT_EQ(refused.code, ErrorCode::INVALID);
    EXPECT_EQ(refused.field, "kinds");
    EXPECT_EQ(refused.message, "no event kind 'task_submited'; did you mean task_submitted?");
    events.kinds = {"zzz"};
    EXPECT_NE(ask<wire::ErrorReply>(events).message.find("one of: epoch_started, task_submitted"),
              std::string::npos);
}

TEST_F(Views, ATraceIdIsMadeWhereThereIsNone) {
    hand_in("a", "review");
    hand_in("b", "review", "", "mine");
    const std::string made = ask<wire::TaskReply>(wire::Get{TaskId("a"), false}).spec.trace_id;
    EXPECT_EQ(made.size(), 32U);
    EXPECT_EQ(made.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_EQ(ask<wire::TaskReply>(wire::Get{TaskId("b"), false}).row.trace_id, "mine");
    wire::Submit again = submit("a", "review");
    again.task.max_attempts = 1;
    EXPECT_TRUE(ask<wire::Submitted>(again).duplicate) << "the body is hashed without it";
    EXPECT_EQ(ask<wire::TaskReply>(wire::Get{TaskId("a"), false}).row.trace_id, made);
    hand_in("c", "review");
    EXPECT_NE(ask<wire::TaskReply>(wire::Get{TaskId("c"), false}).row.trace_id, made);
    wire::List list;
    list.trace_id = made;
    EXPECT_EQ(listed(list), Ids{"a"});
}

TEST_F(Views, AListIsNarrowedByLabelsTypeWorkerAndTimes) {
    for (const char* id : {"a", "b", "c"}) {
        wire::Submit task = submit(id, "review");
        task.task.max_attempts = 1;
        task.task.labels = {{"team", id == std::string("c") ? "y" : "x"}, {"n", id}};
        task.task.type = id == std::string("a") ? "reasoning" : "patch";
        ask<wire::Submitted>(task);
        now_ = now_ + hours(1);
    }
    wire::List list;
    list.labels = {{"team", "x"}};
    EXPECT_EQ(listed(list), (Ids{"a", "b"}));
    list.type = "patch";
    EXPECT_EQ(listed(list), Ids{"b"});
    list.labels = {{"team", "x"}, {"n", "a"}};
    EXPECT_EQ(listed(list), Ids{});
    complete("a");
    wire::List since;
    since.since = now_ - minutes(90);
    EXPECT_EQ(listed(since), (Ids{"a", "c"})) << "a has ended since, c was submitted since";
    wire::List until;
    until.until = now_ - minutes(90);
    EXPECT_EQ(listed(until), Ids{"b"});
    wire::List worker;
    worker.worker = "me";
    EXPECT_EQ(listed(worker), Ids{"a"});
    wire::List many;
    for (int i = 0; i <= 32; ++i) many.labels[std::to_string(i)] = "x";
    EXPECT_EQ(ask<wire::ErrorReply>(many).field, "labels");
}

TEST_F(Views, AListThatLooksAtManyGoesOnPageByPage) {
    for (std::size_t i = 0; i < limits::kListLooked + 50; ++i) {
        wire::Submit task = submit("t" + std::to_string(i), "r");
        if (i == 3) task.task.labels = {{"team", "x"}};
        tell("c", task, ++request_, "");
        if (i % 400 == 0) turn_and_sync();
    }
    turn_and_sync();
    sender_.inbox.clear();
    wire::List list;
    list.labels = {{"team", "x"}};
    auto page = ask<wire::Tasks>(list);
    EXPECT_TRUE(page.rows.empty());
    ASSERT_TRUE(page.more);
    list.before = page.next;
    page = ask<wire::Tasks>(list);
    ASSERT_EQ(page.rows.size(), 1U);
    EXPECT_EQ(page.rows[0].id, TaskId("t3"));
    EXPECT_FALSE(page.more);
}

const wire::StatsRow& row_of(const wire::StatsReply& reply, const std::string& name) {
    static const wire::StatsRow none;
    for (const wire::StatsRow& row : reply.rows) {
        if (row.name == name) return row;
    }
    ADD_FAILURE() << "no row of " << name;
    return none;
}

TEST_F(Views, StatisticsSayHowThingsStandAndWhatHappened) {
    hand_in("a", "review");
    hand_in("b", "review");
    hand_in("c", "review");
    hand_in("d", "research");
    now_ = now_ + minutes(2);
    complete("a", {{"cost_usd_micros", "90000"}, {"input_tokens", "1200"}, {"model", "small"}});
    end("b");
    const auto all = ask<wire::StatsReply>(wire::Stats{});
    ASSERT_EQ(all.rows.size(), 1U);
    const wire::StatsRow& sum = all.rows[0];
    EXPECT_EQ(sum.submitted, 4U);
    EXPECT_EQ(sum.completed, 1U);
    EXPECT_EQ(sum.failed, 1U);
    EXPECT_EQ(sum.dead, 1U);
    EXPECT_EQ(sum.dlq, 1U);
    EXPECT_EQ(sum.dlq_growth, 1);
    EXPECT_EQ(sum.cost_usd_micros, 90'000U);
    EXPECT_EQ(sum.input_tokens, 1'200U);
    EXPECT_EQ(sum.depth, (std::vector<wire::StateCount>{{TaskState::kQueued, 2}}));
    EXPECT_EQ(sum.oldest, minutes(2));
    EXPECT_EQ(sum.wait.count, 2U);
    EXPECT_GE(sum.wait.p50, minutes(2));
    EXPECT_GE(sum.total.p99, minutes(2));
    EXPECT_EQ(all.now, now_);
    EXPECT_LE(all.since, now_ - hours(1));
    const auto roles = ask<wire::StatsReply>(wire::Stats{StatsBy::kRole, hours(24)});
    EXPECT_EQ(roles.rows.size(), 2U);
    EXPECT_EQ(row_of(roles, "review").submitted, 3U);
    EXPECT_EQ(row_of(roles, "review").dlq, 1U);
    EXPECT_EQ(row_of(roles, "research").submitted, 1U);
    EXPECT_EQ(row_of(roles, "research").oldest, minutes(2));
    const auto models = ask<wire::StatsReply>(wire::Stats{StatsBy::kModel, hours(1)});
    EXPECT_EQ(row_of(models, "small").completed, 1U);
    const auto workers = ask<wire::StatsReply>(wire::Stats{StatsBy::kWorker, hours(1)});
    EXPECT_EQ(row_of(workers, "me").failed, 1U);
}

TEST_F(Views, StatisticsByLabelCountATaskInEachOfItsOwn) {
    wire::Submit labelled = submit("a", "review");
    labelled.task.labels = {{"team", "x"}, {"tier", "gold"}};
    ask<wire::Submitted>(labelled);
    hand_in("b", "review");
    const auto labels = ask<wire::StatsReply>(wire::Stats{StatsBy::kLabel, hours(1)});
    EXPECT_EQ(labels.rows.size(), 2U);
    EXPECT_EQ(row_of(labels, "team=x").submitted, 1U);
    EXPECT_EQ(row_of(labels, "tier=gold").submitted, 1U);
}

TEST_F(Views, StatisticsKnowTheWorkersAndWhoIsSilent) {
    tell("w", hello("w1"));
    turn_and_sync();
    expect<wire::Welcome>("w");
    now_ = now_ + seconds(8);
    const auto roles = ask<wire::StatsReply>(wire::Stats{StatsBy::kRole, hours(1)});
    EXPECT_EQ(row_of(roles, "r").workers, 1U);
    EXPECT_EQ(row_of(roles, "r").slots, 1U);
    EXPECT_EQ(row_of(roles, "r").heard, seconds(8));
    const auto workers = ask<wire::StatsReply>(wire::Stats{StatsBy::kWorker, hours(1)});
    EXPECT_EQ(row_of(workers, "w1").heard, seconds(8));
    EXPECT_EQ(ask<wire::StatsReply>(wire::Stats{}).rows.at(0).workers, 1U);
}

TEST_F(Views, WhatIsOutsideTheWindowDoesNotCount) {
    hand_in("a", "review");
    now_ = now_ + hours(3);
    hand_in("b", "review");
    EXPECT_EQ(ask<wire::StatsReply>(wire::Stats{}).rows.at(0).submitted, 1U);
    EXPECT_EQ(ask<wire::StatsReply>(wire::Stats{StatsBy::kAll, hours(24)}).rows.at(0).submitted,
              2U);
    EXPECT_EQ(ask<wire::ErrorReply>(wire::Stats{StatsBy::kAll, minutes(1)}).field, "window_ms");
    EXPECT_EQ(ask<wire::ErrorReply>(wire::Stats{StatsBy::kAll, days(8)}).field, "window_ms");
}

}  // namespace
}  // namespace zq::coordinator
