// Codex without a terminal: `codex exec --json` prints one event a line. Fields as documented:
// thread.started (thread_id), item.completed (item.type agent_message, item.text), turn.completed
// (usage of input_tokens, cached_input_tokens, output_tokens), turn.failed (error.message), error
// (message). It says neither its model nor its cost.
#include "worker/agent/agent.h"

namespace zq::worker {
namespace {

class CodexReader : public AgentReader {
  protected:
    void read(const Json& entry) override {
        const std::string type = text_in(entry, "type");
        if (type == "thread.started") {
            const std::string thread = text_in(entry, "thread_id");
            if (!thread.empty()) record_.output["session_id"] = thread;
        } else if (type == "turn.started") {
            record_.closed = false;
        } else if (type == "item.completed") {
            take_item(entry);
        } else if (type == "turn.completed") {
            record_.closed = true;
            record_.is_error = false;  // what went wrong on the way was mended
            record_.reason.clear();
            add_usage(entry);
        } else if (type == "turn.failed") {
            record_.closed = true;
            const auto error = entry.find("error");
            blame(error ? text_in(*error, "message") : std::string());
            add_usage(entry);
        } else if (type == "error") {
            blame(text_in(entry, "message"));
        }
    }

  private:
    void take_item(const Json& entry) {
        const auto item = entry.find("item");
        if (item && text_in(*item, "type") == "agent_message") {
            record_.result = text_in(*item, "text");
        }
    }

    void blame(const std::string& message) {
        record_.is_error = true;
        record_.reason = "codex: " + (message.empty() ? "the turn failed" : message);
    }

    /// Usage is of one turn each: they are summed up.
    void add_usage(const Json& entry) {
        const auto usage = entry.find("usage");
        if (!usage) return;
        turns_ += 1;
        input_ += count_in(*usage, "input_tokens");
        cached_ += count_in(*usage, "cached_input_tokens");
        written_ += count_in(*usage, "output_tokens");
        record_.output["turns"] = std::to_string(turns_);
        record_.output["input_tokens"] = std::to_string(input_);
        record_.output["cached_input_tokens"] = std::to_string(cached_);
        record_.output["output_tokens"] = std::to_string(written_);
    }

    std::uint64_t turns_ = 0;
    std::uint64_t input_ = 0;
    std::uint64_t cached_ = 0;
    std::uint64_t written_ = 0;
};

}  // namespace

std::unique_ptr<AgentReader> make_codex_reader() {
    return std::make_unique<CodexReader>();
}

}  // namespace zq::worker
