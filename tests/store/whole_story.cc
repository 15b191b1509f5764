// A life of every kind of event, told for fixtures, for the journal's bodies and for what proves
// them.
#include "common/platform/digest.h"
#include "tests/store/story.h"

namespace zq::store {
namespace {

/// Tasks that wait in each way there is, and some that ended while they waited.
void tell_of_waiting(Story& story, const std::string& prefix) {
    TaskSpec later = Story::spec(prefix + "later");
    later.delay = hours(1);
    later.group = GroupName("night");
    story.submit(later);
    TaskSpec keyed = Story::spec(prefix + "keyed", "research");
    keyed.idempotency_key = prefix + "key-1";
    keyed.labels = {{"team", "blue"}};
    keyed.from = "supervisor";
    keyed.type = "reasoning";
    keyed.trace_id = "trace-of-" + prefix + "keyed";
    story.submit(keyed);
    TaskSpec brief = Story::spec(prefix + "brief");
    brief.ttl = minutes(1);
    story.submit(brief);
    story.expire(prefix + "brief");
    story.submit(prefix + "unwanted");
    story.cancel(prefix + "unwanted");
    story.record_request("client-of-" + prefix, 4, prefix + "unwanted");
}

/// Attempts that end in each way there is.
void tell_of_work(Story& story, const std::string& prefix) {
    for (const char* id :
         {"done", "failing", "dead", "lost", "resumed", "cancelling", "running", "asking", "parked",
          "advised", "unheard", "again", "mended", "unloved"}) {
        TaskSpec spec = Story::spec(prefix + id);
        spec.reply_to = "planner-inbox";
        spec.group = GroupName("day");
        story.submit(spec);
        story.assign(prefix + id);
    }
    story.progress(prefix + "running", 50);
    story.checkpoint(prefix + "running", "state", "half of it, " + prefix);
    const Digest report = story.store_inline("# Findings\n" + prefix);
    story.artifacts = {{"report.md", report, prefix.size() + 11, "text/markdown", ""}};
    story.complete(prefix + "done");
    story.end(prefix + "failing", Outcome::kFailed, TaskState::kRetryWait);
    story.end(prefix + "dead", Outcome::kFailed, TaskState::kDead);
    story.lose(prefix + "lost");
    story.lose(prefix + "resumed");
    story.resume(prefix + "resumed");
    story.ask_cancel(prefix + "cancelling");
    story.ask(prefix + "asking", "q-1");
    for (const char* id : {"parked", "advised", "unheard"}) story.park(prefix + id, "q-1");
    story.answer(prefix + "advised", QuestionState::kAnswered, "go on");
    story.answer(prefix + "unheard", QuestionState::kNoAnswer, "");
    for (const char* id : {"again", "mended", "unloved"}) {
        story.checkpoint(prefix + id, "state", "what " + prefix + id + " had");
        story.end(prefix + id, Outcome::kFailed, TaskState::kDead);
    }
}

/// One runs again and ends well, one is repaired and runs, one is repaired and waits, one goes.
void tell_of_dead_letters(Story& story, const std::string& prefix) {
    story.replay(prefix + "again");
    story.assign(prefix + "again");
    story.complete(prefix + "again");
    story.edit(prefix + "mended");
    story.replay(prefix + "mended");
    story.edit(prefix + "dead");
    story.remove_by_hand(prefix + "unloved", {sha256("what " + prefix + "unloved had")});
}

/// Tasks that use up what they may: one asks a person, one has had its answer, one is dead.
void tell_of_budgets(Story& story, const std::string& prefix) {
    for (const char* id : {"poor", "granted", "broke"}) {
        TaskSpec spec = Story::spec(prefix + id);
        spec.budget = {2'500'000, 1'000, OnBudget::kAsk};
        if (id == std::string("broke")) spec.budget.on = OnBudget::kDead;
        story.submit(spec);
        story.assign(prefix + id);
        story.use(prefix + id, {1'000'000, 900, 200, "gpt-x"});
        story.use_up(prefix + id);
    }
    story.answer(prefix + "granted", QuestionState::kAnswered, "");
}

/// Tasks that wait for others: one has its turn, one waits in vain, one goes on waiting.
void tell_of_dependencies(Story& story, const std::string& prefix) {
    for (const char* id : {"base", "doomed"}) story.submit(prefix + id);
    const auto submit_after = [&](const std::string& id, std::vector<std::string> upstream) {
        TaskSpec spec = Story::spec(prefix + id);
        for (const std::string& one : upstream) spec.after.tasks.emplace_back(prefix + one);
        story.submit(spec);
    };
    submit_after("next", {"base"});
    submit_after("vain", {"base", "doomed"});
    submit_after("patient", {"running"});
    story.assign(prefix + "base");
    story.complete(prefix + "base");
    story.end_upstream(prefix + "next", prefix + "base", true, TaskState::kQueued);
    story.end_upstream(prefix + "vain", prefix + "base", true, TaskState::kBlocked);
    story.cancel(prefix + "doomed");
    story.end_upstream(prefix + "vain", prefix + "doomed", false, TaskState::kSkipped);
}

/// Keys: one is known, one may do more than it did, one is known no more. And what waits for a
/// person's approval, before and after.
void tell_of_keys(Story& story, const std::string& prefix) {
    const KeyAccess client{Identity("ann@" + prefix + "1"),
                           KeyKind::kClient,
                           {"put", "read:own", "submit:*"},
                           {},
                           Identity("admin@0")};
    KeyAccess worker{Identity("gpu@" + prefix + "2"),
                     KeyKind::kWorker,
                     {"work:review"},
                     Instant{1'900'000'000'000},
                     {}};
    story.know(prefix + "1", client);
    story.know(prefix + "2", worker);
    worker.permissions.emplace_back("put");
    story.know(prefix + "2", worker);
    story.know(prefix + "3", client);
    story.know(prefix + "3", std::nullopt);
}

void tell_of_approvals(Story& story, const std::string& prefix) {
    for (const char* id : {"to-approve", "approved", "rejected"}) {
        TaskSpec spec = Story::spec(prefix + id);
        spec.approval = {ApprovalTime::kBefore, true, hours(24)};
        spec.labels["side_effects"] = "irreversible";
        spec.on_lost = OnLost::kHold;
        story.submit(spec);
        story.ask_approval(prefix + id);
    }
    story.approve(prefix + "approved");
    story.assign(prefix + "approved");
    story.reject(prefix + "rejected");
    for (const char* id : {"to-review", "accepted"}) {
        TaskSpec spec = Story::spec(prefix + id);
        spec.approval.time = ApprovalTime::kAfter;
        story.submit(spec);
        story.assign(prefix + id);
        story.ask_approval(prefix + id);
        story.end(prefix + id, Outcome::kCompleted, TaskState::kInReview);
    }
    story.approve(prefix + "accepted");
}

/// A task whose texts may hold one, and a content in which two were found.
void tell_of_secrets(Story& story, const std::string& prefix) {
    TaskSpec spec = Story::spec(prefix + "allowed");
    spec.allow_secrets = true;
    const std::string text = "a context of " + prefix + " with what looks like secrets";
    const std::vector<std::string> kinds = {"github-token", "named-secret"};
    spec.inputs = {
        {"context.md", story.store_inline(text, kinds), text.size(), "", "", false, kinds}};
    story.submit(spec);
}

/// Of all kinds; one is taken back, and one is forgotten when its time is over.
void tell_of_controls(Story& story, const std::string& prefix) {
    TaskSpec keyed = Story::spec(prefix + "limited");
    keyed.limit_key = prefix + "account";
    keyed.needs = {"region=eu", "gpu"};
    story.submit(keyed);
    core::Control held;
    held.held_until = Instant{1};
    held.held_by = TaskId(prefix + "limited");
    story.control(ControlKind::kLimitKey, prefix + "brief", held);
    core::Control paused;
    paused.paused = true;
    paused.reason = "maintenance";
    story.control(ControlKind::kRole, prefix + "review", paused);
    story.control(ControlKind::kRole, prefix + "review", {});
    core::Control limited;
    limited.closed = true;
    limited.limits = {4, Rate{60, minutes(1), 10}, 100, 0};
    story.control(ControlKind::kRole, prefix + "write", limited);
    held.held_until = Instant{4'000'000'000'000};
    story.control(ControlKind::kLimitKey, prefix + "account", held);
    core::Control drained;
    drained.drained = StateId(std::string(32, '7'));
    drained.drained_incarnation = 3;
    story.control(ControlKind::kWorker, prefix + "host-review-1", drained);
}

/// Two tasks that end: one of them loses its artifact, which nothing else refers to, and one goes.
void tell_of_ends(Story& story, const std::string& prefix) {
    const std::string data = "what " + prefix + "trimmed left";
    const Digest left = story.store_inline(data);
    for (const std::string& id : {prefix + "trimmed", prefix + "removed"}) {
        story.submit(id);
        story.assign(id);
        if (id == prefix + "trimmed") story.artifacts = {{"left.md", left, data.size(), "", ""}};
        story.complete(id);
    }
}

/// It says much, and is open for long: all of it is to be erased.
void tell_of_a_secret_life(Story& story, const std::string& prefix) {
    TaskSpec spec = Story::spec(prefix + "erased");
    spec.payload = R"({"key": "hunter2"})";
    spec.expected.headings = {"hunter2"};
    story.submit(spec);
    story.assign(prefix + "erased");
    story.progress(prefix + "erased", 40);
    story.end(prefix + "erased", Outcome::kFailed, TaskState::kQueued);
    story.assign(prefix + "erased");
    story.ask(prefix + "erased", "hunter2?");
    story.complete(prefix + "erased");
}

void tell_of_retention(Story& story, const std::string& prefix) {
    const std::string data = "what " + prefix + "trimmed left";
    const Digest left = sha256(data);
    const auto task = [&](const std::string& id) {
        return *core::find_task(story.state(), Story::key(prefix + id));
    };
    story.remove_artifacts(task("trimmed"), RemovedKind::kArtifacts, {left});
    story.remove_task(task("removed"), {});
    story.remove_task(task("erased"), {});
    story.erase(prefix + "erased");
    story.condemn({{left, data.size(), true}});
}

}  // namespace

std::vector<Batch> tell_everything(Story& story, JournalId journal, const std::string& prefix) {
    std::vector<Batch> batches;
    story.start(journal);
    story.serve("review");
    batches.push_back(story.take_batch());
    tell_of_waiting(story, prefix);
    batches.push_back(story.take_batch());
    tell_of_work(story, prefix);
    batches.push_back(story.take_batch());
    story.make_ready(prefix + "failing");
    story.assign(prefix + "failing", "host-review-2");
    story.complete(prefix + "resumed");
    story.assign(prefix + "lost");
    story.end(prefix + "lost", Outcome::kReleased, TaskState::kQueued);
    tell_of_ends(story, prefix);
    tell_of_a_secret_life(story, prefix);
    tell_of_budgets(story, prefix);
    tell_of_dependencies(story, prefix);
    tell_of_controls(story, prefix);
    tell_of_keys(story, prefix);
    tell_of_approvals(story, prefix);
    tell_of_secrets(story, prefix);
    batches.push_back(story.take_batch());
    tell_of_retention(story, prefix);
    batches.push_back(story.take_batch());
    tell_of_dead_letters(story, prefix);
    batches.push_back(story.take_batch());
    return batches;
}

}  // namespace zq::store
