// Replay and recovery: the same events give the same durable state, whatever the way.
#include <random>

#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

void expect_same(const Durable& a, const Durable& b) {
    EXPECT_EQ(a.journal, b.journal);
    EXPECT_EQ(a.epoch, b.epoch);
    EXPECT_EQ(a.last_token, b.last_token);
    EXPECT_EQ(a.last_seq, b.last_seq);
    EXPECT_EQ(a.open, b.open);
    EXPECT_EQ(a.roles_served, b.roles_served);
    EXPECT_EQ(a.requests, b.requests);
}

/// A busy, seeded run of everything that a few workers and clients may do.
void play(CoreRig& rig, unsigned seed, int steps) {
    std::mt19937 random(seed);
    auto chance = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    std::map<std::string, LeaseToken> held;
    for (int step = 0; step < steps; ++step) {
        const std::string id = "t" + std::to_string(chance(40));
        const SessionId session = 1 + chance(3);
        switch (chance(9)) {
            case 0:
                rig.submit(id);
                break;
            case 1:
                rig.hello(session, "w" + std::to_string(session), 1 + chance(3));
                break;
            case 2:
                for (const auto& a : CoreRig::assignments(rig.ready(session, 1 + chance(3)))) {
                    held[a.task.id.text] = a.lease.token;
                }
                break;
            case 3:
                rig.complete(id, held[id]);
                break;
            case 4:
                rig.fail_attempt(id, held[id]);
                break;
            case 5:
                rig.run(CancelTask{TaskId(id), "chance"});
                break;
            case 6:
                rig.heartbeat(session, {held[id]}, chance(2));
                break;
            case 7:
                rig.advance(seconds(chance(90)));
                break;
            case 8:
                rig.run(ClaimTask{RoleName("review"), TaskId(), "me", minutes(1)});
                break;
            default:
                break;
        }
        if (chance(50) == 0) rig.restart();
    }
}

TEST(Replay, OfEveryEventFromNothingGivesTheSameDurableState) {
    for (unsigned seed = 1; seed <= 30; ++seed) {
        CoreRig rig;
        play(rig, seed, 400);
        State replayed;
        for (const Event& event : rig.journal) apply(replayed, event);
        expect_same(rig.state.durable, replayed.durable);
        if (HasFailure()) FAIL() << "seed " << seed;
    }
}

TEST(Replay, SeesEveryKindOfEvent) {
    std::set<std::string_view> kinds;
    for (unsigned seed = 1; seed <= 30; ++seed) {
        CoreRig rig;
        play(rig, seed, 400);
        for (const Event& event : rig.journal) kinds.insert(kind_of(event.body));
    }
    for (const char* kind : {"epoch_started", "task_submitted", "task_ready", "task_assigned",
                             "lease_resumed", "attempt_ended", "cancel_requested", "task_cancelled",
                             "role_served", "request_recorded"}) {
        EXPECT_TRUE(kinds.contains(kind)) << kind;
    }
}

TEST(Replay, AMoveThatIsNotInTheTableStopsTheProcess) {
    CoreRig rig;
    rig.submit("a");
    Event illegal{rig.state.durable.last_seq + 1,   rig.now,         1,
                  {kDefaultNamespace, TaskId("a")}, kSystemIdentity, CancelRequested{""}};
    EXPECT_DEATH(apply(rig.state, illegal), "check failed");
}

}  // namespace
}  // namespace zq::core
