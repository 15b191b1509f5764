// The vocabulary: names, ids, leases, durations, bounds of the envelope, moves, error codes.
#include <gtest/gtest.h>

#include <functional>

#include "common/base/byte_size.h"
#include "common/base/error.h"
#include "common/base/ids.h"
#include "common/base/report_words.h"
#include "common/base/task_spec.h"
#include "common/base/task_state.h"

namespace zq {
namespace {

TEST(Names, AllowOnlyWhatIsSafeInPathsAndOnCommandLines) {
    for (const char* good :
         {"a", "0", "review-worker", "A.b_c-9", "t-01jd3v8k2q7m4r0c9w5x1z6hbn"}) {
        EXPECT_TRUE(is_valid_name(good)) << good;
    }
    for (const char* bad :
         {"", ".", "..", ".hidden", "-flag", "_x", "a/b", "a b", "a\n", "ä", "a\\b", "a:b"}) {
        EXPECT_FALSE(is_valid_name(bad)) << bad;
    }
    EXPECT_FALSE(is_valid_name(std::string_view("a\0b", 3)));
    EXPECT_TRUE(is_valid_name(std::string(limits::kNameBytes, 'a')));
    EXPECT_FALSE(is_valid_name(std::string(limits::kNameBytes + 1, 'a')));
}

TEST(ArtifactNames, NeverLeaveTheirFolder) {
    for (const char* good : {"result.md", "log/stdout", "a/b/c"}) {
        EXPECT_TRUE(is_valid_artifact_name(good)) << good;
    }
    for (const char* bad : {"", "/", "/etc/passwd", "a/", "a//b", "..", "../a", "a/../b", "a/..",
                            "a/./b", "./a", "a/.git", "~/a", "a\\..\\b", "C:/a"}) {
        EXPECT_FALSE(is_valid_artifact_name(bad)) << bad;
    }
    EXPECT_FALSE(is_valid_artifact_name(std::string_view("a\0/b", 4)));
    std::string longest = std::string(60, 'a');
    while (longest.size() + 61 <= limits::kArtifactNameBytes) longest += "/" + std::string(60, 'b');
    EXPECT_TRUE(is_valid_artifact_name(longest));
    EXPECT_FALSE(is_valid_artifact_name(longest + "/" + std::string(60, 'c')));
}

TEST(TaskIds, SortByTimeWhateverTheirRandomPart) {
    std::array<std::uint8_t, 10> low{};
    std::array<std::uint8_t, 10> high{};
    high.fill(0xff);
    std::string earlier;
    for (std::int64_t ms :
         {0LL, 1LL, 31LL, 32LL, 1'795'177'867'042LL, 1'795'177'867'043LL, (1LL << 48) - 1}) {
        const std::string from = make_task_id(Instant{ms}, low).text;
        const std::string to = make_task_id(Instant{ms}, high).text;
        EXPECT_LT(earlier, from);
        EXPECT_LT(from, to);
        EXPECT_EQ(from.size(), 28U);
        EXPECT_TRUE(is_valid_name(to)) << to;
        earlier = to;
    }
    EXPECT_EQ(earlier, "t-7zzzzzzzzzzzzzzzzzzzzzzzzz");
    EXPECT_EQ(make_task_id(Instant{0}, low).text, "t-00000000000000000000000000");
}

TEST(LeaseTokens, SurviveTheirTextFormAndOrderByNumber) {
    const LeaseToken token{0x0123456789abcdef, (std::uint64_t{3} << 32) + 10};
    EXPECT_EQ(to_string(token), "0123456789abcdef-000000030000000a");
    EXPECT_EQ(parse_lease_token(to_string(token)), token);
    EXPECT_LT(token, (LeaseToken{token.journal, std::uint64_t{4} << 32}))
        << "the epoch outranks the number";
    const LeaseToken largest{UINT64_MAX, UINT64_MAX};
    EXPECT_EQ(parse_lease_token(to_string(largest)), largest);
}

TEST(LeaseTokens, AreRefusedInEveryOtherSpelling) {
    for (const char* bad :
         {"", "0", "0123456789abcdef", "0123456789abcdef-000000030000000",
          "0123456789ABCDEF-000000030000000a", "0123456789abcdef_000000030000000a",
          "0123456789abcdef-000000030000000a ", "0x23456789abcdef-000000030000000a",
          "0123456789abcdef--00000030000000a"}) {
        auto token = parse_lease_token(bad, "leases[1].lease");
        ASSERT_FALSE(token) << bad;
        EXPECT_EQ(token.error().code, ErrorCode::INVALID);
        EXPECT_EQ(token.error().field, "leases[1].lease");
    }
}

TEST(Digests, AreLowerCaseHexBothWays) {
    const std::string hex = "00ff" + std::string(60, 'a');
    EXPECT_EQ(to_hex(parse_digest(hex).value()), hex);
    for (const std::string& bad :
         {std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'A'), std::string(64, 'g')}) {
        EXPECT_FALSE(parse_digest(bad)) << bad;
    }
}

TEST(Durations, AreReadAndWrittenInTheLargestUnitThatIsExact) {
    const std::pair<const char*, Millis> cases[] = {
        {"0s", {}},       {"1ms", millis(1)}, {"90s", seconds(90)},    {"15m", minutes(15)},
        {"2h", hours(2)}, {"3d", days(3)},    {"1500ms", millis(1500)}};
    for (const auto& [text, value] : cases) {
        EXPECT_EQ(parse_duration(text, "ttl"), value) << text;
        EXPECT_EQ(to_string(value), text);
    }
    EXPECT_EQ(parse_duration("60s", "ttl"), minutes(1));
    EXPECT_EQ(parse_duration("3650d", "ttl"), limits::kLongest);
}

TEST(Durations, AreRefusedBeyondTenYearsAndInEveryOtherSpelling) {
    for (const char* bad : {"", "s", "5", "-1s", "+1s", "1.5h", "1 s", "1s ", "1S", "1w", "0x1s",
                            "3651d", "9223372036854775807d", "99999999999999999999s", "1h30m"}) {
        auto duration = parse_duration(bad, "task.ttl_ms");
        ASSERT_FALSE(duration) << bad;
        EXPECT_EQ(duration.error().field, "task.ttl_ms");
    }
}

TEST(ByteSizes, AreWholeNumbersWithOrWithoutABinaryUnit) {
    const std::pair<const char*, std::uint64_t> cases[] = {{"0", 0},
                                                           {"4096", 4096},
                                                           {"7B", 7},
                                                           {"64KiB", 1ULL << 16},
                                                           {"2MiB", 2ULL << 20},
                                                           {"10GiB", 10ULL << 30},
                                                           {"3TiB", 3ULL << 40}};
    for (const auto& [text, bytes] : cases) {
        EXPECT_EQ(parse_byte_size(text, UINT64_MAX), bytes) << text;
    }
    for (const char* bad : {"", "B", "KiB", "1KB", "1kib", "1.5MiB", "-1", "+1", "1 MiB", "0x10",
                            "18446744073709551616", "99999999999TiB"}) {
        EXPECT_EQ(parse_byte_size(bad, UINT64_MAX), std::nullopt) << bad;
    }
    EXPECT_EQ(parse_byte_size("1KiB", 1024), 1024U);
    EXPECT_EQ(parse_byte_size("1025", 1024), std::nullopt);
    EXPECT_EQ(parse_byte_size("2KiB", 1024), std::nullopt);
}

TEST(Backoffs, AreReadAsTheyAreWritten) {
    for (const char* text : {"none", "fixed:30s", "exp:5s..10m", "exp:0s..0s", "exp:7s..7s"}) {
        auto backoff = parse_backoff(text);
        ASSERT_TRUE(backoff) << text;
        EXPECT_EQ(to_string(*backoff), text);
    }
    EXPECT_EQ(to_string(Backoff{}), "exp:5s..10m");
    for (const char* bad : {"", "fixed", "fixed:", "fixed:5", "exp:5s", "exp:10m..5s", "exp:..",
                            "linear:1s..2s", "None", "exp:1s..2s..3s"}) {
        EXPECT_FALSE(parse_backoff(bad)) << bad;
    }
}

TaskSpec valid_spec() {
    TaskSpec spec;
    spec.id = TaskId("task-1");
    spec.role = RoleName("review-worker");
    return spec;
}

ArtifactRef input_named(const std::string& name) {
    ArtifactRef ref;
    ref.name = name;
    return ref;
}

struct SpecCase {
    const char* field;
    ErrorCode code;
    std::function<void(TaskSpec&)> spoil;
};

TEST(TaskSpecs, AreRefusedAtEachBoundWithTheFieldAsItStandsOnTheWire) {
    const SpecCase cases[] = {
        {"task.ns", ErrorCode::INVALID, [](TaskSpec& s) { s.ns = Namespace("other"); }},
        {"task.task_id", ErrorCode::INVALID, [](TaskSpec& s) { s.id = TaskId("../x"); }},
        {"task.to", ErrorCode::INVALID, [](TaskSpec& s) { s.role = RoleName(""); }},
        {"task.group", ErrorCode::INVALID, [](TaskSpec& s) { s.group = GroupName("a b"); }},
        {"task.from", ErrorCode::TOO_LARGE,
         [](TaskSpec& s) { s.from.assign(limits::kFromBytes + 1, 'x'); }},
        {"task.type", ErrorCode::TOO_LARGE,
         [](TaskSpec& s) { s.type.assign(limits::kTypeBytes + 1, 'x'); }},
        {"task.instructions", ErrorCode::TOO_LARGE,
         [](TaskSpec& s) { s.instructions.assign(limits::kInstructionsBytes + 1, 'x'); }},
        {"task.payload", ErrorCode::TOO_LARGE,
         [](TaskSpec& s) { s.payload.assign(limits::kPayloadBytes + 1, 'x'); }},
        {"task.reply_to", ErrorCode::TOO_LARGE,
         [](TaskSpec& s) { s.reply_to.assign(limits::kReplyToBytes + 1, 'x'); }},
        {"task.trace_id", ErrorCode::TOO_LARGE,
         [](TaskSpec& s) { s.trace_id.assign(limits::kTraceBytes + 1, 'x'); }},
        {"task.unique_key", ErrorCode::TOO_LARGE,
         [](TaskSpec& s) { s.unique_key.assign(limits::kKeyBytes + 1, 'x'); }},
        {"task.on_unique", ErrorCode::INVALID,
         [](TaskSpec& s) { s.on_unique = OnUnique::kExisting; }},
        {"task.idempotency_key", ErrorCode::TOO_LARGE,
         [](TaskSpec& s) { s.idempotency_key.assign(limits::kKeyBytes + 1, 'x'); }},
        {"task.priority", ErrorCode::INVALID, [](TaskSpec& s) { s.priority = 11; }},
        {"task.priority", ErrorCode::INVALID, [](TaskSpec& s) { s.priority = -1; }},
        {"task.max_attempts", ErrorCode::INVALID, [](TaskSpec& s) { s.max_attempts = 0; }},
        {"task.max_attempts", ErrorCode::INVALID, [](TaskSpec& s) { s.max_attempts = 1001; }},
        {"task.max_lost", ErrorCode::INVALID, [](TaskSpec& s) { s.max_lost = 0; }},
        {"task.ttl_ms", ErrorCode::INVALID,
         [](TaskSpec& s) { s.ttl = limits::kLongest + millis(1); }},
        {"task.delay_ms", ErrorCode::INVALID, [](TaskSpec& s) { s.delay = millis(-1); }},
        {"task.run_timeout_ms", ErrorCode::INVALID,
         [](TaskSpec& s) { s.run_timeout = kNever - Instant{}; }},
        {"task.backoff", ErrorCode::INVALID, [](TaskSpec& s) { s.backoff.min = hours(1); }},
        {"task.backoff", ErrorCode::INVALID,
         [](TaskSpec& s) { s.backoff.max = limits::kLongest + millis(1); }},
        {"task.labels", ErrorCode::INVALID, [](TaskSpec& s) { s.labels["a b"] = "x"; }},
        {"task.labels", ErrorCode::TOO_LARGE,
         [](TaskSpec& s) { s.labels["a"] = std::string(limits::kKeyBytes + 1, 'x'); }},
        {"task.labels", ErrorCode::TOO_LARGE,
         [](TaskSpec& s) {
             for (std::size_t i = 0; i <= limits::kLabels; ++i)
                 s.labels["k" + std::to_string(i)] = "";
         }},
        {"task.expected_output.format", ErrorCode::INVALID,
         [](TaskSpec& s) { s.expected.format = "yaml"; }},
        {"task.expected_output.artifacts", ErrorCode::INVALID,
         [](TaskSpec& s) { s.expected.artifacts = {"../x"}; }},
        {"task.expected_output.artifacts", ErrorCode::TOO_LARGE,
         [](TaskSpec& s) { s.expected.artifacts.assign(limits::kExpected + 1, "a"); }},
        {"task.inputs[1].name", ErrorCode::INVALID,
         [](TaskSpec& s) {
             s.inputs = {input_named("a"), input_named("a")};
         }},
        {"task.inputs[1].name", ErrorCode::INVALID,
         [](TaskSpec& s) {
             s.inputs = {input_named("a/b"), input_named("a")};
         }},
        {"task.inputs[0].name", ErrorCode::INVALID,
         [](TaskSpec& s) { s.inputs = {input_named("a/../b")}; }},
        {"task.inputs", ErrorCode::TOO_LARGE,
         [](TaskSpec& s) { s.inputs.assign(limits::kInputs + 1, input_named("a")); }},
        {"task.inputs[0].size", ErrorCode::TOO_LARGE,
         [](TaskSpec& s) {
             s.inputs = {input_named("a")};
             s.inputs[0].size = limits::kArtifactBytes + 1;
         }},
        {"task.inputs[0]", ErrorCode::TOO_LARGE,
         [](TaskSpec& s) {
             s.inputs = {input_named("a")};
             s.inputs[0].uri.assign(limits::kUriBytes + 1, 'x');
         }},
    };
    ASSERT_TRUE(validate(valid_spec()));
    for (const SpecCase& one : cases) {
        TaskSpec spec = valid_spec();
        one.spoil(spec);
        auto ok = validate(spec);
        ASSERT_FALSE(ok) << one.field;
        EXPECT_EQ(ok.error().field, one.field) << ok.error().message;
        EXPECT_EQ(to_string(ok.error().code), to_string(one.code)) << one.field;
    }
}

TEST(TaskSpecs, AreAcceptedExactlyAtTheirBounds) {
    TaskSpec spec = valid_spec();
    spec.id = TaskId(std::string(limits::kNameBytes, 'x'));
    spec.instructions.assign(limits::kInstructionsBytes, 'x');
    spec.payload.assign(limits::kPayloadBytes, 'x');
    spec.idempotency_key.assign(limits::kKeyBytes, 'x');
    spec.priority = 0;
    spec.ttl = limits::kLongest;
    spec.max_attempts = limits::kAttemptsMax;
    spec.backoff = {Backoff::Kind::kFixed, limits::kLongest, limits::kLongest};
    for (std::size_t i = 0; i < limits::kLabels; ++i) spec.labels["k" + std::to_string(i)] = "v";
    for (std::size_t i = 0; i < limits::kInputs; ++i)
        spec.inputs.push_back(input_named("i" + std::to_string(i)));
    auto ok = validate(spec);
    EXPECT_TRUE(ok) << ok.error().field << ok.error().message;
}

TEST(ExpectedNames, AreMetWithOrWithoutAnExtensionButNotByALongerName) {
    EXPECT_TRUE(meets_expectation("risks", {"x", "risks"}));
    EXPECT_TRUE(meets_expectation("risks", {"risks.md"}));
    EXPECT_TRUE(meets_expectation("risks", {"risks.tar.gz"}));
    EXPECT_TRUE(meets_expectation("log/stdout", {"log/stdout.txt"}));
    for (const char* other : {"riskser", "risks.", "risk", "a/risks", "risks.d/file", "Risks"}) {
        EXPECT_FALSE(meets_expectation("risks", {other})) << other;
    }
    EXPECT_FALSE(meets_expectation("risks", {}));
}

TEST(Moves, LeadFromEveryEntryToAnEndAndNeverOutOfOne) {
    for (std::size_t i = 0; i < kTaskStates; ++i) {
        const auto from = static_cast<TaskState>(i);
        bool left = false;
        for (std::size_t j = 0; j < kTaskStates; ++j)
            left |= moves::is_legal(from, static_cast<TaskState>(j));
        EXPECT_FALSE(is_final(from) && left) << to_string(from);
        EXPECT_FALSE(moves::is_legal(from, from)) << to_string(from);
    }
    EXPECT_FALSE(moves::is_legal(TaskState::kQueued, TaskState::kCompleted));
    EXPECT_FALSE(moves::is_legal(TaskState::kRetryWait, TaskState::kRunning));
    EXPECT_FALSE(moves::is_legal(TaskState::kRunning, TaskState::kExpired))
        << "a ttl is for the queue only";
    EXPECT_FALSE(moves::is_legal(TaskState::kRunning, TaskState::kCancelled))
        << "by way of cancelling";
}

/// Every value of an enum reads back from its word, and no other word reads.
template <class Enum>
void expect_words(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto value = static_cast<Enum>(i);
        auto back = static_cast<Enum>(255);
        EXPECT_TRUE(from_text(to_string(value), back));
        EXPECT_EQ(back, value);
    }
    auto untouched = static_cast<Enum>(0);
    EXPECT_FALSE(from_text("Queued", untouched));
    EXPECT_FALSE(from_text("queued ", untouched));
    EXPECT_EQ(untouched, static_cast<Enum>(0));
}

TEST(Words, ReadBackAsWhatTheyWereWrittenFrom) {
    expect_words<TaskState>(kTaskStates);
    expect_words<DeadReason>(kDeadReasons);
    expect_words<Verdict>(3);
    expect_words<FailureClass>(9);
    expect_words<ReleaseCause>(5);
    expect_words<Outcome>(8);
    expect_words<Backoff::Kind>(3);
}

TEST(ErrorCodes, HaveNamesThatReadBackAndSayWhetherToRetry) {
#define ZQ_CODE(name, retry, text)                       \
    EXPECT_EQ(parse_error_code(#name), ErrorCode::name); \
    EXPECT_EQ(to_string(ErrorCode::name), #name);        \
    EXPECT_EQ(retryable(ErrorCode::name), retry);        \
    EXPECT_FALSE(meaning(ErrorCode::name).empty());
    ZQ_ERROR_CODES(ZQ_CODE)
#undef ZQ_CODE
    EXPECT_EQ(parse_error_code("invalid"), std::nullopt);
    EXPECT_EQ(parse_error_code(""), std::nullopt);
}

}  // namespace
}  // namespace zq
