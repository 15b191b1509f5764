// `zq why`: the rule that holds a task.
#include "cli/command_table.h"
#include "cli/records.h"
#include "cli/session.h"

namespace zq::cli {
namespace {

constexpr auto kWhyColumns = std::to_array<Column>({{"id", "ID"},
                                                    {"state", "STATE", Cell::kState},
                                                    {"rule", "RULE"},
                                                    {"why", "WHY"},
                                                    {"until", "UNTIL", Cell::kTime}});

Ending run_why(const Context& context) {
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    std::vector<Json> records;
    for (const std::string& id : context.args.operands()) {
        auto task = (*session)->call<wire::TaskReply>(wire::Get{TaskId(id), true});
        if (!task) return tl::unexpected(task.error());
        Json record = Json::object();
        record.set("id", to_json(task->row.id));
        record.set("state", to_json(task->row.state));
        record.set("rule", Json::text(task->why.rule));
        record.set("why", Json::text(task->why.text));
        if (task->why.until.is_set()) record.set("until", to_json(task->why.until));
        records.push_back(with_schema("zq/why/v1", record));
    }
    return print({Shape::kList, {}, kWhyColumns, std::move(records)}, context.output);
}

constexpr auto kCommands = std::to_array<Command>({
    {"why",
     "Tasks",
     "ID…",
     "Name the rule that holds a task",
     "Why it does not run, and when it could: dependency, schedule, backoff, question, budget, "
     "hold,\n"
     "paused, concurrency, rate, rate_limited, no_worker, labels, workers_paused, busy; or who has "
     "it. Takes unique prefixes of ids.",
     {},
     {true, true, false},
     1,
     kAnyNumber,
     run_why},
});

}  // namespace

std::span<const Command> why_commands() {
    return kCommands;
}

}  // namespace zq::cli
