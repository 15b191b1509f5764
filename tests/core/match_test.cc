#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

std::vector<std::string> ids(const std::vector<Assignment>& assignments) {
    std::vector<std::string> out;
    for (const auto& a : assignments) out.push_back(a.task.id.text);
    return out;
}

TEST(Match, SubmitAndAssignmentShareOneBatch) {
    CoreRig rig;
    rig.hello(1, "w1");
    rig.ready(1, 1);
    auto effects = rig.submit("a");
    ASSERT_EQ(CoreRig::assignments(effects).size(), 1U);
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
}

TEST(Match, NobodyGetsMoreThanItsCredit) {
    CoreRig rig;
    for (const char* id : {"a", "b", "c"}) rig.submit(id);
    rig.hello(1, "w1");
    EXPECT_EQ(CoreRig::assignments(rig.ready(1, 2)).size(), 2U);
    EXPECT_EQ(rig.state_of("c"), TaskState::kQueued);
}

TEST(Match, CreditThatWasSentBeforeAnAssignmentArrivedDoesNotCountTwice) {
    CoreRig rig;
    rig.hello(1, "w1");
    rig.ready(1, 1);
    rig.submit("a");
    rig.submit("b");
    // This READY crossed the assignment of `a` on the wire: its slot is not free any more.
    EXPECT_TRUE(CoreRig::assignments(rig.ready(1, 1)).empty());
    EXPECT_EQ(rig.state_of("b"), TaskState::kQueued);
}

TEST(Match, OlderTasksLeaveFirstAndHigherPriorityBeforeThem) {
    CoreRig rig;
    rig.submit("first");
    rig.now = rig.now + seconds(1);
    rig.submit("second");
    TaskSpec urgent = CoreRig::spec("urgent");
    urgent.priority = 10;
    rig.submit(urgent);
    rig.hello(1, "w1");
    EXPECT_EQ(ids(CoreRig::assignments(rig.ready(1, 3))),
              (std::vector<std::string>{"urgent", "first", "second"}));
}

TEST(Match, NothingStarvesBecauseWaitingOutweighsPriorityInTheEnd) {
    CoreRig rig;
    TaskSpec low = CoreRig::spec("low");
    low.priority = 0;
    rig.submit(low);
    rig.now = rig.now + rig.policy.age_step * 10 + millis(1);
    TaskSpec urgent = CoreRig::spec("urgent");
    urgent.priority = 10;
    rig.submit(urgent);
    rig.hello(1, "w1");
    EXPECT_EQ(ids(CoreRig::assignments(rig.ready(1, 1))), (std::vector<std::string>{"low"}));
}

TEST(Match, WorkIsSpreadOverWorkers) {
    CoreRig rig;
    rig.hello(1, "w1");
    rig.hello(2, "w2");
    rig.ready(1, 4);
    rig.ready(2, 4);
    std::map<SessionId, int> shares;
    for (const char* id : {"a", "b", "c", "d"}) {
        for (const Effect& effect : rig.submit(id)) {
            if (const auto* push = std::get_if<Push>(&effect)) ++shares[push->to];
        }
    }
    EXPECT_EQ(shares[1], 2);
    EXPECT_EQ(shares[2], 2);
}

TEST(Match, TokensOnlyGrowAlsoOverARestart) {
    CoreRig rig;
    rig.submit("a");
    const LeaseToken first = rig.assign_to(1, "w1").lease.token;
    rig.restart();
    rig.submit("b");
    const LeaseToken second = rig.assign_to(2, "w2").lease.token;
    EXPECT_GT(second.number, first.number);
    EXPECT_EQ(second.number >> 32, 2U);
}

}  // namespace
}  // namespace zq::core
