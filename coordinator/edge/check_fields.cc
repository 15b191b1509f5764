#include "coordinator/edge/check_fields.h"

#include <algorithm>
#include <set>

#include "common/base/nearest.h"
#include "common/platform/keys.h"
#include "coordinator/core/event.h"
#include "coordinator/edge/field_checks.h"
#include "coordinator/edge/operator_checks.h"
#include "coordinator/edge/secret_check.h"

namespace zq::edge {
namespace {

using field::all_of;
using field::artifact;
using field::Check;
using field::contents;
using field::count;
using field::duration;
using field::held;
using field::name;
using field::name_or_empty;
using field::question_of;
using field::range;
using field::report;
using field::roles;
using field::size;
using field::state_id;

// One overload per message; those without fields, and those that are no requests, need no check.
template <class T>
Check check(const T&) {
    return {};
}

Check labels(const std::vector<std::string>& list) {
    auto valid = parse_worker_labels(list, "labels");
    if (!valid) return Failure(valid.error());
    return {};
}

Check check(const wire::Hello& m) {
    return all_of(
        [&] { return name(m.worker.text, "worker"); }, [&] { return state_id(m.state_id); },
        [&] { return roles(m.roles); }, [&] { return labels(m.labels); },
        [&] { return range(m.slots, 1, limits::kSlots, "slots"); },
        [&] { return held(m.leases, "leases"); }, [&] { return held(m.reports, "reports"); },
        [&] { return size(m.program, limits::kFromBytes, "program"); });
}

Check check(const wire::Ready& m) {
    return range(m.free, 0, limits::kSlots, "free");
}

Check check(const wire::Heartbeat& m) {
    return all_of([&] { return range(m.free, 0, limits::kSlots, "free"); },
                  [&] { return held(m.leases, "leases"); },
                  [&] { return held(m.reports, "reports"); });
}

Check check(const wire::Complete& m) {
    return report(m.report);
}

Check check(const wire::Skip& m) {
    return all_of([&] { return report(m.report); },
                  [&] { return size(m.reason, limits::kReasonBytes, "reason"); });
}

Check check(const wire::Fail& m) {
    return all_of([&] { return report(m.report); },
                  [&] { return duration(m.retry_after, {}, limits::kLongest, "retry_after_ms"); },
                  [&] { return size(m.reason, limits::kReasonBytes, "reason"); });
}

Check check(const wire::Release& m) {
    return all_of([&] { return report(m.report); },
                  [&] { return size(m.reason, limits::kReasonBytes, "reason"); },
                  [&] { return duration(m.delay, {}, limits::kLongest, "delay_ms"); },
                  [&] { return question_of(m); });
}

Check check(const wire::Ask& m) {
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return validate(m.question); });
}

Check check(const wire::AnswerQuestion& m) {
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return name_or_empty(m.question, "question_id"); },
                  [&] { return size(m.choice, limits::kChoiceBytes, "choice"); },
                  [&] { return size(m.answer, limits::kAnswerBytes, "answer"); },
                  [&] { return check_no_secrets(m); });
}

Check check(const wire::Questions& m) {
    return all_of([&] { return name_or_empty(m.role.text, "to"); },
                  [&] { return name_or_empty(m.group.text, "group"); },
                  [&] { return range(m.limit, 1, limits::kListRows, "limit"); });
}

Check check(const wire::Progress& m) {
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return range(m.percent, 0, 100, "percent"); },
                  [&] { return size(m.step, limits::kTypeBytes, "step"); },
                  [&] { return size(m.message, limits::kSummaryBytes, "message"); });
}

Check check(const wire::Spend& m) {
    return all_of(
        [&] { return name(m.task.text, "task_id"); },
        [&] { return range(m.usage.cost_usd_micros, 0, limits::kBudgetMax, "cost_usd_micros"); },
        [&] { return range(m.usage.input_tokens, 0, limits::kBudgetMax, "input_tokens"); },
        [&] { return range(m.usage.output_tokens, 0, limits::kBudgetMax, "output_tokens"); },
        [&] { return name_or_empty(m.usage.model, "model"); });
}

Check check(const wire::Checkpoint& m) {
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return artifact(m.artifact, "artifact"); });
}

Check check(const wire::Submit& m) {
    return all_of([&] { return field::task(m.task); }, [&] { return contents(m); });
}

/// Its tasks are checked one by one: a bad one does not concern the others.
Check check(const wire::Batch& m) {
    if (m.tasks.empty()) return fail(ErrorCode::INVALID, "at least one task", "tasks");
    return all_of([&] { return count(m.tasks.size(), limits::kBatchTasks, "tasks"); },
                  [&] { return contents(m); });
}

Check check(const wire::Cancel& m) {
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return size(m.reason, limits::kReasonBytes, "reason"); });
}

/// Against bounds of single fields; the envelope that they make is checked as a whole.
Check changes(const wire::Changes& c) {
    if (auto ok = name_or_empty(c.role.text, "changes.to"); !ok) return ok;
    if (!c.priority) return {};
    return range(*c.priority, 0, limits::kPriorityMax, "changes.priority");
}

