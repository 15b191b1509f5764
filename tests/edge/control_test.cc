// What the control conversation answers, when it may, and what it refuses.
#include <gtest/gtest.h>

#include "common/platform/digest.h"
#include "tests/edge/control_rig.h"

namespace zq::coordinator {
namespace {

TEST_F(ControlTest, NothingIsSaidBeforeTheDiskHasIt) {
    tell("c", submit("t"));
    tell("c", wire::Get{TaskId("t")}, 2);
    tell("c", submit("t"), 3);  // a repetition reads what is not durable yet
    turn();
    EXPECT_FALSE(take("c"));
    sync();
    auto submitted = take("c");
    ASSERT_TRUE(submitted);
    EXPECT_EQ(submitted->header.id, 1U);
    EXPECT_EQ(submitted->header.epoch, 1U);
    EXPECT_EQ(submitted->header.seq, pipeline_.durable_seq());
    EXPECT_EQ(submitted->header.artifacts_port, 5571U);
    auto again = take("c");
    ASSERT_TRUE(again);
    EXPECT_TRUE(std::get<wire::Submitted>(again->body).duplicate);
    EXPECT_EQ(again->header.seq, 0U);
    EXPECT_EQ(expect<wire::TaskReply>("c").row.id, TaskId("t"));
}

TEST_F(ControlTest, AFailedCommitLetsNothingOut) {
    tell("c", submit("t"));
    journal_.fail_next(store::CommitStatus::kUnknown);
    turn();
    journal_.sync();
    EXPECT_FALSE(pipeline_.collect());
    control_->flush(now_);
    EXPECT_FALSE(take("c"));
}

TEST_F(ControlTest, BadInputGetsATypedErrorIsCountedAndChangesNothing) {
    const Seq before = pipeline_.state().durable.last_seq;
    const std::string good = wire::encode({{7, {}, 0, 0, 0, ""}, wire::Ping{}, ""})[2];
    struct Case {
        Frames frames;
        ErrorCode code;
        std::uint64_t id;
    };
    const std::string deep(40, '\x91');
    const std::string float_id = "\x81\xa2id\xcb\x40" + std::string(7, '\0');
    const Case cases[] = {
        {{}, ErrorCode::MALFORMED, 0},
        {{"nonsense"}, ErrorCode::MALFORMED, 0},
        {{"zq/1", "PING"}, ErrorCode::MALFORMED, 0},
        {{"zq/1", "PING", good, "body"}, ErrorCode::MALFORMED, 7},
        {{"zq/2", "PING", good}, ErrorCode::UNSUPPORTED_VERSION, 7},
        {{"zq/1", "PONG", good}, ErrorCode::INVALID, 7},
        {{"zq/1", "ping", good}, ErrorCode::UNKNOWN_TYPE, 7},
        {{"zq/1", "PING", "\xc1"}, ErrorCode::MALFORMED, 0},
        {{"zq/1", "PING", good.substr(0, good.size() - 1)}, ErrorCode::MALFORMED, 0},
        {{"zq/1", "PING", good + "x"}, ErrorCode::MALFORMED, 0},
        {{"zq/1", "PING", deep}, ErrorCode::TOO_LARGE, 0},
        {{"zq/1", "SUBMIT", good}, ErrorCode::INVALID, 7},
        {{"zq/1", "PING", float_id}, ErrorCode::INVALID, 0},
    };
    std::uint64_t refused = 0;
    for (const Case& c : cases) {
        const auto counted = counters_.refused(c.code);
        tell_frames("bad", c.frames);
        turn();
        auto answer = take("bad");
        ASSERT_TRUE(answer) << refused;
        ASSERT_TRUE(std::holds_alternative<wire::ErrorReply>(answer->body)) << refused;
        EXPECT_EQ(std::get<wire::ErrorReply>(answer->body).code, c.code) << refused;
        EXPECT_EQ(answer->header.id, c.id) << refused;
        EXPECT_EQ(counters_.refused(c.code), counted + 1);
        ++refused;
    }
    Received many;
    many.frames = Frames(limits::kFrames, "x");
    many.frames[0] = "bad";
    many.too_many = true;
    control_->handle(0, std::move(many), now_);
    turn();
    EXPECT_EQ(expect<wire::ErrorReply>("bad").code, ErrorCode::MALFORMED);
    EXPECT_EQ(pipeline_.state().durable.last_seq, before);
    EXPECT_TRUE(pipeline_.state().now.sessions.empty());
}

TEST_F(ControlTest, AWorkersWordWithoutHelloIsToldToSayHello) {
    tell("w", wire::Ready{1, {}});
    tell("w", wire::Heartbeat{}, 2);
    wire::Complete complete;
    complete.report.task = TaskId("t");
    complete.report.lease = {disk_.journal, 1};
    tell("w", complete, 3);
    tell("w", wire::Progress{TaskId("t"), {disk_.journal, 1}, 1, "", ""}, 4);
    wire::Checkpoint checkpoint{TaskId("t"), {disk_.journal, 1}, {}};
    checkpoint.artifact.ref.name = "state";
    tell("w", checkpoint, 5);
    turn();
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(expect<wire::ErrorReply>("w").code, ErrorCode::HELLO_FIRST) << i;
    }
    tell("w", wire::Goodbye{}, 6);
    turn();
    expect<wire::Goodbye>("w");
    EXPECT_EQ(counters_.refused(ErrorCode::HELLO_FIRST), 5U);
}

TEST_F(ControlTest, ATaskGoesToAWorkerAndItsResultToWhoeverWaits) {
    tell("w", hello("w1"));
    turn_and_sync();
    expect<wire::Welcome>("w");
    tell("w", wire::Ready{1, {}}, 2);
    wire::Submit with_input = submit("t");
    with_input.task.group = GroupName("g");
    with_input.task.reply_to = "me";
    with_input.task.trace_id = "made by hand";
    with_input.task.inputs = {{"context", sha256("text"), 4, "", "file:///x"}};
    with_input.contents = {{sha256("text"), {"text"}}};
    tell("c", with_input, 1, "client");
    turn();
    EXPECT_FALSE(take("c"));
    sync();
    expect<wire::Submitted>("c");
    expect<wire::Beat>("w");
    const auto assign = expect<wire::Assign>("w");
    EXPECT_EQ(assign.task, with_input.task);
    EXPECT_EQ(assign.answers, 2U);
    EXPECT_EQ(disk_.contents.at(sha256("text")).data, "text");

    tell("c", wire::Wait{{TaskId("t")}, {}, 0, seconds(20)}, 2, "client");
    tell("c", wire::Wait{{}, GroupName("g"), 0, seconds(20)}, 3, "client");
    tell("c", wire::Answers{"me", 0, 10, seconds(20)}, 4, "client");
    tell("c", wire::Events{pipeline_.durable_seq(), 10, seconds(20), TaskId("t")}, 5, "client");
    turn();
    EXPECT_FALSE(take("c"));

    wire::Complete complete;
    complete.report.task = TaskId("t");
    complete.report.lease = assign.lease;
    complete.report.artifacts = {{{"result.md", sha256("ok"), 2, "", ""}, Bytes{"ok"}}};
    tell("w", complete, 3);
    turn();
    EXPECT_FALSE(take("c"));  // woken by commit, not by apply
    EXPECT_FALSE(take("w"));
    sync();
    EXPECT_EQ(expect<wire::Accepted>("w").state, TaskState::kCompleted);
    std::map<std::uint64_t, wire::Body> answers;
    while (auto message = take("c")) answers[message->header.id] = message->body;
    ASSERT_EQ(answers.size(), 4U);
    EXPECT_EQ(std::get<wire::Ended>(answers[2]).rows.at(0).state, TaskState::kCompleted);
    EXPECT_EQ(std::get<wire::Ended>(answers[3]).open, 0U);
    EXPECT_EQ(std::get<wire::Tasks>(answers[4]).rows.at(0).id, TaskId("t"));
    EXPECT_EQ(std::get<wire::EventRows>(answers[5]).rows.size(), 1U);

    // The same report again, now without its bytes, is answered alike, from the store.
    complete.report.artifacts[0].data.reset();
    tell("w", complete, 4);
    turn();
    EXPECT_EQ(expect<wire::Accepted>("w").state, TaskState::kCompleted);
    complete.report.summary = "another";
    tell("w", complete, 5);
    turn();
    EXPECT_EQ(expect<wire::ErrorReply>("w").code, ErrorCode::CONFLICT);
}

TEST_F(ControlTest, ContentsMustBeStoredInlineOrUnderWay) {
    wire::Submit first = submit("t1");
    first.task.inputs = {{"context", sha256("text"), 4, "", ""}};
    wire::Submit second = first;
    second.task.id = TaskId("t2");
    tell("c", first, 1);
    turn();
    const auto refused = expect<wire::ErrorReply>("c");
    EXPECT_EQ(refused.code, ErrorCode::MISSING_CONTENT);
    EXPECT_EQ(refused.missing, (std::vector<Digest>{sha256("text")}));
    first.contents = {{sha256("text"), {"text"}}};
    tell("c", first, 2);
    tell("c", second, 3);  // rests on what is not committed yet
    turn_and_sync();
    expect<wire::Submitted>("c");
    expect<wire::Submitted>("c");
    tell("c", submit("t3"), 4);
    turn_and_sync();
    expect<wire::Submitted>("c");
}

TEST_F(ControlTest, AParkedPollEndsWithItsTimeAndTheNewerPathGetsTheAnswer) {
    tell("c", submit("t"));
    turn_and_sync();
    expect<wire::Submitted>("c");
    tell("old", wire::Wait{{TaskId("t")}, {}, 0, seconds(5)}, 9, "client");
    turn();
    now_ = now_ + seconds(1);
    tell("new", wire::Wait{{TaskId("t")}, {}, 0, seconds(5)}, 9, "client");
    turn();
    now_ = now_ + seconds(5);
    turn();
    EXPECT_FALSE(take("old"));
    EXPECT_EQ(expect<wire::Ended>("new").open, 1U);
    EXPECT_EQ(control_->next_deadline(), kNever);
}

TEST_F(ControlTest, AClaimWaitsForATaskAndOneClaimGetsIt) {
    tell("a", wire::Claim{RoleName("r"), {}, "ann", minutes(30), seconds(10)}, 1, "aaaa");
    tell("b", wire::Claim{RoleName("r"), {}, "bob", minutes(30), seconds(10)}, 1, "bbbb");
    turn();
    EXPECT_FALSE(take("a"));
    tell("c", submit("t"));
    turn_and_sync();
    EXPECT_EQ(expect<wire::Claimed>("a").task.id, TaskId("t"));
    EXPECT_FALSE(take("b"));
    now_ = now_ + seconds(10);
    turn_and_sync();
    EXPECT_EQ(expect<wire::ErrorReply>("b").code, ErrorCode::NOTHING_TO_CLAIM);
}

TEST_F(ControlTest, AWorkerWhoseConnectionIsGoneLosesItsSession) {
    tell("w", hello("w1"));
    turn_and_sync();
    ASSERT_EQ(pipeline_.state().now.sessions.size(), 1U);
    sender_.gone.insert("w");
    tell("w", wire::Ready{0, {}}, 2);
    turn();
    EXPECT_TRUE(pipeline_.state().now.sessions.empty());
}

TEST_F(ControlTest, ANearlyFullDiskRefusesSubmitsWhileReportsLand) {
    tell("c", submit("t"));
    turn_and_sync();
    expect<wire::Submitted>("c");
    control_->note_storage(true);
    tell("c", submit("t2"), 2, "client");
    wire::Complete complete;
    complete.report.task = TaskId("t");
    complete.report.from = "me";
    tell("c", complete, 3, "client");
    tell("c", wire::Status{}, 4, "client");
    turn_and_sync();
    EXPECT_EQ(expect<wire::ErrorReply>("c").code, ErrorCode::STORAGE_FULL);
    EXPECT_EQ(expect<wire::Accepted>("c").state, TaskState::kCompleted);
    EXPECT_TRUE(expect<wire::StatusReply>("c").storage_full);
}

TEST_F(ControlTest, ClosingRefusesWhatComesAndWhatWaits) {
    tell("c", submit("t"));
    turn_and_sync();
    expect<wire::Submitted>("c");
    tell("p", wire::Wait{{TaskId("t")}, {}, 0, seconds(20)}, 1, "client");
    turn();
    control_->shut_down();
    tell("c", submit("t2"), 2);
    turn();
    EXPECT_EQ(expect<wire::ErrorReply>("p").code, ErrorCode::SHUTTING_DOWN);
    EXPECT_EQ(expect<wire::ErrorReply>("c").code, ErrorCode::SHUTTING_DOWN);
}

TEST_F(ControlTest, ContentOfTheArtifactsThreadIsConfirmedWhenItsEventIsDurable) {
    control_->handle(StoreRequest{41, sha256("big"), 3, kLocalIdentity}, now_);
    turn();
    EXPECT_TRUE(store_results_.take().empty());
    sync();
    auto results = store_results_.take();
    ASSERT_EQ(results.size(), 1U);
    EXPECT_EQ(results[0].ticket, 41U);
    EXPECT_FALSE(results[0].error);
    const Seq last = pipeline_.state().durable.last_seq;
    control_->handle(StoreRequest{42, sha256("big"), 3, kLocalIdentity}, now_);
    turn();
    EXPECT_EQ(store_results_.take().size(), 1U);
    EXPECT_EQ(pipeline_.state().durable.last_seq, last);
}

TEST_F(ControlTest, ASubmitWhoseContentIsCondemnedAfterItsPutIsToldToPutItAgain) {
    const Digest digest = sha256("big");
    wire::Submit named = submit("t");
    named.task.inputs = {{"context", digest, 3, "", ""}};
    const auto put = [&](std::uint64_t ticket) {
        control_->handle(StoreRequest{ticket, digest, 3, kLocalIdentity}, now_);
        turn_and_sync();
    };
    const auto refused = [&](std::uint64_t id) {
        tell("c", named, id);
        turn_and_sync();
        const auto error = expect<wire::ErrorReply>("c");
        EXPECT_EQ(error.code, ErrorCode::MISSING_CONTENT);
        EXPECT_EQ(error.missing, std::vector<Digest>{digest});
    };
    put(41);
    now_ = now_ + hours(25);
    core::Command retain;
    retain.now = now_;
    retain.identity = kSystemIdentity;
    core::Retain unused;
    unused.contents = {{digest, 3, false, now_ - hours(25)}};
    unused.begun = now_;
    retain.body = unused;
    pipeline_.run(retain);
    // Decided and not yet committed: its row still says that it is there.
    ASSERT_TRUE(pipeline_.state().index.condemned.contains(digest));
    refused(1);
    ASSERT_FALSE(disk_.contents.contains(digest));
    refused(2);
    put(42);
    tell("c", named, 3);
    turn();
    // Named, and not yet committed: what was found in the rows before may not go any more.
    pipeline_.run(retain);
    EXPECT_FALSE(pipeline_.state().index.condemned.contains(digest));
    turn_and_sync();
    expect<wire::Submitted>("c");
    EXPECT_TRUE(disk_.contents.contains(digest));
}

TEST_F(ControlTest, JoinNeedsAnInvitation) {
    tell("c", wire::Join{make_key_pair().public_key, "ann"});
    turn();
    EXPECT_EQ(expect<wire::ErrorReply>("c").code, ErrorCode::DENIED);
}

}  // namespace
}  // namespace zq::coordinator
