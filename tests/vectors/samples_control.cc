// Samples of pauses and limits: what an operator says of roles, limit keys and workers, and what
// workers and tasks say that bears on it.
#include "common/platform/digest.h"
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

namespace {

KeyAccess worker_access() {
    return {Identity("gpu-2@0011223344556677"),
            KeyKind::kWorker,
            {"put", "read:own", "submit:*", "work:review-worker"},
            kSaid + days(90),
            Identity("admin@8899aabbccddeeff")};
}

wire::AccessRows access_rows() {
    wire::AccessRow worker;
    worker.fingerprint = "0011223344556677";
    worker.name = "gpu-2";
    worker.role = RoleName("review-worker");
    worker.access = worker_access();
    wire::AccessRow invitation;
    invitation.fingerprint = "ffeeddccbbaa9988";
    invitation.name = "laptops";
    invitation.access = {
        Identity("laptops@ffeeddccbbaa9988"), KeyKind::kInvitation, {"submit:*"}, {}, {}};
    invitation.uses = 5;
    wire::AccessRows m;
    m.rows = {worker, invitation};
    m.more = true;
    return m;
}

wire::SetAccess grant_and_revoke() {
    wire::SetAccess m;
    m.key = "gpu-2";
    m.grant = {"read:group:nightly"};
    m.revoke = {"submit:*"};
    m.reason = "it only works now";
    return m;
}

wire::SetAccess remove_key() {
    wire::SetAccess m;
    m.key = "0011223344556677";
    m.remove = true;
    return m;
}

wire::Submit submit_for_approval() {
    wire::Submit m;
    m.task = small_task();
    m.task.approval = {ApprovalTime::kBefore, true, hours(24)};
    m.task.labels = {{"side_effects", "irreversible"}};
    return m;
}

Question approval_question() {
    Question q;
    q.id = "before-0";
    q.text = "May role deploy-worker run this task (release)?";
    q.choices = {"approve", "reject"};
    q.kind = QuestionKind::kApproval;
    q.asked_at = kSaid;
    q.until = kSaid + hours(24);
    q.parked = true;
    q.digest = sha256("what is approved");
    return q;
}

wire::QuestionRows approvals() {
    wire::QuestionRow row;
    row.task = TaskId("t-release");
    row.role = RoleName("deploy-worker");
    row.type = "release";
    row.question = approval_question();
    wire::QuestionRows m;
    m.rows = {row};
    return m;
}

wire::AnswerQuestion approve() {
    wire::AnswerQuestion m;
    m.task = TaskId("t-release");
    m.question = "before-0";
    m.choice = "approve";
    m.answer = "checked the diff";
    m.digest = sha256("what is approved");
    return m;
}

wire::Fetch fetch_for_task() {
    wire::Fetch m;
    m.task = TaskId("t-research");
    m.attempt = 1;
    m.name = "result.md";
    m.length = 4'096;
    m.for_task = TaskId("t-report");
    m.lease = lease_number(3);
    return m;
}

wire::Complete complete_with_command() {
    wire::Complete m;
    m.report.task = TaskId("t-report");
    m.report.attempt = 1;
    m.report.lease = lease_number(3);
    m.report.command = sha256("what was run");
    return m;
}

wire::UpstreamRows upstream_with_provenance() {
    wire::UpstreamRow row;
    row.id = TaskId("t-research");
    row.attempt = 1;
    row.worker = WorkerName("gpu-2");
    row.identity = Identity("gpu-2@0011223344556677");
    row.command = sha256("what was run");
    row.ended_at = kSaid;
    wire::UpstreamRows m;
    m.rows = {row};
    m.total = 1;
    return m;
}

}  // namespace

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
        {"access", {request(15), wire::Access{}, {}}},
        {"access-key", {request(15), wire::Access{"gpu-2"}, {}}},
        {"access-rows", {reply(15), access_rows(), {}}},
        {"set-access", {request(16), grant_and_revoke(), {}}},
        {"set-access-remove", {request(16), remove_key(), {}}},
        {"rotate", {request(17), wire::Rotate{std::string(40, 'k'), hours(24)}, {}}},
        {"submit-for-approval", {request(2), submit_for_approval(), {}}},
        {"approvals", {reply(18), approvals(), {}}},
        {"answer-approve", {request(19), approve(), {}}},
        {"fetch-for-task", {request(20), fetch_for_task(), {}}},
        {"complete-with-command", {request(21), complete_with_command(), {}}},
        {"upstream-with-provenance", {reply(22), upstream_with_provenance(), {}}},
    };
}

}  // namespace zq::vectors