Check check(const wire::Replay& m) {
    if (m.keep_checkpoints && !m.fresh) {
        return fail(ErrorCode::INVALID, "goes with `fresh`: else they are kept anyway",
                    "keep_checkpoints");
    }
    return all_of([&] { return name(m.task.text, "task_id"); }, [&] { return changes(m.changes); },
                  [&] { return size(m.reason, limits::kReasonBytes, "reason"); });
}

Check check(const wire::Edit& m) {
    if (m.changes == wire::Changes{}) {
        return fail(ErrorCode::INVALID, "what is to become another?", "changes");
    }
    return all_of([&] { return name(m.task.text, "task_id"); }, [&] { return changes(m.changes); },
                  [&] { return size(m.reason, limits::kReasonBytes, "reason"); });
}

Check check(const wire::Remove& m) {
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return size(m.reason, limits::kReasonBytes, "reason"); });
}

Check check(const wire::Claim& m) {
    if (m.role.empty() && m.task.empty()) {
        return fail(ErrorCode::INVALID, "a role or a task is needed", "to");
    }
    if (m.wait.count > 0 && !m.task.empty()) {
        return fail(ErrorCode::INVALID, "only a claim of a role's next task waits", "wait_ms");
    }
    return all_of(
        [&] { return name_or_empty(m.role.text, "to"); },
        [&] { return name_or_empty(m.task.text, "task_id"); },
        [&] { return size(m.from, limits::kFromBytes, "from"); },
        [&] { return duration(m.lease, limits::kLeaseMin, limits::kLeaseMax, "lease_ms"); },
        [&] { return duration(m.wait, {}, limits::kPollMax, "wait_ms"); });
}

Check check(const wire::UsageQuery& m) {
    const bool filtered = !m.role.empty() || !m.group.empty();
    if (!m.task.empty() && filtered) {
        return fail(ErrorCode::INVALID, "either one task, or a role or group", "task_id");
    }
    return all_of([&] { return name_or_empty(m.task.text, "task_id"); },
                  [&] { return name_or_empty(m.role.text, "to"); },
                  [&] { return name_or_empty(m.group.text, "group"); },
                  [&] { return range(m.before, 0, INT64_MAX, "before"); },
                  [&] { return range(m.limit, 1, limits::kListRows, "limit"); });
}

Check check(const wire::Get& m) {
    return name(m.task.text, "task_id");
}

Check check(const wire::List& m) {
    return all_of([&] { return count(m.states.size(), kTaskStates, "states"); },
                  [&] { return name_or_empty(m.role.text, "to"); },
                  [&] { return name_or_empty(m.group.text, "group"); },
                  [&] { return size(m.from, limits::kFromBytes, "from"); },
                  [&] { return range(m.before, 0, INT64_MAX, "before"); },
                  [&] { return range(m.limit, 1, limits::kListRows, "limit"); },
                  [&] { return size(m.type, limits::kTypeBytes, "type"); },
                  [&] { return size(m.trace_id, limits::kTraceBytes, "trace_id"); },
                  [&] { return size(m.worker, limits::kFromBytes, "worker"); },
                  [&] { return count(m.labels.size(), limits::kLabels, "labels"); });
}

/// Kinds that this program knows.
Check kinds(const std::vector<std::string>& named) {
    if (auto ok = count(named.size(), limits::kEventKinds, "kinds"); !ok) return ok;
    const auto known = core::event_kinds();
    for (const std::string& kind : named) {
        if (std::find(known.begin(), known.end(), kind) != known.end()) continue;
        const std::string nearest = nearest_word(kind, {known.begin(), known.end()});
        std::string all;
        for (std::string_view one : known) all += (all.empty() ? "" : ", ") + std::string(one);
        return fail(ErrorCode::INVALID,
                    "no event kind '" + kind.substr(0, limits::kNameBytes) + "'; " +
                        (nearest.empty() ? "one of: " + all : "did you mean " + nearest + "?"),
                    "kinds");
    }
    return {};
}

Check check(const wire::Stats& m) {
    return duration(m.window, limits::kStatsWindowMin, limits::kStatsWindowMax, "window_ms");
}

Check check(const wire::Wait& m) {
    if (m.tasks.empty() == m.group.empty()) {
        return fail(ErrorCode::INVALID, "either tasks or a group", "tasks");
    }
    if (auto ok = count(m.tasks.size(), limits::kWaitTasks, "tasks"); !ok) return ok;
    for (const TaskId& task : m.tasks) {
        if (auto ok = name(task.text, "tasks"); !ok) return ok;
    }
    return all_of([&] { return name_or_empty(m.group.text, "group"); },
                  [&] { return duration(m.wait, {}, limits::kPollMax, "wait_ms"); });
}

