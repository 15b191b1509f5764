#include "worker/evidence.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "common/base/usage.h"
#include "common/platform/files.h"
#include "worker/task_socket/kept.h"
#include "worker/usage_meter.h"
#include "worker/workspace/git_worktree.h"

namespace zq::worker {
namespace {

constexpr std::size_t kLastWords = 300;
constexpr std::size_t kVerifyWords = 3000;
constexpr std::size_t kFirstWords = 160;

/// The end of a file that a command wrote, without the blanks after it.
std::string end_of(const std::string& path, off_t most) {
    // The command may have put anything in its place: a link, a pipe that nobody writes to.
    FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat info {};
    if (!file.is_open() || ::fstat(file.fd(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
    const off_t take = std::min<off_t>(info.st_size, most);
    std::string text(static_cast<std::size_t>(take), '\0');
    const ssize_t got = ::pread(file.fd(), text.data(), text.size(), info.st_size - take);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
        text.pop_back();
    }
    return text;
}

/// The last line that a command wrote to stderr, for a reason that people read.
std::string last_words(const std::string& path) {
    std::string text = end_of(path, 4096);
    if (const auto line = text.rfind('\n'); line != std::string::npos) text = text.substr(line + 1);
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    }
    if (text.size() > kLastWords) text = text.substr(text.size() - kLastWords);
    return bounded_text(std::move(text), kLastWords);
}

/// The last whole lines of the check's log, for the next attempt.
std::string verify_words(const std::string& path) {
    std::string text = end_of(path, kVerifyWords);
    if (text.size() > kVerifyWords * 9 / 10) {
        if (const auto line = text.find('\n'); line != std::string::npos) {
            text = text.substr(line + 1);
        }
    }
    for (char& c : text) {
        if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f) c = ' ';
    }
    return bounded_text(std::move(text), kVerifyWords);
}

/// The first line of a result that says something, without the marks of a heading.
std::string first_words(const std::string& result) {
    const auto start = result.find_first_not_of("# \t\r\n");
    if (start == std::string::npos) return {};
    return bounded_text(result.substr(start, result.find_first_of("\r\n", start) - start),
                        kFirstWords);
}

std::string joined(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    std::string text;
    for (const auto* list : {&a, &b}) {
        for (const std::string& note : *list) text += (text.empty() ? "" : "; ") + note;
    }
    return text;
}

/// What the command counted by `zq usage add`, on top of what its output or its tool told.
void add_usage(const Workspace& workspace, Output& output) {
    put_usage(output.values, usage_in(output.values) + read_usage_file(workspace.usage_file()));
}

/// What the command said over its socket counts before what it wrote.
void add_final_word(const Workspace& workspace, EndFacts& facts) {
    facts.said = read_final_word(workspace);
    if (!facts.said) return;
    const wire::Report& said = report_part(*facts.said);
    for (const auto& [key, value] : said.output) facts.output.values[key] = value;
    if (!said.summary.empty()) facts.output.values["summary"] = said.summary;
}

/// What the adapter read, where the command did not say it itself.
void add_agent(const AgentRecord& agent, EndFacts& facts) {
    for (const auto& [key, value] : agent.output) {
        if (value.size() > limits::kOutputValueBytes) continue;
        facts.output.values.try_emplace(key, bounded_text(value, limits::kOutputValueBytes));
    }
    if (facts.output.value("summary").empty()) facts.first_words = first_words(agent.result);
}

/// The result that the adapter read, unless the command has put one there itself.
Result<void> write_result(const Workspace& workspace, const ExpectedOutput& expected,
                          const std::string& text) {
    if (text.empty() || has_result(workspace)) return {};
    return write_file(workspace.result_file(expected), text, 0600, Durability::kNone);
}

}  // namespace

Evidence gather_evidence(const Workspace& workspace, const ExpectedOutput& expected,
                         const AttemptEnd& end) {
    Evidence evidence;
    EndFacts& facts = evidence.facts;
    facts.end = end;
    facts.output = read_output(workspace.output_file());
    if (end.handled) {
        for (const auto& [key, value] : end.handled->output) facts.output.values[key] = value;
    }
    StdoutFacts from{end.stdout_dropped, false, end.verified.has_value()};
    if (end.agent) {
        add_agent(*end.agent, facts);
        from.is_records = end.agent->closed;
        const bool is_result = end.agent->closed && !end.agent->is_error;
        if (is_result) evidence.added = write_result(workspace, expected, end.agent->result);
    }
    add_usage(workspace, facts.output);
    add_final_word(workspace, facts);
    if (auto patch = write_patch(workspace); !patch) evidence.added = patch;
    evidence.collected = collect(workspace, expected, from);
    facts.unmet = unmet_expectation(expected, evidence.collected, facts.output);
    if (end.verified) facts.verify_words = verify_words(workspace.verify_file());
    facts.last_words = last_words(workspace.stderr_file());
    facts.notes = joined(evidence.collected.notes, facts.output.notes);
    return evidence;
}

}  // namespace zq::worker
