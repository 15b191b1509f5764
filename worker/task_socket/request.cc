#include "worker/task_socket/request.h"

#include <algorithm>

#include "common/platform/digest.h"

namespace zq::worker {
namespace {

AnswerNow refuse(ErrorCode code, std::string message, std::string field = {}) {
    return {wire::ErrorReply{code, std::move(message), std::move(field), {}, {}}};
}

AnswerNow refuse(const Error& error) {
    return refuse(error.code, error.message, error.field);
}

std::string name_of(const OwnAttempt& own) {
    return "attempt " + std::to_string(own.held.attempt) + " of task " + own.held.task.text;
}

/// Nothing about another task, or about another attempt of this one. No lease stands for this one.
Result<void> check_own(const TaskId& task, LeaseToken& lease, const OwnAttempt& own) {
    if (task != own.held.task) {
        return fail(ErrorCode::DENIED, "this socket speaks for " + name_of(own) + " alone",
                    "task_id");
    }
    if (!lease.is_set()) lease = own.held.lease;
    if (lease == own.held.lease) return {};
    return fail(ErrorCode::STALE_LEASE, "that is not the lease of " + name_of(own), "lease");
}

Result<void> check_size(const std::string& text, std::size_t limit, std::string field) {
    if (text.size() <= limit) return {};
    return fail(ErrorCode::TOO_LARGE, "at most " + std::to_string(limit) + " bytes",
                std::move(field));
}

Judgement judge_one(wire::Progress& m, const OwnAttempt& own) {
    if (auto ok = check_own(m.task, m.lease, own); !ok) return refuse(ok.error());
    if (m.percent > 100) return refuse(ErrorCode::INVALID, "a number from 0 to 100", "percent");
    if (auto ok = check_size(m.step, limits::kTypeBytes, "step"); !ok) return refuse(ok.error());
    auto ok = check_size(m.message, limits::kSummaryBytes, "message");
    if (!ok) return refuse(ok.error());
    return PassOn{std::move(m)};
}

Judgement judge_one(wire::Checkpoint& m, const OwnAttempt& own) {
    if (auto ok = check_own(m.task, m.lease, own); !ok) return refuse(ok.error());
    if (auto ok = validate(m.artifact.ref, "artifact"); !ok) return refuse(ok.error());
    if (m.artifact.data) {
        const std::string& bytes = m.artifact.data->data;
        auto ok = check_size(bytes, limits::kInlineBytes, "artifact.data");
        if (!ok) return refuse(ok.error());
        if (bytes.size() != m.artifact.ref.size || sha256(bytes) != m.artifact.ref.digest) {
            return refuse(ErrorCode::DIGEST_MISMATCH, "the bytes are not what was announced",
                          "artifact.data");
        }
    }
    return KeepAndPassOn{std::move(m)};
}

Judgement judge_one(wire::Ask& m, const OwnAttempt& own) {
    if (auto ok = check_own(m.task, m.lease, own); !ok) return refuse(ok.error());
    if (auto ok = validate(m.question); !ok) return refuse(ok.error());
    return AskWord{std::move(m)};
}

Judgement judge_one(wire::Submit& m, const OwnAttempt& own) {
    TaskSpec& task = m.task;
    if (task.group.empty()) task.group = own.group;
    if (task.trace_id.empty()) task.trace_id = own.trace_id;
    // Whose child it is, is not the child's own word.
    task.labels["parent"] = own.held.task.text;
    if (auto ok = validate(task); !ok) return refuse(ok.error());
    return Forward{std::move(m)};
}

Judgement judge_one(wire::Get& m, const OwnAttempt& own) {
    LeaseToken lease;
    if (auto ok = check_own(m.task, lease, own); !ok) return refuse(ok.error());
    m.prefix = false;
    return LookUp{std::move(m)};
}

/// Of an earlier attempt alone: inputs, checkpoints and the attempt's own files lie in its folder.
Judgement judge_one(wire::Fetch& m, const OwnAttempt& own) {
    LeaseToken lease;
    if (auto ok = check_own(m.task, lease, own); !ok) return refuse(ok.error());
    if (m.attempt == 0 || m.attempt >= own.held.attempt || m.checkpoint != 0) {
        return refuse(ErrorCode::INVALID,
                      "only what an earlier attempt left is fetched here, and this is attempt " +
                          std::to_string(own.held.attempt),
                      "attempt");
    }
    if (!is_valid_artifact_name(m.name)) {
        return refuse(ErrorCode::INVALID, "that is no artifact's name", "name");
    }
    return LookUp{std::move(m)};
}

Judgement judge_one(wire::Heartbeat& m, const OwnAttempt& own) {
    if (m.free != 0) {
        return refuse(ErrorCode::INVALID, "only a worker's session has free slots", "free");
    }
    for (wire::HeldLease& held : m.leases) {
        if (auto ok = check_own(held.task, held.lease, own); !ok) return refuse(ok.error());
    }
    return AnswerNow{wire::Beat{{{own.held.lease, own.verdict}}}};
}

/// What the four reports share. Its files lie in the attempt's folder: none travels along.
Judgement judge_report(wire::Report& report, const std::string& reason, wire::Body body,
                       const OwnAttempt& own) {
    if (auto ok = check_own(report.task, report.lease, own); !ok) return refuse(ok.error());
    if (!report.artifacts.empty()) {
        return refuse(ErrorCode::INVALID, "files of this attempt are put into $ZQ_OUT",
                      "artifacts");
    }
    auto ok = check_size(report.summary, limits::kSummaryBytes, "summary");
    if (!ok) return refuse(ok.error());
    ok = check_size(reason, limits::kReasonBytes, "reason");
    if (!ok) return refuse(ok.error());
    return EndWord{std::move(body)};
}

Judgement judge_one(wire::Complete& m, const OwnAttempt& own) {
    return judge_report(m.report, {}, m, own);
}
Judgement judge_one(wire::Skip& m, const OwnAttempt& own) {
    return judge_report(m.report, m.reason, m, own);
}
Judgement judge_one(wire::Fail& m, const OwnAttempt& own) {
    return judge_report(m.report, m.reason, m, own);
}
Judgement judge_one(wire::Release& m, const OwnAttempt& own) {
    if ((m.cause == ReleaseCause::kInputRequired) != m.question.has_value()) {
        return refuse(ErrorCode::INVALID, "a question belongs to cause input_required", "question");
    }
    if (m.question) {
        if (auto ok = validate(*m.question); !ok) return refuse(ok.error());
    }
    return judge_report(m.report, m.reason, m, own);
}

Judgement judge_one(wire::Ping&, const OwnAttempt& own) {
    return AnswerNow{wire::Pong{"zq-worker " ZQ_VERSION, to_hex(own.held.lease.journal),
                                Identity(name_of(own)), own.now}};
}

template <class T>
Judgement judge_one(T&, const OwnAttempt& own) {
    return refuse(ErrorCode::DENIED, std::string(T::kType) + " is not for the socket of " +
                                         name_of(own) + ": ask the coordinator");
}

}  // namespace

Judgement judge(wire::Body body, const OwnAttempt& own) {
    return std::visit([&](auto& message) { return judge_one(message, own); }, body);
}

}  // namespace zq::worker