Check check(const wire::Events& m) {
    return all_of([&] { return name_or_empty(m.task.text, "task_id"); },
                  [&] { return range(m.after, 0, INT64_MAX, "after"); },
                  [&] { return range(m.limit, 1, limits::kEventRows, "limit"); },
                  [&] { return duration(m.wait, {}, limits::kPollMax, "wait_ms"); },
                  [&] { return kinds(m.kinds); }, [&] { return name_or_empty(m.role.text, "to"); },
                  [&] { return name_or_empty(m.group.text, "group"); },
                  [&] { return size(m.trace_id, limits::kTraceBytes, "trace_id"); });
}

Check check(const wire::Answers& m) {
    if (m.reply_to.empty()) return fail(ErrorCode::INVALID, "whose answers?", "reply_to");
    return all_of([&] { return size(m.reply_to, limits::kReplyToBytes, "reply_to"); },
                  [&] { return range(m.after, 0, INT64_MAX, "after"); },
                  [&] { return range(m.limit, 1, limits::kListRows, "limit"); },
                  [&] { return duration(m.wait, {}, limits::kPollMax, "wait_ms"); });
}

Check check(const wire::SetControl& m) {
    return field::set_control(m);
}

Check check(const wire::Controls& m) {
    return field::controls(m);
}

Check check(const wire::Access& m) {
    return size(m.key, limits::kIdentityBytes, "key");
}

Check check(const wire::SetAccess& m) {
    return field::set_access(m);
}

Check check(const wire::Rotate& m) {
    return field::rotate(m);
}

Check check(const wire::Leases& m) {
    return name_or_empty(m.role.text, "to");
}

Check check(const wire::Backup& m) {
    if (m.folder.empty() || m.folder.front() != '/' || m.folder.find('\0') != std::string::npos) {
        return fail(ErrorCode::INVALID, "an absolute path on the coordinator's machine", "folder");
    }
    return size(m.folder, limits::kUriBytes, "folder");
}

Check check(const wire::Gc& m) {
    return m.role.empty() ? Check{} : name(m.role.text, "role");
}

Check check(const wire::Join& m) {
    auto fingerprint = key_fingerprint(m.public_key);
    if (!fingerprint) return Failure(fingerprint.error());
    return name(m.name, "name");
}

Check check(const wire::Put& m) {
    if (m.size > limits::kArtifactBytes) {
        return fail(ErrorCode::TOO_LARGE, "an artifact has at most 1 TiB", "size");
    }
    return name_or_empty(m.task.text, "task_id");
}

Check check(const wire::Chunk& m) {
    if (m.size > limits::kArtifactBytes) {
        return fail(ErrorCode::TOO_LARGE, "an artifact has at most 1 TiB", "size");
    }
    return range(m.offset, 0, m.size, "offset");
}

Check check(const wire::Fetch& m) {
    if (!is_valid_artifact_name(m.name)) {
        return fail(ErrorCode::INVALID, "not an artifact name", "name");
    }
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return range(m.offset, 0, limits::kArtifactBytes, "offset"); },
                  [&] { return range(m.length, 1, limits::kChunkBytes, "length"); });
}

Check check(const wire::Upstream& m) {
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return range(m.skip, 0, limits::kAfter, "skip"); },
                  [&] { return range(m.limit, 1, limits::kListRows, "limit"); });
}

/// No log has more pieces, or bytes: sums of them do not overflow.
constexpr std::uint64_t kLogMost = 1ULL << 62;

Check check(const wire::Log& m) {
    if (auto ok = count(m.pieces.size(), limits::kLogPieces, "pieces"); !ok) return ok;
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < m.pieces.size(); ++i) {
        const std::string field = "pieces[" + std::to_string(i) + "]";
        const wire::LogPiece& piece = m.pieces[i];
        if (piece.seq <= before || piece.seq > kLogMost) {
            return fail(ErrorCode::INVALID, "they grow from 1", field + ".seq");
        }
        if (piece.offset > kLogMost) {
            return fail(ErrorCode::INVALID, "beyond what a log can hold", field + ".offset");
        }
        before = piece.seq;
        if (piece.data.data.empty()) {
            return fail(ErrorCode::INVALID, "a piece without bytes", field + ".data");
        }
        if (auto ok = size(piece.data.data, limits::kLogPieceBytes, field + ".data"); !ok)
            return ok;
    }
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return range(m.attempt, 1, UINT32_MAX, "attempt"); });
}

Check check(const wire::ReadLog& m) {
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return range(m.attempt, 1, UINT32_MAX, "attempt"); },
                  [&] { return duration(m.wait, {}, limits::kPollMax, "wait_ms"); });
}

}  // namespace

Result<void> check_fields(const wire::Message& message) {
    if (auto ok = name_or_empty(message.header.client.text, "client"); !ok) return ok;
    if (message.payload.size() > limits::kChunkBytes) {
        return fail(ErrorCode::TOO_LARGE, "a chunk has at most 256 KiB", "body");
    }
    return std::visit([](const auto& body) { return check(body); }, message.body);
}

}  // namespace zq::edge
