// Many submits in one command: each by the rules of one, with those before it in sight; taken one
// by one, or all or none.
#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

BatchEntry entry(const TaskSpec& spec, std::uint8_t body = 1) {
    BatchEntry entry;
    entry.submit.spec = spec;
    entry.submit.request = CoreRig::digest(body);
    return entry;
}

SubmitBatch batch_of(const std::vector<std::string>& ids) {
    SubmitBatch batch;
    for (const std::string& id : ids) batch.entries.push_back(entry(CoreRig::spec(id)));
    return batch;
}

/// What each item was answered: `new`, `old`, or the code of its refusal.
std::string said(const BatchAnswer& answer) {
    std::string text;
    for (const BatchItem& item : answer.items) {
        if (!text.empty()) text += ' ';
        if (const auto* rejected = std::get_if<Rejected>(&item.said)) {
            text += to_string(rejected->error.code);
        } else {
            text += std::get<SubmitAnswer>(item.said).duplicate ? "old" : "new";
        }
    }
    return text;
}

BatchAnswer run(CoreRig& rig, SubmitBatch batch) {
    return CoreRig::answer<BatchAnswer>(rig.run(std::move(batch)));
}

TEST(Batch, SubmitsItsTasksInTheirOrder) {
    CoreRig rig;
    EXPECT_EQ(said(run(rig, batch_of({"c", "a", "b"}))), "new new new");
    EXPECT_LT(rig.task("c").submitted_seq, rig.task("a").submitted_seq);
    EXPECT_LT(rig.task("a").submitted_seq, rig.task("b").submitted_seq);
}

TEST(Batch, SaidAgainIsTheSameTasks) {
    CoreRig rig;
    run(rig, batch_of({"a", "b"}));
    const std::size_t events = rig.journal.size();
    EXPECT_EQ(said(run(rig, batch_of({"a", "b"}))), "old old");
    EXPECT_EQ(rig.journal.size(), events);
}

TEST(Batch, ATaskSeesThoseBeforeItInTheSameBatch) {
    CoreRig rig;
    SubmitBatch batch = batch_of({"a", "a", "b", "c", "d"});
    batch.entries[2].submit.spec.edit().idempotency_key = "k";
    batch.entries[3].submit.spec.edit().idempotency_key = "k";
    batch.entries[4].submit.spec.edit().idempotency_key = "k";
    batch.entries[4].submit.request = CoreRig::digest(9);
    const BatchAnswer answer = run(rig, batch);
    EXPECT_EQ(said(answer), "new old new old CONFLICT");
    EXPECT_EQ(std::get<SubmitAnswer>(answer.items[3].said).task.text, "b");
    EXPECT_EQ(rig.state.durable.open.size(), 2U);
}

TEST(Batch, ARefusedTaskDoesNotConcernTheOthers) {
    CoreRig rig;
    rig.submit("b");
    SubmitBatch batch = batch_of({"a", "b", "c", "d"});
    batch.entries[1].submit.request = CoreRig::digest(9);
    batch.entries[2].facts.payload = Error{ErrorCode::INVALID, "no", "task.payload", {}};
    EXPECT_EQ(said(run(rig, batch)), "new CONFLICT INVALID new");
    EXPECT_EQ(rig.state_of("d"), TaskState::kQueued);
    EXPECT_FALSE(rig.state.durable.open.contains({kDefaultNamespace, TaskId("c")}));
}

TEST(Batch, AnAtomicOneIsAllOrNone) {
    CoreRig rig;
    SubmitBatch batch = batch_of({"a", "b"});
    batch.atomic = true;
    batch.entries[1].facts.missing = {CoreRig::digest(5)};
    const std::size_t events = rig.journal.size();
    const BatchAnswer refused = run(rig, batch);
    EXPECT_TRUE(refused.refused);
    EXPECT_EQ(said(refused), "new MISSING_CONTENT");
    EXPECT_EQ(rig.journal.size(), events);
    batch.entries[1].facts.missing.clear();
    const BatchAnswer taken = run(rig, batch);
    EXPECT_FALSE(taken.refused);
    EXPECT_EQ(said(taken), "new new");
    EXPECT_EQ(rig.state.durable.open.size(), 2U);
}

