// `backup create|verify|restore`: a copy of a running coordinator's data, made by the coordinator
// itself; what is done with it afterwards needs no coordinator.
#include <array>
#include <chrono>
#include <filesystem>
#include <thread>

#include "cli/command_table.h"
#include "cli/journal.h"
#include "cli/session.h"
#include "coordinator/store/backup.h"

namespace zq::cli {
namespace {

constexpr auto kAskEvery = std::chrono::milliseconds(250);

constexpr auto kColumns = std::to_array<Column>({
    {"id", "FOLDER"},
    {"last_seq", "LAST"},
    {"artifacts", "ARTIFACTS"},
    {"bytes", "SIZE", Cell::kSize},
    {"chain_head", "CHAIN HEAD"},
});

Json backup_record(const wire::BackupReply& reply) {
    Json record = Json::object();
    record.set("schema", Json::text("zq/backup/v1"));
    record.set("id", Json::text(reply.folder));
    record.set("state", to_json(reply.state));
    record.set("folder", Json::text(reply.folder));
    record.set("last_seq", to_json(reply.last_seq));
    record.set("chain_head", to_json(reply.chain_head));
    record.set("artifacts", to_json(reply.artifacts));
    record.set("bytes", to_json(reply.bytes));
    return record;
}

/// With what to do about it. What is wrong with the backup itself is what a check has found.
tl::unexpected<Problem> backup_problem(Error error) {
    if (error.code == ErrorCode::NOT_FOUND) {
        return problem(std::move(error), "`zq backup create DIR` makes one");
    }
    if (error.field != "folder") return journal_problem(std::move(error));
    error.field.clear();
    Problem found(std::move(error));
    found.exit = ExitCode::kProblems;
    return tl::unexpected(std::move(found));
}

Ending run_create(const Context& context) {
    std::error_code failed;
    const auto folder = std::filesystem::absolute(context.args.operand(0), failed);
    if (failed) return usage(context.args.operand(0) + ": " + failed.message());
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    while (true) {
        auto reply =
            (*session)->call<wire::BackupReply>(wire::Backup{folder.lexically_normal().string()});
        if (!reply) return tl::unexpected(reply.error());
        switch (reply->state) {
            case wire::BackupState::kRunning:
                std::this_thread::sleep_for(kAskEvery);
                break;
            case wire::BackupState::kFailed:
                return problem(ErrorCode::IO, "the backup failed: " + reply->message);
            case wire::BackupState::kDone:
                return print({Shape::kOne, {}, kColumns, {backup_record(*reply)}}, context.output);
        }
    }
}

Ending run_verify(const Context& context) {
    auto report = store::verify_backup(context.args.operand(0));
    if (!report) return backup_problem(report.error());
    return print_verdict(context, *report);
}

Ending run_restore(const Context& context) {
    store::RestoreOrder order;
    order.into = context.args.text("into");
    order.program = "zq " ZQ_VERSION;
    if (order.into.empty()) return usage("--into DATA is missing");
    auto report = store::restore_backup(context.args.operand(0), order);
    if (!report) return backup_problem(report.error());
    return print_restored(context, *report, order.into);
}

constexpr auto kRestoreFlags = std::to_array<Flag>({
    {"into", "DATA", "The new data folder: missing or empty (required)"},
});

constexpr auto kCommands = std::to_array<Command>({
    {"backup create",
     "Data",
     "DIR",
     "A copy of the running coordinator's data, artifacts included",
     "DIR is a new or empty folder on the coordinator's machine; the coordinator writes it while "
     "it\n"
     "serves on. The copy is of one moment after this request: everything that was acknowledged\n"
     "before is in it. Contents are hard links where DIR is on the disk of the data folder, so "
     "take\n"
     "DIR to another one. Keys and settings are not in it. From another machine: with the admin's\n"
     "key only.",
     {},
     {true, true, false},
     1,
     1,
     run_create},
    {"backup verify",
     "Data",
     "DIR",
     "Prove that a backup is whole and says the truth",
     "That it was finished; then as `zq journal verify`: every event, every table, every byte of\n"
     "every artifact. Needs no coordinator. Exit code 20 if something is wrong; the first bad "
     "thing\n"
     "is named on stderr.",
     {},
     {false, true, false},
     1,
     1,
     run_verify},
    {"backup restore",
     "Data",
     "DIR",
     "A data folder out of a backup",
     "Verifies the backup first. The new folder has a new journal id: leases end there, and no\n"
     "worker's token of the old life is good for it. Start zq-coordinator on it.",
     kRestoreFlags,
     {false, true, false},
     1,
     1,
     run_restore},
});

}  // namespace

std::span<const Command> backup_commands() {
    return kCommands;
}

}  // namespace zq::cli
