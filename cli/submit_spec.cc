#include "cli/submit_spec.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include "cli/expected_flags.h"
#include "common/platform/clock.h"
#include "common/platform/json.h"

namespace zq::cli {
namespace {

constexpr auto kFlags = std::to_array<Flag>({
    {"to", "ROLE", "The role that shall do it (required)"},
    {"type", "WORD", "What kind of work it is, such as review"},
    {"instructions", "TEXT", "What to do"},
    {"file", "FILE", "The context, sent along as input `context` (-: stdin)"},
    {"ref", "URI",
     "The context by reference: file:///PATH, recorded with its digest and read there by the "
     "worker"},
    {"artifact", "[NAME=]FILE", "A further input; may be repeated", Takes::kValues},
    {"payload", "JSON|@FILE", "Structured data for the worker"},
    {"from", "NAME", "Who submits (default: ZQ_FROM, then the user's name)"},
    {"id", "ID", "The task's id (default: a new one that sorts by time)"},
    {"idempotency-key", "KEY", "Submitting again under it gives the same task", Takes::kValue,
     "key"},
    {"priority", "P", "low, normal, high, urgent, or 0 to 10 (default normal: 5)"},
    {"ttl", "D", "Expires if not started within D"},
    {"delay", "D", "Not before D has passed"},
    {"run-timeout", "D", "Longest time of one attempt"},
    {"max-attempts", "N", "Attempts in all, the first included (default 3)"},
    {"backoff", "B", "none, fixed:D or exp:MIN..MAX (default exp:5s..10m)"},
    {"budget-usd", "USD", "What its attempts may cost together, such as 2.50"},
    {"budget-tokens", "N", "How many tokens they may use together, input and output"},
    {"on-budget", "ask|dead",
     "When the budget is used up: ask a person (default), or end it as dead"},
    {"group", "NAME", "A name to wait for several tasks by"},
    {"label", "K=V", "May be repeated", Takes::kValues},
    {"reply-to", "NAME", "Who reads the answer, by `zq results --reply-to NAME`"},
    {"expect", "A,B",
     "Artifacts the result must have, such as summary,patch; each may be NAME:media=TYPE:min=SIZE:"
     "max=SIZE:optional",
     Takes::kValues},
    {"format", "F", "Of the result: markdown or json"},
    {"schema", "FILE", "The JSON Schema that the result fits (format json)"},
    {"heading", "TEXT", "A heading that the result has (format markdown); may be repeated",
     Takes::kValues},
    {"max-result", "SIZE", "The result's most bytes, such as 64KiB"},
    {"trace-id", "ID",
     "Passed on to the worker (default: that of the task around it, or a new one)"},
    {"traceparent", "TP", "W3C Trace Context: the trace id is the one in it"},
});

struct PriorityWord {
    std::string_view word;
    int value;
};
constexpr auto kPriorities =
    std::to_array<PriorityWord>({{"low", 2}, {"normal", 5}, {"high", 8}, {"urgent", 10}});

Expected<void> read_labels(const Arguments& args, TaskSpec& spec) {
    for (const std::string& label : args.values("label")) {
        const auto equals = label.find('=');
        if (equals == std::string::npos || equals == 0) {
            return usage("--label takes K=V, not '" + label + "'");
        }
        spec.labels[label.substr(0, equals)] = label.substr(equals + 1);
    }
    return {};
}

Expected<void> read_times(const Arguments& args, TaskSpec& spec) {
    const std::pair<const char*, Millis*> flags[] = {
        {"ttl", &spec.ttl}, {"delay", &spec.delay}, {"run-timeout", &spec.run_timeout}};
    for (const auto& [name, target] : flags) {
        auto value = args.duration(name);
        if (!value) return tl::unexpected(value.error());
        *target = value->value_or(Millis{});
    }
    if (args.has("backoff")) {
        auto backoff = parse_backoff(args.text("backoff"), "--backoff");
        if (!backoff) return problem(backoff.error());
        spec.backoff = *backoff;
    }
    auto attempts = args.number("max-attempts", 1, limits::kAttemptsMax);
    if (!attempts) return tl::unexpected(attempts.error());
    if (*attempts) spec.max_attempts = static_cast<std::uint32_t>(**attempts);
    return {};
}

Expected<void> read_budget(const Arguments& args, Budget& budget) {
    if (args.has("budget-usd")) {
        auto usd = parse_usd(args.text("budget-usd"), "--budget-usd");
        if (!usd) return problem(usd.error());
        if (*usd == 0) return usage("--budget-usd is more than 0");
        budget.usd_micros = *usd;
    }
    auto tokens = args.number("budget-tokens", 1, static_cast<std::int64_t>(limits::kBudgetMax));
    if (!tokens) return tl::unexpected(tokens.error());
    if (*tokens) budget.tokens = static_cast<std::uint64_t>(**tokens);
    if (!args.has("on-budget")) return {};
    if (!from_text(args.text("on-budget"), budget.on)) {
        return usage("--on-budget takes ask or dead, not '" + args.text("on-budget") + "'");
    }
    if (!budget.is_set()) return usage("--on-budget needs --budget-usd or --budget-tokens");
    return {};
}

/// `VERSION-TRACE-PARENT-FLAGS` in lower-case hex (W3C Trace Context, section 3.2).
Expected<std::string> trace_in(const std::string& parent) {
    constexpr std::size_t kTrace = 32;
    constexpr std::string_view kForm = "00-00000000000000000000000000000000-0000000000000000-00";
    bool good = parent.size() == kForm.size();
    for (std::size_t i = 0; good && i < kForm.size(); ++i) {
        const bool hex = std::string_view("0123456789abcdef").find(parent[i]) != std::string::npos;
        good = kForm[i] == '-' ? parent[i] == '-' : hex;
    }
    const std::string trace = good ? parent.substr(3, kTrace) : std::string();
    if (good && !parent.starts_with("ff") && trace.find_first_not_of('0') != std::string::npos) {
        return trace;
    }
    return usage(
        "--traceparent takes 00-TRACE-PARENT-FLAGS with 32, 16 and 2 lower-case hex"
        " digits, not '" +
        parent + "'");
}

Expected<std::string> read_trace_id(const Arguments& args) {
    if (!args.has("traceparent")) return args.text("trace-id");
    if (args.has("trace-id")) return usage("either --trace-id or --traceparent");
    return trace_in(args.text("traceparent"));
}

Expected<void> read_words(const Arguments& args, TaskSpec& spec) {
    spec.role = RoleName(args.text("to"));
    spec.type = args.text("type");
    spec.instructions = args.text("instructions");
    spec.from = args.has("from") ? args.text("from") : default_from();
    spec.idempotency_key = args.text("idempotency-key");
    spec.group = GroupName(args.text("group"));
    spec.reply_to = args.text("reply-to");
    auto trace_id = read_trace_id(args);
    if (!trace_id) return tl::unexpected(trace_id.error());
    spec.trace_id = std::move(*trace_id);
    if (args.has("priority")) {
        auto priority = parse_priority(args.text("priority"));
        if (!priority) return tl::unexpected(priority.error());
        spec.priority = *priority;
    }
    if (args.has("payload")) {
        auto payload = read_payload(args.text("payload"));
        if (!payload) return tl::unexpected(payload.error());
        spec.payload = std::move(*payload);
    }
    if (auto ok = read_labels(args, spec); !ok) return ok;
    return read_expected(args, spec.expected);
}

/// `file:///PATH`: recorded here, read where the task runs.
Expected<void> add_reference(const Arguments& args, Submission& submission) {
    auto path = path_of_uri(args.text("ref"));
    if (!path) return tl::unexpected(path.error());
    ArtifactRef ref;
    ref.name = args.has("file") ? std::filesystem::path(*path).filename().string()
                                : named_like("context", *path);
    auto content = read_content(*path, ref.name);
    if (!content) return tl::unexpected(content.error());
    if (content->ref.uri.empty()) {
        return usage("--ref takes a regular file, whose path is not too long: " + *path);
    }
    ref = content->ref;
    ref.uri = args.text("ref");
    ref.by_reference = true;
    submission.spec.inputs.push_back(std::move(ref));
    return {};
}

Expected<void> add_content(Submission& submission, Expected<Content> content) {
    if (!content) return tl::unexpected(content.error());
    submission.spec.inputs.push_back(content->ref);
    submission.contents.push_back(std::move(*content));
    return {};
}

Expected<void> read_inputs(const Arguments& args, Submission& submission) {
    const std::string file = args.text("file");
    if (args.has("file")) {
        auto ok = add_content(submission, read_content(file, named_like("context", file)));
        if (!ok) return ok;
    }
    if (args.has("ref")) {
        if (auto ok = add_reference(args, submission); !ok) return ok;
    }
    for (const std::string& operand : args.values("artifact")) {
        if (auto ok = add_content(submission, read_named_content(operand)); !ok) return ok;
    }
    bound_inline(submission.contents);
    return {};
}

TaskId new_task_id() {
    std::array<std::uint8_t, 10> random{};
    const std::string bytes = random_bytes(random.size());
    std::copy(bytes.begin(), bytes.end(), random.begin());
    return make_task_id(wall_time(), random);
}

void choose_id(const Arguments& args, Submission& submission) {
    if (args.has("id")) {
        submission.spec.id = TaskId(args.text("id"));
        return;
    }
    const std::string of_path = task_id_of_path(args.text("file"));
    if (of_path.empty()) {
        submission.spec.id = new_task_id();
        return;
    }
    submission.spec.id = TaskId(of_path);
    submission.note =
        "task id " + of_path + " is the name of its file in tasks/; --id gives another";
}

}  // namespace

Expected<std::string> read_payload(const std::string& value) {
    std::string text = value;
    if (!value.empty() && value[0] == '@') {
        auto file = read_file(value.substr(1), limits::kPayloadBytes);
        if (!file && file.error().code == ErrorCode::NOT_FOUND) {
            return usage("no such file: " + value.substr(1));
        }
        if (!file) return problem(file.error());
        text = std::move(*file);
    }
    if (auto json = Json::parse(text, "--payload"); !json) return problem(json.error());
    return text;
}

std::span<const Flag> task_flags() {
    return kFlags;
}

std::string default_from() {
    for (const char* name : {"ZQ_FROM", "USER", "LOGNAME"}) {
        const char* value = std::getenv(name);
        if (value != nullptr && *value != '\0') return value;
    }
    const passwd* user = ::getpwuid(::geteuid());
    return user == nullptr ? "unknown" : user->pw_name;
}

std::string task_id_of_path(const std::string& path) {
    if (path.empty() || path == "-") return {};
    std::error_code error;
    const auto absolute = std::filesystem::absolute(path, error).lexically_normal();
    const std::string stem = absolute.stem().string();
    const bool is_task = !error && absolute.parent_path().filename() == "tasks";
    return is_task && is_valid_name(stem) ? stem : std::string{};
}

Expected<int> parse_priority(const std::string& word) {
    for (const PriorityWord& row : kPriorities) {
        if (row.word == word) return row.value;
    }
    if (word == "10") return 10;
    if (word.size() == 1 && word[0] >= '0' && word[0] <= '9') return word[0] - '0';
    return usage("--priority takes low, normal, high, urgent, or 0 to 10, not '" + word + "'");
}

Expected<Submission> read_submission(const Arguments& args) {
    Submission submission;
    if (!args.has("to")) return usage("--to ROLE is missing", "`zq status` lists the roles");
    if (auto ok = read_words(args, submission.spec); !ok) return tl::unexpected(ok.error());
    if (auto ok = read_times(args, submission.spec); !ok) return tl::unexpected(ok.error());
    auto budget = read_budget(args, submission.spec.budget);
    if (!budget) return tl::unexpected(budget.error());
    if (auto ok = read_inputs(args, submission); !ok) return tl::unexpected(ok.error());
    choose_id(args, submission);
    if (auto ok = validate(submission.spec); !ok) return problem(ok.error());
    return submission;
}

}  // namespace zq::cli