TEST(Batch, TheBoundOnOpenTasksCountsThoseBefore) {
    CoreRig rig;
    rig.policy.max_open_tasks = 2;
    SubmitBatch batch = batch_of({"a", "b", "c", "a"});
    EXPECT_EQ(said(run(rig, batch)), "new new QUEUE_FULL old");
    batch = batch_of({"d", "e"});
    batch.atomic = true;
    rig.policy.max_open_tasks = 3;
    EXPECT_EQ(said(run(rig, batch)), "new QUEUE_FULL");
    EXPECT_EQ(rig.state.durable.open.size(), 2U);
}

TEST(Batch, ADiskThatIsNearlyFullRefusesEachTask) {
    CoreRig rig;
    SubmitBatch batch = batch_of({"a", "b"});
    for (BatchEntry& one : batch.entries) one.facts.storage_full = true;
    EXPECT_EQ(said(run(rig, batch)), "STORAGE_FULL STORAGE_FULL");
}

TEST(Batch, ADryRunChecksAndChangesNothing) {
    CoreRig rig;
    SubmitBatch batch = batch_of({"a", "a"});
    batch.dry_run = true;
    for (BatchEntry& one : batch.entries) one.submit.dry_run = true;
    batch.entries[1].submit.request = CoreRig::digest(9);
    const std::size_t events = rig.journal.size();
    EXPECT_EQ(said(run(rig, batch)), "new CONFLICT");
    EXPECT_EQ(rig.journal.size(), events);
}

TEST(Batch, AContentOfSeveralTasksIsRecordedOnceAndOnlyOfThoseTaken) {
    CoreRig rig;
    SubmitBatch batch = batch_of({"a", "b", "c"});
    const ArtifactRef shared{"context", CoreRig::digest(7), 3, "", "", false};
    const ArtifactRef other{"context", CoreRig::digest(8), 4, "", "", false};
    for (BatchEntry& one : batch.entries) one.submit.contents = {shared};
    batch.entries[0].submit.contents = {shared, other};
    batch.entries[0].facts.payload = Error{ErrorCode::INVALID, "no", "task.payload", {}};
    run(rig, batch);
    std::vector<Digest> stored;
    for (const Event& event : rig.journal) {
        const auto* body = std::get_if<ContentStored>(&event.body);
        if (body != nullptr) stored.push_back(body->digest);
    }
    EXPECT_EQ(stored, std::vector{CoreRig::digest(7)});
}

TEST(Batch, AFullOneStaysWithinTheBoundOfEvents) {
    CoreRig rig;
    SubmitBatch batch;
    for (std::size_t i = 0; i < limits::kBatchTasks; ++i) {
        batch.entries.push_back(entry(CoreRig::spec("t" + std::to_string(i))));
        Digest digest;
        digest.bytes[0] = static_cast<std::uint8_t>(i & 0xffU);
        digest.bytes[1] = static_cast<std::uint8_t>(i >> 8U);
        digest.bytes[2] = 1;
        batch.entries.back().submit.contents = {{"context", digest, 1, "", "", false}};
    }
    const std::size_t before = rig.journal.size();
    run(rig, batch);
    EXPECT_EQ(rig.state.durable.open.size(), limits::kBatchTasks);
    EXPECT_LE(rig.journal.size() - before, limits::kTickItems);
}

TEST(Batch, OfARoleNobodyServedItIsToldOnce) {
    CoreRig rig;
    rig.hello(1, "w1");
    SubmitBatch batch;
    batch.entries = {entry(CoreRig::spec("a", "reviev")), entry(CoreRig::spec("b", "reviev"))};
    const BatchAnswer answer = run(rig, batch);
    EXPECT_EQ(std::get<SubmitAnswer>(answer.items[0].said).nearest_role, "review");
    EXPECT_FALSE(std::get<SubmitAnswer>(answer.items[1].said).role_served);
    EXPECT_EQ(std::get<SubmitAnswer>(answer.items[1].said).nearest_role, "");
}

}  // namespace
}  // namespace zq::core
