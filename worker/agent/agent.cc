#include "worker/agent/agent.h"

namespace zq::worker {
namespace {

constexpr std::size_t kLineBytes = 32ULL << 20;

}  // namespace

void AgentReader::take(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const std::string_view part = bytes.substr(0, end);
        if (line_.size() + part.size() > kLineBytes) {
            too_long_ = true;
            line_.clear();
        } else if (!too_long_) {
            line_ += part;
        }
        if (end == std::string_view::npos) return;
        take_line();
        bytes.remove_prefix(end + 1);
    }
}

void AgentReader::end() {
    take_line();
}

void AgentReader::take_line() {
    const bool usable = !too_long_ && (line_.starts_with('{') || line_.starts_with('['));
    if (usable) {
        if (auto entry = Json::parse_exact(line_, "line")) {
            // A tool may give its whole stream as one array.
            if (entry->is_array()) {
                for (std::size_t i = 0; i < entry->size(); ++i) read(entry->at(i));
            } else {
                read(*entry);
            }
        }
    }
    line_.clear();
    too_long_ = false;
}

std::unique_ptr<AgentReader> make_agent_reader(AgentKind kind) {
    switch (kind) {
        case AgentKind::kClaude:
            return make_claude_reader();
        case AgentKind::kCodex:
            return make_codex_reader();
        case AgentKind::kRaw:
            break;
    }
    return nullptr;
}

std::string text_in(const Json& object, std::string_view key) {
    const auto found = object.find(key);
    return found ? found->as_text().value_or("") : std::string();
}

std::uint64_t count_in(const Json& object, std::string_view key) {
    const auto found = object.find(key);
    const auto number = found ? found->as_integer() : std::nullopt;
    return number && *number > 0 ? static_cast<std::uint64_t>(*number) : 0;
}

}  // namespace zq::worker
