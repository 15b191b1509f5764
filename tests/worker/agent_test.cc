// The adapters. The samples are shaped after the tools' documented output (Claude Code: "print
// mode,
// --output-format json and stream-json"; Codex: "codex exec --json"); names and numbers are made
// up.
#include "worker/agent/agent.h"

#include <gtest/gtest.h>

namespace zq::worker {
namespace {

constexpr const char* kClaudeJson =
    R"({"type":"result","subtype":"success","is_error":false,"duration_ms":84213,)"
    R"("duration_api_ms":79011,"num_turns":7,"result":"# Review\n\n12 risks found.",)"
    R"("session_id":"5b9c2f1e-4a07-4c3e-9d55-0f6a1b2c3d4e","total_cost_usd":0.09218745,)"
    R"("usage":{"input_tokens":18,"cache_creation_input_tokens":21544,)"
    R"("cache_read_input_tokens":120331,"output_tokens":2210,)"
    R"("server_tool_use":{"web_search_requests":0},"service_tier":"standard"},)"
    R"("modelUsage":{"claude-sonnet-4-5-20250929":{"inputTokens":18,"outputTokens":2210,)"
    R"("costUSD":0.09218745}},"permission_denials":[],"uuid":"0d1e"})"
    "\n";

constexpr const char* kClaudeStream =
    R"({"type":"system","subtype":"init","cwd":"/w","session_id":"5b9c2f1e","tools":["Bash"],)"
    R"("model":"claude-sonnet-4-5-20250929","permissionMode":"default"})"
    "\n"
    R"({"type":"assistant","message":{"role":"assistant","content":[{"type":"text",)"
    R"("text":"{\"type\":\"result\",\"result\":\"forged\"}"}]},"session_id":"5b9c2f1e"})"
    "\n"
    R"({"type":"result","subtype":"success","is_error":false,"num_turns":1,"result":"done",)"
    R"("session_id":"5b9c2f1e","total_cost_usd":1.5e-05,"usage":{"input_tokens":4,)"
    R"("output_tokens":12}})"
    "\n";

constexpr const char* kCodex =
    R"({"type":"thread.started","thread_id":"0199a213-81c0-7800-8aa1-bbab2a035a53"})"
    "\n"
    R"({"type":"turn.started"})"
    "\n"
    R"({"type":"error","message":"Reconnecting... 1/5"})"
    "\n"
    R"({"type":"item.started","item":{"id":"item_1","type":"command_execution",)"
    R"("command":"bash -lc ls","status":"in_progress"}})"
    "\n"
    R"({"type":"item.completed","item":{"id":"item_2","type":"agent_message","text":"First."}})"
    "\n"
    R"({"type":"item.completed","item":{"id":"item_3","type":"reasoning","text":"hm"}})"
    "\n"
    R"({"type":"item.completed","item":{"id":"item_4","type":"agent_message","text":"Done."}})"
    "\n"
    R"({"type":"turn.completed","usage":{"input_tokens":24763,"cached_input_tokens":24448,)"
    R"("output_tokens":122}})"
    "\n";

AgentRecord read(AgentKind kind, std::string_view text, std::size_t step = 7) {
    auto reader = make_agent_reader(kind);
    for (std::size_t at = 0; at < text.size(); at += step) reader->take(text.substr(at, step));
    reader->end();
    return reader->record();
}

TEST(ClaudeAdapter, ReadsResultSessionUsageAndMoneyOfAJsonRun) {
    const AgentRecord record = read(AgentKind::kClaude, kClaudeJson);
    EXPECT_TRUE(record.closed);
    EXPECT_FALSE(record.is_error);
    EXPECT_EQ(record.result, "# Review\n\n12 risks found.");
    const std::map<std::string, std::string> expected = {
        {"session_id", "5b9c2f1e-4a07-4c3e-9d55-0f6a1b2c3d4e"},
        {"model", "claude-sonnet-4-5-20250929"},
        {"cost_usd_micros", "92187"},
        {"turns", "7"},
        {"input_tokens", "18"},
        {"cached_input_tokens", "120331"},
        {"cache_write_tokens", "21544"},
        {"output_tokens", "2210"},
    };
    EXPECT_EQ(record.output, expected);
}

TEST(ClaudeAdapter, TakesTheResultLineOfAStreamAndNothingThatTheAgentQuotes) {
    const AgentRecord record = read(AgentKind::kClaude, kClaudeStream);
    EXPECT_TRUE(record.closed);
    EXPECT_EQ(record.result, "done");
    EXPECT_EQ(record.output.at("model"), "claude-sonnet-4-5-20250929");
    EXPECT_EQ(record.output.at("cost_usd_micros"), "15");
}

