// What a supervisor sees of a command that lingers or is silent; the times are the test's.
#include "worker/watch.h"

#include "tests/worker/folder_rig.h"

namespace zq::worker {
namespace {

class Watching : public ::testing::Test {
  protected:
    Watching() { EXPECT_TRUE(make_workspace(workspace).has_value()); }

    /// The first time up to `until` at which the watch says something, looking when it wants to.
    std::optional<std::pair<StopCause, Millis>> look_until(Watch& watch, Millis until) {
        while (watch.deadline() <= until) {
            const Millis now = watch.deadline();
            if (auto cause = watch.look(signs, now)) return std::pair(*cause, now);
        }
        return std::nullopt;
    }
    void say(const std::string& text) { folder.write("attempts/a/output", text); }

    FolderRig folder;
    Workspace workspace{folder.file("attempts/a")};
    Signs signs;
};

TEST_F(Watching, AFinalWordIsGivenItsLingerAndNoMore) {
    Watch watch(workspace, {minutes(15), seconds(30)}, seconds(100));
    EXPECT_FALSE(look_until(watch, seconds(200)).has_value());
    say("status=completed\n");
    const auto ended = look_until(watch, seconds(300));
    ASSERT_TRUE(ended.has_value());
    EXPECT_EQ(ended->first, StopCause::kLingered);
    EXPECT_GE(ended->second, seconds(230));
    EXPECT_LE(ended->second, seconds(232));
}

TEST_F(Watching, AClosingRecordIsAFinalWordToo) {
    Watch watch(workspace, {Millis{}, seconds(30)}, seconds(100));
    signs.final_record = true;
    const auto ended = look_until(watch, seconds(200));
    ASSERT_TRUE(ended.has_value());
    EXPECT_EQ(ended->first, StopCause::kLingered);
}

TEST_F(Watching, AResultASummaryAndAnUnfinishedLineAreNone) {
    Watch watch(workspace, {Millis{}, seconds(30)}, Millis{});
    folder.write("attempts/a/out/result.md", "done\n");
    say("summary=all well\nstatus=completed");
    EXPECT_FALSE(look_until(watch, hours(1)).has_value());
}

TEST_F(Watching, AWordThatIsTakenBackCountsNoMore) {
    Watch watch(workspace, {Millis{}, seconds(30)}, Millis{});
    say("status=failed\n");
    EXPECT_FALSE(look_until(watch, seconds(10)).has_value());
    say("status=failed\nstatus=\n");
    EXPECT_FALSE(look_until(watch, hours(1)).has_value());
}

TEST_F(Watching, SilenceForTheStallTimeoutIsAStall) {
    Watch watch(workspace, {minutes(15), seconds(30)}, seconds(100));
    const auto ended = look_until(watch, hours(2));
    ASSERT_TRUE(ended.has_value());
    EXPECT_EQ(ended->first, StopCause::kStalled);
    EXPECT_EQ(ended->second, seconds(100) + minutes(15));
}

TEST_F(Watching, OutputAndAChangeInTheFolderAreSignsOfLife) {
    Watch watch(workspace, {minutes(15), seconds(30)}, Millis{});
    EXPECT_FALSE(look_until(watch, minutes(10)).has_value());
    signs.output_bytes = 1;
    EXPECT_FALSE(look_until(watch, minutes(20)).has_value());
    folder.write("attempts/a/out/deep/down/file", "x");
    const auto ended = look_until(watch, hours(2));
    ASSERT_TRUE(ended.has_value());
    EXPECT_GE(ended->second, minutes(35));
    EXPECT_LE(ended->second, minutes(37));
}

TEST_F(Watching, TimeSpentFrozenIsNeitherSilenceNorLingering) {
    Watch watch(workspace, {minutes(15), seconds(30)}, Millis{});
    EXPECT_FALSE(look_until(watch, minutes(14)).has_value());
    watch.shift(minutes(60));
    EXPECT_FALSE(look_until(watch, minutes(74)).has_value());
    EXPECT_TRUE(look_until(watch, minutes(76)).has_value());
}

TEST_F(Watching, AStallTimeoutOfZeroIsNone) {
    Watch watch(workspace, {Millis{}, seconds(30)}, Millis{});
    EXPECT_FALSE(look_until(watch, hours(5)).has_value());
}

}  // namespace
}  // namespace zq::worker
