#include "cli/after_flags.h"

#include <array>

#include "common/base/limits.h"
#include "common/platform/files.h"

namespace zq::cli {
namespace {

Expected<std::vector<TaskId>> read_ids(const std::string& operand, const std::string& flag) {
    std::string text = operand;
    if (operand.starts_with("@")) {
        auto file = read_file(operand.substr(1), limits::kMessageBytes);
        if (!file && file.error().code == ErrorCode::NOT_FOUND) {
            return usage("no such file: " + operand.substr(1));
        }
        if (!file) return problem(file.error());
        text = std::move(*file);
    }
    std::vector<TaskId> ids;
    std::size_t from = 0;
    while ((from = text.find_first_not_of(", \t\r\n", from)) != std::string::npos) {
        const std::size_t to = std::min(text.find_first_of(", \t\r\n", from), text.size());
        ids.emplace_back(text.substr(from, to - from));
        from = to;
    }
    if (ids.empty()) return usage("--" + flag + " takes the ids of tasks");
    return ids;
}

}  // namespace

Expected<void> read_after(const Arguments& args, After& after) {
    struct Way {
        const char* flag;
        AfterMode mode;
    };
    constexpr auto kWays = std::to_array<Way>({{"after", AfterMode::kAllOk},
                                               {"after-any", AfterMode::kAnyOk},
                                               {"after-done", AfterMode::kAllDone}});
    for (const Way& way : kWays) {
        if (!args.has(way.flag)) continue;
        if (!after.tasks.empty()) return usage("one of --after, --after-any and --after-done");
        auto ids = read_ids(args.text(way.flag), way.flag);
        if (!ids) return tl::unexpected(ids.error());
        after.tasks = std::move(*ids);
        after.mode = way.mode;
    }
    auto count = args.number("after-count", 1, limits::kAfter);
    if (!count) return tl::unexpected(count.error());
    if (*count) {
        if (!args.has("after")) return usage("--after-count goes with --after");
        after.mode = AfterMode::kKOfN;
        after.count = static_cast<std::uint32_t>(**count);
    }
    if (!args.has("on-unmet")) return {};
    if (!from_text(args.text("on-unmet"), after.on_unmet)) {
        return usage("--on-unmet takes skip, run or dead, not '" + args.text("on-unmet") + "'");
    }
    if (after.tasks.empty()) return usage("--on-unmet goes with --after");
    return {};
}

}  // namespace zq::cli
