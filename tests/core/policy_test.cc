// Another policy in the midst of service: what it lets go on goes on at once, and the journal knows
// nothing of it.
#include "coordinator/core/gates.h"
#include "tests/core/control_words.h"

namespace zq::core {
namespace {

/// As the coordinator does it when its settings were read again.
std::vector<Effect> change(CoreRig& rig, const Policy& policy) {
    const NotePolicy noted{other_rates(rig.policy, policy)};
    rig.policy = policy;
    return rig.run(noted);
}

Policy with_role(const Limits& limits) {
    Policy policy;
    policy.role_limits[RoleName("review")] = limits;
    return policy;
}

TEST(PolicyChange, LetsStartAtOnceWhatABoundHeldBack) {
    CoreRig rig;
    rig.policy = with_role(concurrency(1));
    for (const char* id : {"a", "b", "c"}) rig.submit(id);
    rig.hello(1, "w1");
    EXPECT_EQ(names(rig.ready(1, 8)), (Ids{"a"}));
    EXPECT_EQ(names(change(rig, with_role(concurrency(2)))), (Ids{"b"}));
    EXPECT_EQ(names(change(rig, Policy{})), (Ids{"c"}));
}

TEST(PolicyChange, ToALowerBoundEndsNothingThatRuns) {
    CoreRig rig;
    for (const char* id : {"a", "b", "c"}) rig.submit(id);
    rig.hello(1, "w1");
    EXPECT_EQ(names(rig.ready(1, 2)), (Ids{"a", "b"}));
    change(rig, with_role(concurrency(1)));
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
    EXPECT_EQ(rig.state_of("b"), TaskState::kRunning);
    EXPECT_TRUE(names(rig.ready(1, 6)).empty());
}

TEST(PolicyChange, BeginsAnotherRateAnewAndLeavesTheSameOneAsItIs) {
    CoreRig rig;
    rig.policy = with_role(rate(1, hours(1)));
    rig.policy.key_limits["a"] = rate(1, hours(1));
    for (const char* id : {"r1", "r2"}) rig.submit(id);
    for (const char* id : {"k1", "k2"}) rig.submit(keyed(id, "a", "build"));
    rig.run(open_session(1, "w1", {"review", "build"}));
    EXPECT_EQ(names(rig.ready(1, 8)), (Ids{"k1", "r1"}));
    Policy policy = rig.policy;
    policy.role_limits[RoleName("review")] = rate(60, minutes(1));
    EXPECT_EQ(names(change(rig, policy)), (Ids{"r2"}));
    EXPECT_EQ(rig.state_of("k2"), TaskState::kQueued) << "its rate is the one it was";
}

TEST(PolicyChange, NamesTheRatesThatAreOthers) {
    Policy before = with_role(rate(1, hours(1)));
    before.key_limits["a"] = rate(1, hours(1));
    before.key_limits["b"] = rate(1, hours(1));
    Policy after = before;
    after.role_limits.clear();
    after.key_limits["a"] = concurrency(1);
    after.key_limits["*"] = rate(2, hours(1));
    std::vector<std::string> found;
    for (const ControlKey& key : other_rates(before, after)) found.push_back(key.name);
    EXPECT_EQ(found, (Ids{"review", "*", "a"}));
    EXPECT_TRUE(other_rates(before, before).empty());
}

TEST(PolicyChange, IsNoEvent) {
    CoreRig rig;
    const std::size_t before = rig.journal.size();
    change(rig, with_role(rate(1, hours(1))));
    EXPECT_EQ(rig.journal.size(), before);
}

TEST(PolicyChange, BoundsTheNextSubmit) {
    CoreRig rig;
    rig.policy.max_open_tasks = 1;
    rig.submit("a");
    EXPECT_EQ(CoreRig::refusal(rig.submit("b")), "QUEUE_FULL");
    Policy policy;
    policy.max_open_tasks = 2;
    change(rig, policy);
    rig.submit("b");
    EXPECT_EQ(rig.state_of("b"), TaskState::kQueued);
}

}  // namespace
}  // namespace zq::core
