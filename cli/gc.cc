// `gc`: retention by hand, or a look at what it would remove.
#include <array>
#include <chrono>
#include <thread>

#include "cli/command_table.h"
#include "cli/session.h"

namespace zq::cli {
namespace {

constexpr auto kAskEvery = std::chrono::milliseconds(200);
constexpr auto kOthersPass = std::chrono::seconds(30);  // for the coordinator's own, or another's

constexpr auto kColumns = std::to_array<Column>({
    {"kind", "KIND"},
    {"role", "ROLE"},
    {"rule", "RULE"},
    {"count", "COUNT"},
    {"bytes", "SIZE", Cell::kSize},
});

Json gc_record(const wire::GcRow& row, bool dry_run) {
    Json record = Json::object();
    record.set("schema", Json::text("zq/gc/v1"));
    std::string id = row.kind;
    if (!row.role.empty()) id += "/" + row.role.text;
    if (row.rule != RetentionRule::kAge) id += "/" + std::string(to_string(row.rule));
    record.set("id", Json::text(id));
    record.set("state", Json::text(dry_run ? "would be removed" : "removed"));
    record.set("kind", Json::text(row.kind));
    record.set("role", Json::text(row.role.text));
    record.set("rule", Json::text(std::string(to_string(row.rule))));
    record.set("count", to_json(row.count));
    record.set("bytes", to_json(row.bytes));
    return record;
}

Ending run_gc(const Context& context) {
    wire::Gc gc;
    gc.dry_run = context.args.has("dry-run");
    gc.role = RoleName(context.args.text("role"));
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    const auto until = std::chrono::steady_clock::now() + kOthersPass;
    while (true) {
        auto reply = (*session)->call<wire::GcReply>(gc);
        if (!reply) {
            const bool busy = reply.error().error.code == ErrorCode::BUSY;
            if (!busy || std::chrono::steady_clock::now() >= until) {
                return tl::unexpected(reply.error());
            }
            std::this_thread::sleep_for(kAskEvery);
            continue;
        }
        if (reply->state == wire::GcState::kRunning) {
            std::this_thread::sleep_for(kAskEvery);
            continue;
        }
        View view{Shape::kList, "zq/gc-list/v1", kColumns, {}, false};
        for (const wire::GcRow& row : reply->removed) {
            view.records.push_back(gc_record(row, gc.dry_run));
        }
        return print(view, context.output);
    }
}

constexpr auto kFlags = std::to_array<Flag>({
    {"dry-run", "", "Say what would be removed, and remove nothing", Takes::kNothing},
    {"role", "R", "Tasks, logs and artifacts of this role alone"},
});

constexpr auto kCommands = std::to_array<Command>({
    {"gc",
     "Data",
     "",
     "Remove now what is past its age, or more than may be held",
     "What may go is said by [retention] in the coordinator's settings; the coordinator looks by\n"
     "itself too. Prints how many tasks, logs, artifacts and contents went, the bytes that they\n"
     "held, and by which rule: `age`, or `bytes` where the ended tasks of a role held more than\n"
     "they may. A content goes when nothing refers to it any more and its 24 h are over: so what "
     "is "
     "let\n"
     "go now is freed by a later pass. From another machine: with the admin's key only.",
     kFlags,
     {true, true, false},
     0,
     0,
     run_gc},
});

}  // namespace

std::span<const Command> gc_commands() {
    return kCommands;
}

}  // namespace zq::cli
