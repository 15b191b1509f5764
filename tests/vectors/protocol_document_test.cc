// protocol.md against the sources: its tables of fields, limits, errors, states and moves, and the
// bytes of its examples. A change of the contract that forgets the page, or the other way round,
// fails here.
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "common/base/report_words.h"
#include "common/base/task_state.h"
#include "common/platform/files.h"
#include "tests/vectors/described_fields.h"
#include "tests/vectors/samples.h"
#include "tests/vectors/vector_file.h"

namespace zq::vectors {
namespace {

using Row = std::vector<std::string>;
struct Table {
    std::string heading;  // of the section it stands in
    Row head;
    std::vector<Row> rows;
};

std::string text_of(const std::string& path) {
    auto text = read_file(std::string(ZQ_SOURCE_DIR) + "/" + path);
    EXPECT_TRUE(text) << text.error().message;
    return text.value_or("");
}

Row cells_of(const std::string& line) {
    Row cells;
    std::istringstream parts(line.substr(1));
    for (std::string cell; std::getline(parts, cell, '|');) {
        auto first = cell.find_first_not_of(' ');
        auto last = cell.find_last_not_of(' ');
        cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
    }
    return cells;
}

std::vector<Table> tables() {
    std::vector<Table> found;
    std::string heading;
    bool inside = false;
    std::istringstream lines(text_of("protocol.md"));
    for (std::string line; std::getline(lines, line);) {
        if (line.substr(0, 1) == "#") heading = line.substr(line.find(' ') + 1);
        if (line.substr(0, 1) != "|") {
            inside = false;
        } else if (!inside) {
            inside = true;
            found.push_back({heading, cells_of(line), {}});
        } else if (line.substr(0, 5) != "| ---") {
            found.back().rows.push_back(cells_of(line));
        }
    }
    return found;
}

Table table_with(const std::string& first_head) {
    for (Table& table : tables()) {
        if (table.head[0] == first_head) return table;
    }
    ADD_FAILURE() << "protocol.md has no table with a column " << first_head;
    return {};
}

std::string plain(std::string cell) {
    std::erase(cell, '`');
    return cell;
}

/// `text(kFromBytes)`, `name`, `[[HeldLease](#heldlease)]`, … as FieldLister says it.
std::string type_of_cell(std::string cell) {
    static const std::set<std::string> texts = {"text", "name", "id", "artifact"};
    if (cell.front() == '[' && cell.back() == ']') {
        return "[" + type_of_cell(cell.substr(1, cell.size() - 2)) + "]";
    }
    if (cell.front() == '[' || std::isupper(static_cast<unsigned char>(cell.front()))) return "map";
    cell = cell.substr(0, cell.find('('));
    return texts.count(cell) != 0 ? "text" : cell;
}

/// The fields tables of protocol.md by the name of what they describe.
std::map<std::string, std::vector<DescribedField>> documented() {
    std::map<std::string, std::vector<DescribedField>> found;
    for (const Table& table : tables()) {
        if (table.head.size() < 2 || table.head[1] != "type") continue;
        auto& fields = found[table.head[0] == "field" ? table.heading : table.head[0]];
        for (const Row& row : table.rows) {
            fields.push_back({plain(row[0]), type_of_cell(row[1]), row[2] == "req"});
        }
    }
    const auto common = found["COMPLETE, SKIP, FAIL, RELEASE"];
    for (const char* report : {"COMPLETE", "SKIP", "FAIL", "RELEASE"}) {
        auto& fields = found[report];
        fields.insert(fields.begin(), common.begin(), common.end());
    }
    return found;
}

/// Texts that stand for words of the sources' enums count as words, and the other way round.
std::vector<std::string> comparable(std::vector<DescribedField> fields) {
    std::vector<std::string> lines;
    for (DescribedField& field : fields) {
        static const std::set<std::string> words = {"outcome", "class", "format"};
        if (words.count(field.key) != 0 && field.type == "text") field.type = "word";
        lines.push_back(describe_text(field));
    }
    return lines;
}

template <class T>
void expect_documented(const std::string& name) {
    auto page = documented();
    EXPECT_EQ(comparable(fields_of<T>()), comparable(page[name])) << name;
}

template <std::size_t... I>
void expect_all_documented(std::index_sequence<I...>) {
    (expect_documented<std::variant_alternative_t<I, wire::AnyBody>>(
         std::string(std::variant_alternative_t<I, wire::AnyBody>::kType)),
     ...);
}

TEST(ProtocolDocument, DescribesEveryFieldOfEveryMessage) {
    expect_all_documented(std::make_index_sequence<std::variant_size_v<wire::AnyBody>>());
}

TEST(ProtocolDocument, DescribesEveryFieldOfTheSharedMaps) {
    expect_documented<wire::Header>("common key");
    expect_documented<wire::HeldLease>("HeldLease");
    expect_documented<wire::LeaseVerdict>("LeaseVerdict");
    expect_documented<wire::ReportArtifact>("ReportArtifact");
    expect_documented<wire::InlineContent>("InlineContent");
    expect_documented<wire::BatchItem>("BatchItem");
    expect_documented<wire::TaskRow>("TaskRow");
    expect_documented<wire::AttemptRow>("AttemptRow");
    expect_documented<wire::EventRow>("EventRow");
    expect_documented<wire::WorkerRow>("WorkerRow");
    expect_documented<wire::LeaseRow>("LeaseRow");
    expect_documented<wire::RoleRow>("RoleRow");
    expect_documented<wire::StatsRow>("StatsRow");
    expect_documented<wire::StateCount>("StateCount");
    expect_documented<wire::DurationStats>("DurationStats");
    expect_documented<wire::RemovedRow>("RemovedRow");
    expect_documented<wire::Why>("Why");
    expect_documented<TaskSpec>("Task");
    expect_documented<Backoff>("Backoff");
    expect_documented<RetryRule>("RetryRule");
    expect_documented<After>("After");
    expect_documented<wire::UpstreamRow>("UpstreamRow");
    expect_documented<ExpectedOutput>("ExpectedOutput");
    expect_documented<ArtifactRule>("ArtifactRule");
    expect_documented<Feedback>("Feedback");
    expect_documented<ArtifactRef>("ArtifactRef");
    expect_documented<CheckpointRef>("CheckpointRef");
    expect_documented<NewQuestion>("NewQuestion");
    expect_documented<Question>("Question");
    expect_documented<wire::QuestionRow>("QuestionRow");
    expect_documented<wire::UsageRow>("UsageRow");
    expect_documented<wire::GcRow>("GcRow");
    expect_documented<wire::Changes>("Changes");
    expect_documented<wire::ControlView>("ControlView");
    expect_documented<wire::ControlRow>("ControlRow");
    expect_documented<Limits>("Limits");
    expect_documented<Rate>("Rate");
    expect_documented<Approval>("Approval");
    expect_documented<KeyAccess>("KeyAccess");
    expect_documented<wire::AccessRow>("AccessRow");
}

/// Limits that no peer can meet.
const std::set<std::string> kInnerLimits = {"kTurnMessages", "kBatchEvents", "kUncommittedBatches",
                                            "kUncommittedBytes", "kTickItems"};

std::int64_t number_of(std::uint64_t value) {
    return static_cast<std::int64_t>(value);
}
std::int64_t number_of(Millis value) {
    return value.count;
}

TEST(ProtocolDocument, PrintsEveryLimitWithItsValue) {
    std::map<std::string, std::int64_t> in_code;
#define ZQ_LIMIT(name) in_code[#name] = number_of(limits::name)
    ZQ_LIMIT(kNameBytes), ZQ_LIMIT(kArtifactNameBytes), ZQ_LIMIT(kIdentityBytes);
    ZQ_LIMIT(kTypeBytes), ZQ_LIMIT(kFromBytes), ZQ_LIMIT(kReplyToBytes), ZQ_LIMIT(kKeyBytes);
    ZQ_LIMIT(kTraceBytes), ZQ_LIMIT(kUriBytes), ZQ_LIMIT(kMediaBytes), ZQ_LIMIT(kSummaryBytes);
    ZQ_LIMIT(kReasonBytes), ZQ_LIMIT(kInstructionsBytes), ZQ_LIMIT(kPayloadBytes);
    ZQ_LIMIT(kOutputValueBytes), ZQ_LIMIT(kQuestionBytes), ZQ_LIMIT(kChoiceBytes);
    ZQ_LIMIT(kAnswerBytes), ZQ_LIMIT(kChoices), ZQ_LIMIT(kQuestionsKept);
    ZQ_LIMIT(kLabels), ZQ_LIMIT(kInputs), ZQ_LIMIT(kExpected);
    ZQ_LIMIT(kArtifacts), ZQ_LIMIT(kOutputs), ZQ_LIMIT(kCheckpointsKept);
    ZQ_LIMIT(kHeadings), ZQ_LIMIT(kHeadingBytes), ZQ_LIMIT(kSchemaBytes), ZQ_LIMIT(kSchemaNodes);
    ZQ_LIMIT(kSchemaDepth), ZQ_LIMIT(kSchemaSteps), ZQ_LIMIT(kCheckedResultBytes);
    ZQ_LIMIT(kRolesPerWorker), ZQ_LIMIT(kSlots), ZQ_LIMIT(kWorkerLabels);
    ZQ_LIMIT(kControls), ZQ_LIMIT(kRateCount), ZQ_LIMIT(kRatePeriodMax), ZQ_LIMIT(kKeysHeld);
    ZQ_LIMIT(kPermissions), ZQ_LIMIT(kRotationGraceMax);
    ZQ_LIMIT(kKeyHeldMax);
    ZQ_LIMIT(kListRows), ZQ_LIMIT(kEventRows), ZQ_LIMIT(kWaitTasks), ZQ_LIMIT(kLeasesListed);
    ZQ_LIMIT(kListLooked), ZQ_LIMIT(kEventsLooked), ZQ_LIMIT(kEventKinds);
    ZQ_LIMIT(kRollupNames), ZQ_LIMIT(kStatsWindowMin), ZQ_LIMIT(kStatsWindowMax);
    ZQ_LIMIT(kOpenTasks), ZQ_LIMIT(kPolls), ZQ_LIMIT(kPollsPerClient), ZQ_LIMIT(kRequests);
    ZQ_LIMIT(kPollsPerKey), ZQ_LIMIT(kIntakeMessages), ZQ_LIMIT(kIntakeBytesEach);
    ZQ_LIMIT(kIntakeBytes), ZQ_LIMIT(kHandshakeMax), ZQ_LIMIT(kTakesNothing);
    ZQ_LIMIT(kRequestsPerClient), ZQ_LIMIT(kDeferrals), ZQ_LIMIT(kPriorityMax);
    ZQ_LIMIT(kPriorityDefault), ZQ_LIMIT(kAttemptsMax), ZQ_LIMIT(kAttemptsDefault);
    ZQ_LIMIT(kLostDefault), ZQ_LIMIT(kRetryRules), ZQ_LIMIT(kAfter), ZQ_LIMIT(kRunAllowance),
        ZQ_LIMIT(kRateLimitMin), ZQ_LIMIT(kBudgetMax), ZQ_LIMIT(kLongest), ZQ_LIMIT(kAgeStep),
        ZQ_LIMIT(kMessageBytes);
    ZQ_LIMIT(kRolesServed), ZQ_LIMIT(kFrames), ZQ_LIMIT(kEnvelopeBytes);
    ZQ_LIMIT(kPackDepth), ZQ_LIMIT(kPackItems), ZQ_LIMIT(kInlineBytes);
    ZQ_LIMIT(kBatchTasks), ZQ_LIMIT(kBatchContents), ZQ_LIMIT(kBatchErrorBytes);
    ZQ_LIMIT(kInlineTotalBytes), ZQ_LIMIT(kChunkBytes), ZQ_LIMIT(kChunkCredit);
    ZQ_LIMIT(kArtifactBytes), ZQ_LIMIT(kScannedBytes), ZQ_LIMIT(kLeaseDefault), ZQ_LIMIT(kLeaseMin),
        ZQ_LIMIT(kLeaseMax);
    ZQ_LIMIT(kHeartbeatDefault), ZQ_LIMIT(kPollMax), ZQ_LIMIT(kRequestMemory);
    ZQ_LIMIT(kLogPieces), ZQ_LIMIT(kLogPieceBytes), ZQ_LIMIT(kLogKeptBytes);
    ZQ_LIMIT(kLogsKeptBytes), ZQ_LIMIT(kOrphanHold), ZQ_LIMIT(kProgressJournalEvery),
        ZQ_LIMIT(kStall);
#undef ZQ_LIMIT
    std::map<std::string, std::int64_t> on_page;
    for (const Row& row : table_with("limit").rows) on_page[plain(row[0])] = std::stoll(row[1]);
    EXPECT_EQ(on_page, in_code);

    std::set<std::string> in_header = kInnerLimits;
    for (const auto& [name, value] : in_code) in_header.insert(name);
    std::set<std::string> declared;
    const std::string header = text_of("common/base/limits.h");
    const std::regex declaration(R"(inline constexpr [\w:]+ (k\w+) = )");
    for (std::sregex_iterator at(header.begin(), header.end(), declaration), end; at != end; ++at) {
        declared.insert((*at)[1]);
    }
    EXPECT_EQ(declared, in_header) << "limits.h has a limit that is neither printed nor inner";
}

TEST(ProtocolDocument, NamesOnlyLimitsThatExist) {
    std::set<std::string> known;
    for (const Row& row : table_with("limit").rows) known.insert(plain(row[0]));
    const std::string page = text_of("protocol.md");
    const std::regex name(R"(\bk[A-Z]\w+)");
    for (std::sregex_iterator at(page.begin(), page.end(), name), end; at != end; ++at) {
        EXPECT_TRUE(known.count(at->str())) << at->str();
    }
}

TEST(ProtocolDocument, PrintsTheErrorList) {
    std::vector<Row> in_code;
#define ZQ_CODE(name, retryable, meaning) \
    in_code.push_back({#name, (retryable) ? "yes" : "no", meaning});
    ZQ_ERROR_CODES(ZQ_CODE)
#undef ZQ_CODE
    Table on_page = table_with("code");
    for (Row& row : on_page.rows) row[0] = plain(row[0]);
    for (Row& row : in_code) std::erase(row[2], '`');
    for (Row& row : on_page.rows) std::erase(row[2], '`');
    EXPECT_EQ(on_page.rows, in_code);
}

TEST(ProtocolDocument, PrintsTheStatesAndEveryLegalMove) {
    std::vector<Row> states;
    for (std::size_t i = 0; i < kTaskStates; ++i) {
        const auto state = static_cast<TaskState>(i);
        states.push_back({std::string(to_string(state)), is_final(state) ? "yes" : "no"});
    }
    std::vector<Row> printed;
    for (const Row& row : table_with("state").rows) printed.push_back({plain(row[0]), row[2]});
    EXPECT_EQ(printed, states);

    std::vector<Row> legal;
    for (const auto& move : moves::kLegal) {
        legal.push_back({std::string(to_string(move.from)), std::string(to_string(move.to))});
    }
    std::vector<Row> moves_printed;
    for (const Row& row : table_with("from").rows)
        moves_printed.push_back({plain(row[0]), plain(row[1])});
    EXPECT_EQ(moves_printed, legal);
}

/// The words of an enum from its first value on, as long as the sources know them.
template <class Enum>
std::vector<std::string> words_of(std::size_t first, std::size_t count) {
    std::vector<std::string> words;
    for (std::size_t i = first; i < count; ++i) {
        words.emplace_back(to_string(static_cast<Enum>(i)));
    }
    return words;
}

std::vector<std::string> first_column(const std::string& head) {
    std::vector<std::string> words;
    for (const Row& row : table_with(head).rows) words.push_back(plain(row[0]));
    return words;
}

TEST(ProtocolDocument, PrintsTheWordsOfReportsAndEnds) {
    EXPECT_EQ(first_column("`dead_reason`"), words_of<DeadReason>(1, kDeadReasons));
    EXPECT_EQ(first_column("`outcome` of an attempt"), words_of<Outcome>(0, 8));
    auto sorted = [](std::vector<std::string> words) {
        return std::set<std::string>(words.begin(), words.end());
    };
    EXPECT_EQ(sorted(first_column("`class`")), sorted(words_of<FailureClass>(0, 9)));
    EXPECT_EQ(sorted(first_column("`cause`")), sorted(words_of<ReleaseCause>(0, 7)));
}

TEST(ProtocolDocument, PrintsExamplesThatAreTheGoldenVectors) {
    std::map<std::string, std::string> vectors;
    for (const char* file : {"worker", "client", "reading", "control", "artifacts"}) {
        auto blocks = read_blocks(std::string(ZQ_SOURCE_DIR) + "/tests/vectors/" + file + ".txt");
        ASSERT_TRUE(blocks) << blocks.error().message;
        for (const Block& block : *blocks) {
            std::string hex = block.fields.at("frames");
            std::erase(hex, ' ');
            std::erase(hex, '-');
            vectors[block.name()] = hex;
        }
    }
    std::size_t examples = 0;
    std::istringstream lines(text_of("protocol.md"));
    for (std::string line; std::getline(lines, line);) {
        if (line.substr(0, 7) != "```hex ") continue;
        const std::string name = line.substr(7);
        std::string hex;
        while (std::getline(lines, line) && line != "```") hex += line.substr(0, line.find("  "));
        std::erase(hex, ' ');
        ASSERT_TRUE(vectors.count(name)) << name;
        EXPECT_EQ(hex, vectors[name]) << name;
        ++examples;
    }
    EXPECT_GE(examples, 10U);
}

}  // namespace
}  // namespace zq::vectors