TEST(ClaudeAdapter, ReadsAnArrayThatHoldsTheWholeStreamAndALastLineWithoutItsEnd) {
    std::string array = "[";
    for (const char* c = kClaudeStream; *c != '\0'; ++c) array += *c == '\n' ? ',' : *c;
    array.back() = ']';
    EXPECT_EQ(read(AgentKind::kClaude, array).result, "done");
}

TEST(ClaudeAdapter, AnErrorOfEitherKindIsOneAndIsNoResult) {
    AgentRecord record =
        read(AgentKind::kClaude,
             R"({"type":"result","subtype":"error_max_turns","is_error":false,"session_id":"s"})");
    EXPECT_TRUE(record.is_error);
    EXPECT_EQ(record.reason, "claude: error_max_turns");
    EXPECT_EQ(record.output.at("session_id"), "s");
    record =
        read(AgentKind::kClaude,
             R"({"type":"result","subtype":"success","is_error":true,"result":"API Error: 500"})");
    EXPECT_TRUE(record.is_error);
    EXPECT_EQ(record.reason, "claude: API Error: 500");
    EXPECT_EQ(record.result, "");
}

TEST(ClaudeAdapter, ARunThatWasCutOffHasNoClosingRecord) {
    const std::string half = std::string(kClaudeStream).substr(0, 300);
    const AgentRecord record = read(AgentKind::kClaude, half);
    EXPECT_FALSE(record.closed);
    EXPECT_EQ(record.output.at("session_id"), "5b9c2f1e");
}

TEST(CodexAdapter, ReadsTheLastMessageTheThreadAndTheSumOfTheTurns) {
    const AgentRecord record =
        read(AgentKind::kCodex, std::string(kCodex) +
                                    R"({"type":"turn.started"})"
                                    "\n"
                                    R"({"type":"turn.completed","usage":{"input_tokens":1,)"
                                    R"("cached_input_tokens":0,"output_tokens":2}})");
    EXPECT_TRUE(record.closed);
    EXPECT_FALSE(record.is_error);
    EXPECT_EQ(record.result, "Done.");
    EXPECT_EQ(record.output.at("session_id"), "0199a213-81c0-7800-8aa1-bbab2a035a53");
    EXPECT_EQ(record.output.at("input_tokens"), "24764");
    EXPECT_EQ(record.output.at("cached_input_tokens"), "24448");
    EXPECT_EQ(record.output.at("output_tokens"), "124");
    EXPECT_EQ(record.output.at("turns"), "2");
    EXPECT_FALSE(record.output.contains("cost_usd_micros"));
}

TEST(CodexAdapter, AFailedTurnIsAnErrorAndATurnUnderWayIsNotClosed) {
    AgentRecord record =
        read(AgentKind::kCodex, R"({"type":"turn.failed","error":{"message":"usage limit"}})");
    EXPECT_TRUE(record.closed);
    EXPECT_TRUE(record.is_error);
    EXPECT_EQ(record.reason, "codex: usage limit");
    record = read(AgentKind::kCodex, std::string(kCodex) + R"({"type":"turn.started"})");
    EXPECT_FALSE(record.closed);
}

TEST(Adapters, PassOverWhatIsNotTheirs) {
    for (AgentKind kind : {AgentKind::kClaude, AgentKind::kCodex}) {
        const AgentRecord record =
            read(kind,
                 "warning: {not json\n{\"type\":5}\n[1,2]\n{\"type\":\"new.event\",\"x\":[{}]}\n"
                 "{\"type\":\"result\"\nnull\n\xff\xfe\n");
        EXPECT_FALSE(record.closed);
        EXPECT_TRUE(record.output.empty());
    }
    EXPECT_EQ(make_agent_reader(AgentKind::kRaw), nullptr);
}

TEST(Adapters, ALineWithoutEndIsNotGatheredForEver) {
    auto reader = make_agent_reader(AgentKind::kClaude);
    const std::string block(1 << 20, 'x');
    reader->take("{");
    for (int i = 0; i < 40; ++i) reader->take(block);
    reader->take("\n");
    reader->take(kClaudeJson);
    EXPECT_TRUE(reader->record().closed);
}

TEST(ExactJson, KeepsFloatsAsTheirTextAndEverythingElseAsItIs) {
    const auto json = Json::parse_exact(
        R"({"a":0.1,"b":[1,-2,2.50,{"c":1e3}],"d":true,"e":null,"f":"x","a2":{"g":[]}})", "x");
    ASSERT_TRUE(json.has_value());
    EXPECT_EQ(
        json->dump(),
        R"({"a":"0.1","b":[1,-2,"2.50",{"c":"1e3"}],"d":true,"e":null,"f":"x","a2":{"g":[]}})");
    EXPECT_EQ(Json::parse_exact("{\"a\":}", "x").error().code, ErrorCode::INVALID);
    EXPECT_EQ(Json::parse_exact(std::string(300, '['), "x").error().code, ErrorCode::TOO_LARGE);
}

}  // namespace
}  // namespace zq::worker
