// What an agent's own tool says in its machine-readable output: read line by line as it comes, so
// that nothing is lost to the cap of a log. Each tool has a reader of its own (claude.cc,
// codex.cc); fields that no reader knows are passed over. Starts nothing and writes nothing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "common/platform/json.h"

namespace zq::worker {

/// The tools whose output is understood; kRaw is every other command.
enum class AgentKind : std::uint8_t { kRaw, kClaude, kCodex };

/// What was read so far.
struct AgentRecord {
    bool closed = false;    // the record that ends a run has come
    bool is_error = false;  // and it, or one before it, says that the run failed
    std::string reason;     // of the failure
    std::string result;     // the agent's last words to the user
    /// Keys for the report's `output`: session_id, model, cost_usd_micros, input_tokens,
    /// cached_input_tokens, cache_write_tokens, output_tokens, turns. Those the tool did not say
    /// are not there.
    std::map<std::string, std::string> output;
};

class AgentReader {
  public:
    AgentReader() = default;
    AgentReader(const AgentReader&) = delete;
    AgentReader& operator=(const AgentReader&) = delete;
    virtual ~AgentReader() = default;

    /// The next bytes of stdout, cut anywhere. A line that is no JSON, or longer than 32 MiB, is
    /// passed over.
    void take(std::string_view bytes);
    /// There are no more: the last line may have no end.
    void end();
    const AgentRecord& record() const { return record_; }

  protected:
    virtual void read(const Json& entry) = 0;
    AgentRecord record_;

  private:
    void take_line();

    std::string line_;
    bool too_long_ = false;
};

/// Null for kRaw.
std::unique_ptr<AgentReader> make_agent_reader(AgentKind kind);
std::unique_ptr<AgentReader> make_claude_reader();
std::unique_ptr<AgentReader> make_codex_reader();

/// A field of an object, as text; empty where it is missing or of another type.
std::string text_in(const Json& object, std::string_view key);
/// A count in an object; 0 where it is missing, negative or of another type.
std::uint64_t count_in(const Json& object, std::string_view key);

}  // namespace zq::worker
