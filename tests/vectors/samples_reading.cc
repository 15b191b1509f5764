// Samples of what clients read.
#include "tests/vectors/samples.h"

namespace zq::vectors {
namespace {

constexpr Instant kSubmitted{1'795'177'867'042};

wire::TaskRow queued_row() {
    wire::TaskRow row;
    row.id = small_task().id;
    row.role = small_task().role;
    row.submitter = kLocalIdentity;
    row.max_attempts = 3;
    row.submitted_at = kSubmitted;
    row.submitted_seq = 41;
    row.changed_seq = 41;
    return row;
}

wire::TaskRow dead_row() {
    wire::TaskRow row;
    row.id = TaskId("task-123");
    row.state = TaskState::kDead;
    row.role = RoleName("implementation-worker");
    row.type = "implementation";
    row.from = "planner";
    row.submitter = Identity("planner@0123456789abcdef");
    row.priority = 8;
    row.group = GroupName("release-1.2");
    row.reply_to = "results.planner";
    row.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    row.attempts = 4;
    row.failures = 3;
    row.losses = 1;
    row.max_attempts = 3;
    row.submitted_at = kSubmitted;
    row.started_at = kSubmitted + minutes(1);
    row.ended_at = kSubmitted + minutes(2);
    row.due_at = kSubmitted + seconds(30);
    row.expires_at = kSubmitted + hours(1);
    row.dead_reason = DeadReason::kAttemptsExhausted;
    row.summary = "half of it";
    row.reason = "exit 1";
    row.worker = WorkerName("gpu-2-1");
    row.budget = {5'000'000, 400'000, OnBudget::kDead};
    row.spent = {2'600'000, 180'000};
    row.submitted_seq = 40;
    row.changed_seq = 70'000;
    return row;
}

wire::AttemptRow ended_attempt() {
    wire::AttemptRow row;
    row.attempt = 1;
    row.outcome = "failed";
    row.worker = WorkerName("gpu-2-1");
    row.identity = Identity("gpu-2@0123456789abcdef");
    row.state_id = StateId("00112233445566778899aabbccddeeff");
    row.incarnation = 2;
    row.started_at = kSubmitted + minutes(1);
    row.ended_at = kSubmitted + minutes(2);
    row.duration = seconds(59);
    row.failure_class = "error";
    row.reason = "exit 1";
    row.summary = "half of it";
    row.exit_code = 1;
    row.output = {{"status", "failed"}};
    row.artifacts = {context_file()};
    return row;
}

wire::AttemptRow running_attempt() {
    wire::AttemptRow row;
    row.attempt = 2;
    row.outcome = "running";
    row.worker = WorkerName("anna");
    row.identity = kLocalIdentity;
    row.started_at = kSubmitted + minutes(3);
    return row;
}

wire::TaskReply task_reply() {
    wire::TaskReply m;
    m.row = dead_row();
    m.spec = full_task();
    m.attempts = {ended_attempt(), running_attempt()};
    m.progress_percent = 42;
    m.progress_step = "3/7";
    m.progress_message = "tests are running";
    return m;
}

wire::Get get() {
    wire::Get m;
    m.task = TaskId("t-01jd3v8k2q");
    m.prefix = true;
    return m;
}

wire::List list() {
    wire::List m;
    m.states = {TaskState::kDead, TaskState::kExpired};
    m.role = RoleName("review-worker");
    m.group = GroupName("release-1.2");
    m.from = "planner";
    m.before = 1000;
    m.limit = 20;
    return m;
}

wire::List list_dead() {
    wire::List m;
    m.states = {TaskState::kDead};
    m.dead_reason = DeadReason::kTimedOut;
    m.ended_since = Instant{1'795'000'000'000};
    m.ended_before = Instant{1'795'177'867'042};
    return m;
}

wire::List list_where() {
    wire::List m;
    m.type = "reasoning";
    m.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    m.worker = "gpu-2-1";
    m.labels = {{"team", "x"}};
    m.since = Instant{1'795'000'000'000};
    m.until = Instant{1'795'177'867'042};
    return m;
}

wire::Wait wait() {
    wire::Wait m;
    m.tasks = {small_task().id, TaskId("task-123")};
    m.count = 1;
    m.wait = seconds(30);
    return m;
}

wire::Wait wait_group() {
    wire::Wait m;
    m.group = GroupName("release-1.2");
    return m;
}

wire::Ended ended() {
    wire::Ended m;
    m.rows = {dead_row()};
    m.open = 1;
    return m;
}

wire::Events events() {
    wire::Events m;
    m.after = 41;
    m.limit = 1000;
    m.wait = seconds(30);
    m.task = TaskId("task-123");
    return m;
}

wire::Events events_of_some() {
    wire::Events m;
    m.after = 41;
    m.kinds = {"task_submitted", "attempt_ended"};
    m.role = RoleName("review-worker");
    m.group = GroupName("release-1.2");
    m.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    return m;
}

wire::EventRows event_rows() {
    wire::EventRow row;
    row.seq = 42;
    row.at = kSubmitted;
    row.epoch = 3;
    row.task = TaskId("task-123");
    row.kind = "task_submitted";
    row.identity = kLocalIdentity;
    row.fields = {{"state", "queued"}, {"to", "implementation-worker"}};
    row.body_digest = digest_from(0x40);
    row.hash = digest_from(0x60);
    wire::EventRows m;
    m.rows = {row};
    m.last = 42;
    return m;
}

wire::Answers answers() {
    wire::Answers m;
    m.reply_to = "results.planner";
    m.after = 70'000;
    m.limit = 10;
    m.wait = seconds(5);
    return m;
}

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

wire::TaskReply asking_reply() {
    wire::TaskReply m = task_reply();
    m.row.question = open_question().text;
    m.questions = {open_question()};
    return m;
}

wire::TaskReply trimmed_reply() {
    wire::TaskReply m = task_reply();
    m.removed = {{RemovedKind::kLogs, 1, kSubmitted + hours(24), "age"},
                 {RemovedKind::kArtifacts, 1, kSubmitted + hours(48), "bytes"}};
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

wire::Questions questions() {
    wire::Questions m;
    m.role = RoleName("review-worker");
    m.group = GroupName("release-7");
    m.limit = 20;
    return m;
}

wire::QuestionRows question_rows() {
    wire::QuestionRow row;
    row.task = TaskId("task-123");
    row.state = TaskState::kRunning;
    row.role = RoleName("review-worker");
    row.type = "reasoning";
    row.from = "planner";
    row.group = GroupName("release-7");
    row.worker = WorkerName("gpu-2-review-1");
    row.question = open_question();
    row.question.kind = QuestionKind::kBudget;
    return {{row}, true};
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

std::vector<Sample> reading_samples() {
    wire::Tasks tasks;
    tasks.rows = {queued_row(), dead_row()};
    tasks.more = true;
    wire::Leases leases;
    leases.role = RoleName("review-worker");
    return {
        {"get", {request(1), get(), {}}},
        {"task", {reply(1), task_reply(), {}}},
        {"list", {request(2), list(), {}}},
        {"list-all", {request(2), wire::List{}, {}}},
        {"list-dead", {request(2), list_dead(), {}}},
        {"list-where", {request(2), list_where(), {}}},
        {"tasks", {reply(2), tasks, {}}},
        {"tasks-page", {reply(2), wire::Tasks{{}, true, 41}, {}}},
        {"wait", {request(3), wait(), {}}},
        {"wait-group", {request(3), wait_group(), {}}},
        {"ended", {reply(3), ended(), {}}},
        {"events", {request(4), events(), {}}},
        {"events-of-some", {request(4), events_of_some(), {}}},
        {"event-rows", {reply(4), event_rows(), {}}},
        {"event-rows-none", {reply(4), wire::EventRows{{}, 10'041, true}, {}}},
        {"answers", {request(5), answers(), {}}},
        {"task-asking", {reply(1), asking_reply(), {}}},
        {"task-trimmed", {reply(1), trimmed_reply(), {}}},
        {"questions", {request(9), questions(), {}}},
        {"question-rows", {reply(9), question_rows(), {}}},
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
