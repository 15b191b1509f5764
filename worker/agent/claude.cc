// Claude Code in print mode: `claude -p --output-format json` (one object of type `result`, or with
// --verbose an array that ends with it) and `--output-format stream-json` (one object a line, the
// last one of type `result`). Fields as documented for its SDK: type, subtype, is_error, result,
// session_id, total_cost_usd, num_turns, usage, modelUsage; the opening `system` object names model
// and session.
#include "common/base/money.h"
#include "worker/agent/agent.h"

namespace zq::worker {
namespace {

class ClaudeReader : public AgentReader {
  protected:
    void read(const Json& entry) override {
        const std::string type = text_in(entry, "type");
        if (type == "system") keep_names(entry);
        if (type == "result") close(entry);
    }

  private:
    void keep(const char* key, const std::string& value) {
        if (!value.empty()) record_.output[key] = value;
    }
    void keep(const char* key, const Json& object, const char* field) {
        if (object.find(field)) record_.output[key] = std::to_string(count_in(object, field));
    }

    void keep_names(const Json& entry) {
        keep("session_id", text_in(entry, "session_id"));
        keep("model", text_in(entry, "model"));
    }

    void close(const Json& entry) {
        record_.closed = true;
        keep_names(entry);
        keep("turns", entry, "num_turns");
        keep_cost(entry);
        keep_usage(entry);
        const std::string subtype = text_in(entry, "subtype");
        const std::string result = text_in(entry, "result");
        const auto flag = entry.find("is_error");
        record_.is_error = (flag && flag->as_boolean().value_or(false)) ||
                           (!subtype.empty() && subtype != "success");
        record_.result = record_.is_error ? std::string() : result;
        record_.reason = record_.is_error ? "claude: " + (result.empty() ? subtype : result) : "";
    }

    void keep_cost(const Json& entry) {
        const auto cost = entry.find("total_cost_usd");
        if (!cost) return;
        const auto whole = cost->as_integer();
        const auto micros =
            micros_of(whole ? std::to_string(*whole) : cost->as_text().value_or(""));
        if (micros) record_.output["cost_usd_micros"] = std::to_string(*micros);
    }

    void keep_usage(const Json& entry) {
        if (const auto usage = entry.find("usage")) {
            keep("input_tokens", *usage, "input_tokens");
            keep("cached_input_tokens", *usage, "cache_read_input_tokens");
            keep("cache_write_tokens", *usage, "cache_creation_input_tokens");
            keep("output_tokens", *usage, "output_tokens");
        }
        const auto models = entry.find("modelUsage");
        if (!models || record_.output.contains("model")) return;
        std::string names;
        for (const std::string& name : models->keys()) names += (names.empty() ? "" : ",") + name;
        keep("model", names);
    }
};

}  // namespace

std::unique_ptr<AgentReader> make_claude_reader() {
    return std::make_unique<ClaudeReader>();
}

}  // namespace zq::worker
