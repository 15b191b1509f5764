#include "common/base/control.h"

#include <algorithm>
#include <charconv>

#include "common/base/ids.h"
#include "common/base/task_spec.h"
#include "common/base/words.h"

namespace zq {
namespace {

constexpr auto kKinds = std::to_array<std::string_view>({"role", "limit_key", "worker"});

constexpr std::string_view kRateHelp =
    "a rate is a count per time, such as 60/m, 10/s or 5/30s, with a burst 60/m:10; or none";

std::optional<std::uint32_t> parse_count(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// `m` is `1m`.
Result<Millis> parse_period(std::string_view text, const std::string& field) {
    const bool bare = !text.empty() && (text.front() < '0' || text.front() > '9');
    return parse_duration(bare ? "1" + std::string(text) : std::string(text), field);
}

std::string period_text(Millis period) {
    std::string text = to_string(period);
    return text.size() == 2 && text.front() == '1' ? text.substr(1) : text;
}

Result<void> check_rate(const Rate& rate, const std::string& field) {
    if (rate.count == 0) return {};
    if (rate.count > limits::kRateCount || rate.burst < 1 || rate.burst > limits::kRateCount) {
        return fail(ErrorCode::INVALID,
                    "a rate's count and burst are 1 to " + std::to_string(limits::kRateCount),
                    field);
    }
    if (rate.period < millis(1) || rate.period > limits::kRatePeriodMax) {
        return fail(ErrorCode::INVALID,
                    "a rate's period is 1ms to " + to_string(limits::kRatePeriodMax), field);
    }
    return {};
}

}  // namespace

std::string_view to_string(ControlKind kind) {
    return word_of(kKinds, kind);
}

bool from_text(std::string_view text, ControlKind& out) {
    return value_of(kKinds, text, out);
}

Result<Rate> parse_rate(std::string_view text, const std::string& field) {
    if (text == "none") return Rate{};
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
        return fail(ErrorCode::INVALID, std::string(kRateHelp), field);
    }
    std::string_view period = text.substr(slash + 1);
    Rate rate;
    if (const std::size_t colon = period.find(':'); colon != std::string_view::npos) {
        const auto burst = parse_count(period.substr(colon + 1));
        if (!burst) return fail(ErrorCode::INVALID, std::string(kRateHelp), field);
        rate.burst = *burst;
        period = period.substr(0, colon);
    }
    const auto count = parse_count(text.substr(0, slash));
    const auto length = parse_period(period, field);
    if (!count || *count == 0 || !length) {
        return fail(ErrorCode::INVALID, std::string(kRateHelp), field);
    }
    rate.count = *count;
    rate.period = *length;
    if (auto ok = check_rate(rate, field); !ok) return Failure(ok.error());
    return rate;
}

std::string to_string(const Rate& rate) {
    if (rate.count == 0) return "none";
    std::string text = std::to_string(rate.count) + "/" + period_text(rate.period);
    return rate.burst == 1 ? text : text + ":" + std::to_string(rate.burst);
}

Limits merged(const Limits& over, const Limits& under) {
    Limits limits = over;
    if (!limits.concurrency) limits.concurrency = under.concurrency;
    if (!limits.rate) limits.rate = under.rate;
    if (!limits.max_open) limits.max_open = under.max_open;
    if (!limits.max_bytes) limits.max_bytes = under.max_bytes;
    return limits;
}

Result<void> validate(const Limits& limits, const std::string& field) {
    if (!limits.rate) return {};
    return check_rate(*limits.rate, field + ".rate");
}

std::string limits_text(const Limits& limits) {
    std::string text;
    const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
    if (limits.concurrency.value_or(0) != 0) {
        add("concurrency " + std::to_string(*limits.concurrency));
    }
    if (limits.rate && limits.rate->count != 0) add("rate " + to_string(*limits.rate));
    if (limits.max_open.value_or(0) != 0) add("max_open " + std::to_string(*limits.max_open));
    if (limits.max_bytes.value_or(0) != 0) add("max_bytes " + std::to_string(*limits.max_bytes));
    return text;
}

bool is_valid_label(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (!is_valid_name(text.substr(0, equals))) return false;
    if (equals == std::string_view::npos) return true;
    const std::string_view value = text.substr(equals + 1);
    return !value.empty() && value.size() <= limits::kNameBytes &&
           std::all_of(value.begin(), value.end(),
                       [](char c) { return c > ' ' && c < 0x7f && c != ','; });
}

Result<std::vector<std::string>> parse_worker_labels(std::vector<std::string> labels,
                                                     const std::string& field) {
    if (labels.size() > limits::kWorkerLabels) {
        return fail(ErrorCode::TOO_LARGE,
                    std::to_string(labels.size()) + " labels; at most " +
                        std::to_string(limits::kWorkerLabels),
                    field);
    }
    for (const std::string& label : labels) {
        if (is_valid_label(label)) continue;
        return fail(ErrorCode::INVALID, "a worker's label is NAME or NAME=VALUE, such as region=eu",
                    field);
    }
    std::sort(labels.begin(), labels.end());
    labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
    return labels;
}

bool has_labels(const std::vector<std::string>& labels, const std::vector<std::string>& needs) {
    return std::includes(labels.begin(), labels.end(), needs.begin(), needs.end());
}

}  // namespace zq
