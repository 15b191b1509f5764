// Reports, from the outbox until the coordinator has said that they are durable there.
#include <algorithm>

#include "worker/session/session.h"

namespace zq::worker {
namespace {

constexpr std::uint32_t kFaultsInARow = 3;

const wire::Report* said_by(const wire::Body& body) {
    if (const auto* m = std::get_if<wire::Complete>(&body)) return &m->report;
    if (const auto* m = std::get_if<wire::Skip>(&body)) return &m->report;
    if (const auto* m = std::get_if<wire::Fail>(&body)) return &m->report;
    if (const auto* m = std::get_if<wire::Release>(&body)) return &m->report;
    return nullptr;
}

}  // namespace

Actions Session::report(const LeaseToken& token, wire::Body body, Millis now) {
    Actions out;
    auto found = leases_.find(token);
    if (found == leases_.end() || found->second.stage == LeaseStage::kDying) return out;
    found->second.stage = LeaseStage::kReporting;
    found->second.frozen = false;
    count_faults(body, now, out);
    Pending& pending = reports_[token];
    pending.body = std::move(body);
    pending.id = 0;
    pending.waits_for_content = false;
    pending.next_send = now;
    if (phase_ == Phase::kWelcomed) {
        if (may_send(token, pending)) send_report(pending, now, out);
        say_ready(now, out);  // a report needs no slot: the next task may come with its answer
    }
    return out;
}

Actions Session::put_again(const LeaseToken& token, Millis now) {
    Actions out;
    auto found = reports_.find(token);
    if (found == reports_.end()) return out;
    found->second.waits_for_content = false;
    found->second.next_send = now;
    if (phase_ == Phase::kWelcomed && may_send(token, found->second)) {
        send_report(found->second, now, out);
    }
    return out;
}

bool Session::may_send(const LeaseToken& token, const Pending& pending) const {
    return !pending.waits_for_content && !words_.contains(token);
}

void Session::send_report(Pending& pending, Millis now, Actions& out) {
    if (pending.id == 0) pending.id = next_id_++;
    pending.next_send = now + kResend;
    wire::Message message;
    message.header.id = pending.id;
    message.body = pending.body;
    out.push_back(Send{std::move(message)});
}

void Session::send_reports(Millis now, Actions& out) {
    for (auto& [token, pending] : reports_) {
        if (may_send(token, pending)) send_report(pending, now, out);
    }
}

void Session::tick_reports(Millis now, Actions& out) {
    if (phase_ != Phase::kWelcomed) return;
    for (auto& [token, pending] : reports_) {
        if (may_send(token, pending) && now >= pending.next_send) send_report(pending, now, out);
    }
}

void Session::accept(const wire::Message& message, const wire::Accepted& accepted, Millis now,
                     Actions& out) {
    auto found = report_with(message.header.id);
    if (found == reports_.end()) return;
    const LeaseToken token = found->first;
    out.push_back(Settled{leases_.at(token).held, accepted.state});
    reports_.erase(found);
    drop_words(token, out);
    leases_.erase(token);
    idle_since_ = now;
}

void Session::refuse_report(LeaseToken token, const wire::ErrorReply& error, Millis now,
                            Actions& out) {
    Pending& pending = reports_.at(token);
    // It was sent more than once, and what the first answer asked for is under way.
    if (pending.waits_for_content) return;
    if (error.code == ErrorCode::MISSING_CONTENT && !error.missing.empty()) {
        PutAgain again{leases_.at(token).held, {}};
        for (const wire::ReportArtifact& artifact : said_by(pending.body)->artifacts) {
            const bool missing = std::find(error.missing.begin(), error.missing.end(),
                                           artifact.ref.digest) != error.missing.end();
            if (missing) again.artifacts.push_back(artifact.ref);
        }
        pending.waits_for_content = true;
        out.push_back(std::move(again));
        return;
    }
    if (error.code == ErrorCode::CONTRACT)
        return replace(token, error, FailureClass::kContract, out);
    if (error.code == ErrorCode::INVALID || error.code == ErrorCode::TOO_LARGE ||
        error.code == ErrorCode::MALFORMED || error.code == ErrorCode::SECRET_FOUND) {
        return replace(token, error, FailureClass::kError, out);
    }
    if (retryable(error.code)) {
        pending.next_send = now + std::clamp(error.retry_after, kResend, kRetryMax);
        return;
    }
    drop_report(token, error, out);
    idle_since_ = now;
}

void Session::drop_report(LeaseToken token, const wire::ErrorReply& error, Actions& out) {
    out.push_back(Refused{leases_.at(token).held, {error.code, error.message, error.field, {}}});
    reports_.erase(token);
    drop_words(token, out);
    leases_.erase(token);
}

void Session::replace(LeaseToken token, const wire::ErrorReply& error, FailureClass failure,
                      Actions& out) {
    Pending& pending = reports_.at(token);
    const wire::Report* said = said_by(pending.body);
    if (pending.replaced || said == nullptr) return drop_report(token, error, out);
    wire::Fail mended;
    mended.report = *said;
    mended.failure = failure;
    mended.reason = error.message.substr(0, limits::kReasonBytes);
    // What was malformed may be anything in it: only the bare fact is sure to be taken.
    if (failure != FailureClass::kContract) {
        mended.report.artifacts.clear();
        mended.report.output.clear();
        mended.report.summary.clear();
        mended.reason = ("the report was refused: " + error.field + ": " + error.message)
                            .substr(0, limits::kReasonBytes);
    }
    pending.replaced = true;
    pending.waits_for_content = true;  // until the mended one is in the outbox
    out.push_back(Replace{leases_.at(token).held, std::move(mended)});
}

std::map<LeaseToken, Session::Pending>::iterator Session::report_with(std::uint64_t id) {
    if (id == 0) return reports_.end();
    return std::find_if(reports_.begin(), reports_.end(),
                        [id](const auto& entry) { return entry.second.id == id; });
}

void Session::count_faults(const wire::Body& body, Millis now, Actions& out) {
    const auto* release = std::get_if<wire::Release>(&body);
    if (release == nullptr || release->cause != ReleaseCause::kWorkerFault) {
        faults_ = 0;
        return;
    }
    if (++faults_ < kFaultsInARow || paused_until_ > now) return;
    paused_until_ = now + options_.fault_pause;
    out.push_back(
        Note{"paused: the command could not be started three times in a row",
             "again in " + to_string(options_.fault_pause) + "; last: " + release->reason});
}

}  // namespace zq::worker
