// The store on disks that lose their power: a fixed set of seeds, a fresh one, and the controls,
// which prove that the tool sees what it must see.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <random>
#include <set>

#include "common/platform/digest.h"
#include "coordinator/core/event.h"
#include "tests/power/artifact_run.h"
#include "tests/power/journal_run.h"

namespace zq::power {
namespace {

constexpr std::uint64_t kFixedSeeds = 40;
constexpr std::uint64_t kControlSeeds = 300;
constexpr std::chrono::seconds kFreshTime{4};

std::string told(std::uint64_t seed, const RunReport& report) {
    std::string text = "seed " + std::to_string(seed) + "\n";
    for (const std::string& violation : report.violations) text += "  " + violation + "\n";
    return text + report.story;
}

template <class Run>
void expect_nothing_lost(std::uint64_t first, std::uint64_t seeds, std::chrono::seconds time) {
    const auto start = std::chrono::steady_clock::now();
    std::uint64_t cuts = 0;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
        if (std::chrono::steady_clock::now() - start > time) break;
        const RunReport report = Run(seed).run();
        ASSERT_TRUE(report.violations.empty()) << told(seed, report);
        cuts += report.cuts;
    }
    EXPECT_GT(cuts, 0U);
}

std::uint64_t fresh_seed() {
    const std::uint64_t seed = std::random_device()();
    std::printf("fresh seeds from %llu on\n", static_cast<unsigned long long>(seed));
    return seed;
}

/// The first seed whose run, under a fault, finds something that begins with `word`; 0: none does.
template <class Run, class Fault>
std::uint64_t first_seed_to_find(Fault fault, std::string_view word, std::uint64_t seeds) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        for (const std::string& violation : Run(seed, fault).run().violations) {
            if (violation.starts_with(word)) return seed;
        }
    }
    return 0;
}

TEST(JournalPower, NothingThatWasSaidIsLostWithTheseSeeds) {
    expect_nothing_lost<JournalRun>(1, kFixedSeeds, std::chrono::minutes(1));
}

TEST(JournalPower, NothingThatWasSaidIsLostWithFreshSeeds) {
    expect_nothing_lost<JournalRun>(fresh_seed(), UINT32_MAX, kFreshTime);
}

TEST(JournalPower, TheSameSeedIsTheSameRun) {
    for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
        const RunReport once = JournalRun(seed).run();
        const RunReport again = JournalRun(seed).run();
        EXPECT_EQ(once.calls, again.calls) << "seed " << seed;
        EXPECT_EQ(once.acknowledged, again.acknowledged) << "seed " << seed;
        EXPECT_EQ(once.trace, again.trace) << "seed " << seed;
    }
}

TEST(JournalPower, TheLoadMakesEveryKindOfEvent) {
    std::set<std::string_view> kinds;
    constexpr std::size_t kKinds = std::variant_size_v<core::EventBody>;
    for (std::uint64_t seed = 1; seed <= 120 && kinds.size() < kKinds; ++seed) {
        JournalRun run(seed);
        run.run();
        for (const core::Event& event : run.events()) kinds.insert(core::kind_of(event.body));
    }
    std::string made;
    for (const std::string_view kind : kinds) made += std::string(kind) + " ";
    EXPECT_EQ(kinds.size(), kKinds) << "only " << made;
}

TEST(JournalPowerControl, NormalSyncLosesWhatWasAcknowledged) {
    EXPECT_GT(first_seed_to_find<JournalRun>(JournalFault::kNormalSync, "lost", kControlSeeds), 0U);
}

TEST(JournalPowerControl, AStartThatSpeaksBeforeItsFirstCheckpointLosesWhatItSaid) {
    EXPECT_GT(first_seed_to_find<JournalRun>(JournalFault::kSaysAtOnce, "lost", kControlSeeds), 0U);
}

TEST(JournalPowerControl, AStartThatLeavesItsFirstCheckpointOutLosesWhatItSaid) {
    EXPECT_GT(first_seed_to_find<JournalRun>(JournalFault::kNoCheckpoint, "lost", kControlSeeds),
              0U);
}

