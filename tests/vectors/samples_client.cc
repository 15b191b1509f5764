// Samples of what clients write.
#include "tests/vectors/samples.h"

namespace zq::vectors {
namespace {

wire::Pong pong() {
    wire::Pong m;
    m.program = "zq-coordinator 0.1.0";
    m.journal = "0123456789abcdef";
    m.you = kLocalIdentity;
    m.now = Instant{1'795'177'867'042};
    return m;
}

wire::Submit submit(const TaskSpec& task) {
    wire::Submit m;
    m.task = task;
    return m;
}

wire::Submit submit_full() {
    wire::Submit m = submit(full_task());
    m.contents = {{digest_from(0x10), Bytes{std::string("a\0\xff", 3)}}};
    m.dry_run = true;
    return m;
}

wire::Submit submit_secrets() {
    wire::Submit m = submit(small_task());
    m.task.allow_secrets = true;
    return m;
}

wire::Submit submit_unique() {
    wire::Submit m = submit(small_task());
    m.task.unique_key = "deploy/eu";
    m.task.on_unique = OnUnique::kExisting;
    return m;
}

wire::Batch batch() {
    wire::Batch m;
    m.tasks = {small_task(), small_task()};
    m.tasks[1].id = TaskId("task-124");
    m.tasks[1].inputs = {{"context.md", digest_from(0x10), 3, "text/markdown", ""}};
    m.contents = {{digest_from(0x10), Bytes{std::string("a\0\xff", 3)}}};
    return m;
}

wire::Batch batch_atomic() {
    wire::Batch m;
    m.tasks = {small_task()};
    m.atomic = true;
    m.dry_run = true;
    return m;
}

wire::ErrorReply no_contents() {
    wire::ErrorReply m;
    m.code = ErrorCode::MISSING_CONTENT;
    m.message = "contents are not stored: put them, then say it again";
    m.missing = {digest_from(0x10)};
    return m;
}

wire::Batched batched() {
    wire::Batched m;
    m.items.resize(2);
    m.items[0].task = small_task().id;
    m.items[0].state = TaskState::kQueued;
    m.items[0].duplicate = true;
    m.items[0].role_served = false;
    m.items[0].nearest_role = "review-workers";
    m.items[1].task = TaskId("task-124");
    m.items[1].error = no_contents();
    return m;
}

wire::Batched batch_refused() {
    wire::Batched m;
    m.items.resize(1);
    m.items[0].task = small_task().id;
    m.items[0].error = no_contents();
    m.refused = true;
    return m;
}

wire::Submitted submitted() {
    wire::Submitted m;
    m.task = small_task().id;
    m.state = TaskState::kQueued;
    return m;
}

wire::Submitted submitted_again() {
    wire::Submitted m;
    m.task = TaskId("task-123");
    m.state = TaskState::kScheduled;
    m.duplicate = true;
    m.role_served = false;
    m.nearest_role = "implementation-workers";
    return m;
}

wire::Cancel cancel() {
    wire::Cancel m;
    m.task = TaskId("task-123");
    m.reason = "not needed any more";
    m.cascade = true;
    return m;
}

wire::Replay replay() {
    wire::Replay m;
    m.task = TaskId("task-123");
    return m;
}

wire::Replay replay_fresh() {
    wire::Replay m;
    m.task = TaskId("task-123");
    m.fresh = true;
    m.keep_checkpoints = true;
    m.dead_only = true;
    m.changes.role = RoleName("implementation-worker");
    m.reason = "the test data is there now";
    return m;
}

wire::Edit edit() {
    wire::Edit m;
    m.task = TaskId("task-123");
    m.changes.instructions = "Review src/auth alone.";
    m.changes.payload = "{}";
    m.changes.priority = 0;
    m.changes.max_attempts = 5;
    m.changes.run_timeout = minutes(20);
    m.changes.ttl = Millis{};
    m.reason = "it named a folder that is not there";
    return m;
}

wire::Edit edit_needs() {
    wire::Edit m;
    m.task = TaskId("task-123");
    m.changes.type = "review";
    m.changes.limit_key = "account-7";
    m.changes.needs = {"gpu"};
    return m;
}

wire::Edit edit_secrets() {
    wire::Edit m;
    m.task = TaskId("task-123");
    m.changes.instructions = "look at src/auth";
    m.changes.allow_secrets = true;
    return m;
}

wire::Remove remove() {
    wire::Remove m;
    m.task = TaskId("task-123");
    m.reason = "a trial";
    return m;
}

wire::Remove remove_erase() {
    wire::Remove m;
    m.task = TaskId("task-123");
    m.erase = true;
    return m;
}

wire::Claim claim() {
    wire::Claim m;
    m.role = RoleName("review-worker");
    m.from = "anna";
    m.lease = hours(1);
    m.wait = seconds(20);
    return m;
}

wire::Claim claim_named() {
    wire::Claim m;
    m.task = TaskId("task-123");
    return m;
}

wire::Claimed claimed() {
    wire::Claimed m;
    m.lease = lease_number(7);
    m.attempt = 2;
    m.term = hours(1);
    m.task = small_task();
    return m;
}

wire::Claimed claimed_sent_back() {
    wire::Claimed m = claimed();
    m.feedback = {1, "result.md lacks the heading \"Risks\""};
    return m;
}

wire::Join join() {
    wire::Join m;
    m.public_key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    m.name = "gpu-2";
    return m;
}

wire::Joined joined() {
    wire::Joined m;
    m.identity = Identity("gpu-2@0123456789abcdef");
    m.role = RoleName("review-worker");
    return m;
}

wire::ErrorReply stale() {
    wire::ErrorReply m;
    m.code = ErrorCode::STALE_LEASE;
    m.message = "the lease token is not the current one of that task";
    m.field = "lease";
    return m;
}

wire::ErrorReply missing() {
    wire::ErrorReply m;
    m.code = ErrorCode::MISSING_CONTENT;
    m.message = "1 content is not stored";
    m.missing = {digest_from(0x10)};
    return m;
}

wire::ErrorReply secret_found() {
    wire::ErrorReply m;
    m.code = ErrorCode::SECRET_FOUND;
    m.message = "what looks like a github-token stands at byte 4";
    m.field = "task.instructions";
    return m;
}

wire::ErrorReply queue_full() {
    wire::ErrorReply m;
    m.code = ErrorCode::QUEUE_FULL;
    m.message = "2000000 tasks are open";
    m.retry_after = seconds(5);
    return m;
}

wire::Backup backup() {
    wire::Backup m;
    m.folder = "/backups/2026-11-21";
    return m;
}

wire::BackupReply backup_running() {
    wire::BackupReply m;
    m.folder = "/backups/2026-11-21";
    return m;
}

wire::BackupReply backup_done() {
    wire::BackupReply m = backup_running();
    m.state = wire::BackupState::kDone;
    m.last_seq = 70'000;
    m.chain_head = digest_from(0x80);
    m.artifacts = 3;
    m.bytes = 5'000'000;
    return m;
}

wire::BackupReply backup_failed() {
    wire::BackupReply m = backup_running();
    m.state = wire::BackupState::kFailed;
    m.message = "no room for the journal in /backups/2026-11-21";
    return m;
}

wire::Gc gc() {
    wire::Gc m;
    m.dry_run = true;
    m.role = RoleName("review-worker");
    return m;
}

wire::GcReply gc_running() {
    return {};
}

wire::GcReply gc_done() {
    wire::GcReply m;
    m.state = wire::GcState::kDone;
    m.removed = {{"contents", {}, 3, 5'000'000},
                 {"tasks", RoleName("review-worker"), 2, 70'000},
                 {"logs", RoleName("review-worker"), 4, 90'000, RetentionRule::kBytes}};
    return m;
}

wire::AnswerQuestion answer() {
    wire::AnswerQuestion m;
    m.task = TaskId("task-123");
    m.question = "q-00112233445566aa";
    m.choice = "yes";
    m.answer = "but keep release/*";
    return m;
}

wire::AnswerQuestion answer_secrets() {
    wire::AnswerQuestion m;
    m.task = TaskId("task-123");
    m.answer = "the sample key of the manual";
    m.allow_secrets = true;
    return m;
}

wire::Claimed claimed_answered() {
    wire::Claimed m = claimed();
    m.questions = {answered_question()};
    return m;
}

}  // namespace

std::vector<Sample> client_samples() {
    return {
        {"ping", {request(1), wire::Ping{}, {}}},
        {"pong", {reply(1), pong(), {}}},
        {"submit", {request(2), submit(small_task()), {}}},
        {"submit-full", {request(3), submit_full(), {}}},
        {"submitted", {reply(2, 41), submitted(), {}}},
        {"submitted-again", {reply(3), submitted_again(), {}}},
        {"submit-unique", {request(2), submit_unique(), {}}},
        {"batch", {request(2), batch(), {}}},
        {"batch-atomic", {request(2), batch_atomic(), {}}},
        {"batched", {reply(2, 41), batched(), {}}},
        {"batch-refused", {reply(2), batch_refused(), {}}},
        {"cancel", {request(4), cancel(), {}}},
        {"replay", {request(4), replay(), {}}},
        {"replay-fresh", {request(4), replay_fresh(), {}}},
        {"edit", {request(4), edit(), {}}},
        {"edit-needs", {request(4), edit_needs(), {}}},
        {"remove", {request(4), remove(), {}}},
        {"remove-erase", {request(4), remove_erase(), {}}},
        {"changed", {reply(4, 44), wire::Changed{TaskId("task-123")}, {}}},
        {"claim", {request(5), claim(), {}}},
        {"claim-named", {request(6), claim_named(), {}}},
        {"claimed", {reply(5, 43), claimed(), {}}},
        {"claimed-answered", {reply(5, 43), claimed_answered(), {}}},
        {"answer", {request(12), answer(), {}}},
        {"claimed-sent-back", {reply(5, 43), claimed_sent_back(), {}}},
        {"join", {request(1), join(), {}}},
        {"joined", {reply(1), joined(), {}}},
        {"backup", {request(9), backup(), {}}},
        {"backup-running", {reply(9), backup_running(), {}}},
        {"backup-done", {reply(10), backup_done(), {}}},
        {"backup-failed", {reply(11), backup_failed(), {}}},
        {"gc", {request(9), gc(), {}}},
        {"gc-running", {reply(9), gc_running(), {}}},
        {"gc-done", {reply(10), gc_done(), {}}},
        {"error-stale", {reply(6), stale(), {}}},
        {"error-missing", {reply(7), missing(), {}}},
        {"error-full", {reply(8), queue_full(), {}}},
        {"error-secret", {reply(8), secret_found(), {}}},
        {"submit-secrets", {request(2), submit_secrets(), {}}},
        {"edit-secrets", {request(4), edit_secrets(), {}}},
        {"answer-secrets", {request(12), answer_secrets(), {}}},
    };
}

}  // namespace zq::vectors
