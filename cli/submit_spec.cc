#include "cli/submit_spec.h"
#include "cli/text.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "cli/after_flags.h"
#include "cli/expected_flags.h"
#include "cli/json_submission.h"
#include "common/platform/clock.h"
#include "common/platform/json.h"
#include "common/platform/json_task.h"

namespace zq::cli {
namespace {

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

/// Those of the flag go before those of the task's file.
Expected<void> read_needs(const Arguments& args, TaskSpec& spec) {
    if (!args.has("needs")) return {};
    std::vector<std::string> needs;
    for (const std::string& list : args.values("needs")) {
        for (std::string& word : comma_list(list)) needs.push_back(std::move(word));
    }
    auto labels = parse_worker_labels(std::move(needs), "--needs");
    if (!labels) return problem(labels.error());
    if (labels->empty()) return usage("--needs is empty");
    spec.needs = std::move(*labels);
    return {};
}

Expected<void> read_approval(const Arguments& args, TaskSpec& spec) {
    Approval& approval = spec.approval;
    if (args.has("approval") &&
        (args.text("approval").empty() || !from_text(args.text("approval"), approval.time))) {
        return usage("--approval takes before, after or none, not '" + args.text("approval") + "'");
    }
    const std::string approver = args.text("approver");
    if (args.has("approver") && approver != "other" && approver != "any") {
        return usage("--approver takes other (than the submitter) or any, not '" + approver + "'");
    }
    if (args.has("approver")) approval.by_other = approver == "other";
    auto timeout = args.duration("approval-timeout");
    if (!timeout) return tl::unexpected(timeout.error());
    if (*timeout) approval.timeout = **timeout;
    return {};
}

Expected<void> read_retry(const Arguments& args, TaskSpec& spec) {
    for (const std::string& text : args.values("retry-rule")) {
        auto rule = parse_retry_rule(text, "--retry-rule");
        if (!rule) return problem(rule.error());
        spec.retry_rules.push_back(*rule);
    }
    auto lost = args.number("max-lost", 1, limits::kAttemptsMax);
    if (!lost) return tl::unexpected(lost.error());
    if (*lost) spec.max_lost = static_cast<std::uint32_t>(**lost);
    if (args.has("on-lost") && !from_text(args.text("on-lost"), spec.on_lost)) {
        return usage("--on-lost takes retry or hold, not '" + args.text("on-lost") + "'");
    }
    return {};
}

Expected<void> read_times(const Arguments& args, TaskSpec& spec) {
    const std::pair<const char*, Millis*> flags[] = {{"ttl", &spec.ttl},
                                                     {"delay", &spec.delay},
                                                     {"run-timeout", &spec.run_timeout},
                                                     {"stall-timeout", &spec.stall_timeout},
                                                     {"deadline", &spec.deadline}};
    for (const auto& [name, target] : flags) {
        auto value = args.duration(name);
        if (!value) return tl::unexpected(value.error());
        *target = value->value_or(*target);
    }
    if (args.has("at")) {
        auto at = parse_rfc3339(args.text("at"), "--at");
        if (!at) return problem(at.error());
        if (args.has("delay")) return usage("either --at or --delay");
        spec.not_before = *at;
    }
    if (args.has("backoff")) {
        auto backoff = parse_backoff(args.text("backoff"), "--backoff");
        if (!backoff) return problem(backoff.error());
        spec.backoff = *backoff;
    }
    auto attempts = args.number("max-attempts", 1, limits::kAttemptsMax);
    if (!attempts) return tl::unexpected(attempts.error());
    if (*attempts) spec.max_attempts = static_cast<std::uint32_t>(**attempts);
    if (auto ok = read_approval(args, spec); !ok) return ok;
    return read_retry(args, spec);
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
    const std::pair<const char*, std::string*> flags[] = {
        {"type", &spec.type},
        {"instructions", &spec.instructions},
        {"from", &spec.from},
        {"idempotency-key", &spec.idempotency_key},
        {"unique-key", &spec.unique_key},
        {"limit-key", &spec.limit_key},
        {"group", &spec.group.text},
        {"reply-to", &spec.reply_to},
    };
    for (const auto& [name, target] : flags) {
        if (args.has(name)) *target = args.text(name);
    }
    if (args.has("trace-id") || args.has("traceparent")) {
        auto trace_id = read_trace_id(args);
        if (!trace_id) return tl::unexpected(trace_id.error());
        spec.trace_id = std::move(*trace_id);
    }
    if (spec.from.empty()) spec.from = default_from();
    if (args.has("allow-secrets")) spec.allow_secrets = true;
    if (args.has("on-unique") && !from_text(args.text("on-unique"), spec.on_unique)) {
        return usage("--on-unique takes reject or existing, not '" + args.text("on-unique") + "'");
    }
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
    if (auto ok = read_needs(args, spec); !ok) return ok;
    return read_expected(args, spec.expected);
}

/// Where --file is the context, what is by reference has its own name.
std::string name_of_reference(const Arguments& args) {
    if (!args.has("file")) return {};
    return std::filesystem::path(args.text("ref")).filename().string();
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
        auto ok = add_reference(args.text("ref"), name_of_reference(args), submission);
        if (!ok) return ok;
    }
    for (const std::string& operand : args.values("artifact")) {
        if (auto ok = add_content(submission, read_named_content(operand)); !ok) return ok;
    }
    bound_inline(submission.contents);
    return {};
}

void choose_id(const Arguments& args, Submission& submission) {
    if (args.has("id")) submission.spec.id = TaskId(args.text("id"));
    submission.own_id = true;
    if (!submission.spec.id.empty()) return;
    const std::string of_path = task_id_of_path(args.text("file"));
    submission.own_id = !of_path.empty();
    if (of_path.empty()) {
        submission.spec.id = new_task_id();
        return;
    }
    submission.spec.id = TaskId(of_path);
    submission.note =
        "task id " + of_path + " is the name of its file in tasks/; --id gives another";
}

/// The roles of --to; the first is the spec's own.
Expected<void> read_roles(const Arguments& args, Submission& submission) {
    if (!args.has("to")) {
        if (!submission.spec.role.empty()) return {};
        return usage("--to ROLE is missing", "`zq status` lists the roles");
    }
    for (const std::string& word : comma_list(args.text("to"))) {
        const RoleName role(word);
        if (std::find(submission.roles.begin(), submission.roles.end(), role) !=
            submission.roles.end()) {
            return usage("--to names " + word + " twice");
        }
        if (auto ok = parse_name(word, "--to"); !ok) return problem(ok.error());
        submission.roles.push_back(role);
    }
    if (submission.roles.empty()) return usage("--to ROLE is empty");
    submission.spec.role = submission.roles.front();
    if (submission.roles.size() == 1) submission.roles.clear();
    if (!submission.roles.empty() && args.has("unique-key")) {
        return usage("--unique-key goes with one role: the copies would exclude each other");
    }
    return {};
}

/// What -f says; empty without it.
Expected<Submission> read_written(const Arguments& args, JsonTask& task) {
    if (!args.has("task")) return Submission{};
    if (args.text("task") == "-" && args.text("file") == "-") {
        return usage("either --task or --file reads stdin");
    }
    auto read = read_task_file(args.text("task"));
    if (!read) return tl::unexpected(read.error());
    task = std::move(*read);
    return submission_of(task);
}

}  // namespace

