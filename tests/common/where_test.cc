// `--where`: which conditions there are, and what is said of those that are none.
#include <gtest/gtest.h>

#include "common/base/where.h"

namespace zq {
namespace {

std::string error_of(const std::string& text) {
    WhereClause where;
    auto ok = add_where(text, "--where", where);
    EXPECT_FALSE(ok.has_value()) << text;
    if (ok) return {};
    EXPECT_EQ(ok.error().code, ErrorCode::INVALID);
    EXPECT_EQ(ok.error().field, "--where");
    return ok.error().message;
}

TEST(Where, TakesEveryCondition) {
    WhereClause where;
    auto ok = add_where(
        "state=dead,expired role=review  reason=contract type=reasoning from=\"Ann B\" "
        "group=night trace=abc worker=gpu-2 label.team=x label.repo=\"a b\" since=2h before=30m",
        "--where", where);
    ASSERT_TRUE(ok.has_value()) << ok.error().message;
    WhereClause wanted;
    wanted.states = {TaskState::kDead, TaskState::kExpired};
    wanted.dead_reason = DeadReason::kContract;
    wanted.role = RoleName("review");
    wanted.type = "reasoning";
    wanted.from = "Ann B";
    wanted.group = GroupName("night");
    wanted.trace_id = "abc";
    wanted.worker = "gpu-2";
    wanted.labels = {{"team", "x"}, {"repo", "a b"}};
    wanted.since = hours(2);
    wanted.before = minutes(30);
    EXPECT_EQ(where, wanted);
}

TEST(Where, AddsUpAndIsEmptyWithoutConditions) {
    WhereClause where;
    ASSERT_TRUE(add_where("  ", "--where", where).has_value());
    EXPECT_TRUE(where.is_empty());
    ASSERT_TRUE(add_where("state=queued", "--where", where).has_value());
    ASSERT_TRUE(add_where("label.a=1", "--where", where).has_value());
    EXPECT_EQ(where.states.size(), 1U);
    EXPECT_EQ(where.labels.size(), 1U);
    EXPECT_FALSE(add_where("state=dead", "--where", where).has_value()) << "said twice";
}

TEST(Where, NamesTheNearestOfWhatItDoesNotKnow) {
    EXPECT_EQ(error_of("stat=dead"), "no condition 'stat'; did you mean state?");
    EXPECT_EQ(error_of("state=ded"), "no state 'ded'; did you mean dead?");
    EXPECT_EQ(error_of("state=queued,"),
              "no state ''; one of: scheduled, blocked, input_required, "
              "queued, running, retry_wait, cancelling, in_review, "
              "completed, skipped, cancelled, expired, dead");
    EXPECT_EQ(error_of("reason=contrct"), "no reason 'contrct'; did you mean contract?");
    EXPECT_NE(error_of("zzz=1").find("one of: label.KEY, state, role"), std::string::npos);
}

TEST(Where, RefusesWhatIsNoCondition) {
    EXPECT_EQ(error_of("dead"), "'dead' is no condition; write KEY=VALUE, such as state=dead");
    EXPECT_EQ(error_of("role="), "role= has no value");
    EXPECT_EQ(error_of("role=../x"), "'../x' is no name of a role");
    EXPECT_EQ(error_of("label.=x"), "label.KEY=VALUE needs a key");
    EXPECT_EQ(error_of("label.a=1 label.a=2"), "label.a stands twice");
    EXPECT_EQ(error_of("type=a type=b"), "type stands twice");
    EXPECT_EQ(error_of("since=yesterday"),
              "since=yesterday takes a duration, such as 30m, 2h or 3d");
    EXPECT_EQ(error_of("from=\"Ann"), "a quote is not closed");
}

}  // namespace
}  // namespace zq
