// The pure parts of the way in: envelopes, rights, field checks, parked polls, outboxes.
#include <gtest/gtest.h>

#include "common/platform/digest.h"
#include "coordinator/edge/access.h"
#include "coordinator/edge/check_fields.h"
#include "coordinator/edge/outlet.h"
#include "coordinator/edge/polls.h"
#include "coordinator/edge/rows.h"
#include "coordinator/edge/spec_cache.h"

namespace zq::edge {
namespace {

TEST(ReturnEnvelope, EverythingBeforeTheMessageIsEchoed) {
    const auto envelope = [](Frames frames) { return split_frames(std::move(frames)).envelope; };
    EXPECT_EQ(envelope({"id", "zq/1", "PING", "m"}), (Frames{"id"}));
    EXPECT_EQ(envelope({"id", "", "zq/1", "PING", "m"}), (Frames{"id", ""}));
    EXPECT_EQ(envelope({"id", "four", "", "zq/1", "PING", "m"}), (Frames{"id", "four", ""}));
    EXPECT_EQ(envelope({"zq/1", "zq/1", "PING", "m"}), (Frames{"zq/1"}));
    // A REQ's correlation bytes may spell anything.
    EXPECT_EQ(envelope({"id", "zq/1", "", "zq/1", "PING", "m"}), (Frames{"id", "zq/1", ""}));
    EXPECT_EQ(split_frames({"id", "", "zq/2", "X"}).message, (Frames{"zq/2", "X"}));
}

TEST(ReturnEnvelope, LeadsBackEvenWhereNothingLooksLikeAMessage) {
    EXPECT_EQ(split_frames({"id"}).envelope, (Frames{"id"}));
    EXPECT_EQ(split_frames({"id", "x", "", "y"}).envelope, (Frames{"id", "x", ""}));
    EXPECT_TRUE(split_frames({"id", "x", "", "y"}).message.empty());
    // A chunk's empty body is no delimiter.
    EXPECT_EQ(split_frames({"id", "zq/1", "CHUNK", "m", ""}).envelope, (Frames{"id"}));
}

TEST(ReturnEnvelope, TooLargeToBeKeptIsNeitherKeptNorAnswered) {
    const std::string large(limits::kEnvelopeBytes + 1, 'x');
    for (Frames frames : {Frames{"id", large, "", "zq/1", "PING", "m"}, Frames{"id", large, ""}}) {
        const SplitFrames split = split_frames(std::move(frames));
        EXPECT_EQ(split.envelope, (Frames{"id"}));
        EXPECT_TRUE(split.message.empty());
    }
}

wire::Hello good_hello() {
    wire::Hello hello;
    hello.worker = WorkerName("w");
    hello.state_id = StateId(std::string(32, 'a'));
    hello.incarnation = 1;
    hello.roles = {RoleName("r")};
    return hello;
}

wire::Submit good_submit(const std::string& data) {
    wire::Submit submit;
    submit.task.id = TaskId("t");
    submit.task.role = RoleName("r");
    submit.task.inputs = {{"context", sha256(data), data.size(), "", ""}};
    submit.contents = {{sha256(data), {data}}};
    return submit;
}

/// `CODE field` of the first complaint, or `ok`.
std::string complaint(const wire::Body& body) {
    auto result = check_fields({{}, body, {}});
    if (result) return "ok";
    return std::string(to_string(result.error().code)) + " " + result.error().field;
}

TEST(FieldChecks, ARunOfRetentionNamesARoleOrNone) {
    EXPECT_EQ(complaint(wire::Gc{false, RoleName("a b")}), "INVALID role");
    EXPECT_EQ(complaint(wire::Gc{false, RoleName("a")}), "ok");
}

TEST(FieldChecks, AKeysRightsChangeOrItIsRemoved) {
    EXPECT_EQ(complaint(wire::SetAccess{"ann", {"put"}, {}, false, {}}), "ok");
    EXPECT_EQ(complaint(wire::SetAccess{"ann", {}, {}, true, {}}), "ok");
    EXPECT_EQ(complaint(wire::SetAccess{"ann", {"put"}, {}, true, {}}), "INVALID grant");
    EXPECT_EQ(complaint(wire::SetAccess{"ann", {}, {}, false, {}}), "INVALID grant");
    EXPECT_EQ(complaint(wire::SetAccess{"", {"put"}, {}, false, {}}), "INVALID key");
    EXPECT_EQ(complaint(wire::Rotate{"short", {}}), "INVALID public_key");
}

TEST(FieldChecks, ABackupsFolderIsAnAbsolutePath) {
    EXPECT_EQ(complaint(wire::Backup{"/backups/today"}), "ok");
    for (const std::string& folder : {std::string(), std::string("backups"),
                                      std::string("./backups"), std::string("/back\0ups", 9)}) {
        EXPECT_EQ(complaint(wire::Backup{folder}), "INVALID folder") << folder;
    }
    EXPECT_EQ(complaint(wire::Backup{"/" + std::string(limits::kUriBytes, 'x')}),
              "TOO_LARGE folder");
}

TEST(FieldChecks, AHelloIsCheckedFieldByField) {
    EXPECT_EQ(complaint(good_hello()), "ok");
    const auto with = [](auto change) {
        wire::Hello hello = good_hello();
        change(hello);
        return complaint(hello);
    };
    EXPECT_EQ(with([](auto& h) { h.worker.text = "../w"; }), "INVALID worker");
    EXPECT_EQ(with([](auto& h) { h.state_id.text = std::string(32, 'A'); }), "INVALID state_id");
    EXPECT_EQ(with([](auto& h) { h.roles.clear(); }), "INVALID roles");
    EXPECT_EQ(with([](auto& h) { h.roles.push_back(RoleName("r")); }), "INVALID roles");
    EXPECT_EQ(with([](auto& h) { h.slots = 0; }), "INVALID slots");
    EXPECT_EQ(with([](auto& h) { h.slots = limits::kSlots + 1; }), "INVALID slots");
    EXPECT_EQ(with([](auto& h) { h.leases.resize(limits::kLeasesListed + 1); }),
              "TOO_LARGE leases");
    EXPECT_EQ(with([](auto& h) { h.reports.resize(1); }), "INVALID reports");
}

TEST(FieldChecks, InlineContentMustBeWhatItsReferenceSays) {
    EXPECT_EQ(complaint(good_submit("hello")), "ok");
    EXPECT_EQ(complaint(good_submit("")), "ok");
    wire::Submit other = good_submit("hello");
    other.contents[0].data.data = "jello";
    EXPECT_EQ(complaint(other), "DIGEST_MISMATCH contents[0].data");
    wire::Submit unnamed = good_submit("hello");
    unnamed.task.inputs.clear();
    EXPECT_EQ(complaint(unnamed), "INVALID contents[0].digest");
    wire::Submit size = good_submit("hello");
    size.task.inputs[0].size = 6;
    EXPECT_EQ(complaint(size), "INVALID contents[0].data");
    EXPECT_EQ(complaint(good_submit(std::string(limits::kInlineBytes, 'x'))), "ok");
    EXPECT_EQ(complaint(good_submit(std::string(limits::kInlineBytes + 1, 'x'))),
              "TOO_LARGE contents[0].data");
}

TEST(FieldChecks, ArtifactNamesCannotLeaveTheirFolder) {
    for (const char* name : {"../x", "/etc/passwd", "a/../b", "a//b", "a/", ".x", "", "a\\b"}) {
        wire::Complete complete;
        complete.report.task = TaskId("t");
        complete.report.artifacts.push_back({{name, {}, 0, "", ""}, std::nullopt});
        EXPECT_EQ(complaint(complete), "INVALID artifacts[0].name") << name;
        wire::Checkpoint checkpoint;
        checkpoint.task = TaskId("t");
        checkpoint.artifact.ref.name = name;
        EXPECT_EQ(complaint(checkpoint), "INVALID artifact.name") << name;
        EXPECT_EQ(complaint(wire::Fetch{TaskId("t"), 1, name, 0, 1}), "INVALID name") << name;
    }
}

TEST(FieldChecks, NumbersAndTimesHaveBounds) {
    wire::Progress progress{TaskId("t"), {}, 101, "", ""};
    EXPECT_EQ(complaint(progress), "INVALID percent");
    wire::Claim claim;
    EXPECT_EQ(complaint(claim), "INVALID to");
    claim.role = RoleName("r");
    claim.lease = millis(999);
    EXPECT_EQ(complaint(claim), "INVALID lease_ms");
    claim.lease = limits::kLeaseMax;
    claim.wait = limits::kPollMax + millis(1);
    EXPECT_EQ(complaint(claim), "INVALID wait_ms");
    wire::Wait wait;
    EXPECT_EQ(complaint(wait), "INVALID tasks");
    wait.tasks = {TaskId("t")};
    wait.group = GroupName("g");
    EXPECT_EQ(complaint(wait), "INVALID tasks");
    wire::UsageQuery usage;
    usage.task = TaskId("t");
    usage.role = RoleName("r");
    EXPECT_EQ(complaint(usage), "INVALID task_id");
    EXPECT_EQ(complaint(wire::Events{0, 0, {}, {}}), "INVALID limit");
    EXPECT_EQ(complaint(wire::Events{UINT64_MAX, 1, {}, {}}), "INVALID after");
    EXPECT_EQ(complaint(wire::Fetch{TaskId("t"), 1, "n", 0, 0}), "INVALID length");
}

TEST(FieldChecks, QuestionsAndAnswersHaveBounds) {
    wire::Release release;
    release.report.task = TaskId("t");
    release.question = NewQuestion{"q", "Why?", {}, {}};
    EXPECT_EQ(complaint(release), "INVALID question") << "only where a person is asked";
    release.cause = ReleaseCause::kInputRequired;
    EXPECT_EQ(complaint(release), "ok");
    release.question->text.clear();
    EXPECT_EQ(complaint(release), "INVALID question.question");
    release.question.reset();
    EXPECT_EQ(complaint(release), "INVALID question");
    wire::Ask ask{TaskId("t"), {}, {"q", "Why?", {"a", "a"}, {}}};
    EXPECT_EQ(complaint(ask), "INVALID choices");
    ask.question.choices.assign(limits::kChoices + 1, "a");
    EXPECT_EQ(complaint(ask), "TOO_LARGE choices");
    ask.question.choices.clear();
    ask.question.timeout = millis(-1);
    EXPECT_EQ(complaint(ask), "INVALID timeout_ms");
    wire::AnswerQuestion answer{TaskId("t"), "", "", std::string(limits::kAnswerBytes + 1, 'x')};
    EXPECT_EQ(complaint(answer), "TOO_LARGE answer");
    EXPECT_EQ(complaint(wire::Questions{{}, {}, 0}), "INVALID limit");
}

Poll poll_of(const std::string& client, std::uint64_t request, core::ReturnPath reply,
             std::int64_t until, const std::string& task, const std::string& key = "i") {
    return {{Identity(key), ClientId(client), request},
            {},
            reply,
            Instant{until},
            wire::Wait{},
            {{Topic::Kind::kTask, task}}};
}

TEST(PolledWaits, AreWokenByTheirTopicsAndEndInOrder) {
    Polls polls;
    EXPECT_EQ(polls.park(poll_of("a", 1, 11, 500, "t1")).value(), 0U);
    EXPECT_EQ(polls.park(poll_of("a", 2, 12, 300, "t2")).value(), 0U);
    const auto woken = polls.woken_by({{Topic::Kind::kTask, "t2"}, {Topic::Kind::kGroup, "t1"}});
    ASSERT_EQ(woken.size(), 1U);
    EXPECT_EQ(polls.get(woken[0]).reply, 12U);
    EXPECT_EQ(polls.next_deadline(), Instant{300});
    EXPECT_EQ(polls.due(Instant{299}).size(), 0U);
    EXPECT_EQ(polls.due(Instant{500}).size(), 2U);
    EXPECT_EQ(polls.take(woken[0]).reply, 12U);
    EXPECT_TRUE(polls.woken_by({{Topic::Kind::kTask, "t2"}}).empty());
    EXPECT_EQ(polls.next_deadline(), Instant{500});
}

TEST(PolledWaits, AskedAgainGoesToTheNewerPath) {
    Polls polls;
    EXPECT_EQ(polls.park(poll_of("a", 1, 11, 500, "t1")).value(), 0U);
    EXPECT_EQ(polls.park(poll_of("a", 1, 22, 600, "t1")).value(), 11U);
    EXPECT_EQ(polls.size(), 1U);
    // Peers that do not name themselves never take each other's place.
    EXPECT_EQ(polls.park(poll_of("", 1, 33, 600, "t1")).value(), 0U);
    EXPECT_EQ(polls.park(poll_of("", 1, 44, 600, "t1")).value(), 0U);
    EXPECT_EQ(polls.size(), 3U);
}

TEST(PolledWaits, AreBoundedPerClientPerKeyAndInAll) {
    Polls polls;
    for (std::uint64_t i = 0; i < limits::kPollsPerClient; ++i) {
        ASSERT_TRUE(polls.park(poll_of("a", i, i, 500, "t")));
    }
    EXPECT_EQ(polls.park(poll_of("a", 1'000, 1, 500, "t")).error().code, ErrorCode::BUSY);
    EXPECT_TRUE(polls.park(poll_of("a", 0, 1, 500, "t")));  // in the place of its first
    for (std::uint64_t i = polls.size(); i < limits::kPollsPerKey; ++i) {
        ASSERT_TRUE(polls.park(poll_of("", i, i, 500, "t")));
    }
    EXPECT_EQ(polls.park(poll_of("another name", 1, 1, 500, "t")).error().code, ErrorCode::BUSY);
    EXPECT_TRUE(polls.park(poll_of("b", 1, 1, 300, "t", "j"))) << "the others have room";
    polls.take(polls.due(Instant{300}).front());
    for (std::uint64_t i = polls.size(); i < limits::kPolls; ++i) {
        ASSERT_TRUE(polls.park(poll_of("", i, i, 500, "t", "local")));
    }
    EXPECT_EQ(polls.park(poll_of("b", 1, 1, 500, "t", "j")).error().code, ErrorCode::BUSY);
}

/// Peers that take what their status says.
struct FakeSender : Sender {
    std::map<std::string, SendStatus> status;
    std::vector<Frames> sent;
    SendStatus send(std::size_t, const Frames& frames) override {
        auto at = status.find(frames[0]);
        const SendStatus result = at == status.end() ? SendStatus::kSent : at->second;
        if (result == SendStatus::kSent) sent.push_back(frames);
        return result;
    }
};

Route route_to(const std::string& peer) {
    return {{0, peer, ""}, {peer, ""}, 0};
}

TEST(Outbox, KeepsTheOrderForASlowPeerAndHoldsUpNobodyElse) {
    FakeSender sender;
    Outlet outlet(sender);
    sender.status["slow"] = SendStatus::kFull;
    outlet.send(route_to("slow"), {"1"});
    outlet.send(route_to("fast"), {"2"});
    sender.status.clear();
    outlet.send(route_to("slow"), {"3"});
    outlet.retry();
    EXPECT_EQ(sender.sent,
              (std::vector<Frames>{{"fast", "", "2"}, {"slow", "", "1"}, {"slow", "", "3"}}));
    EXPECT_TRUE(outlet.is_empty());
    EXPECT_TRUE(outlet.take_lost().empty());
}

TEST(Outbox, APeerThatIsGoneOrOverflowsIsLost) {
    FakeSender sender;
    Outlet outlet(sender);
    sender.status["gone"] = SendStatus::kGone;
    outlet.send(route_to("gone"), {"1"});
    ASSERT_EQ(outlet.take_lost().size(), 1U);
    sender.status["slow"] = SendStatus::kFull;
    const std::string large(1UL << 20, 'x');
    for (int i = 0; i < 4; ++i) outlet.send(route_to("slow"), {large});
    const auto lost = outlet.take_lost();
    ASSERT_EQ(lost.size(), 1U);
    EXPECT_EQ(lost[0].routing_id, "slow");
    EXPECT_TRUE(outlet.is_empty());
}

TEST(SpecCache, ForgetsTheLeastRecentlyUsedByBytes) {
    SpecCache cache(64UL * 1024);
    TaskSpec spec;
    spec.instructions.assign(2 * 1024, 'x');
    for (Seq seq = 1; seq <= 20; ++seq) cache.put(seq, spec);
    ASSERT_NE(cache.find(1), nullptr);
    for (Seq seq = 21; seq <= 22; ++seq) cache.put(seq, spec);
    EXPECT_NE(cache.find(1), nullptr);
    EXPECT_EQ(cache.find(2), nullptr);
    spec.instructions.assign(60UL * 1024, 'x');
    cache.put(50, spec);
    EXPECT_EQ(cache.find(50), nullptr);
    EXPECT_LE(cache.bytes(), 64UL * 1024);
}

TEST(Rows, TextsAreCutBetweenCharacters) {
    EXPECT_EQ(cut_text("short", 10), "short");
    EXPECT_EQ(cut_text("abcdefghij", 8), "abcde\u2026");
    EXPECT_EQ(cut_text("ab\u00e4\u00e4\u00e4\u00e4", 8), "ab\u00e4\u2026");
}

}  // namespace
}  // namespace zq::edge
