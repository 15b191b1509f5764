#include "worker/session/session.h"

#include <algorithm>

#include "common/base/mutant.h"

namespace zq::worker {
namespace {

constexpr Millis kHelloFirstWait = seconds(1);
constexpr Millis kUnsentWait = millis(100);
constexpr Millis kLeaveWait = seconds(1);
constexpr std::size_t kSentRemembered = 8192;

/// Only of these does the coordinator say "I had seen it": they start a lease's clock.
bool renews(const wire::Body& body) {
    return std::holds_alternative<wire::Hello>(body) || std::holds_alternative<wire::Ready>(body) ||
           std::holds_alternative<wire::Heartbeat>(body);
}

}  // namespace

Session::Session(SessionOptions options, std::vector<StoredReport> stored)
    : options_(std::move(options)) {
    if (mutant(Mutant::kDroppedOutbox)) return;
    for (StoredReport& old : stored) {
        Lease lease;
        lease.held = old.held;
        lease.stage = LeaseStage::kReporting;
        leases_[old.held.lease] = lease;
        Pending pending;
        pending.body = std::move(old.report);
        reports_[old.held.lease] = std::move(pending);
    }
}

Actions Session::start(Millis now) {
    heard_ = now;
    idle_since_ = now;
    silent_since_ = now;
    hello_wait_ = kHelloFirstWait;
    Actions out;
    say_hello(now, out);
    return out;
}

Actions Session::receive(const wire::Message& message, Millis now) {
    Actions out;
    if (phase_ == Phase::kEnded || is_old(message)) return out;
    heard_ = now;
    const wire::Header& header = message.header;
    if (const auto* hello = std::get_if<wire::Welcome>(&message.body)) {
        welcome(header, *hello, now, out);
    } else if (const auto* assignment = std::get_if<wire::Assign>(&message.body)) {
        assign(*assignment, now, out);
    } else if (const auto* beat = std::get_if<wire::Beat>(&message.body)) {
        // A pushed verdict answers nothing, so it renews nothing.
        const auto sent = header.id == 0 ? std::nullopt : sent_time(header.id);
        for (const wire::LeaseVerdict& verdict : beat->leases) judge(verdict, sent, now, out);
        if (beat->drain) begin_drain(now, out);
    } else if (const auto* asked = std::get_if<wire::Asked>(&message.body);
               asked != nullptr && header.id == 0) {
        if (leases_.contains(asked->lease)) out.push_back(QuestionNews{*asked});
    } else if (answer_word(message, now, out)) {
        // it was the answer to what an attempt said
    } else if (const auto* accepted = std::get_if<wire::Accepted>(&message.body)) {
        accept(message, *accepted, now, out);
    } else if (const auto* error = std::get_if<wire::ErrorReply>(&message.body)) {
        auto report = report_with(header.id);
        if (report != reports_.end() && error->code != ErrorCode::HELLO_FIRST &&
            error->code != ErrorCode::SUPERSEDED) {
            refuse_report(report->first, *error, now, out);
        } else {
            refuse_session(*error, now, out);
        }
    } else if (std::holds_alternative<wire::Goodbye>(message.body) && phase_ == Phase::kLeaving) {
        end(0, "drained", out);
    }
    tick_life(now, out);
    return out;
}

Actions Session::tick(Millis now) {
    Actions out;
    if (phase_ == Phase::kEnded) return out;
    tick_leases(now, out);
    tick_contact(now, out);
    tick_words(now, out);
    tick_reports(now, out);
    tick_life(now, out);
    return out;
}

void Session::unsent(const wire::Message& message, Millis now) {
    sent_.erase(message.header.id);
    if (std::holds_alternative<wire::Hello>(message.body)) {
        next_hello_ = now + kUnsentWait;
        hello_wait_ = kHelloFirstWait;
        return;
    }
    if (auto report = report_with(message.header.id); report != reports_.end()) {
        report->second.next_send = now + kUnsentWait;
    }
    if (auto words = words_with(message.header.id); words != words_.end()) {
        words->second.front().next_send = now + kUnsentWait;
    }
    // The link is gone. Whoever answers next does not know this session: greet again.
    if (phase_ == Phase::kWelcomed) {
        phase_ = Phase::kGreeting;
        next_hello_ = now + kUnsentWait;
        hello_wait_ = kHelloFirstWait;
    }
}

Actions Session::drain(Millis now) {
    Actions out;
    begin_drain(now, out);
    tick_life(now, out);
    return out;
}

void Session::begin_drain(Millis now, Actions& out) {
    if (draining_) return;
    draining_ = true;
    out.push_back(Note{"draining: no new tasks", std::to_string(leases_.size()) + " to finish"});
    if (phase_ == Phase::kWelcomed) say_ready(now, out);
}

Millis Session::deadline(Millis now) const {
    if (phase_ == Phase::kEnded) return kNoTime;
    if (phase_ == Phase::kLeaving) return leave_by_;
    Millis next = phase_ == Phase::kGreeting ? next_hello_ : next_beat_;
    next = std::min(next, heard_ + silence());
    for (const auto& [token, lease] : leases_) {
        if (lease.stage != LeaseStage::kRunning) continue;
        const Millis due =
            lease.frozen ? give_up_time(lease, options_.orphan_hold) : freeze_time(lease);
        next = std::min(next, due);
    }
    if (phase_ == Phase::kWelcomed) {
        for (const auto& [token, pending] : reports_) {
            if (may_send(token, pending)) next = std::min(next, pending.next_send);
        }
        for (const auto& [token, queue] : words_) {
            if (!queue.front().storing) next = std::min(next, queue.front().next_send);
        }
    }
    if (paused_until_ > now) next = std::min(next, paused_until_);
    if (leases_.empty() && options_.idle_exit.count > 0) {
        next = std::min(next, idle_since_ + options_.idle_exit);
    }
    if (options_.lifetime == Lifetime::kOneTask && phase_ == Phase::kGreeting && leases_.empty()) {
        next = std::min(next, silent_since_ + options_.unreachable);
    }
    return next;
}

std::uint32_t Session::free_slots(Millis now) const {
    if (draining_ || paused_until_ > now) return 0;
    if (options_.lifetime == Lifetime::kOneTask && seen_.is_set()) return 0;
    std::size_t taken = 0;
    std::size_t reporting = 0;
    for (const auto& [token, lease] : leases_) {
        ++(lease.stage == LeaseStage::kReporting ? reporting : taken);
    }
    // A report needs no slot, but they may not pile up without end either.
    if (reporting > options_.slots) taken += reporting - options_.slots;
    return taken >= options_.slots ? 0 : options_.slots - static_cast<std::uint32_t>(taken);
}

void Session::say_hello(Millis now, Actions& out) {
    wire::Hello hello;
    hello.worker = options_.name;
    hello.state_id = options_.state_id;
    hello.incarnation = options_.incarnation;
    hello.roles = options_.roles;
    hello.labels = options_.labels;
    hello.slots = options_.slots;
    hello.seen = seen_;
    hello.program = options_.program;
    list(hello.leases, hello.reports);
    next_hello_ = now + hello_wait_;
    hello_wait_ = std::min(hello_wait_ * 2, std::max(kHelloFirstWait, lease_ / 4));
    send(std::move(hello), now, out);
}

void Session::say_heartbeat(Millis now, Actions& out) {
    wire::Heartbeat beat;
    beat.free = free_slots(now);
    beat.seen = seen_;
    list(beat.leases, beat.reports);
    next_beat_ = now + heartbeat_interval();
    send(std::move(beat), now, out);
}

void Session::say_ready(Millis now, Actions& out) {
    send(wire::Ready{free_slots(now), seen_}, now, out);
}

void Session::lose_contact(Millis now, Actions& out) {
    phase_ = Phase::kGreeting;
    heard_ = now;  // the new socket gets as long as the old one
    hello_wait_ = kHelloFirstWait;
    out.push_back(Note{"nothing heard: reconnecting", to_string(silence())});
    out.push_back(Reopen{});
    say_hello(now, out);
}

void Session::tick_contact(Millis now, Actions& out) {
    if (phase_ == Phase::kLeaving) return;
    if (now >= heard_ + silence()) {
        lose_contact(now, out);
    } else if (phase_ == Phase::kGreeting) {
        if (now >= next_hello_) say_hello(now, out);
    } else if (now >= next_beat_) {
        say_heartbeat(now, out);
    } else if (paused_until_.count > 0 && now >= paused_until_) {
        say_ready(now, out);
    }
    if (paused_until_.count > 0 && now >= paused_until_) {
        paused_until_ = {};
        faults_ = 0;
        out.push_back(Note{"trying again after a pause", {}});
    }
}

void Session::tick_life(Millis now, Actions& out) {
    if (phase_ == Phase::kEnded) return;
    if (!leases_.empty()) idle_since_ = now;
    const bool once = options_.lifetime == Lifetime::kOneTask;
    if (phase_ == Phase::kWelcomed) silent_since_ = now;
    if (once && !draining_ && leases_.empty()) {
        if (seen_.is_set()) draining_ = true;
        if (phase_ == Phase::kGreeting && now >= silent_since_ + options_.unreachable) {
            return end(kExitUnreachable, "the coordinator does not answer", out);
        }
    }
    if (options_.idle_exit.count > 0 && leases_.empty() && !draining_ &&
        now >= idle_since_ + options_.idle_exit) {
        draining_ = true;
        out.push_back(Note{"idle: ending", {}});
    }
    if (phase_ == Phase::kLeaving) {
        if (now >= leave_by_) end(0, "drained", out);
        return;
    }
    if (!draining_ || !leases_.empty()) return;
    if (phase_ != Phase::kWelcomed) return end(0, "drained", out);
    phase_ = Phase::kLeaving;
    leave_by_ = now + kLeaveWait;
    send(wire::Goodbye{}, now, out);
}

void Session::welcome(const wire::Header& header, const wire::Welcome& message, Millis now,
                      Actions& out) {
    const auto sent = sent_time(header.id);
    if (phase_ == Phase::kLeaving || !sent) return;
    if (journal_ != message.journal || epoch_ != header.epoch || phase_ != Phase::kWelcomed) {
        out.push_back(
            Note{"connected", message.program + " epoch " + std::to_string(header.epoch)});
    }
    journal_ = message.journal;
    epoch_ = header.epoch;
    lease_ = std::max(message.lease, limits::kLeaseMin);
    heartbeat_ = message.heartbeat;
    phase_ = Phase::kWelcomed;
    hello_wait_ = kHelloFirstWait;
    next_beat_ = now + heartbeat_interval();
    for (const wire::LeaseVerdict& verdict : message.leases) judge(verdict, sent, now, out);
    say_ready(now, out);
    send_words(now, out);
    send_reports(now, out);
}

void Session::refuse_session(const wire::ErrorReply& error, Millis now, Actions& out) {
    switch (error.code) {
        case ErrorCode::HELLO_FIRST:
            // Answers to what was sent before the last HELLO say it again: once is enough.
            if (phase_ != Phase::kWelcomed) return;
            phase_ = Phase::kGreeting;
            hello_wait_ = kHelloFirstWait;
            return say_hello(now, out);
        case ErrorCode::NAME_IN_USE:
            return end(kExitConflict,
                       "the name " + options_.name.text +
                           " is in use by a live worker with another " +
                           "state folder: choose another with --name (" + error.message + ")",
                       out);
        case ErrorCode::SUPERSEDED:
            return end(kExitConflict,
                       "a later start of this worker has taken over (" + error.message + ")", out);
        case ErrorCode::DENIED:
            return end(kExitDenied, "denied: " + error.message, out);
        case ErrorCode::UNSUPPORTED_VERSION:
            return end(kExitUnreachable, "protocol mismatch: " + error.message, out);
        default:
            break;
    }
    out.push_back(Note{"refused", std::string(to_string(error.code)) + ": " + error.message});
    if (phase_ != Phase::kGreeting) return;
    if (!retryable(error.code)) return end(1, "HELLO refused: " + error.message, out);
    next_hello_ = std::max(next_hello_, now + error.retry_after);
}

void Session::end(int exit_code, std::string reason, Actions& out) {
    phase_ = Phase::kEnded;
    out.push_back(End{exit_code, std::move(reason)});
}

std::uint64_t Session::send(wire::Body body, Millis now, Actions& out) {
    wire::Message message;
    message.header.id = next_id_++;
    if (renews(body)) {
        sent_[message.header.id] = now;
        if (sent_.size() > kSentRemembered) sent_.erase(sent_.begin());
    }
    message.body = std::move(body);
    const std::uint64_t id = message.header.id;
    out.push_back(Send{std::move(message)});
    return id;
}

bool Session::is_old(const wire::Message& message) const {
    // A restored journal is another one, with epochs of its own.
    const auto* hello = std::get_if<wire::Welcome>(&message.body);
    if (hello != nullptr && hello->journal != journal_) return false;
    return message.header.epoch < epoch_;
}

Millis Session::silence() const {
    return std::max(lease_ / 4, millis(250));
}

Millis Session::heartbeat_interval() const {
    // An answer must come within `silence`, whatever the coordinator was configured to say.
    return std::clamp(heartbeat_, millis(50), std::max(lease_ / 6, millis(50)));
}

void Session::list(std::vector<wire::HeldLease>& leases,
                   std::vector<wire::HeldLease>& reports) const {
    for (const auto& [token, lease] : leases_) {
        if (lease.stage == LeaseStage::kDying) continue;
        (lease.stage == LeaseStage::kReporting ? reports : leases).push_back(lease.held);
    }
}

}  // namespace zq::worker
