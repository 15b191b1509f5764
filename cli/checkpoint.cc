// What attempts save for the ones after them: `checkpoint put|get|ls`.
#include <array>
#include <filesystem>

#include "cli/command_table.h"
#include "cli/contents.h"
#include "cli/lease_file.h"
#include "cli/own_artifacts.h"
#include "cli/own_task.h"
#include "cli/records.h"
#include "cli/removed.h"
#include "cli/result.h"
#include "cli/session.h"

namespace zq::cli {
namespace {

constexpr auto kCheckpoint = std::to_array<Column>({
    {"name", "NAME"},
    {"number", "NUMBER"},
    {"attempt", "ATTEMPT"},
    {"at", "SAVED", Cell::kTime},
    {"size", "SIZE", Cell::kSize},
    {"digest", "SHA-256", Cell::kText, Where::kWide},
    {"media", "MEDIA", Cell::kText, Where::kWide},
    {"task_id", "TASK", Cell::kText, Where::kWide},
});

Expected<Content> read_checkpoint(const Arguments& args, const std::string& path) {
    const std::string name = args.text("name");
    return name.empty() ? read_named_content(path) : read_content(path, name);
}

wire::Checkpoint request_of(const wire::HeldLease& lease, const Content& content) {
    wire::Checkpoint request;
    request.task = lease.task;
    request.lease = lease.lease;
    request.artifact.ref = content.ref;
    if (content.data) request.artifact.data = Bytes{*content.data};
    return request;
}

/// Where a name's content lies inside a task; without a name the newest of all.
Expected<std::string> own_file(const OwnTask& own, const std::string& name) {
    std::string newest;
    std::filesystem::file_time_type time{};
    for (const std::string& found : own_files(own.checkpoints)) {
        std::error_code ignored;
        const std::string path = own.checkpoints + "/" + found;
        const auto written = std::filesystem::last_write_time(path, ignored);
        if (name.empty() ? newest.empty() || written > time : found == name) {
            newest = path;
            time = written;
        }
    }
    if (!newest.empty()) return newest;
    return problem(ErrorCode::NOT_FOUND,
                   "no checkpoint" + (name.empty() ? "" : " called " + name) + " is here",
                   "none of the attempts so far saved it");
}

/// The lease under which is saved, and the conversation for it.
struct Saving {
    std::optional<OwnTask> own;
    wire::HeldLease lease;
};

Expected<Saving> open_saving(const Context& context, const std::string& id) {
    auto own = own_task(context.args, id);
    if (!own) return tl::unexpected(own.error());
    if (*own) return Saving{*own, (*own)->held};
    const TaskId task(id);
    auto lease = find_lease(context.args, task);
    if (!lease) return tl::unexpected(lease.error());
    if (!*lease) {
        return problem(ErrorCode::CONFLICT, "no lease of " + task.text + " is known here",
                       "pass --lease, or claim the task");
    }
    return Saving{std::nullopt, **lease};
}

Ending run_put(const Context& context) {
    auto operands = own_operands(context.args, 2);
    if (!operands) return tl::unexpected(operands.error());
    auto content = read_checkpoint(context.args, operands->others.front());
    if (!content) return tl::unexpected(content.error());
    auto saving = open_saving(context, operands->id);
    if (!saving) return tl::unexpected(saving.error());
    if (context.args.has("dry-run")) {
        note("dry run: " + content->ref.name + " would be saved");
        return ExitCode::kDone;
    }
    auto session = open_session(context, saving->own);
    if (!session) return tl::unexpected(session.error());
    std::vector<Content> contents;
    contents.push_back(std::move(*content));
    const wire::HeldLease& lease = saving->lease;
    if (auto ok = put_contents(**session, contents, lease.task, lease.lease); !ok) {
        return tl::unexpected(ok.error());
    }
    auto saved = (*session)->call<wire::Accepted>(request_of(lease, contents.front()));
    if (!saved) return tl::unexpected(saved.error());
    if (saving->own) {
        const std::string path = saving->own->checkpoints + "/" + contents.front().ref.name;
        if (auto ok = copy_content(contents.front(), path); !ok) return tl::unexpected(ok.error());
    }
    Json fields = Json::object();
    fields.set("task_id", to_json(lease.task));
    fields.set("name", to_json(contents.front().ref.name));
    fields.set("size", to_json(contents.front().ref.size));
    fields.set("digest", to_json(contents.front().ref.digest));
    fields.set("attempt", to_json(saved->attempt));
    static constexpr auto kColumns = std::to_array<Column>(
        {{"name", "NAME"}, {"attempt", "ATTEMPT"}, {"size", "SIZE", Cell::kSize}});
    return print({Shape::kOne, {}, kColumns, {with_schema("zq/checkpoint/v1", fields)}},
                 context.output);
}

/// The newest checkpoint, of a name where one is given.
Expected<CheckpointRef> find_checkpoint(const wire::TaskReply& task, const std::string& name) {
    for (auto at = task.checkpoints.rbegin(); at != task.checkpoints.rend(); ++at) {
        if (name.empty() || at->ref.name == name) return *at;
    }
    const std::string& id = task.row.id.text;
    return problem(ErrorCode::NOT_FOUND,
                   id + " has no checkpoint" + (name.empty() ? "" : " called " + name),
                   "run `zq checkpoint ls " + id + "` to see them");
}

/// Inside a task: from the folder where its worker and its own `put` lay them.
Ending get_own(const Context& context, const OwnTask& own) {
    auto path = own_file(own, context.args.text("name"));
    if (!path) return tl::unexpected(path.error());
    auto content = read_content(*path, "checkpoint");
    if (!content) return tl::unexpected(content.error());
    const std::string to = context.args.text("output-file");
    if (!to.empty()) {
        auto ok = copy_content(*content, to);
        return ok ? Ending(ExitCode::kDone) : Ending(tl::unexpected(ok.error()));
    }
    return print_own_file(context, *path);
}

Ending list_own(const Context& context, const OwnTask& own) {
    View view{Shape::kList, "zq/checkpoint-list/v1", kCheckpoint, {}, false};
    for (const std::string& name : own_files(own.checkpoints)) {
        std::error_code ignored;
        const auto size = std::filesystem::file_size(own.checkpoints + "/" + name, ignored);
        Json fields = Json::object();
        fields.set("task_id", to_json(own.held.task));
        fields.set("name", Json::text(name));
        fields.set("size", to_json(std::uint64_t{size}));
        view.records.push_back(with_schema("zq/checkpoint/v1", fields));
    }
    return print(view, context.output);
}

Ending run_get(const Context& context) {
    auto operands = own_operands(context.args, 1);
    if (!operands) return tl::unexpected(operands.error());
    auto own = own_task(context.args, operands->id);
    if (!own) return tl::unexpected(own.error());
    if (*own) return get_own(context, **own);
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto task = get_task(**session, operands->id);
    if (!task) return tl::unexpected(task.error());
    auto found = find_checkpoint(*task, context.args.text("name"));
    if (!found) return tl::unexpected(found.error());
    const std::string path = context.args.text("output-file");
    auto there =
        refuse_removed(*task, "checkpoint " + found->ref.name, checkpoint_removal(*task, *found));
    if (!there) return tl::unexpected(there.error());
    auto ok = path.empty() ? print_artifact(context, **session, task->row.id, found->attempt,
                                            found->ref, found->number)
                           : save_artifact(**session, task->row.id, found->attempt, found->ref,
                                           path, found->number);
    if (!ok) return tl::unexpected(ok.error());
    return ExitCode::kDone;
}

Ending run_ls(const Context& context) {
    auto operands = own_operands(context.args, 1);
    if (!operands) return tl::unexpected(operands.error());
    auto own = own_task(context.args, operands->id);
    if (!own) return tl::unexpected(own.error());
    if (*own) return list_own(context, **own);
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto task = get_task(**session, operands->id);
    if (!task) return tl::unexpected(task.error());
    View view{Shape::kList, "zq/checkpoint-list/v1", kCheckpoint, {}, false};
    for (const CheckpointRef& checkpoint : task->checkpoints) {
        view.records.push_back(checkpoint_record(task->row.id, checkpoint));
    }
    return print(view, context.output);
}

constexpr auto kPutFlags = std::to_array<Flag>({
    {"name", "NAME", "Its name (default: the file's)"},
    {"lease", "TOKEN", "The lease (default: ZQ_LEASE, then what `zq claim` kept)"},
});
constexpr auto kGetFlags = std::to_array<Flag>({
    {"name", "NAME", "The newest of this name (default: the newest of all)"},
    {"output-file", "FILE", "Where to (default: stdout)", Takes::kValue, "", 'O'},
    {"raw", "", "On a terminal too, control characters and all", Takes::kNothing},
});

constexpr auto kCommands = std::to_array<Command>({
    {"checkpoint ls",
     "Worker side",
     "[ID]",
     "List what a task's attempts saved",
     "",
     {},
     {true, true, false},
     0,
     1,
     run_ls},
    {"checkpoint put",
     "Worker side",
     "[ID] FILE",
     "Save a file for the task's next attempt",
     "Durable when it returns. The newest 8 are kept, of several of one name the newest ones;\n"
     "the next attempt finds the newest of each name in $ZQ_CHECKPOINT_DIR.",
     kPutFlags,
     {true, true, true},
     1,
     2,
     run_put},
    {"checkpoint get",
     "Worker side",
     "[ID]",
     "Print what an attempt saved, verified",
     "Inside a task: what earlier attempts and this one saved, without an id. Exit code 3 if\n"
     "there is none.",
     kGetFlags,
     {true, false, false},
     0,
     1,
     run_get},
});

}  // namespace

std::span<const Command> checkpoint_commands() {
    return kCommands;
}

}  // namespace zq::cli
