#include "coordinator/core/decide.h"

#include "coordinator/core/approval.h"

namespace zq::core {
namespace {

// One overload per command: a new command that no rule answers does not compile.
// clang-format off
Decision decide_one(const Call& c, const SubmitTask& b) { return decide_submit(c, b); }
Decision decide_one(const Call& c, const SubmitBatch& b) { return decide_batch(c, b); }
Decision decide_one(const Call& c, const OpenSession& b) { return decide_open(c, b); }
Decision decide_one(const Call& c, const Renew& b) { return decide_renew(c, b); }
Decision decide_one(const Call& c, const RenewByHand& b) { return decide_renew_by_hand(c, b); }
Decision decide_one(const Call& c, const CloseSession& b) { return decide_close(c, b); }
Decision decide_one(const Call& c, const EndAttempt& b) { return decide_end(c, b); }
Decision decide_one(const Call& c, const NoteProgress& b) { return decide_progress(c, b); }
Decision decide_one(const Call& c, const NoteUsage& b) { return decide_usage(c, b); }
Decision decide_one(const Call& c, const SaveCheckpoint& b) { return decide_checkpoint(c, b); }
Decision decide_one(const Call& c, const AskPerson& b) { return decide_ask(c, b); }
Decision decide_one(const Call& c, const AnswerPerson& b) { return decide_answer(c, b); }
Decision decide_one(const Call& c, const ClaimTask& b) { return decide_claim(c, b); }
Decision decide_one(const Call& c, const CancelTask& b) { return decide_cancel(c, b); }
Decision decide_one(const Call& c, const ReplayTask& b) { return decide_replay(c, b); }
Decision decide_one(const Call& c, const EditTask& b) { return decide_edit(c, b); }
Decision decide_one(const Call& c, const RemoveTask& b) { return decide_remove(c, b); }
Decision decide_one(const Call& c, const EraseTask& b) { return decide_erase(c, b); }
Decision decide_one(const Call& c, const StoreContent& b) { return decide_store_content(c, b); }
Decision decide_one(const Call& c, const Match&) { return decide_match(c); }
Decision decide_one(const Call& c, const SetControl& b) { return decide_control(c, b); }
Decision decide_one(const Call& c, const NoteAccess& b) { return decide_access(c, b); }
Decision decide_one(const Call& c, const Tick&) { return decide_tick(c); }
Decision decide_one(const Call& c, const StartEpoch& b) { return decide_epoch(c, b); }
Decision decide_one(const Call& c, const BeginService&) { return decide_begin(c); }
Decision decide_one(const Call& c, const NoteStall& b) { return decide_stall(c, b); }
Decision decide_one(const Call&, const NotePolicy& b) { return decide_policy(b); }
Decision decide_one(const Call& c, const Retain& b) { return decide_retain(c, b); }
// clang-format on

}  // namespace

Decision decide(const State& state, const Policy& policy, const Command& command) {
    const Call call{state, policy, command};
    Decision decision =
        std::visit([&](const auto& body) { return decide_one(call, body); }, command.body);
    spread_ends(call, decision);
    ask_approvals(call, decision);
    return decision;
}

void stamp(Decision& decision, const State& state, Instant now) {
    Seq seq = state.durable.last_seq;
    for (Event& event : decision.events) {
        event.seq = ++seq;
        event.at = now;
        if (event.epoch == 0) event.epoch = state.durable.epoch;
    }
}

}  // namespace zq::core
