#include "common/base/task_spec.h"

#include <algorithm>
#include <charconv>

#include "common/base/contract.h"
#include "common/base/control.h"
#include "common/base/words.h"

namespace zq {
namespace {

constexpr auto kBackoffKinds = std::to_array<std::string_view>({"none", "fixed", "exp"});
constexpr auto kOnUnique = std::to_array<std::string_view>({"reject", "existing"});

// The last moment that RFC 3339 can say: what is added to a time stays far from its end.
constexpr Instant kLatest{253'402'300'799'999};

struct Unit {
    std::string_view suffix;
    std::int64_t ms;
};

// Longest first, so that the shortest exact spelling is found by the first that divides.
constexpr Unit kUnits[] = {
    {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};

Result<void> check_size(const std::string& text, std::size_t limit, const char* field) {
    if (text.size() <= limit) return {};
    return fail(ErrorCode::TOO_LARGE,
                std::to_string(text.size()) + " bytes; at most " + std::to_string(limit), field);
}

Result<void> check_name(const std::string& text, const char* field) {
    if (is_valid_name(text)) return {};
    return Failure(parse_name(text, field).error());
}

Result<void> check_duration(Millis value, const char* field) {
    if (value.count >= 0 && value <= limits::kLongest) return {};
    return fail(ErrorCode::INVALID, "a duration is 0 to " + to_string(limits::kLongest), field);
}

Result<void> check_count(std::size_t count, std::size_t limit, const char* field) {
    if (count <= limit) return {};
    return fail(ErrorCode::TOO_LARGE,
                std::to_string(count) + " entries; at most " + std::to_string(limit), field);
}

/// Runs the checks in order and gives the first error.
template <class... Checks>
Result<void> all_of(Checks... checks) {
    Result<void> result;
    ((result = checks(), result.has_value()) && ...);
    return result;
}

Result<void> validate_texts(const TaskSpec& s) {
    return all_of(
        [&] { return check_size(s.from, limits::kFromBytes, "task.from"); },
        [&] { return check_size(s.type, limits::kTypeBytes, "task.type"); },
        [&] { return check_size(s.instructions, limits::kInstructionsBytes, "task.instructions"); },
        [&] { return check_size(s.payload, limits::kPayloadBytes, "task.payload"); },
        [&] { return check_size(s.reply_to, limits::kReplyToBytes, "task.reply_to"); },
        [&] { return check_size(s.trace_id, limits::kTraceBytes, "task.trace_id"); },
        [&] { return check_size(s.idempotency_key, limits::kKeyBytes, "task.idempotency_key"); },
        [&] { return check_size(s.unique_key, limits::kKeyBytes, "task.unique_key"); });
}

Result<void> validate_unique(const TaskSpec& s) {
    if (!s.unique_key.empty() || s.on_unique == OnUnique::kReject) return {};
    return fail(ErrorCode::INVALID, "goes with a unique_key", "task.on_unique");
}

Result<void> validate_numbers(const TaskSpec& s) {
    if (s.priority < 0 || s.priority > limits::kPriorityMax) {
        return fail(ErrorCode::INVALID, "a priority is 0 to 10", "task.priority");
    }
    if (s.max_attempts < 1 || s.max_attempts > limits::kAttemptsMax) {
        return fail(ErrorCode::INVALID, "1 to 1000", "task.max_attempts");
    }
    if (s.max_lost < 1 || s.max_lost > limits::kAttemptsMax) {
        return fail(ErrorCode::INVALID, "1 to 1000", "task.max_lost");
    }
    if (s.backoff.min > s.backoff.max) {
        return fail(ErrorCode::INVALID, "the first wait exceeds the longest", "task.backoff");
    }
    if (s.budget.usd_micros > limits::kBudgetMax || s.budget.tokens > limits::kBudgetMax) {
        return fail(ErrorCode::INVALID, "at most 10^15, in millionths of a dollar or in tokens",
                    "task.budget");
    }
    if (s.not_before.ms < 0 || s.not_before > kLatest) {
        return fail(ErrorCode::INVALID, "a time is milliseconds since 1970, up to the year 9999",
                    "task.not_before");
    }
    if (!s.budget.is_set() && s.budget != Budget{}) {
        return fail(ErrorCode::INVALID, "a budget bounds money or tokens", "task.budget");
    }
    return all_of([&] { return check_duration(s.ttl, "task.ttl_ms"); },
                  [&] { return check_duration(s.delay, "task.delay_ms"); },
                  [&] { return check_duration(s.run_timeout, "task.run_timeout_ms"); },
                  [&] { return check_duration(s.deadline, "task.deadline_ms"); },
                  [&] { return check_duration(s.stall_timeout, "task.stall_timeout_ms"); },
                  [&] { return validate(s.retry_rules, "task.retry_rules"); },
                  [&] { return check_duration(s.backoff.min, "task.backoff"); },
                  [&] { return check_duration(s.backoff.max, "task.backoff"); });
}

Result<void> validate_limit_key(const TaskSpec& s) {
    if (auto ok = check_size(s.limit_key, limits::kKeyBytes, "task.limit_key"); !ok) return ok;
    if (s.limit_key != kAnyLimitKey) return {};
    return fail(ErrorCode::INVALID, "`*` stands for every limit key: name one", "task.limit_key");
}

Result<void> validate_needs(const TaskSpec& s) {
    auto labels = parse_worker_labels(s.needs, "task.needs");
    if (!labels) return Failure(labels.error());
    return {};
}

Result<void> validate_labels(const TaskSpec& s) {
    for (const auto& [key, value] : s.labels) {
        if (auto ok = check_name(key, "task.labels"); !ok) return ok;
        if (auto ok = check_size(value, limits::kKeyBytes, "task.labels"); !ok) return ok;
    }
    return check_count(s.labels.size(), limits::kLabels, "task.labels");
}

Result<void> validate_inputs(const TaskSpec& s) {
    if (auto ok = check_count(s.inputs.size(), limits::kInputs, "task.inputs"); !ok) return ok;
    for (std::size_t i = 0; i < s.inputs.size(); ++i) {
        std::string field = "task.inputs[" + std::to_string(i) + "]";
        if (auto ok = validate(s.inputs[i], field); !ok) return ok;
        for (std::size_t j = 0; j < i; ++j) {
            const std::string& one = s.inputs[j].name;
            const std::string& two = s.inputs[i].name;
            if (one == two) {
                return fail(ErrorCode::INVALID, "two inputs of one name", field + ".name");
            }
            if (one.starts_with(two + "/") || two.starts_with(one + "/")) {
                return fail(ErrorCode::INVALID, "an input's name is a folder of another's",
                            field + ".name");
            }
        }
    }
    return {};
}

}  // namespace

Result<void> validate(const ArtifactRef& ref, const std::string& field) {
    if (!is_valid_artifact_name(ref.name)) {
        return fail(ErrorCode::INVALID,
                    "an artifact name is made of names joined by '/', 255 bytes at most",
                    field + ".name");
    }
    if (ref.size > limits::kArtifactBytes) {
        return fail(ErrorCode::TOO_LARGE, "at most 1 TiB", field + ".size");
    }
    if (ref.media.size() > limits::kMediaBytes || ref.uri.size() > limits::kUriBytes) {
        return fail(ErrorCode::TOO_LARGE, "media or uri too long", field);
    }
    if (ref.by_reference && !ref.uri.starts_with("file:///")) {
        return fail(ErrorCode::INVALID, "what is by reference lies at file:///ABSOLUTE/PATH",
                    field + ".uri");
    }
    return {};
}

Result<void> validate(const TaskSpec& s) {
    if (s.ns != kDefaultNamespace) {
        return fail(ErrorCode::INVALID, "only the namespace `default` is served", "task.ns");
    }
    return all_of(
        [&] { return check_name(s.id.text, "task.task_id"); },
        [&] { return check_name(s.role.text, "task.to"); },
        [&] { return s.group.empty() ? Result<void>{} : check_name(s.group.text, "task.group"); },
        [&] { return validate_texts(s); }, [&] { return validate_numbers(s); },
        [&] { return validate(s.after, s.id, "task.after"); }, [&] { return validate_unique(s); },
        [&] { return validate_labels(s); }, [&] { return validate(s.expected); },
        [&] { return validate_inputs(s); }, [&] { return validate_limit_key(s); },
        [&] { return validate_needs(s); }, [&] { return validate(s.approval, "task.approval"); });
}

std::uint64_t size_of(const TaskSpec& s) {
    std::uint64_t bytes = s.instructions.size() + s.payload.size() + s.expected.schema.size();
    for (const std::string* text :
         {&s.id.text, &s.role.text, &s.type, &s.from, &s.group.text, &s.reply_to, &s.trace_id,
          &s.idempotency_key, &s.unique_key, &s.limit_key}) {
        bytes += text->size();
    }
    for (const std::string& label : s.needs) bytes += label.size();
    for (const TaskId& id : s.after.tasks) bytes += id.text.size();
    for (const std::string& name : s.expected.artifacts) bytes += name.size();
    for (const std::string& heading : s.expected.headings) bytes += heading.size();
    for (const auto& [key, value] : s.labels) bytes += key.size() + value.size();
    for (const ArtifactRef& input : s.inputs) {
        bytes += input.name.size() + input.uri.size() + (input.by_reference ? 0 : input.size);
    }
    return bytes;
}

std::string to_string(Millis duration) {
    for (const Unit& unit : kUnits) {
        if (duration.count != 0 && duration.count % unit.ms == 0) {
            return std::to_string(duration.count / unit.ms) + std::string(unit.suffix);
        }
    }
    return "0s";
}

Result<Millis> parse_duration(std::string_view text, std::string field) {
    std::int64_t number = 0;
    auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
    std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
    for (const Unit& unit : kUnits) {
        if (status != std::errc{} || suffix != unit.suffix) continue;
        if (number < 0 || number > limits::kLongest.count / unit.ms) break;
        return Millis{number * unit.ms};
    }
    return fail(ErrorCode::INVALID,
                "'" + std::string(text) + "' is not a duration; write 100ms, 1s, 15m, 2h or 3d",
                std::move(field));
}

std::string_view to_string(Backoff::Kind kind) {
    return word_of(kBackoffKinds, kind);
}
bool from_text(std::string_view text, Backoff::Kind& out) {
    return value_of(kBackoffKinds, text, out);
}

std::string_view to_string(OnUnique on) {
    return word_of(kOnUnique, on);
}
bool from_text(std::string_view text, OnUnique& out) {
    return value_of(kOnUnique, text, out);
}

std::string to_string(const Backoff& backoff) {
    switch (backoff.kind) {
        case Backoff::Kind::kNone:
            return "none";
        case Backoff::Kind::kFixed:
            return "fixed:" + to_string(backoff.min);
        case Backoff::Kind::kExponential:
            return "exp:" + to_string(backoff.min) + ".." + to_string(backoff.max);
    }
    return {};
}

Result<Backoff> parse_backoff(std::string_view text, std::string field) {
    if (text == "none") return Backoff{Backoff::Kind::kNone, {}, {}};
    if (text.substr(0, 6) == "fixed:") {
        auto wait = parse_duration(text.substr(6), field);
        if (!wait) return Failure(wait.error());
        return Backoff{Backoff::Kind::kFixed, *wait, *wait};
    }
    auto dots = text.find("..");
    if (text.substr(0, 4) != "exp:" || dots == std::string_view::npos) {
        return fail(ErrorCode::INVALID, "write none, fixed:30s or exp:5s..10m", std::move(field));
    }
    auto min = parse_duration(text.substr(4, dots - 4), field);
    if (!min) return Failure(min.error());
    auto max = parse_duration(text.substr(dots + 2), field);
    if (!max) return Failure(max.error());
    if (*min > *max) {
        return fail(ErrorCode::INVALID, "the first wait exceeds the longest", std::move(field));
    }
    return Backoff{Backoff::Kind::kExponential, *min, *max};
}

bool answers_to(const std::string& expected, const std::string& name) {
    if (name == expected) return true;
    return name.size() > expected.size() + 1 && name.compare(0, expected.size(), expected) == 0 &&
           name[expected.size()] == '.' && name.find('/', expected.size()) == std::string::npos;
}

bool meets_expectation(const std::string& expected, const std::vector<std::string>& names) {
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return answers_to(expected, name); });
}

}  // namespace zq
