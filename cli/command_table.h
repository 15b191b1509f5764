// The table of all commands: each group of commands gives its rows. Parsing, help and suggestions
// read the table, so that they cannot drift apart.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/command.h"

namespace zq::cli {

std::span<const Command> start_commands();           // init.cc
std::span<const Command> join_commands();            // join.cc
std::span<const Command> dev_commands();             // dev.cc
std::span<const Command> submit_commands();          // submit.cc
std::span<const Command> batch_commands();           // batch.cc
std::span<const Command> task_commands();            // tasks.cc
std::span<const Command> show_commands();            // show.cc
std::span<const Command> why_commands();             // why.cc
std::span<const Command> dlq_commands();             // dlq.cc
std::span<const Command> replay_commands();          // replay.cc
std::span<const Command> wait_commands();            // wait.cc
std::span<const Command> result_commands();          // result.cc
std::span<const Command> follow_commands();          // follow.cc
std::span<const Command> stats_commands();           // stats.cc
std::span<const Command> logs_commands();            // logs.cc
std::span<const Command> claim_commands();           // claim.cc
std::span<const Command> ask_commands();             // ask.cc
std::span<const Command> approval_commands();        // approvals.cc
std::span<const Command> checkpoint_commands();      // checkpoint.cc
std::span<const Command> report_commands();          // report.cc
std::span<const Command> artifact_commands();        // artifact.cc
std::span<const Command> usage_commands();           // usage.cc
std::span<const Command> usage_sum_commands();       // usage_sums.cc
std::span<const Command> cluster_commands();         // cluster.cc
std::span<const Command> access_commands();          // access.cc
std::span<const Command> keygen_commands();          // keygen.cc
std::span<const Command> role_commands();            // roles.cc
std::span<const Command> limit_commands();           // limits.cc
std::span<const Command> ping_commands();            // ping.cc
std::span<const Command> doctor_commands();          // doctor.cc
std::span<const Command> journal_commands();         // journal.cc
std::span<const Command> backup_commands();          // backup.cc
std::span<const Command> gc_commands();              // gc.cc
std::span<const Command> erase_commands();           // erase.cc
std::span<const Command> bench_commands();           // bench/bench.cc
std::span<const Command> bench_scale_commands();     // bench/scale.cc
std::span<const Command> bench_artifact_commands();  // bench/artifact.cc
std::span<const Command> help_commands();            // help.cc

/// Every command, in the order of the overview.
std::vector<Command> all_commands();

struct Match {
    Command command;
    std::size_t words = 0;  // how many words of the line name it
};
/// The command that the words begin with (`worker ls`, or a group's own name for its first
/// command). Errors: usage, with a suggestion.
Expected<Match> find_command(const std::vector<std::string>& words);

}  // namespace zq::cli
