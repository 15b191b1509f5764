#include "worker/workspace/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "common/base/limits.h"
#include "common/platform/files.h"
#include "common/platform/pack.h"

namespace zq::worker {
namespace {

constexpr std::size_t kFileBytes = 1024 * 1024;
constexpr std::size_t kKeys = limits::kOutputs - 16;  // the worker adds some of its own
constexpr std::size_t kTotalBytes = 256 * 1024;       // of all values: they travel in one message

bool is_key(std::string_view text) {
    if (text.empty() || text.size() > limits::kNameBytes) return false;
    if (text[0] >= '0' && text[0] <= '9') return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
               (c >= 'A' && c <= 'Z');
    });
}

class Parser {
  public:
    explicit Parser(std::string_view text) : rest_(text) {}

    Output parse() {
        while (auto line = next_line()) {
            const auto equals = line->find('=');
            const auto heredoc = line->find("<<");
            if (line->empty() || line->front() == '#') continue;
            if (heredoc < equals) {
                take_heredoc(line->substr(0, heredoc), line->substr(heredoc + 2));
            } else if (equals != std::string_view::npos) {
                take(line->substr(0, equals), std::string(line->substr(equals + 1)));
            } else {
                note("a line without `=`", *line);
            }
        }
        return std::move(output_);
    }

  private:
    std::optional<std::string_view> next_line() {
        if (rest_.empty()) return std::nullopt;
        const auto end = rest_.find('\n');
        std::string_view line = rest_.substr(0, end);
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        return line;
    }

    void take_heredoc(std::string_view key, std::string_view mark) {
        std::string value;
        while (auto line = next_line()) {
            if (*line == mark) return take(key, std::move(value));
            if (!value.empty()) value += '\n';
            value += *line;
        }
        note("a heredoc without its end", key);
    }

    void take(std::string_view key, std::string value) {
        if (!is_key(key)) return note("not a key", key);
        if (value.size() > limits::kOutputValueBytes) return note("a value that is too long", key);
        if (!pack::is_utf8(value)) return note("a value that is not UTF-8", key);
        const std::string name(key);
        auto old = output_.values.find(name);
        const std::size_t before = old == output_.values.end() ? 0 : old->second.size();
        if (old == output_.values.end() && output_.values.size() >= kKeys) {
            return note("one key too many", key);
        }
        if (total_ - before + value.size() > kTotalBytes) return note("too much in all", key);
        total_ = total_ - before + value.size();
        output_.values[name] = std::move(value);
    }

    void note(const char* what, std::string_view where) {
        constexpr std::size_t kNotes = 10;
        if (output_.notes.size() >= kNotes) return;
        std::string shown(where.substr(0, limits::kNameBytes));
        if (!pack::is_utf8(shown)) shown = "?";
        output_.notes.push_back(std::string("output: ") + what + " was left out: " + shown);
    }

    std::string_view rest_;
    Output output_;
    std::size_t total_ = 0;
};

}  // namespace

std::string Output::value(const std::string& key) const {
    auto found = values.find(key);
    return found == values.end() ? std::string() : found->second;
}

Output parse_output(std::string_view text) {
    return Parser(text).parse();
}

namespace {

std::string text_of(const std::string& path) {
    // A task may have put a link or a pipe there.
    FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    std::string text;
    if (file.is_open()) {
        text.resize(kFileBytes);
        const ssize_t got = ::read(file.fd(), text.data(), text.size());
        text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    }
    return text;
}

}  // namespace

Output read_output(const std::string& path) {
    Output output = parse_output(text_of(path));
    const std::string status = output.value("status");
    if (!status.empty() && final_word(output) == FinalWord::kNone) {
        output.notes.push_back(
            "output: status is none of completed (success), skipped, failed (failure): " +
            status.substr(0, limits::kNameBytes));
    }
    return output;
}

Output read_whole_lines(const std::string& path) {
    std::string text = text_of(path);
    text.resize(text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1);
    return parse_output(text);
}

FinalWord final_word(const Output& output) {
    const std::string status = output.value("status");
    if (status == "completed" || status == "success") return FinalWord::kCompleted;
    if (status == "skipped") return FinalWord::kSkipped;
    if (status == "failed" || status == "failure") return FinalWord::kFailed;
    return FinalWord::kNone;
}

}  // namespace zq::worker
