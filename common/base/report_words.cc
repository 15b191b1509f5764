#include "common/base/report_words.h"

#include "common/base/words.h"

namespace zq {
namespace {

constexpr auto kVerdicts = std::to_array<std::string_view>({"ok", "cancel", "budget", "stale"});
constexpr auto kFailures =
    std::to_array<std::string_view>({"error", "permanent", "contract", "crashed", "timed_out",
                                     "transient", "rate_limited", "context_overflow", "refusal"});
constexpr auto kCauses = std::to_array<std::string_view>(
    {"released", "try_later", "worker_fault", "drained", "cancelled", "input_required", "budget"});
constexpr auto kOutcomes = std::to_array<std::string_view>(
    {"running", "completed", "skipped", "failed", "released", "lost", "undelivered", "cancelled"});
constexpr auto kStreams = std::to_array<std::string_view>({"stdout", "stderr"});
constexpr auto kRemovedKinds = std::to_array<std::string_view>({"logs", "artifacts"});
constexpr auto kRetentionRules = std::to_array<std::string_view>({"age", "bytes", "by_hand"});

}  // namespace

std::string_view to_string(Verdict verdict) {
    return word_of(kVerdicts, verdict);
}
bool from_text(std::string_view text, Verdict& out) {
    return value_of(kVerdicts, text, out);
}
std::string_view to_string(FailureClass failure) {
    return word_of(kFailures, failure);
}
bool from_text(std::string_view text, FailureClass& out) {
    return value_of(kFailures, text, out);
}
std::string_view to_string(ReleaseCause cause) {
    return word_of(kCauses, cause);
}
bool from_text(std::string_view text, ReleaseCause& out) {
    return value_of(kCauses, text, out);
}
std::string_view to_string(Outcome outcome) {
    return word_of(kOutcomes, outcome);
}
bool from_text(std::string_view text, Outcome& out) {
    return value_of(kOutcomes, text, out);
}
std::string_view to_string(LogStream stream) {
    return word_of(kStreams, stream);
}
bool from_text(std::string_view text, LogStream& out) {
    return value_of(kStreams, text, out);
}

std::string_view to_string(RemovedKind kind) {
    return word_of(kRemovedKinds, kind);
}
bool from_text(std::string_view text, RemovedKind& out) {
    return value_of(kRemovedKinds, text, out);
}
std::string_view to_string(RetentionRule rule) {
    return word_of(kRetentionRules, rule);
}
bool from_text(std::string_view text, RetentionRule& out) {
    return value_of(kRetentionRules, text, out);
}
RemovedKind removed_kind_of(std::string_view artifact) {
    const bool log = artifact == "stdout.log" || artifact == "stderr.log";
    return log ? RemovedKind::kLogs : RemovedKind::kArtifacts;
}

}  // namespace zq
