// Samples of the worker's conversation.
#include "tests/vectors/samples.h"

namespace zq::vectors {
namespace {

wire::HeldLease held(std::uint32_t n) {
    wire::HeldLease lease;
    lease.task = TaskId("task-" + std::to_string(100 + n));
    lease.attempt = n;
    lease.lease = lease_number(n);
    return lease;
}

wire::Hello first_hello() {
    wire::Hello m;
    m.worker = WorkerName("gpu-2-review-worker-1");
    m.state_id = StateId("00112233445566778899aabbccddeeff");
    m.incarnation = 1;
    m.roles = {RoleName("review-worker")};
    m.slots = 1;
    return m;
}

wire::Hello hello_again() {
    wire::Hello m = first_hello();
    m.incarnation = 300;
    m.roles.emplace_back("research");
    m.slots = 4;
    m.leases = {held(1), held(2)};
    m.reports = {held(3)};
    m.seen = lease_number(3);
    m.program = "zq-worker 0.1.0";
    return m;
}

wire::Welcome welcome() {
    wire::Welcome m;
    m.journal = "0123456789abcdef";
    m.lease = seconds(60);
    m.heartbeat = seconds(10);
    m.leases = {{lease_number(1), Verdict::kOk}, {lease_number(2), Verdict::kStale}};
    m.program = "zq-coordinator 0.1.0";
    return m;
}

wire::Heartbeat heartbeat() {
    wire::Heartbeat m;
    m.free = 1;
    m.seen = lease_number(3);
    m.leases = {held(1)};
    m.reports = {held(3)};
    return m;
}

wire::Beat beat() {
    wire::Beat m;
    m.leases = {{lease_number(1), Verdict::kCancel}};
    return m;
}

wire::Assign assign(const TaskSpec& task) {
    wire::Assign m;
    m.lease = lease_number(1);
    m.attempt = 1;
    m.term = seconds(60);
    m.answers = 2;
    m.submitter = kLocalIdentity;
    m.submitted_at = Instant{1'795'177'867'042};
    m.task = task;
    return m;
}

wire::Report small_report() {
    wire::Report report;
    report.task = TaskId("t-01jd3v8k2q7m4r0c9w5x1z6hbn");
    report.attempt = 1;
    report.lease = lease_number(1);
    return report;
}

wire::Complete complete() {
    wire::Report report = small_report();
    report.summary = "12 risks found, 3 high";
    wire::ReportArtifact inlined;
    inlined.ref.name = "result.md";
    inlined.ref.digest = digest_from(0x20);
    inlined.ref.size = 7;
    inlined.ref.media = "text/markdown";
    inlined.data = Bytes{"# Risks"};
    wire::ReportArtifact uploaded;
    uploaded.ref = context_file();
    uploaded.ref.name = "log/stdout";
    uploaded.ref.uri.clear();
    wire::ReportArtifact empty;
    empty.ref.name = "log/stderr";
    empty.ref.digest = digest_from(0x30);
    empty.data = Bytes{};
    report.artifacts = {inlined, uploaded, empty};
    report.output = {{"cost_usd", "0.09"}, {"summary", "12 risks found, 3 high"}};
    report.duration = millis(252'000);
    return {report};
}

wire::Complete complete_without_claim() {
    wire::Report report;
    report.task = TaskId("task-123");
    report.from = "implementation-worker";
    report.summary = "Implemented and tested";
    return {report};
}

wire::Skip skip() {
    wire::Skip m;
    m.report = small_report();
    m.reason = "nothing changed since the last review";
    return m;
}

wire::Fail failed() {
    wire::Fail m;
    m.report = small_report();
    m.report.duration = seconds(3);
    m.reason = "exit 65";
    m.failure = FailureClass::kPermanent;
    m.exit_code = 65;
    return m;
}

wire::Fail crashed() {
    wire::Fail m;
    m.report = small_report();
    m.reason = "signal 11";
    m.failure = FailureClass::kCrashed;
    m.exit_code = -11;
    m.retry_after = minutes(5);
    return m;
}

wire::Release release() {
    wire::Release m;
    m.report = small_report();
    m.reason = "rate limited";
    m.cause = ReleaseCause::kTryLater;
    m.delay = minutes(15);
    return m;
}

wire::Progress progress() {
    wire::Progress m;
    m.task = TaskId("task-123");
    m.lease = lease_number(1);
    m.percent = 42;
    m.step = "3/7";
    m.message = "tests are running";
    return m;
}

wire::Spend spend() {
    wire::Spend m;
    m.task = TaskId("task-123");
    m.lease = lease_number(1);
    m.usage = {90'000, 12'000, 800, "gpt-x"};
    return m;
}

wire::Checkpoint checkpoint() {
    wire::Checkpoint m;
    m.task = TaskId("task-123");
    m.lease = lease_number(1);
    m.artifact.ref.name = "state.json";
    m.artifact.ref.digest = digest_from(0x20);
    m.artifact.ref.size = 12;
    m.artifact.data = Bytes{"{\"step\": 3 }"};
    return m;
}

wire::Checkpoint large_checkpoint() {
    wire::Checkpoint m = checkpoint();
    m.artifact.ref.name = "memory/index.db";
    m.artifact.ref.size = 5'368'709'120;
    m.artifact.ref.media = "application/vnd.sqlite3";
    m.artifact.data.reset();
    return m;
}

/// What the second attempt of a task gets.
wire::Assign assign_again(const TaskSpec& task) {
    wire::Assign m = assign(task);
    m.lease = lease_number(2);
    m.attempt = 2;
    CheckpointRef saved;
    saved.number = 3;
    saved.attempt = 1;
    saved.at = Instant{1'795'177'867'042};
    saved.ref = checkpoint().artifact.ref;
    m.checkpoints = {saved};
    return m;
}

/// What the attempt after an answer gets.
wire::Assign assign_answered(const TaskSpec& task) {
    wire::Assign m = assign(task);
    m.lease = lease_number(2);
    m.attempt = 2;
    m.questions = {answered_question()};
    m.run_timeout = hours(1);
    return m;
}

NewQuestion new_question() {
    return {"q-00112233445566aa", "Delete the 40 stale branches?", {"yes", "no"}, hours(2)};
}

wire::Release parked() {
    wire::Release m;
    m.report = small_report();
    m.reason = "waits for an answer";
    m.cause = ReleaseCause::kInputRequired;
    m.question = new_question();
    return m;
}

wire::Ask ask() {
    return {TaskId("task-123"), lease_number(1), new_question()};
}

wire::Asked asked(const Question& question) {
    return {TaskId("task-123"), lease_number(1), question};
}

/// A whole result contract, an input by reference, and what sent the first attempt back.
wire::Assign assign_sent_back() {
    wire::Assign m = assign(contract_task());
    m.lease = lease_number(2);
    m.attempt = 2;
    m.feedback = {1, "patch is missing; result.json does not fit its schema: at /risks: too few"};
    return m;
}

wire::Accepted accepted() {
    wire::Accepted m;
    m.task = TaskId("t-01jd3v8k2q7m4r0c9w5x1z6hbn");
    m.state = TaskState::kCompleted;
    m.attempt = 1;
    return m;
}

}  // namespace

std::vector<Sample> worker_samples() {
    wire::Ready ready;
    ready.free = 1;
    wire::Ready ready_seen = ready;
    ready_seen.free = 0;
    ready_seen.seen = lease_number(1);
    return {
        {"hello-first", {header(1), first_hello(), {}}},
        {"hello-again", {header(128), hello_again(), {}}},
        {"welcome", {reply(1), welcome(), {}}},
        {"ready", {header(2), ready, {}}},
        {"ready-seen", {header(65'536), ready_seen, {}}},
        {"heartbeat", {header(5), heartbeat(), {}}},
        {"beat", {reply(5), beat(), {}}},
        {"beat-pushed", {header(0, 3), beat(), {}}},
        {"beat-empty", {reply(2), wire::Beat{}, {}}},
        {"hello-labels", {header(1), labelled_hello(), {}}},
        {"beat-drain", {reply(5), draining_beat(), {}}},
        {"assign", {header(0, 3), assign(small_task()), {}}},
        {"assign-full", {header(0, 3), assign(full_task()), {}}},
        {"assign-again", {header(0, 3), assign_again(small_task()), {}}},
        {"assign-answered", {header(0, 3), assign_answered(small_task()), {}}},
        {"assign-sent-back", {header(0, 3), assign_sent_back(), {}}},
        {"complete", {header(6), complete(), {}}},
        {"complete-without-claim", {request(9), complete_without_claim(), {}}},
        {"skip", {header(7), skip(), {}}},
        {"fail", {header(8), failed(), {}}},
        {"fail-crashed", {header(8), crashed(), {}}},
        {"release", {header(9), release(), {}}},
        {"release-parked", {header(14), parked(), {}}},
        {"progress", {header(10), progress(), {}}},
        {"checkpoint", {header(12), checkpoint(), {}}},
        {"checkpoint-large", {request(13), large_checkpoint(), {}}},
        {"spend", {header(10), spend(), {}}},
        {"ask", {header(15), ask(), {}}},
        {"asked", {reply(15, 44), asked(open_question()), {}}},
        {"asked-pushed", {header(0, 3), asked(answered_question()), {}}},
        {"accepted", {reply(6, 4'294'967'296), accepted(), {}}},
        {"goodbye", {header(11), wire::Goodbye{}, {}}},
    };
}

}  // namespace zq::vectors
