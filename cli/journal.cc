#include "cli/journal.h"

#include <array>

#include "cli/command_table.h"
#include "cli/places.h"

namespace zq::cli {
namespace {

constexpr Flag kData{"data", "DIR", "The coordinator's data folder (default: ZQ_DATA, ./zq-data)"};
constexpr auto kInfoFlags = std::to_array<Flag>({kData});
constexpr auto kVerifyFlags = std::to_array<Flag>({
    kData,
    {"archive", "FILE", "This archive; with --data, that the journal goes on where it ends"},
    {"quick", "", "Only look whether artifacts are there with their size", Takes::kNothing},
    {"head", "HASH",
     "A chain head that was kept elsewhere (`journal info`, the coordinator's last log line): it "
     "must be one of this journal"},
});

constexpr auto kExportFlags = std::to_array<Flag>({
    kData,
    {"since", "SEQ", "Only after this sequence number"},
    {"task", "ID", "Only of this task"},
    kPlaces,
});
constexpr auto kArchiveFlags = std::to_array<Flag>({
    kData,
    {"before", "SEQ|TIME", "Events before this one, or before this time (required)"},
    {"to", "FILE", "The archive: a new file (required)"},
    {"forget-ended", "", "Also drop the rows of tasks that had ended by then", Takes::kNothing},
});
constexpr auto kRestoreFlags = std::to_array<Flag>({
    kData,
    {"into", "DIR", "The new data folder: missing or empty (required)"},
    {"to-seq", "SEQ", "The state after this event (default: the last one)"},
    {"to-time", "TIME", "The state at this time, such as 2026-11-20T12:00:00Z"},
});

constexpr auto kCommands = std::to_array<Command>({
    {"journal info",
     "Data",
     "",
     "What a journal holds: id, format, epoch, range, anchors, counts",
     "Reads the folder of a coordinator that is not running. Says nothing about whether it is\n"
     "sound: that is `zq journal verify`.",
     kInfoFlags,
     {false, true, false},
     0,
     0,
     run_journal_info},
    {"journal verify",
     "Data",
     "",
     "Prove that a data folder says the truth",
     "Follows the hash chain with every body, replays all events from the oldest anchor (or from\n"
     "nothing), and compares anchors, tables and artifacts with what they lead to. Changes\n"
     "nothing. Exit code 20 if something is wrong; the first bad row is named on stderr.",
     kVerifyFlags,
     {false, true, false},
     0,
     0,
     run_journal_verify},
    {"journal export",
     "Data",
     "",
     "The whole journal, event by event, with everything it says",
     "JSON lines, unless -o asks for another format: each event with its body, its place in the\n"
     "hash chain and its digests, checked while they are read (exit code 20 at the first that is\n"
     "wrong). As private as the data folder: instructions, payloads and lease tokens are in it.",
     kExportFlags,
     {false, true, false},
     0,
     0,
     run_journal_export},
    {"journal archive",
     "Data",
     "",
     "Move old events to a file of their own, provably",
     "The events go to FILE, which is read back before they are dropped; the journal keeps the\n"
     "state they led to, and verify still holds. Open tasks, ended tasks with their attempts,\n"
     "envelopes and artifacts stay (--forget-ended: ended ones go, and their ids are free again);\n"
     "timelines from before do not. `zq journal verify --archive FILE` proves the file. Stop the\n"
     "coordinator first.",
     kArchiveFlags,
     {false, true, true},
     0,
     0,
     run_journal_archive},
    {"journal restore",
     "Data",
     "",
     "A state of the past as a data folder of its own",
     "Takes the events up to --to-seq or --to-time over into a fresh folder, with the artifacts\n"
     "known by then, and gives it a new journal id: leases end there, and no worker's token of\n"
     "the old life is good for it. Start a coordinator on it, on other ports, to look around. The\n"
     "source is not changed.",
     kRestoreFlags,
     {false, true, false},
     0,
     0,
     run_journal_restore},
});

}  // namespace

std::span<const Command> journal_commands() {
    return kCommands;
}

tl::unexpected<Problem> journal_problem(Error error) {
    switch (error.code) {
        case ErrorCode::NOT_FOUND:
            return problem(std::move(error), "--data names the coordinator's data folder");
        case ErrorCode::CONFLICT:
        case ErrorCode::INVALID:
            return problem(std::move(error));
        case ErrorCode::UNSUPPORTED_VERSION: {
            Problem refused(std::move(error), "`zq version` prints what this program knows");
            refused.exit = ExitCode::kUnexpected;
            return tl::unexpected(std::move(refused));
        }
        default:
            return problem(std::move(error), "`zq journal verify` says what is wrong with it");
    }
}

}  // namespace zq::cli
