// What `zq doctor` makes of the figures it is given.
#include "cli/doctor.h"

#include <gtest/gtest.h>

namespace zq::cli {
namespace {

using Healths = std::vector<Health>;

Healths healths(const Findings& findings) {
    Healths all;
    for (const Finding& finding : findings) {
        all.push_back(finding.health);
        EXPECT_EQ(finding.health == Health::kOk, finding.fix.empty()) << finding.found;
        EXPECT_EQ(finding.fix.find('\n'), std::string::npos) << finding.fix;
    }
    return all;
}
Health health(const Finding& finding) {
    return healths({finding}).front();
}

const Instant kNow{1'800'000'000'000};

TEST(DoctorClock, CountsTheRoundTripForNobody) {
    EXPECT_EQ(health(judge_clock({kNow, kNow + millis(10), millis(20)})), Health::kOk);
    // Five seconds away, but the answer took ten: it may be right.
    EXPECT_EQ(health(judge_clock({kNow, kNow + seconds(10), seconds(10)})), Health::kOk);
    EXPECT_EQ(health(judge_clock({kNow, kNow + seconds(10), millis(20)})), Health::kWarn);
    EXPECT_EQ(health(judge_clock({kNow, kNow - seconds(10), millis(20)})), Health::kWarn);
    EXPECT_EQ(health(judge_clock({kNow, kNow + hours(1), millis(20)})), Health::kFail);
    EXPECT_NE(judge_clock({kNow, kNow - hours(1), millis(20)}).found.find("behind"),
              std::string::npos);
}

wire::WorkerRow worker(const std::string& name, const std::string& program = "zq-worker 1.0.0") {
    wire::WorkerRow row;
    row.worker = WorkerName(name);
    row.program = program;
    row.heard_at = kNow - seconds(5);
    return row;
}

TEST(DoctorVersions, NamesWhoIsOfAnother) {
    EXPECT_EQ(healths(judge_versions("1.0.0", "zq-coordinator 1.0.0", {worker("a")})),
              (Healths{Health::kOk}));
    EXPECT_EQ(healths(judge_versions("1.0.1", "zq-coordinator 1.0.0", {})),
              (Healths{Health::kWarn}));
    const Findings found = judge_versions(
        "1.0.0", "zq-coordinator 1.0.0",
        {worker("a"), worker("b", "zq-worker 0.9.0"), worker("c", "my-worker.py 7")});
    EXPECT_EQ(healths(found), (Healths{Health::kWarn}));
    EXPECT_NE(found[0].found.find("b (0.9.0)"), std::string::npos) << found[0].found;
    EXPECT_EQ(found[0].found.find("my-worker"), std::string::npos) << "it counts by itself";
}

wire::RoleRow role(std::uint64_t queued, std::uint32_t workers) {
    wire::RoleRow row;
    row.role = RoleName("review");
    row.queued = queued;
    row.workers = workers;
    return row;
}

TEST(DoctorRoles, FindTasksThatNobodyTakes) {
    EXPECT_EQ(healths(judge_roles({role(3, 1), role(0, 0)})), (Healths{Health::kOk}));
    EXPECT_EQ(healths(judge_roles({role(3, 0)})), (Healths{Health::kWarn}));
    wire::RoleRow paused = role(3, 1);
    paused.paused = true;
    EXPECT_EQ(judge_roles({paused})[0].fix, "zq role resume review");
    wire::RoleRow closed = role(0, 1);
    closed.closed = true;
    EXPECT_EQ(healths(judge_roles({closed})), (Healths{Health::kWarn}));
}

TEST(DoctorWorkers, FindTheOnesThatGetNothing) {
    wire::WorkerRow paused = worker("a");
    paused.paused = true;
    wire::WorkerRow draining = worker("b");
    draining.draining = true;
    EXPECT_EQ(healths(judge_workers({paused, draining, worker("c")})),
              (Healths{Health::kWarn, Health::kWarn}));
    EXPECT_EQ(healths(judge_workers({worker("c")})), (Healths{Health::kOk}));
    EXPECT_EQ(healths(judge_workers({})), (Healths{Health::kWarn}));
}

wire::LeaseRow lease(const std::string& holder, Millis left, bool by_hand = false) {
    wire::LeaseRow row;
    row.task = TaskId("t-1");
    row.worker = WorkerName(holder);
    row.deadline = kNow + left;
    row.by_hand = by_hand;
    return row;
}

TEST(DoctorLeases, FindThoseThatNobodyRenews) {
    // Heard 5 s ago: a lease with more left than that was renewed in time, however short it is.
    EXPECT_EQ(healths(judge_leases({lease("a", seconds(6))}, {worker("a")}, kNow)),
              (Healths{Health::kOk}));
    EXPECT_EQ(healths(judge_leases({lease("a", seconds(4))}, {worker("a")}, kNow)),
              (Healths{Health::kWarn}));
    EXPECT_EQ(healths(judge_leases({lease("gone", seconds(50))}, {worker("a")}, kNow)),
              (Healths{Health::kWarn}));
    EXPECT_EQ(healths(judge_leases({lease("me", seconds(50), true)}, {}, kNow)),
              (Healths{Health::kWarn}));
    EXPECT_EQ(healths(judge_leases({lease("me", minutes(20), true)}, {}, kNow)),
              (Healths{Health::kOk}));
    EXPECT_EQ(healths(judge_leases({}, {}, kNow)), (Healths{Health::kOk}));
}

TEST(DoctorStorage, FailsWhereSubmitsAreRefused) {
    wire::StatusReply status;
    EXPECT_EQ(health(judge_storage(status)), Health::kOk);
    status.storage_full = true;
    EXPECT_EQ(health(judge_storage(status)), Health::kFail);
}

TEST(DoctorDeadLetters, AreFoundWhileTheyGrow) {
    wire::StatsRow row;
    row.dlq = 7;
    EXPECT_EQ(health(judge_dead_letters(row)), Health::kOk);
    row.dlq_growth = 2;
    EXPECT_EQ(health(judge_dead_letters(row)), Health::kWarn);
    row.dlq_growth = -2;
    EXPECT_EQ(health(judge_dead_letters(row)), Health::kOk);
}

TEST(DoctorOpenFiles, ComparesTheLimitWithWhatIsServed) {
    const auto judged = [](const std::string& limit, const std::string& sessions) {
        wire::StatusReply status;
        status.counters = {{"open_file_limit", limit}, {"sessions", sessions}};
        return health(judge_open_files(status));
    };
    EXPECT_EQ(judged("65536", "100"), Health::kOk);
    EXPECT_EQ(judged("1024", "10"), Health::kWarn);
    EXPECT_EQ(judged("10000", "4500"), Health::kWarn);
    EXPECT_EQ(judged("10000", "6000"), Health::kFail);
    EXPECT_EQ(health(judge_open_files({})), Health::kOk) << "one that does not say it";
}

TEST(DoctorDisk, FailsWhereTheCoordinatorWouldRefuse) {
    EXPECT_EQ(health(judge_disk("d", {10ULL << 30, 20ULL << 30})), Health::kOk);
    EXPECT_EQ(health(judge_disk("d", {500ULL << 20, 20ULL << 30})), Health::kWarn);
    EXPECT_EQ(health(judge_disk("d", {63ULL << 20, 20ULL << 30})), Health::kFail);
}

TEST(DoctorSyncs, GoByTheMiddleOneAndTellTheSlowest) {
    std::vector<std::int64_t> micros(50, 400);
    micros.back() = 900'000;
    const Finding good = judge_syncs(micros);
    EXPECT_EQ(health(good), Health::kOk);
    EXPECT_EQ(good.found, "p50 0.4 ms, p99 900.0 ms of 50 syncs of 4 KiB");
    EXPECT_EQ(health(judge_syncs(std::vector<std::int64_t>(50, 10'001))), Health::kWarn);
    EXPECT_EQ(health(judge_syncs(std::vector<std::int64_t>(8, 300'000))), Health::kFail);
    EXPECT_EQ(health(judge_syncs({})), Health::kFail);
}

}  // namespace
}  // namespace zq::cli
