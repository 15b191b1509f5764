#include "cli/journal.h"

#include <array>

#include "cli/command_table.h"

namespace zq::cli {
namespace {

constexpr Flag kData{"data", "DIR", "The coordinator's data folder (default: ZQ_DATA, ./zq-data)"};
constexpr auto kInfoFlags = std::to_array<Flag>({kData});
constexpr auto kVerifyFlags = std::to_array<Flag>({
    kData,
    {"quick", "", "Only look whether artifacts are there with their size", Takes::kNothing},
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