TEST(JournalPowerControl, AStartThatTrustsALogWithAFailedSyncBehindItLosesWhatItSaid) {
    EXPECT_GT(first_seed_to_find<JournalRun>(JournalFault::kNoRewrite, "", kControlSeeds), 0U);
}

TEST(JournalPowerControl, WithoutTheFoldersSyncTheJournalIsLost) {
    EXPECT_GT(first_seed_to_find<JournalRun>(JournalFault::kNoFolderSync, "", kControlSeeds), 0U);
}

TEST(JournalPowerControl, AFileThatGoesBeforeItsEventIsDurableIsMissed) {
    EXPECT_GT(first_seed_to_find<JournalRun>(JournalFault::kRemovesAtOnce, "verify: content ",
                                             kControlSeeds),
              0U);
}

TEST(JournalPower, RetentionGoesByAgeAndByBytes) {
    std::set<RetentionRule> rules;
    for (std::uint64_t seed = 1; seed <= kFixedSeeds && rules.size() < 2; ++seed) {
        JournalRun run(seed);
        run.run();
        for (const core::Event& event : run.events()) {
            const auto* removed = std::get_if<core::ArtifactsRemoved>(&event.body);
            if (removed != nullptr) rules.insert(removed->rule);
        }
    }
    EXPECT_EQ(rules.size(), 2U);
}

TEST(ArtifactPower, APutThatWasAcknowledgedIsThereWholeWithTheseSeeds) {
    expect_nothing_lost<ArtifactRun>(1, 2 * kFixedSeeds, std::chrono::minutes(1));
}

TEST(ArtifactPower, APutThatWasAcknowledgedIsThereWholeWithFreshSeeds) {
    expect_nothing_lost<ArtifactRun>(fresh_seed(), UINT32_MAX, kFreshTime);
}

/// A process is killed at call `call` of a put, and its peer says its last chunk again to the next
/// one. True if there was no such call any more.
bool repeat_after_kill(std::uint64_t call, std::uint64_t seed) {
    const std::string data(3'000, 'd');
    const Digest digest = sha256(data);
    Random random(seed);
    ScratchFolder scratch;
    PowerDisk disk(scratch.path());
    const Mounted mounted(disk, 1);
    const store::FolderArtifactOptions options{.folder = scratch.path() + "/artifacts",
                                               .keep_free = 0};
    auto store = store::FolderArtifactStore::open(options).value();
    disk.plan_stop(Stop::kKill, call);
    if (store->begin(digest, data.size())) static_cast<void>(store->append(digest, 0, data));
    if (!disk.stopped()) return true;
    disk.go_on(random);
    store = store::FolderArtifactStore::open(options).value();
    auto said = store->append(digest, data.size() - 1, data.substr(data.size() - 1));
    store.reset();
    disk.lose_power(random);
    store = store::FolderArtifactStore::at(options.folder);
    if (said) {
        EXPECT_TRUE(store->verify(digest).has_value()) << "killed at call " << call;
    }
    return false;
}

TEST(ArtifactPower, ALastChunkSaidAgainToANewProcessIsDurableWhenItIsAcknowledged) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        std::uint64_t call = 1;
        while (!repeat_after_kill(call, seed)) ++call;
        EXPECT_GT(call, 5U);
    }
}

TEST(ArtifactPowerControl, WithoutTheFilesSyncWrongBytesStandUnderAName) {
    EXPECT_GT(first_seed_to_find<ArtifactRun>(ArtifactFault::kNoFileSync, "wrong", kControlSeeds),
              0U);
}

TEST(ArtifactPowerControl, WithoutTheFoldersSyncARemovedContentComesBack) {
    EXPECT_GT(first_seed_to_find<ArtifactRun>(ArtifactFault::kNoFolderSync, "back", kControlSeeds),
              0U);
}

TEST(ArtifactPowerControl, WithoutTheFoldersSyncAnAcknowledgedPutIsLost) {
    EXPECT_GT(first_seed_to_find<ArtifactRun>(ArtifactFault::kNoFolderSync, "lost", kControlSeeds),
              0U);
}

}  // namespace
}  // namespace zq::power
