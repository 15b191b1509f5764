// The journal's bytes: bodies there and back, the header's layout, the chain.
#include <gtest/gtest.h>

#include "common/platform/digest.h"
#include "coordinator/store/event_codec.h"
#include "coordinator/store/record_codec.h"
#include "tests/store/story.h"

namespace zq::store {
namespace {

std::vector<core::Event> every_event() {
    Story story;
    std::vector<core::Event> events;
    for (Batch& batch : tell_everything(story, 0x1122334455667788, "x-")) {
        events.insert(events.end(), batch.events.begin(), batch.events.end());
    }
    return events;
}

TEST(EventCodec, EveryKindComesBackAsItWas) {
    std::set<std::uint16_t> kinds;
    for (const core::Event& event : every_event()) {
        const std::uint16_t kind = kind_number(event.body);
        kinds.insert(kind);
        auto back = decode_body(kind, kBodyVersion, encode_body(event.body));
        ASSERT_TRUE(back.has_value()) << core::kind_of(event.body) << back.error().message;
        EXPECT_EQ(*back, event.body) << core::kind_of(event.body);
    }
    EXPECT_EQ(kinds.size(), std::variant_size_v<core::EventBody>);
}

TEST(EventCodec, AContractAndWhatSentATaskBackComeBackAsTheyWereAndCostNothingWhereTheyAreNot) {
    core::TaskSubmitted submitted;
    TaskSpec& spec = submitted.spec.edit();
    spec.id = TaskId("a");
    spec.role = RoleName("review");
    const std::size_t bare = encode_body(submitted).size();
    spec.expected.rules = {{"patch", "text/x-diff", 1, 2, false}};
    spec.expected.schema = "{}";
    spec.expected.headings = {"Risks"};
    spec.expected.max_bytes = 7;
    spec.unique_key = "deploy";
    spec.limit_key = "account-7";
    spec.needs = {"gpu"};
    submitted.bytes = 1234;
    spec.on_unique = OnUnique::kExisting;
    spec.allow_secrets = true;
    spec.inputs = {{"context", sha256("x"), 1, "", "file:///x", true, {"jwt"}}};
    EXPECT_GT(encode_body(submitted).size(), bare);
    auto back = decode_body(kind_number(submitted), kBodyVersion, encode_body(submitted));
    ASSERT_TRUE(back);
    EXPECT_EQ(std::get<core::TaskSubmitted>(*back), submitted);

    core::Task task;
    task.key = {kDefaultNamespace, TaskId("a")};
    const std::string without = encode_task(task);
    EXPECT_EQ(without.find("feedback"), std::string::npos);
    EXPECT_EQ(without.find("has_rules"), std::string::npos);
    EXPECT_EQ(without.find("unique"), std::string::npos);
    EXPECT_EQ(without.find("limit_key"), std::string::npos);
    EXPECT_EQ(without.find("bytes"), std::string::npos);
    task.has_rules = true;
    task.unique_key = "deploy";
    task.limit_key = "account-7";
    task.needs = {"gpu", "region=eu"};
    task.bytes = 1234;
    task.feedback = {1, "no patch"};
    auto row = decode_task(encode_task(task));
    ASSERT_TRUE(row);
    EXPECT_EQ(*row, task);
}

TEST(EventCodec, CutOrForeignBytesAreRefused) {
    for (const core::Event& event : every_event()) {
        const std::string bytes = encode_body(event.body);
        const std::uint16_t kind = kind_number(event.body);
        for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
            EXPECT_FALSE(decode_body(kind, kBodyVersion, bytes.substr(0, cut)).has_value());
        }
        EXPECT_FALSE(decode_body(kind, kBodyVersion, bytes + "x").has_value());
        EXPECT_EQ(decode_body(kind, kBodyVersion + 1, bytes).error().code,
                  ErrorCode::UNSUPPORTED_VERSION);
        EXPECT_EQ(decode_body(999, kBodyVersion, bytes).error().code,
                  ErrorCode::UNSUPPORTED_VERSION);
    }
}

TEST(EventCodec, TheHeaderHasTheBytesThatAreDrawn) {
    core::Event event;
    event.seq = 0x0102030405060708;
    event.at = Instant{0x1112131415161718};
    event.epoch = 0x21222324;
    event.task = {Namespace("ns"), TaskId("task")};
    event.identity = Identity("me");
    EXPECT_EQ(to_hex(header_bytes(event, 0x3132, 0x4142)),
              "0102030405060708"
              "1112131415161718"
              "21222324"
              "3132"
              "4142"
              "02"
              "6e73"
              "0004"
              "7461736b"
              "0002"
              "6d65");
}

TEST(EventCodec, EveryFieldOfTheHeaderAndTheBodyIsInTheHash) {
    core::Event event;
    event.seq = 5;
    event.task = {kDefaultNamespace, TaskId("t")};
    event.identity = kLocalIdentity;
    std::set<Digest> hashes;
    auto note = [&](const core::Event& e, std::uint16_t kind, std::uint16_t version,
                    const Digest& before, const Digest& body) {
        hashes.insert(chain_hash(before, header_bytes(e, kind, version), body));
    };
    const Digest zero;
    const Digest one = sha256("1");
    note(event, 1, 1, zero, zero);
    note(event, 2, 1, zero, zero);
    note(event, 1, 2, zero, zero);
    note(event, 1, 1, one, zero);
    note(event, 1, 1, zero, one);
    auto changed = [&](auto change) {
        core::Event other = event;
        change(other);
        note(other, 1, 1, zero, zero);
    };
    changed([](core::Event& e) { e.seq = 6; });
    changed([](core::Event& e) { e.at = Instant{1}; });
    changed([](core::Event& e) { e.epoch = 1; });
    changed([](core::Event& e) { e.task.ns = Namespace("other"); });
    changed([](core::Event& e) { e.task.id = TaskId("u"); });
    changed([](core::Event& e) { e.identity = kSystemIdentity; });
    // Lengths keep neighbours apart.
    changed([](core::Event& e) { e.task = {Namespace("defaul"), TaskId("tt")}; });
    EXPECT_EQ(hashes.size(), 12U);
}

TEST(EventFields, TellNoLeaseToken) {
    for (const core::Event& event : every_event()) {
        for (const auto& [name, value] : fields_of(event.body)) {
            EXPECT_EQ(value.find("1122334455667788-"), std::string::npos) << name;
            EXPECT_NE(name, "token");
            EXPECT_FALSE(value.empty()) << name;
        }
    }
}

TEST(EventFields, SayHowAnAttemptEnded) {
    core::AttemptEnded ended;
    ended.attempt.holder.worker = WorkerName("w-1");
    ended.attempt.attempt = 2;
    ended.attempt.outcome = Outcome::kFailed;
    ended.attempt.failure = FailureClass::kCrashed;
    ended.attempt.exit_code = -11;
    ended.next.state = TaskState::kDead;
    ended.next.dead_reason = DeadReason::kAttemptsExhausted;
    const std::map<std::string, std::string> expected = {{"worker", "w-1"},
                                                         {"attempt", "2"},
                                                         {"outcome", "failed"},
                                                         {"failure", "crashed"},
                                                         {"state", "dead"},
                                                         {"exit_code", "-11"},
                                                         {"dead_reason", "attempts_exhausted"}};
    EXPECT_EQ(fields_of(ended), expected);
}

TEST(StateHash, ChangesWithEveryEventAndNotWithTheVolatilePart) {
    Story story;
    std::set<Digest> hashes{state_hash(story.state())};
    story.start(5);
    hashes.insert(state_hash(story.state()));
    story.submit("t");
    hashes.insert(state_hash(story.state()));
    const LeaseToken token = story.assign("t");
    hashes.insert(state_hash(story.state()));
    EXPECT_EQ(hashes.size(), 4U);
    core::State noticed = story.state();
    core::apply(noticed, core::LeaseClockSet{token.number, {Instant{5}, true, 0}});
    core::apply(noticed, core::ProgressSeen{Story::key("t"), {40, "s", "m", {}, {}}});
    EXPECT_EQ(state_hash(noticed), state_hash(story.state()));
}

TEST(RecordCodec, TasksAndAttemptsComeBackAsTheyWere) {
    Story story;
    std::size_t tasks = 0;
    std::size_t attempts = 0;
    for (const Batch& batch : tell_everything(story, 1, "x-")) {
        for (const Shared<core::Task>& task : batch.changes.tasks) {
            EXPECT_EQ(decode_task(encode_task(*task)).value(), *task);
            ++tasks;
        }
        for (const core::Attempt& attempt : batch.changes.attempts) {
            EXPECT_EQ(decode_attempt(encode_attempt(attempt)).value(), attempt);
            ++attempts;
        }
    }
    EXPECT_GT(tasks, 12U);
    EXPECT_GT(attempts, 5U);
}

}  // namespace
}  // namespace zq::store
