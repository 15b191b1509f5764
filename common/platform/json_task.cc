#include "common/platform/json_task.h"

#include <algorithm>
#include <array>

#include "common/platform/json_read.h"
#include "common/wire/envelope.h"

namespace zq {
namespace {

struct PriorityWord {
    std::string_view word;
    int value;
};
constexpr auto kPriorities =
    std::to_array<PriorityWord>({{"low", 2}, {"normal", 5}, {"high", 8}, {"urgent", 10}});

/// How a written value becomes the envelope's.
enum class As : std::uint8_t { kSame, kSeconds, kDuration, kRetries };

struct Spelling {
    std::string_view written;
    std::string_view field;
    As as = As::kSame;
};

// Beside these every duration `X_ms` may be written as `X_seconds`, or as `X` with a unit.
constexpr auto kSpellings = std::to_array<Spelling>({
    {"id", "task_id"},
    {"role", "to"},
    {"agent_type", "to"},
    {"action", "type"},
    {"at", "not_before"},
    {"max_retries", "max_attempts", As::kRetries},
});

// Not of the envelope: they become inputs, or a label.
constexpr std::string_view kContext = "context";
constexpr std::string_view kContextRef = "context_ref";
constexpr std::string_view kCreatedAt = "created_at";

/// Lists the names that `describe` says.
struct FieldNames {
    std::vector<std::string> names;
    template <class T>
    void operator()(const char* key, const T&) {
        names.emplace_back(key);
    }
    template <class T>
    void optional(const char* key, const T&, const std::type_identity_t<T>& = T{}) {
        names.emplace_back(key);
    }
};

struct Table {
    std::map<std::string, Spelling, std::less<>> by_name;
    std::vector<std::string> names;  // everything that may be written
    std::vector<std::string> fields;

    Table() {
        FieldNames lister;
        const TaskSpec spec;
        describe(lister, spec);
        fields = lister.names;
        for (const std::string& field : fields) {
            add(field, field, As::kSame);
            if (!field.ends_with("_ms")) continue;
            const std::string stem = field.substr(0, field.size() - 3);
            add(stem + "_seconds", field, As::kSeconds);
            add(stem, field, As::kDuration);
        }
        for (const Spelling& row : kSpellings) {
            add(std::string(row.written), std::string(row.field), row.as);
        }
        for (const std::string_view name : {kContext, kContextRef, kCreatedAt}) {
            names.emplace_back(name);
        }
    }

