// Samples of pauses and limits: what an operator says of roles, limit keys and workers, and what
// workers and tasks say that bears on it.
#include "tests/vectors/samples.h"

namespace zq::vectors {
namespace {

constexpr Instant kSaid{1'795'177'867'042};

Limits role_limits() {
    Limits limits;
    limits.concurrency = 4;
    limits.rate = Rate{60, minutes(1), 10};
    limits.max_open = 10'000;
    limits.max_bytes = 1ULL << 30;
    return limits;
}

/// No concurrency limit, whatever the configuration says; ten starts a second.
Limits key_limits() {
    Limits limits;
    limits.concurrency = 0;
    limits.rate = Rate{10, seconds(1), 1};
    return limits;
}

wire::SetControl pause_role() {
    wire::SetControl m;
    m.kind = ControlKind::kRole;
    m.name = "review-worker";
    m.paused = true;
    m.reason = "the model is down";
    return m;
}

wire::SetControl resume_role() {
    wire::SetControl m;
    m.kind = ControlKind::kRole;
    m.name = "review-worker";
    m.paused = false;
    m.closed = false;
    return m;
}

wire::SetControl limit_role() {
    wire::SetControl m;
    m.kind = ControlKind::kRole;
    m.name = "review-worker";
    m.limits = role_limits();
    m.reset = true;
    return m;
}

wire::SetControl limit_key() {
    wire::SetControl m;
    m.kind = ControlKind::kLimitKey;
    m.name = "*";
    m.limits = key_limits();
    return m;
}

wire::SetControl drain_worker() {
    wire::SetControl m;
    m.kind = ControlKind::kWorker;
    m.name = "gpu-2-1";
    m.drain = true;
    m.reason = "new driver";
    return m;
}

wire::ControlView role_view() {
    wire::ControlView view;
    view.kind = ControlKind::kRole;
    view.name = "review-worker";
    view.paused = true;
    view.closed = true;
    view.reason = "the model is down";
    view.by = Identity("anna@0123456789abcdef");
    view.at = kSaid;
    view.limits = role_limits();
    return view;
}

wire::ControlView worker_view() {
    wire::ControlView view;
    view.kind = ControlKind::kWorker;
    view.name = "gpu-2-1";
    view.draining = true;
    view.by = kLocalIdentity;
    view.at = kSaid;
    return view;
}

wire::ControlView held_key() {
    wire::ControlView view;
    view.kind = ControlKind::kLimitKey;
    view.name = "account-7";
    view.held_until = kSaid + minutes(10);
    view.held_by = TaskId("task-123");
    return view;
}

wire::ControlRows control_rows() {
    wire::ControlRow role;
    role.control = role_view();
    role.limits = role_limits();
    role.ready = 12;
    role.running = 4;
    role.opens_at = kSaid + seconds(1);
    wire::ControlRow key;
    key.control = held_key();
    key.limits = key_limits();
    key.ready = 2;
    wire::ControlRow worker;
    worker.control = worker_view();
    wire::ControlRows m;
    m.rows = {role, key, worker};
    m.more = true;
    return m;
}

wire::Controls controls_of_key() {
    wire::Controls m;
    m.kind = ControlKind::kLimitKey;
    m.name = "account-7";
    return m;
}

wire::Submit submit_limited() {
    wire::Submit m;
    m.task = small_task();
    m.task.limit_key = "account-7";
    m.task.needs = {"gpu", "region=eu"};
    return m;
}

wire::ErrorReply draining() {
    wire::ErrorReply m;
    m.code = ErrorCode::DRAINING;
    m.message = "role review-worker takes no new tasks (the model is down)";
    m.field = "task.to";
    return m;
}

wire::StatusReply limited_status() {
    wire::RoleRow role;
    role.role = RoleName("review-worker");
    role.queued = 12;
    role.running = 4;
    role.workers = 1;
    role.slots = 4;
    role.open_bytes = 5'000;
    role.paused = true;
    role.closed = true;
    role.limits = role_limits();
    wire::StatusReply m;
    m.program = "zq-coordinator 0.1.0";
    m.journal = "0123456789abcdef";
    m.started_at = kSaid;
    m.now = kSaid + hours(1);
    m.last_seq = 70'000;
    m.chain_head = digest_from(0x80);
    m.roles = {role};
    return m;
}

wire::WorkerRows labelled_rows() {
    wire::WorkerRow row;
    row.worker = WorkerName("gpu-2-1");
    row.identity = kLocalIdentity;
    row.state_id = StateId("00112233445566778899aabbccddeeff");
    row.incarnation = 2;
    row.roles = {RoleName("review-worker")};
    row.slots = 4;
    row.connected_at = kSaid;
    row.heard_at = kSaid + seconds(10);
    row.labels = {"gpu", "region=eu"};
    row.paused = true;
    row.draining = true;
    wire::WorkerRows m;
    m.rows = {row};
    return m;
}

}  // namespace

wire::Hello labelled_hello() {
    wire::Hello m;
    m.worker = WorkerName("gpu-2-1");
    m.state_id = StateId("00112233445566778899aabbccddeeff");
    m.incarnation = 1;
    m.roles = {RoleName("review-worker")};
    m.slots = 4;
    m.labels = {"gpu", "region=eu"};
    return m;
}

wire::Beat draining_beat() {
    wire::Beat m;
    m.leases = {{lease_number(1), Verdict::kOk}};
    m.drain = true;
    return m;
}

std::vector<Sample> control_samples() {
    return {
        {"submit-limited", {request(2), submit_limited(), {}}},
        {"error-draining", {reply(2), draining(), {}}},
        {"set-control", {request(13), pause_role(), {}}},
        {"set-control-resume", {request(13), resume_role(), {}}},
        {"set-control-limits", {request(13), limit_role(), {}}},
        {"set-control-key", {request(13), limit_key(), {}}},
        {"set-control-drain", {request(13), drain_worker(), {}}},
        {"control-set", {reply(13, 45), wire::ControlSet{role_view()}, {}}},
        {"control-set-drain", {reply(13, 45), wire::ControlSet{worker_view()}, {}}},
        {"controls", {request(14), wire::Controls{}, {}}},
        {"controls-key", {request(14), controls_of_key(), {}}},
        {"control-rows", {reply(14), control_rows(), {}}},
        {"status-limited", {reply(8), limited_status(), {}}},
        {"worker-rows-labelled", {reply(6), labelled_rows(), {}}},
    };
}

}  // namespace zq::vectors
