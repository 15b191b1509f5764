#include "common/base/where.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "common/base/nearest.h"
#include "common/base/task_spec.h"

namespace zq {
namespace {

constexpr std::string_view kLabel = "label.";

struct Condition {
    std::string key;
    std::string value;
};

struct Place {
    const std::string& field;
    WhereClause& where;

    Failure wrong(const std::string& message) const {
        return fail(ErrorCode::INVALID, message, field);
    }

    Failure unknown(const std::string& what, const std::string& word,
                    const std::vector<std::string>& known) const {
        const std::string nearest = nearest_word(word, known);
        std::string all;
        for (const std::string& one : known) all += (all.empty() ? "" : ", ") + one;
        return wrong("no " + what + " '" + word + "'; " +
                     (nearest.empty() ? "one of: " + all : "did you mean " + nearest + "?"));
    }
};

using Taken = Result<void>;

template <class Enum, std::size_t N>
std::vector<std::string> words_from(std::size_t first) {
    std::vector<std::string> words;
    for (std::size_t i = first; i < N; ++i) {
        words.emplace_back(to_string(static_cast<Enum>(i)));
    }
    return words;
}

Taken take_states(const Place& place, const std::string& value) {
    for (std::size_t start = 0; start <= value.size();) {
        const std::size_t comma = std::min(value.find(',', start), value.size());
        const std::string word = value.substr(start, comma - start);
        start = comma + 1;
        TaskState state{};
        if (!from_text(word, state)) {
            return place.unknown("state", word, words_from<TaskState, kTaskStates>(0));
        }
        place.where.states.push_back(state);
    }
    return {};
}

Taken take_reason(const Place& place, const std::string& value) {
    if (from_text(value, place.where.dead_reason)) return {};
    return place.unknown("reason", value, words_from<DeadReason, kDeadReasons>(1));
}

Taken take_time(const Place& place, const Condition& condition, std::optional<Millis>& out) {
    auto time = parse_duration(condition.value, place.field);
    if (!time) {
        return place.wrong(condition.key + "=" + condition.value +
                           " takes a duration, such as 30m, 2h or 3d");
    }
    out = *time;
    return {};
}

template <class Text>
Taken take_text(const Place& place, const Condition& condition, Text& out) {
    if constexpr (std::is_same_v<Text, std::string>) {
        out = condition.value;
    } else {
        if (!is_valid_name(condition.value)) {
            return place.wrong("'" + condition.value + "' is no name of a " + condition.key);
        }
        out.text = condition.value;
    }
    return {};
}

using Take = Taken (*)(const Place&, const Condition&);
struct Key {
    std::string_view key;
    Take take;
    bool (*is_set)(const WhereClause&);
};

constexpr auto kKeys = std::to_array<Key>({
    {"state", [](const Place& p, const Condition& c) { return take_states(p, c.value); },
     [](const WhereClause& w) { return !w.states.empty(); }},
    {"role", [](const Place& p, const Condition& c) { return take_text(p, c, p.where.role); },
     [](const WhereClause& w) { return !w.role.empty(); }},
    {"reason", [](const Place& p, const Condition& c) { return take_reason(p, c.value); },
     [](const WhereClause& w) { return w.dead_reason != DeadReason::kNone; }},
    {"type", [](const Place& p, const Condition& c) { return take_text(p, c, p.where.type); },
     [](const WhereClause& w) { return !w.type.empty(); }},
    {"from", [](const Place& p, const Condition& c) { return take_text(p, c, p.where.from); },
     [](const WhereClause& w) { return !w.from.empty(); }},
    {"group", [](const Place& p, const Condition& c) { return take_text(p, c, p.where.group); },
     [](const WhereClause& w) { return !w.group.empty(); }},
    {"trace", [](const Place& p, const Condition& c) { return take_text(p, c, p.where.trace_id); },
     [](const WhereClause& w) { return !w.trace_id.empty(); }},
    {"worker", [](const Place& p, const Condition& c) { return take_text(p, c, p.where.worker); },
     [](const WhereClause& w) { return !w.worker.empty(); }},
    {"since", [](const Place& p, const Condition& c) { return take_time(p, c, p.where.since); },
     [](const WhereClause& w) { return w.since.has_value(); }},
    {"before", [](const Place& p, const Condition& c) { return take_time(p, c, p.where.before); },
     [](const WhereClause& w) { return w.before.has_value(); }},
});

Taken take_label(const Place& place, const Condition& condition) {
    const std::string key = condition.key.substr(kLabel.size());
    if (key.empty()) return place.wrong("label.KEY=VALUE needs a key");
    if (place.where.labels.emplace(key, condition.value).second) return {};
    return place.wrong(condition.key + " stands twice");
}

Taken take(const Place& place, const Condition& condition) {
    if (condition.key.starts_with(kLabel)) return take_label(place, condition);
    const auto* row = std::find_if(kKeys.begin(), kKeys.end(),
                                   [&](const Key& key) { return key.key == condition.key; });
    if (row == kKeys.end()) {
        std::vector<std::string> known{"label.KEY"};
        for (const Key& key : kKeys) known.emplace_back(key.key);
        return place.unknown("condition", condition.key, known);
    }
    if (row->is_set(place.where)) return place.wrong(condition.key + " stands twice");
    if (condition.value.empty()) return place.wrong(condition.key + "= has no value");
    return row->take(place, condition);
}

/// The value from `at` on, in quotes or up to the next space; leaves `at` behind it.
Result<std::string> read_value(const Place& place, std::string_view text, std::size_t& at) {
    if (at < text.size() && text[at] == '"') {
        const std::size_t end = text.find('"', at + 1);
        if (end == std::string_view::npos) return place.wrong("a quote is not closed");
        const std::string value(text.substr(at + 1, end - at - 1));
        at = end + 1;
        return value;
    }
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string value(text.substr(at, end - at));
    at = end;
    return value;
}

}  // namespace

Result<void> add_where(std::string_view text, const std::string& field, WhereClause& where) {
    const Place place{field, where};
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == ' ') {
            ++at;
            continue;
        }
        const std::size_t end = std::min(text.find(' ', at), text.size());
        const std::size_t equals = text.find('=', at);
        if (equals >= end) {
            return place.wrong("'" + std::string(text.substr(at, end - at)) +
                               "' is no condition; write KEY=VALUE, such as state=dead");
        }
        Condition condition{std::string(text.substr(at, equals - at)), {}};
        at = equals + 1;
        auto value = read_value(place, text, at);
        if (!value) return Failure(value.error());
        condition.value = std::move(*value);
        if (auto ok = take(place, condition); !ok) return ok;
    }
    return {};
}

}  // namespace zq
