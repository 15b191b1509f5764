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
    row.deadline_at = kSubmitted + days(1);
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

wire::TaskReply asking_reply() {
    wire::TaskReply m = task_reply();
    m.row.question = open_question().text;
    m.questions = {open_question()};
    m.why = {"question", "asked a person: " + open_question().text, open_question().until};
    return m;
}

wire::TaskReply trimmed_reply() {
    wire::TaskReply m = task_reply();
    m.removed = {{RemovedKind::kLogs, 1, kSubmitted + hours(24), "age"},
                 {RemovedKind::kArtifacts, 1, kSubmitted + hours(48), "bytes"}};
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

}  // namespace

std::vector<Sample> reading_samples() {
    wire::Tasks tasks;
    tasks.rows = {queued_row(), dead_row()};
    tasks.more = true;
    std::vector<Sample> samples = {
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
    };
    for (Sample& sample : cluster_samples()) samples.push_back(std::move(sample));
    return samples;
}

}  // namespace zq::vectors
