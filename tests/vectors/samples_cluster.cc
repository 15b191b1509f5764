// Samples of what clients read of the coordinator as a whole: workers, leases, status, figures.
#include "tests/vectors/samples.h"

namespace zq::vectors {
namespace {

constexpr Instant kSubmitted{1'795'177'867'042};

wire::WorkerRows worker_rows() {
    wire::WorkerRow row;
    row.worker = WorkerName("gpu-2-1");
    row.identity = Identity("gpu-2@0123456789abcdef");
    row.state_id = StateId("00112233445566778899aabbccddeeff");
    row.incarnation = 2;
    row.roles = {RoleName("review-worker"), RoleName("research")};
    row.slots = 4;
    row.free = 3;
    row.running = 1;
    row.connected_at = kSubmitted;
    row.heard_at = kSubmitted + seconds(10);
    row.program = "zq-worker 0.1.0";
    wire::WorkerRows m;
    m.rows = {row};
    return m;
}

wire::LeaseRows lease_rows() {
    wire::LeaseRow row;
    row.task = TaskId("task-123");
    row.role = RoleName("implementation-worker");
    row.attempt = 2;
    row.worker = WorkerName("anna");
    row.identity = kLocalIdentity;
    row.by_hand = true;
    row.confirmed = true;
    row.since = kSubmitted;
    row.deadline = kSubmitted + minutes(30);
    row.state = TaskState::kCancelling;
    wire::LeaseRows m;
    m.rows = {row};
    m.more = true;
    return m;
}

wire::StatusReply status() {
    wire::RoleRow role;
    role.role = RoleName("review-worker");
    role.queued = 12;
    role.waiting = 1;
    role.running = 4;
    role.dead = 2;
    role.workers = 2;
    role.slots = 4;
    role.oldest = minutes(3);
    role.kept = 1'000;
    role.kept_bytes = 5'000'000;
    role.dead_bytes = 70'000;
    wire::StatusReply m;
    m.program = "zq-coordinator 0.1.0";
    m.journal = "0123456789abcdef";
    m.started_at = kSubmitted;
    m.now = kSubmitted + hours(1);
    m.last_seq = 70'000;
    m.chain_head = digest_from(0x80);
    m.roles = {role};
    m.counters = {{"bad_messages", "3"}, {"submits", "20"}};
    m.storage_full = true;
    return m;
}

wire::Stats stats() {
    wire::Stats m;
    m.by = StatsBy::kRole;
    m.window = hours(24);
    return m;
}

wire::StatsReply stats_reply() {
    wire::StatsRow row;
    row.name = "review-worker";
    row.depth = {{TaskState::kQueued, 12}, {TaskState::kRunning, 4}};
    row.oldest = minutes(3);
    row.dlq = 2;
    row.workers = 2;
    row.slots = 4;
    row.heard = seconds(7);
    row.submitted = 130;
    row.completed = 110;
    row.skipped = 2;
    row.cancelled = 1;
    row.dead = 3;
    row.expired = 1;
    row.dlq_growth = -2;
    row.started = 125;
    row.retries = 9;
    row.failed = 8;
    row.lost = 1;
    row.wait = {121, seconds(2), seconds(9), seconds(40)};
    row.run = {120, minutes(4), minutes(9), minutes(30)};
    row.total = {112, minutes(5), minutes(11), minutes(40)};
    row.cost_usd_micros = 9'900'000;
    row.input_tokens = 1'200'000;
    row.output_tokens = 80'000;
    wire::StatsReply m;
    m.now = kSubmitted + hours(24);
    m.since = kSubmitted;
    m.rows = {row};
    m.more = true;
    return m;
}

wire::UsageQuery usage_of_group() {
    wire::UsageQuery m;
    m.role = RoleName("review-worker");
    m.group = GroupName("release-7");
    m.before = 70'000;
    m.limit = 500;
    return m;
}

wire::UsageQuery usage_of_task() {
    wire::UsageQuery m;
    m.task = TaskId("task-123");
    return m;
}

wire::UsageRows usage_rows() {
    wire::UsageRow row;
    row.task = TaskId("task-123");
    row.attempt = 2;
    row.role = RoleName("review-worker");
    row.group = GroupName("release-7");
    row.model = "small";
    row.cost_usd_micros = 90'000;
    row.input_tokens = 12'000;
    row.output_tokens = 800;
    return {{row}, 41};
}

}  // namespace

std::vector<Sample> cluster_samples() {
    wire::Leases leases;
    leases.role = RoleName("review-worker");
    return {
        {"usage", {request(10), usage_of_group(), {}}},
        {"usage-task", {request(10), usage_of_task(), {}}},
        {"usage-rows", {reply(10), usage_rows(), {}}},
        {"workers", {request(6), wire::Workers{}, {}}},
        {"worker-rows", {reply(6), worker_rows(), {}}},
        {"leases", {request(7), leases, {}}},
        {"lease-rows", {reply(7), lease_rows(), {}}},
        {"status", {request(8), wire::Status{}, {}}},
        {"status-reply", {reply(8), status(), {}}},
        {"stats", {request(11), stats(), {}}},
        {"stats-all", {request(11), wire::Stats{}, {}}},
        {"stats-reply", {reply(11), stats_reply(), {}}},
    };
}

}  // namespace zq::vectors
