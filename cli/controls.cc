#include "cli/controls.h"

#include <charconv>

#include "cli/output.h"
#include "common/base/byte_size.h"

namespace zq::cli {
namespace {

constexpr std::uint64_t kMostBytes = 1ULL << 60;
constexpr std::string_view kNone = "none";

Expected<std::optional<std::uint64_t>> read_count(const Arguments& args, const char* flag) {
    if (!args.has(flag)) return std::optional<std::uint64_t>{};
    const std::string word = args.text(flag);
    if (word == kNone) return std::optional<std::uint64_t>(0);
    std::uint64_t number = 0;
    const char* const last = word.data() + word.size();
    const auto [end, status] = std::from_chars(word.data(), last, number);
    if (status == std::errc{} && end == last && number >= 1 && number <= limits::kOpenTasks) {
        return std::optional(number);
    }
    return usage(dashed(flag) + " takes 1 to " + std::to_string(limits::kOpenTasks) +
                 ", or none; not '" + word + "'");
}

Expected<std::optional<std::uint64_t>> read_size(const Arguments& args, const char* flag) {
    if (!args.has(flag)) return std::optional<std::uint64_t>{};
    const std::string word = args.text(flag);
    if (word == kNone) return std::optional<std::uint64_t>(0);
    const auto bytes = parse_byte_size(word, kMostBytes);
    if (bytes && *bytes > 0) return bytes;
    return usage(dashed(flag) + " takes a size such as 512MiB or 10GiB, or none; not '" + word +
                 "'");
}

std::string of_limits(const Limits& set) {
    std::string text = limits_text(set);
    const auto add_none = [&](bool is_none, std::string_view name) {
        if (!is_none) return;
        text += (text.empty() ? "" : ", ") + std::string("no ") + std::string(name);
    };
    add_none(set.concurrency && *set.concurrency == 0, "concurrency");
    add_none(set.rate && set.rate->count == 0, "rate");
    add_none(set.max_open && *set.max_open == 0, "max_open");
    add_none(set.max_bytes && *set.max_bytes == 0, "max_bytes");
    return text;
}

}  // namespace

Expected<Limits> read_limits(const Arguments& args) {
    Limits set;
    auto concurrency = read_count(args, "concurrency");
    if (!concurrency) return tl::unexpected(concurrency.error());
    if (*concurrency) set.concurrency = static_cast<std::uint32_t>(**concurrency);
    if (args.has("rate")) {
        auto rate = parse_rate(args.text("rate"), "--rate");
        if (!rate) return usage("--rate '" + args.text("rate") + "': " + rate.error().message);
        set.rate = *rate;
    }
    auto open = read_count(args, "max-open");
    if (!open) return tl::unexpected(open.error());
    set.max_open = *open;
    auto bytes = read_size(args, "max-bytes");
    if (!bytes) return tl::unexpected(bytes.error());
    set.max_bytes = *bytes;
    return set;
}

std::string change_text(const wire::SetControl& set) {
    std::vector<std::string> parts;
    if (set.paused) parts.emplace_back(*set.paused ? "be paused" : "go on");
    if (set.closed) parts.emplace_back(*set.closed ? "take no new tasks" : "take new tasks");
    if (set.drain) parts.emplace_back("end when it has ended what it has");
    const bool others = set.limits != Limits{};
    if (others) parts.push_back("have " + of_limits(set.limits));
    if (set.reset) {
        parts.emplace_back(std::string(others ? "else be" : "be") +
                           " limited as the configuration says");
    }
    std::string text = "it would ";
    for (std::size_t i = 0; i < parts.size(); ++i) text += (i == 0 ? "" : ", and ") + parts[i];
    return text;
}

Expected<void> set_control(const Context& context, Session& session, const wire::SetControl& set) {
    if (context.args.has("dry-run")) {
        note("dry run: " + set.name + ": " + change_text(set) + "; this is how it is now:");
        return {};
    }
    auto done = session.call<wire::ControlSet>(set);
    if (!done) return tl::unexpected(done.error());
    return {};
}

Expected<wire::ControlRows> read_controls(Session& session, ControlKind kind,
                                          const std::string& name) {
    return session.call<wire::ControlRows>(wire::Controls{kind, name});
}

}  // namespace zq::cli