    void add(const std::string& written, const std::string& field, As as) {
        const auto at = std::find(fields.begin(), fields.end(), field);
        by_name.try_emplace(written, Spelling{{}, *at, as});
        names.push_back(written);
    }
};

const Table& table() {
    static const Table built;
    return built;
}

Result<Json> number_times(const Json& value, std::int64_t factor, std::int64_t plus,
                          std::int64_t most, const std::string& name) {
    const auto number = value.as_integer();
    if (!number || *number < 0) return detail::not_a("a whole number from 0 on", name);
    if (*number > most) return fail(ErrorCode::INVALID, "is too large a number", name);
    return Json::number(*number * factor + plus);
}

Result<Json> duration(const Json& value, const std::string& name) {
    const auto text = value.as_text();
    if (!text) {
        return fail(
            ErrorCode::INVALID,
            "is a duration with its unit, such as \"15m\"; `" + name + "_seconds` takes a number",
            name);
    }
    auto millis = parse_duration(*text, name);
    if (!millis) return Failure(millis.error());
    return Json::number(millis->count);
}

Result<Json> converted(const Json& value, As as, const std::string& name) {
    switch (as) {
        case As::kSame:
            return value;
        case As::kSeconds:
            return number_times(value, 1'000, 0, limits::kLongest.count / 1'000, name);
        case As::kDuration:
            return duration(value, name);
        case As::kRetries:
            return number_times(value, 1, 1, limits::kAttemptsMax - 1, name);
    }
    return value;
}

// Values of the envelope that JSON may write in more than one way.

Result<Json> priority(const Json& value, const std::string& name) {
    const auto word = value.as_text();
    if (!word) return value;
    if (auto number = priority_of_word(*word)) return Json::number(std::int64_t{*number});
    return fail(ErrorCode::INVALID, "is low, normal, high, urgent, or a number from 0 to 10", name);
}

Result<Json> backoff(const Json& value, const std::string& name) {
    const auto text = value.as_text();
    if (!text) return value;
    auto parsed = parse_backoff(*text, name);
    if (!parsed) return Failure(parsed.error());
    return to_json(*parsed);
}

/// `["summary", "patch"]` are its artifacts; a schema may be JSON itself.
Result<Json> expected_output(const Json& value) {
    if (value.is_array()) return Json(Json::object().set("artifacts", value));
    Json expected = value;
    const auto schema = value.find("schema");
    if (schema && !schema->is_null() && !schema->as_text()) {
        expected.set("schema", Json::text(schema->dump()));
    }
    return expected;
}

/// `["a", "b"]` are the tasks that it waits for: all of them.
Json after(const Json& value) {
    return value.is_array() ? Json(Json::object().set("tasks", value)) : value;
}

/// Each rule may be a text, as `zq submit --retry-rule` takes it.
Result<Json> retry_rules(const Json& value, const std::string& name) {
    if (!value.is_array()) return value;
    Json rules = Json::array();
    for (std::size_t i = 0; i < value.size(); ++i) {
        const Json item = value.at(i);
        const auto text = item.as_text();
        if (!text) {
            rules.push(item);
            continue;
        }
        auto rule = parse_retry_rule(*text, name);
        if (!rule) return Failure(rule.error());
        rules.push(to_json(*rule));
    }
    return rules;
}

Result<Json> settled(const std::string& field, const Json& value, const std::string& name) {
    if (field == "priority") return priority(value, name);
    if (field == "backoff") return backoff(value, name);
    if (field == "expected_output") return expected_output(value);
    if (field == "after") return after(value);
    if (field == "retry_rules") return retry_rules(value, name);
    if (field == "payload") return Json::text(value.dump());
    return value;
}

Failure written_twice(const std::string& one, const std::string& other) {
    return fail(ErrorCode::INVALID, "says the same as `" + one + "`: write one of them", other);
}

/// Takes the fields that are none of the envelope's. True if it was one.
Result<bool> take_other(const std::string& name, const Json& value, JsonTask& task,
                        std::string& created_at) {
    const bool is_context = name == kContext;
    if (!is_context && name != kContextRef && name != kCreatedAt) return false;
    auto text = value.as_text();
    if (!text) return detail::not_a("a text", name);
    if (name == kCreatedAt) {
        created_at = std::move(*text);
        return true;
    }
    if (is_context ? !task.context_ref.empty() : task.context.has_value()) {
        return written_twice(std::string(is_context ? kContextRef : kContext), name);
    }
    if (!is_context && text->empty()) return detail::not_a("a URI", name);
    if (is_context) task.context = std::move(*text);
    if (!is_context) task.context_ref = std::move(*text);
    return true;
}

/// The object under the envelope's own names; `null` is as good as absent.
Result<Json> under_own_names(const Json& json, JsonTask& task, std::string& created_at) {
    Json own = Json::object();
    for (const std::string& name : json.keys()) {
        const Json value = *json.find(name);
        const auto row = table().by_name.find(name);
        if (row == table().by_name.end()) {
            if (std::find(table().names.begin(), table().names.end(), name) ==
                table().names.end()) {
                return unknown_field(name, table().names, {});
            }
            if (value.is_null()) continue;
            auto other = take_other(name, value, task, created_at);
            if (!other) return Failure(other.error());
            continue;
        }
        if (value.is_null()) continue;
        const std::string field(row->second.field);
        const auto [before, fresh] = task.written_as.emplace(field, name);
        if (!fresh) return written_twice(before->second, name);
        auto plain = converted(value, row->second.as, name);
        if (!plain) return plain;
        auto final = settled(field, *plain, name);
        if (!final) return final;
        own.set(field, std::move(*final));
    }
    for (const char* needed : {"task_id", "to"}) {
        if (!own.find(needed)) own.set(needed, Json::text(""));
    }
    return own;
}

}  // namespace

std::optional<int> priority_of_word(std::string_view word) {
    for (const PriorityWord& row : kPriorities) {
        if (row.word == word) return row.value;
    }
    return std::nullopt;
}

Error as_written(Error error, const JsonTask& task) {
    constexpr std::string_view kRoot = "task.";
    if (error.field.starts_with(kRoot)) error.field.erase(0, kRoot.size());
    const std::size_t end = std::min(error.field.find_first_of(".["), error.field.size());
    const auto written = task.written_as.find(error.field.substr(0, end));
    if (written != task.written_as.end()) error.field.replace(0, end, written->second);
    return error;
}

Result<JsonTask> read_json_task(const Json& json) {
    if (!json.is_object()) return fail(ErrorCode::INVALID, "a task is a JSON object");
    JsonTask task;
    std::string created_at;
    auto own = under_own_names(json, task, created_at);
    if (!own) return Failure(own.error());
    if (auto ok = read_json(*own, task.spec, {}); !ok) {
        return Failure(as_written(ok.error(), task));
    }
    if (!created_at.empty() &&
        !task.spec.labels.emplace(std::string(kCreatedAt), created_at).second) {
        return written_twice("labels.created_at", std::string(kCreatedAt));
    }
    return task;
}

Result<JsonTask> read_json_task(std::string_view text) {
    auto json = Json::parse(text, {});
    if (!json) return Failure(json.error());
    return read_json_task(*json);
}

}  // namespace zq