TaskId new_task_id() {
    std::array<std::uint8_t, 10> random{};
    const std::string bytes = random_bytes(random.size());
    std::copy(bytes.begin(), bytes.end(), random.begin());
    return make_task_id(wall_time(), random);
}

/// Recorded here, read where the task runs.
Expected<void> add_reference(const std::string& uri, const std::string& name,
                             Submission& submission) {
    auto path = path_of_uri(uri);
    if (!path) return tl::unexpected(path.error());
    auto content = read_content(*path, name.empty() ? named_like("context", *path) : name);
    if (!content) return tl::unexpected(content.error());
    if (content->ref.uri.empty()) {
        return usage("a reference is to a regular file, whose path is not too long: " + *path);
    }
    ArtifactRef ref = content->ref;
    ref.uri = uri;
    ref.by_reference = true;
    submission.spec.inputs.push_back(std::move(ref));
    return {};
}

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

std::string default_from() {
    for (const char* name : {"ZQ_FROM", "USER", "LOGNAME"}) {
        const char* value = std::getenv(name);
        if (value != nullptr && *value != '\0') return value;
    }
    static const std::string name_of_user = [] {  // reads files, and a batch asks for each line
        const passwd* user = ::getpwuid(::geteuid());
        return std::string(user == nullptr ? "unknown" : user->pw_name);
    }();
    return name_of_user;
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
    if (auto value = priority_of_word(word)) return *value;
    if (word == "10") return 10;
    if (word.size() == 1 && word[0] >= '0' && word[0] <= '9') return word[0] - '0';
    return usage("--priority takes low, normal, high, urgent, or 0 to 10, not '" + word + "'");
}

Expected<Submission> read_submission(const Arguments& args) {
    JsonTask written;
    auto begun = read_written(args, written);
    if (!begun) return begun;
    Submission submission = std::move(*begun);
    if (auto ok = read_roles(args, submission); !ok) return tl::unexpected(ok.error());
    if (auto ok = read_words(args, submission.spec); !ok) return tl::unexpected(ok.error());
    if (auto ok = read_times(args, submission.spec); !ok) return tl::unexpected(ok.error());
    auto budget = read_budget(args, submission.spec.budget);
    if (!budget) return tl::unexpected(budget.error());
    auto after = read_after(args, submission.spec.after);
    if (!after) return tl::unexpected(after.error());
    if (auto ok = read_inputs(args, submission); !ok) return tl::unexpected(ok.error());
    choose_id(args, submission);
    if (auto ok = validate(submission.spec); !ok) {
        return problem(args.has("task") ? as_written(ok.error(), written) : ok.error());
    }
    for (const Content& content : submission.contents) {
        if (submission.spec.allow_secrets) break;
        if (auto ok = check_no_secret_in(content, "task.inputs"); !ok) {
            return tl::unexpected(ok.error());
        }
    }
    return submission;
}

}  // namespace zq::cli
