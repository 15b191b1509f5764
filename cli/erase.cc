// `zq rm --erase`: a task goes, and its texts with it, out of the journal too.
#include <array>

#include "cli/bulk.h"
#include "cli/command_table.h"

namespace zq::cli {
namespace {

Ending run_rm(const Context& context) {
    const Arguments& args = context.args;
    if (!args.has("erase")) {
        return usage("`zq rm` erases what the journal says of a task: say --erase",
                     "dead letters are removed by `zq dlq rm`, and what is old by retention; their"
                     " history stays in the journal then");
    }
    if (args.operands().size() > 1 && !args.has("yes")) {
        return usage("say --yes to erase " + std::to_string(args.operands().size()) + " tasks");
    }
    std::vector<wire::TaskRow> tasks;
    for (const std::string& id : args.operands()) {
        wire::TaskRow& row = tasks.emplace_back();
        row.id = TaskId(id);
    }
    const Deed deed{"erase", "erased", "erased", [&](const TaskId& task) {
                        return wire::Body(wire::Remove{task, args.text("because"), true});
                    }};
    return do_to_all(context, tasks, deed);
}

constexpr auto kFlags = std::to_array<Flag>({
    {"erase", "", "Out of the journal too; nothing brings it back", Takes::kNothing},
    kYes,
    kRate,
    kBecause,
});

constexpr auto kCommands = std::to_array<Command>({
    {"rm",
     "Data",
     "ID…",
     "Erase a task that has ended, and its texts in the journal",
     "For a secret that got in. The task goes with its attempts, and out of all its events, of\n"
     "earlier tasks of its id too, what people, agents and commands wrote: instructions, payload,\n"
     "progress, summaries, reasons, questions, answers. What happened, when and by whom stays, as\n"
     "do names (labels too); so does the hash chain (`zq journal verify`). Contents that nothing\n"
     "else refers to go at once. Takes exact ids, also of tasks that were removed before.\n"
     "Not reached: backups, archives and exports that were made before, folders of workers, and\n"
     "what anybody has read; --because stays. Change the secret all the same.\n"
     "From another machine: with the admin's key.",
     kFlags,
     {true, true, false},
     1,
     kAnyNumber,
     run_rm},
});

}  // namespace

std::span<const Command> erase_commands() {
    return kCommands;
}

}  // namespace zq::cli
