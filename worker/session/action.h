// What a session asks of the loop. The loop carries actions out in the order they are given and
// decides nothing itself.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "common/wire/codec.h"

namespace zq::worker {

/// Send this. Where nobody is connected it is dropped, and the session is told (`unsent`).
struct Send {
    wire::Message message;
};
/// Nothing is heard on this socket: close it and open another, at the next endpoint.
struct Reopen {};
/// A task of ours: begin its attempt.
struct Start {
    wire::Assign assign;
};
/// The lease may have ended elsewhere: the attempt must not run on until it is thawed.
struct Freeze {
    LeaseToken lease;
};
struct Thaw {
    LeaseToken lease;
};
/// A cancel was asked: end the attempt with grace, then report a release.
struct Cancel {
    LeaseToken lease;
};
/// Its task's budget is used up: end the attempt with grace, then report a release.
struct EndForBudget {
    LeaseToken lease;
};
/// Not ours any more: kill without grace and report nothing. Answered by `Session::gone`.
struct Kill {
    LeaseToken lease;
};
/// The coordinator has the report: its outbox entry and its folder are done with.
struct Settled {
    wire::HeldLease held;
    TaskState state = TaskState::kQueued;  // what the task became
};
/// The report was refused for good: its outbox entry goes, its folder stays as evidence.
struct Refused {
    wire::HeldLease held;
    Error error;
};
/// The report names content that is not stored. Answered by `Session::put_again`.
struct PutAgain {
    wire::HeldLease held;
    std::vector<ArtifactRef> artifacts;
};
/// The report was refused in a way that another one mends: replace it in the outbox, and then give
/// it to `Session::report`.
struct Replace {
    wire::HeldLease held;
    wire::Body report;
};
/// A word names contents that have to be stored before it is said. Answered by
/// `Session::word_stored`.
struct StoreForWord {
    wire::HeldLease held;
    std::uint64_t word = 0;
    std::vector<ArtifactRef> contents;
};
/// A word has its answer, or will never have one: then `answer` is an ErrorReply. Words without a
/// number are answered to nobody.
struct WordAnswered {
    LeaseToken lease;
    std::uint64_t word = 0;
    wire::Message answer;
};
/// A question that an attempt asked is closed; nobody asked for it just now.
struct QuestionNews {
    wire::Asked asked;
};
/// A fact for the log.
struct Note {
    std::string fact;
    std::string detail;
};
/// The worker ends, with this exit code.
struct End {
    int exit_code = 0;
    std::string reason;
};

using Action =
    std::variant<Send, Reopen, Start, Freeze, Thaw, Cancel, EndForBudget, Kill, Settled, Refused,
                 PutAgain, Replace, StoreForWord, WordAnswered, QuestionNews, Note, End>;
using Actions = std::vector<Action>;

/// Exit codes of zq-worker beside 0 and 1.
inline constexpr int kExitUsage = 2;
inline constexpr int kExitDenied = 4;
inline constexpr int kExitConflict = 5;
inline constexpr int kExitUnreachable = 6;

}  // namespace zq::worker
