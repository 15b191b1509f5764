// Pauses and limits at the edge: what SET_CONTROL is answered and when, and what CONTROLS lists.
#include <gtest/gtest.h>

#include "tests/edge/control_rig.h"

namespace zq::coordinator {
namespace {

wire::SetControl pause(ControlKind kind, const std::string& name) {
    wire::SetControl set;
    set.kind = kind;
    set.name = name;
    set.paused = true;
    return set;
}

/// `KIND NAME` of each row.
std::vector<std::string> names_of(const wire::ControlRows& rows) {
    std::vector<std::string> names;
    for (const wire::ControlRow& row : rows.rows) {
        names.push_back(std::string(to_string(row.control.kind)) + " " + row.control.name);
    }
    return names;
}

TEST_F(ControlTest, AControlIsAnsweredOnceItIsOnDiskAndSaysWhoSaidIt) {
    wire::SetControl set = pause(ControlKind::kRole, "r");
    set.reason = "later";
    tell("c", set);
    turn();
    EXPECT_FALSE(take("c"));
    sync();
    const wire::ControlView view = expect<wire::ControlSet>("c").control;
    EXPECT_TRUE(view.paused);
    EXPECT_EQ(view.reason, "later");
    EXPECT_EQ(view.by, kLocalIdentity);
    EXPECT_EQ(view.at, now_);
    const Seq before = pipeline_.durable_seq();
    tell("c", set, 2);
    turn_and_sync();
    EXPECT_TRUE(expect<wire::ControlSet>("c").control.paused);
    EXPECT_EQ(pipeline_.durable_seq(), before) << "repeated, it changes nothing";
}

TEST_F(ControlTest, ControlsListsWhatWasSaidAndTheLimitKeysOfOpenTasks) {
    wire::Submit task = submit("t");
    task.task.limit_key = "account-7";
    tell("c", task);
    tell("c", pause(ControlKind::kRole, "r"), 2);
    tell("c", pause(ControlKind::kLimitKey, "api"), 3);
    turn_and_sync();
    for (int i = 0; i < 3; ++i) take("c");
    tell("c", wire::Controls{}, 4);
    turn_and_sync();
    const auto rows = expect<wire::ControlRows>("c");
    EXPECT_EQ(names_of(rows),
              (std::vector<std::string>{"role r", "limit_key account-7", "limit_key api"}));
    EXPECT_EQ(rows.rows.at(0).ready, 1U);
    EXPECT_EQ(rows.rows.at(1).ready, 1U);
    tell("c", wire::Controls{ControlKind::kLimitKey, "api"}, 5);
    turn_and_sync();
    EXPECT_EQ(names_of(expect<wire::ControlRows>("c")), std::vector<std::string>{"limit_key api"});
}

TEST_F(ControlTest, AWorkerThatDrainsIsToldSoInEveryBeat) {
    wire::Hello greeting = hello("w");
    greeting.labels = {"region=eu", "gpu"};
    tell("w", greeting);
    turn_and_sync();
    expect<wire::Welcome>("w");
    tell("c", wire::Workers{});
    turn_and_sync();
    EXPECT_EQ(expect<wire::WorkerRows>("c").rows.at(0).labels,
              (std::vector<std::string>{"gpu", "region=eu"}));
    wire::SetControl set;
    set.kind = ControlKind::kWorker;
    set.name = "w";
    set.drain = true;
    tell("c", set, 2);
    turn_and_sync();
    EXPECT_TRUE(expect<wire::ControlSet>("c").control.draining);
    while (take("w")) {
    }
    for (std::uint64_t id : {2, 3}) {
        tell("w", wire::Heartbeat{1, {}, {}, {}}, id);
        turn_and_sync();
        EXPECT_TRUE(expect<wire::Beat>("w").drain);
    }
    tell("c", submit("t"), 3);
    turn_and_sync();
    EXPECT_FALSE(take("w")) << "it is given nothing";
}

TEST_F(ControlTest, LabelsThatAreNoneAreRefusedAtHelloAndAtSubmit) {
    wire::Hello greeting = hello("w");
    greeting.labels = {"two words"};
    tell("w", greeting);
    turn_and_sync();
    EXPECT_EQ(expect<wire::ErrorReply>("w").field, "labels");
    wire::Submit task = submit("t");
    task.task.needs = {"region="};
    tell("c", task);
    turn_and_sync();
    EXPECT_EQ(expect<wire::ErrorReply>("c").field, "task.needs");
}

}  // namespace
}  // namespace zq::coordinator
