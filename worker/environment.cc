#include "worker/environment.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <sstream>

#include "common/platform/clock.h"
#include "common/platform/files.h"
#include "worker/task_secrets.h"

namespace zq::worker {
namespace {

constexpr auto kPassed = std::to_array<std::string_view>(
    {"PATH", "HOME", "USER", "LANG", "TERM", "TMPDIR", "SHELL", "TZ"});

bool is_variable(std::string_view name) {
    return !name.empty() && name.find('=') == std::string_view::npos &&
           name.find('\0') == std::string_view::npos &&
           std::none_of(name.begin(), name.end(), [](char c) { return c == ' ' || c == '\t'; });
}

bool is_passed(std::string_view name, const std::vector<std::string>& named) {
    return std::find(kPassed.begin(), kPassed.end(), name) != kPassed.end() ||
           name.starts_with("LC_") || std::find(named.begin(), named.end(), name) != named.end();
}

Result<void> add_file(const std::string& path, std::map<std::string, std::string>& values) {
    auto text = read_file(path, 1024 * 1024);
    if (!text) return Failure(text.error());
    std::istringstream lines(*text);
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        if (line.ends_with('\r')) line.pop_back();
        if (line.empty() || line[0] == '#') continue;
        const auto equals = line.find('=');
        if (equals == std::string::npos || !is_variable(line.substr(0, equals))) {
            return fail(ErrorCode::INVALID,
                        path + ":" + std::to_string(number) + ": expected NAME=value",
                        "--env-file");
        }
        values[line.substr(0, equals)] = line.substr(equals + 1);
    }
    return {};
}

std::string filled(std::string text, const PlaceholderValues& values) {
    for (const auto& [name, value] : values) {
        for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at)) {
            text.replace(at, name.size(), value);
            at += value.size();
        }
    }
    return text;
}

/// True if `word` holds a placeholder that has no value.
bool lacks_value(const std::string& word, const PlaceholderValues& values) {
    return std::any_of(values.begin(), values.end(), [&](const auto& entry) {
        return entry.second.empty() && word.find(entry.first) != std::string::npos;
    });
}

/// `00-TRACE-SPAN-01` (W3C Trace Context) where the trace id is one of that standard: 32 lower-case
/// hex digits, not all zero. The attempt is the span: its lease's number names it.
std::string traceparent(const wire::Assign& assign) {
    const std::string& trace = assign.task.trace_id;
    const bool standard = trace.size() == 32 &&
                          trace.find_first_not_of("0123456789abcdef") == std::string::npos &&
                          trace.find_first_not_of('0') != std::string::npos;
    if (!standard || assign.lease.number == 0) return {};
    return "00-" + trace + "-" + to_hex(assign.lease.number) + "-01";
}

std::string quoted(const std::string& text) {
    std::string out = "'";
    for (char c : text) {
        if (c == '\'') {
            out += "'\\''";
        } else {
            out += c;
        }
    }
    out += '\'';
    return out;
}

}  // namespace

Result<std::vector<std::string>> passed_environment(const std::vector<std::string>& named,
                                                    const std::string& env_file) {
    for (const std::string& name : named) {
        if (is_variable(name)) continue;
        return fail(ErrorCode::INVALID,
                    "--env takes a variable's name; values stand in a file for --env-file",
                    "--env");
    }
    std::map<std::string, std::string> values;
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string text = *entry;
        const auto equals = text.find('=');
        if (equals == std::string::npos || !is_passed(text.substr(0, equals), named)) continue;
        values[text.substr(0, equals)] = text.substr(equals + 1);
    }
    if (!env_file.empty()) {
        if (auto ok = add_file(env_file, values); !ok) return Failure(ok.error());
    }
    std::vector<std::string> out;
    out.reserve(values.size());
    for (const auto& [name, value] : values)
        out.push_back(std::string(name).append("=").append(value));
    return out;
}

