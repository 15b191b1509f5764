// The leases' clocks: what starts and renews them, and what follows when nothing does.
#include <algorithm>

#include "common/base/mutant.h"
#include "worker/session/session.h"

namespace zq::worker {

void Session::assign(const wire::Assign& message, Millis now, Actions& out) {
    // Tokens of one journal only grow: a repetition is not above the last that was seen.
    if (message.lease.journal == seen_.journal && message.lease <= seen_) return;
    const auto sent = sent_time(message.answers);
    Lease lease;
    lease.held = {message.task.id, message.attempt, message.lease};
    lease.term = message.term;
    lease.renewed = sent.value_or(Millis{});
    if (!sent || now >= freeze_time(lease)) {
        // Unconfirmed (`seen` stays as it is), so it goes back to the queue as undelivered.
        out.push_back(Note{"assignment came too late: dropped", message.task.id.text});
        return;
    }
    const bool room = free_slots(now) > 0;
    seen_ = message.lease;
    leases_[message.lease] = lease;
    if (room) {
        out.push_back(Start{message});
        return;
    }
    wire::Release release;
    release.report.task = message.task.id;
    release.report.attempt = message.attempt;
    release.report.lease = message.lease;
    release.report.from = options_.name.text;
    release.cause = draining_ ? ReleaseCause::kDrained : ReleaseCause::kReleased;
    release.reason = draining_ ? "the worker is draining" : "the worker has no free slot";
    for (Action& action : report(message.lease, std::move(release), now)) {
        out.push_back(std::move(action));
    }
}

void Session::judge(const wire::LeaseVerdict& verdict, std::optional<Millis> sent, Millis now,
                    Actions& out) {
    auto found = leases_.find(verdict.lease);
    if (found == leases_.end()) return;
    Lease& lease = found->second;
    if (lease.stage == LeaseStage::kDying) return;
    if (verdict.verdict == Verdict::kStale) {
        // A report may have been taken already, with its answer lost: only its own answer counts.
        if (lease.stage == LeaseStage::kReporting) return;
        out.push_back(Kill{verdict.lease});
        lease.stage = LeaseStage::kDying;
        drop_words(verdict.lease, out);
        return;
    }
    if (sent) {
        if (mutant(Mutant::kLeaseClockFromReceive)) sent = now;
        lease.renewed = std::max(lease.renewed, *sent);
        if (lease.frozen && now < freeze_time(lease)) {
            lease.frozen = false;
            out.push_back(Thaw{verdict.lease});
        }
    }
    if (verdict.verdict == Verdict::kCancel && !lease.cancelling) {
        lease.cancelling = true;
        if (lease.stage == LeaseStage::kRunning) out.push_back(Cancel{verdict.lease});
    }
    if (verdict.verdict == Verdict::kBudget && !lease.over_budget) {
        lease.over_budget = true;
        if (lease.stage == LeaseStage::kRunning) out.push_back(EndForBudget{verdict.lease});
    }
}

void Session::tick_leases(Millis now, Actions& out) {
    for (auto& [token, lease] : leases_) {
        if (lease.stage != LeaseStage::kRunning) continue;
        if (!lease.frozen && now >= freeze_time(lease)) {
            lease.frozen = true;
            out.push_back(Note{"lease not renewed: frozen", lease.held.task.text});
            if (!mutant(Mutant::kNoFreeze)) out.push_back(Freeze{token});
        }
        if (lease.frozen && now >= give_up_time(lease, options_.orphan_hold)) {
            lease.stage = LeaseStage::kDying;
            out.push_back(Note{"frozen for too long: killed", lease.held.task.text});
            out.push_back(Kill{token});
            drop_words(token, out);
        }
    }
}

std::optional<Millis> Session::sent_time(std::uint64_t id) const {
    auto found = sent_.find(id);
    if (found == sent_.end()) return std::nullopt;
    return found->second;
}

void Session::child_ended(const LeaseToken& token) {
    auto found = leases_.find(token);
    if (found == leases_.end() || found->second.stage != LeaseStage::kRunning) return;
    found->second.stage = LeaseStage::kEnding;
    found->second.frozen = false;
}

Actions Session::gone(const LeaseToken& token, Millis now) {
    Actions out;
    if (auto found = leases_.find(token);
        found != leases_.end() && found->second.stage == LeaseStage::kDying) {
        drop_words(token, out);
        leases_.erase(found);
        if (phase_ == Phase::kWelcomed) say_ready(now, out);
    }
    tick_life(now, out);
    return out;
}

Actions Session::disown(const LeaseToken& token) {
    Actions out;
    auto found = leases_.find(token);
    if (found == leases_.end() || found->second.stage == LeaseStage::kDying) return out;
    found->second.stage = LeaseStage::kDying;
    reports_.erase(token);
    drop_words(token, out);
    out.push_back(Kill{token});
    return out;
}

}  // namespace zq::worker
