// What the processes of an attempt may say through its socket, and what becomes of it. Pure: a
// message and what the worker knows of the attempt go in, a verdict comes out.
#pragma once

#include <variant>

#include "common/wire/codec.h"

namespace zq::worker {

/// The attempt that a socket speaks for.
struct OwnAttempt {
    wire::HeldLease held;
    GroupName group;
    std::string trace_id;
    Verdict verdict = Verdict::kOk;  // of its lease
    Instant now;
};

/// Said at once, also where it is a refusal.
struct AnswerNow {
    wire::Body body;
};
/// For the coordinator; the task is answered at once.
struct PassOn {
    wire::Body word;
};
/// For the coordinator, whose answer is the task's; kept on disk until then, so that the task may
/// be answered before.
struct KeepAndPassOn {
    wire::Checkpoint word;
};
/// For the coordinator, whose answer is the task's.
struct Forward {
    wire::Submit word;
};
/// What is read of this task: a GET for the coordinator, or a FETCH of what an earlier attempt
/// left, which the worker lays into the attempt's folder. The answer is the task's.
struct LookUp {
    wire::Body word;
};
/// A question for a person: asked of the coordinator until it is closed.
struct AskWord {
    wire::Ask word;
};
/// The attempt's report, in the task's own words.
struct EndWord {
    wire::Body report;
};
using Judgement = std::variant<AnswerNow, PassOn, KeepAndPassOn, Forward, LookUp, AskWord, EndWord>;

/// Refusals are ERRORs: DENIED for anything that is not about this attempt, STALE_LEASE for another
/// lease of its task, UNKNOWN_TYPE, INVALID and TOO_LARGE as protocol.md says.
Judgement judge(wire::Body body, const OwnAttempt& own);

}  // namespace zq::worker