std::vector<std::string> dropped_environment(const std::vector<std::string>& passed) {
    std::vector<std::string> names;
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string text = *entry;
        const std::string name = text.substr(0, text.find('='));
        const bool is_there = std::any_of(passed.begin(), passed.end(), [&](const auto& other) {
            return other.starts_with(name + "=");
        });
        if (!is_there) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> attempt_environment(const std::vector<std::string>& passed,
                                             const wire::Assign& assign, const Workspace& workspace,
                                             Instant deadline) {
    const TaskSpec& task = assign.task;
    std::map<std::string, std::string> values;
    for (const std::string& entry : passed) {
        const auto equals = entry.find('=');
        values[entry.substr(0, equals)] = entry.substr(equals + 1);
    }
    values["ZQ_TASK_ID"] = task.id.text;
    values["ZQ_ATTEMPT"] = std::to_string(assign.attempt);
    values["ZQ_ROLE"] = task.role.text;
    values["ZQ_TYPE"] = task.type;
    values["ZQ_TASK_DIR"] = workspace.folder;
    values["ZQ_PROMPT_FILE"] = workspace.prompt_file();
    if (!workspace.socket.empty()) values["ZQ_SOCKET"] = workspace.socket;
    values["ZQ_CHECKPOINT_DIR"] = workspace.checkpoint_folder();
    if (!named_secrets(task).empty()) values["ZQ_SECRETS"] = workspace.secrets_folder();
    values["ZQ_OUT"] = workspace.out_folder();
    values["ZQ_RESULT"] = workspace.result_file(task.expected);
    values["ZQ_OUTPUT"] = workspace.output_file();
    if (assign.feedback.attempt != 0) values["ZQ_FEEDBACK_FILE"] = workspace.feedback_file();
    values["ZQ_CANCEL_FILE"] = workspace.cancel_file();
    values["ZQ_LEASE"] = to_string(assign.lease);
    // The same for every attempt of a task, and of no other.
    values["ZQ_IDEMPOTENCY_KEY"] =
        task.idempotency_key.empty() ? task.id.text : task.idempotency_key;
    values["ZQ_TRACE_ID"] = task.trace_id;
    if (std::string parent = traceparent(assign); !parent.empty()) values["TRACEPARENT"] = parent;
    if (deadline.is_set()) values["ZQ_DEADLINE"] = to_rfc3339(deadline);
    std::vector<std::string> out;
    out.reserve(values.size());
    for (const auto& [name, value] : values) {
        // A submitter's text may hold what an environment cannot: cut it there.
        out.push_back(name + "=" + value.substr(0, value.find('\0')));
    }
    return out;
}

PlaceholderValues placeholder_values(const wire::Assign& assign, const Workspace& workspace,
                                     const std::string& resume_id) {
    return {{"{prompt_file}", workspace.prompt_file()},
            {"{task_file}", workspace.task_file()},
            {"{task_id}", assign.task.id.text},
            {"{out}", workspace.out_folder()},
            {"{resume_id}", resume_id}};
}

std::vector<std::string> fill_placeholders(const std::vector<std::string>& command,
                                           const PlaceholderValues& values) {
    std::vector<std::string> out;
    out.reserve(command.size());
    for (const std::string& word : command) {
        if (!lacks_value(word, values)) {
            out.push_back(filled(word, values));
            continue;
        }
        const bool is_alone = word.front() == '{' && word.find('}') == word.size() - 1;
        // Never the program itself.
        if (is_alone && out.size() > 1 && out.back().starts_with('-')) out.pop_back();
    }
    return out;
}

std::vector<std::string> fill_shell(const std::vector<std::string>& command,
                                    const PlaceholderValues& values) {
    PlaceholderValues safe = values;
    for (auto& [name, value] : safe) value = quoted(value);
    std::string text;
    for (const std::string& word : command) text += (text.empty() ? "" : " ") + word;
    return {"/bin/sh", "-c", filled(text, safe)};
}

}  // namespace zq::worker
