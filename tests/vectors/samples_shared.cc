// Values that several samples share: headers, digests, leases, task envelopes.
#include "tests/vectors/samples.h"

namespace zq::vectors {

wire::Header header(std::uint64_t id, std::uint32_t epoch) {
    wire::Header h;
    h.id = id;
    h.epoch = epoch;
    return h;
}

wire::Header request(std::uint64_t id) {
    wire::Header h;
    h.id = id;
    h.client = ClientId("c0ffee0123456789");
    return h;
}

wire::Header reply(std::uint64_t id, std::uint64_t seq) {
    wire::Header h;
    h.id = id;
    h.epoch = 3;
    h.seq = seq;
    h.artifacts_port = 5571;
    return h;
}

Digest digest_from(std::uint8_t first) {
    Digest digest;
    for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
        digest.bytes[i] = static_cast<std::uint8_t>(first + i);
    }
    return digest;
}

LeaseToken lease_number(std::uint32_t n) {
    return LeaseToken{0x0123456789abcdef, (std::uint64_t{3} << 32) + n};
}

ArtifactRef context_file() {
    ArtifactRef ref;
    ref.name = "context";
    ref.digest = digest_from(0x10);
    ref.size = 70'000;
    ref.media = "text/markdown";
    ref.uri = "file:///shared/tasks/task-123.md";
    return ref;
}

TaskSpec small_task() {
    TaskSpec task;
    task.id = TaskId("t-01jd3v8k2q7m4r0c9w5x1z6hbn");
    task.role = RoleName("review-worker");
    task.instructions = "Review this.";
    return task;
}

TaskSpec full_task() {
    TaskSpec task;
    task.id = TaskId("task-123");
    task.role = RoleName("implementation-worker");
    task.from = "planner";
    task.type = "implementation";
    task.instructions = "Änderung umsetzen, Tests laufen lassen ✓";
    task.payload = R"({"issue":7})";
    task.priority = 8;
    task.ttl = hours(1);
    task.delay = seconds(30);
    task.run_timeout = hours(6);
    task.max_attempts = 5;
    task.max_lost = 2;
    task.backoff = Backoff{Backoff::Kind::kFixed, seconds(90), seconds(90)};
    task.budget = {2'500'000, 200'000, OnBudget::kDead};
    task.group = GroupName("release-1.2");
    task.labels = {{"repo", "zq"}, {"team", "x"}};
    task.reply_to = "results.planner";
    task.expected.format = "markdown";
    task.expected.artifacts = {"summary", "patch"};
    task.inputs = {context_file()};
    task.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    task.idempotency_key = "planner-2026-11-20-7";
    task.not_before = Instant{1'795'177'867'042};
    task.deadline = days(2);
    task.stall_timeout = minutes(20);
    RetryRule busy;
    busy.failure = FailureClass::kRateLimited;
    busy.action = RetryAction::kWait;
    busy.wait = minutes(10);
    RetryRule usage;
    usage.exit_code = 2;
    usage.action = RetryAction::kDead;
    task.retry_rules = {busy, usage};
    task.on_lost = OnLost::kHold;
    task.after.tasks = {TaskId("task-121"), TaskId("task-122")};
    task.after.mode = AfterMode::kKOfN;
    task.after.count = 1;
    task.after.on_unmet = OnUnmet::kRun;
    return task;
}

Question open_question() {
    Question q;
    q.id = "q-00112233445566aa";
    q.text = "Delete the 40 stale branches?";
    q.choices = {"yes", "no"};
    q.attempt = 1;
    q.asked_at = Instant{1'795'177'867'042};
    q.until = q.asked_at + hours(2);
    return q;
}

Question answered_question() {
    Question q = open_question();
    q.parked = true;
    q.state = QuestionState::kAnswered;
    q.choice = "yes";
    q.answer = "but keep release/*";
    q.answered_by = Identity("anna@0123456789abcdef");
    q.closed_at = q.asked_at + minutes(20);
    return q;
}

TaskSpec contract_task() {
    TaskSpec task = small_task();
    task.expected.format = "json";
    task.expected.rules = {{"patch", "text/x-diff", 1, 1'048'576, true},
                           {"notes", "", 0, 0, false}};
    task.expected.schema = R"({"type":"object","required":["risks"]})";
    task.expected.max_bytes = 65'536;
    ArtifactRef input = context_file();
    input.by_reference = true;
    task.inputs = {input};
    return task;
}

}  // namespace zq::vectors
