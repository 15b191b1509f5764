// `usage`: what tasks have used of models, summed up.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "cli/command_table.h"
#include "cli/records.h"
#include "cli/session.h"
#include "common/base/usage.h"

namespace zq::cli {
namespace {

constexpr std::uint32_t kPage = 500;  // tasks of one question

constexpr auto kWays = std::to_array<std::string_view>({"role", "model", "group", "task"});

constexpr auto kColumns = std::to_array<Column>({
    {"id", "OF"},
    {"tasks", "TASKS"},
    {"attempts", "ATTEMPTS"},
    {"cost_usd", "COST USD"},
    {"input_tokens", "INPUT TOKENS"},
    {"output_tokens", "OUTPUT TOKENS"},
    {"cost_usd_micros", "MICROS", Cell::kText, Where::kOnAsking},
    {"by", "BY", Cell::kText, Where::kOnAsking},
});

struct Sum {
    Usage used;
    std::set<TaskId> tasks;
    std::uint64_t attempts = 0;
};

std::string key_of(const wire::UsageRow& row, const std::string& by) {
    if (by == "role") return row.role.text;
    if (by == "model") return row.model.empty() ? "-" : row.model;
    if (by == "group") return row.group.empty() ? "-" : row.group.text;
    if (by == "task") return row.task.text;
    return "total";
}

Expected<std::string> read_way(const Arguments& args) {
    const std::string by = args.text("by");
    if (by.empty() || std::find(kWays.begin(), kWays.end(), by) != kWays.end()) return by;
    return usage("--by takes role, model, group or task, not '" + by + "'");
}

Expected<wire::UsageQuery> read_query(const Arguments& args) {
    wire::UsageQuery query;
    query.task = TaskId(args.operand(0));
    query.role = RoleName(args.text("role"));
    query.group = GroupName(args.text("group"));
    query.limit = kPage;
    if (!query.task.empty() && (args.has("role") || args.has("group"))) {
        return usage("either ID, or --role and --group");
    }
    return query;
}

/// Page by page until nothing is left.
Expected<std::map<std::string, Sum>> add_up(Session& session, wire::UsageQuery query,
                                            const std::string& by) {
    std::map<std::string, Sum> sums;
    if (by.empty()) sums["total"];
    while (true) {
        auto page = session.call<wire::UsageRows>(query);
        if (!page) return tl::unexpected(page.error());
        for (const wire::UsageRow& row : page->rows) {
            Sum& sum = sums[key_of(row, by)];
            sum.used = sum.used +
                       Usage{row.cost_usd_micros, row.input_tokens, row.output_tokens, row.model};
            sum.tasks.insert(row.task);
            ++sum.attempts;
        }
        if (page->before == 0) return sums;
        query.before = page->before;
    }
}

Json sum_record(const std::string& key, const Sum& sum, const std::string& by) {
    Json fields = Json::object();
    fields.set("id", Json::text(key));
    fields.set("by", Json::text(by.empty() ? "total" : by));
    fields.set("tasks", to_json(std::uint64_t{sum.tasks.size()}));
    fields.set("attempts", to_json(sum.attempts));
    fields.set("cost_usd_micros", to_json(sum.used.cost_usd_micros));
    fields.set("cost_usd", Json::text(usd_text(sum.used.cost_usd_micros)));
    fields.set("input_tokens", to_json(sum.used.input_tokens));
    fields.set("output_tokens", to_json(sum.used.output_tokens));
    return with_schema("zq/usage/v1", fields);
}

Ending run_usage(const Context& context) {
    auto by = read_way(context.args);
    if (!by) return tl::unexpected(by.error());
    auto query = read_query(context.args);
    if (!query) return tl::unexpected(query.error());
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto sums = add_up(**session, *query, *by);
    if (!sums) return tl::unexpected(sums.error());
    View view{by->empty() ? Shape::kOne : Shape::kList, "zq/usage-list/v1", kColumns, {}, false};
    for (const auto& [key, sum] : *sums) view.records.push_back(sum_record(key, sum, *by));
    return print(view, context.output);
}

constexpr auto kFlags = std::to_array<Flag>({
    {"role", "ROLE", "Of the tasks of this role"},
    {"group", "NAME", "Of the tasks of this group"},
    {"by", "WHAT", "A sum for each role, model, group or task"},
});

constexpr auto kCommands = std::to_array<Command>({
    {"usage",
     "Tasks",
     "[ID]",
     "Sum up what attempts used of models: money and tokens",
     "Counted are attempts that have ended, failed ones too, by what they reported (`zq usage "
     "add`,\n"
     "cost_usd and the tokens in $ZQ_OUTPUT, --agent). Reads the rows of the one task, or of "
     "every\n"
     "task of the role and group, by their index; without any of them the rows of all tasks.",
     kFlags,
     {true, true, false},
     0,
     1,
     run_usage},
});

}  // namespace

std::span<const Command> usage_sum_commands() {
    return kCommands;
}

}  // namespace zq::cli
