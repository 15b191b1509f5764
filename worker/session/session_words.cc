// What attempts say while they run: one word of an attempt after the other, each sent until it is
// answered. An attempt's report waits for them (session_reports.cc).
#include <algorithm>

#include "worker/session/session.h"

namespace zq::worker {
namespace {

constexpr std::uint32_t kStores = 3;

wire::Message refusal(ErrorCode code, std::string message) {
    wire::Message answer;
    answer.body = wire::ErrorReply{code, std::move(message), {}, {}, {}};
    return answer;
}

/// Whether an error is for the one who submits, and not a reason to try again here.
bool is_for_the_submitter(const wire::Body& word, ErrorCode code) {
    return std::holds_alternative<wire::Submit>(word) &&
           (code == ErrorCode::QUEUE_FULL || code == ErrorCode::DRAINING ||
            code == ErrorCode::STORAGE_FULL);
}

std::vector<ArtifactRef> contents_of(const wire::Body& word) {
    if (const auto* m = std::get_if<wire::Checkpoint>(&word)) return {m->artifact.ref};
    const auto* m = std::get_if<wire::Submit>(&word);
    std::vector<ArtifactRef> inputs = m == nullptr ? std::vector<ArtifactRef>{} : m->task.inputs;
    std::erase_if(inputs, [](const ArtifactRef& input) { return input.by_reference; });
    return inputs;
}

/// Those of a word's contents that the coordinator misses.
std::vector<ArtifactRef> missing_contents(const wire::Body& word,
                                          const std::vector<Digest>& missing) {
    std::vector<ArtifactRef> contents = contents_of(word);
    std::erase_if(contents, [&](const ArtifactRef& ref) {
        return std::find(missing.begin(), missing.end(), ref.digest) == missing.end();
    });
    return contents;
}

}  // namespace

Actions Session::tell(const LeaseToken& lease, Word word, Millis now) {
    Actions out;
    auto held = leases_.find(lease);
    if (held == leases_.end() || held->second.stage == LeaseStage::kDying) {
        out.push_back(WordAnswered{lease, word.number,
                                   refusal(ErrorCode::STALE_LEASE, "the lease is not ours")});
        return out;
    }
    std::deque<PendingWord>& queue = words_[lease];
    // Of several that tell how it stands and that wait, the last one counts.
    const bool tells_state = std::holds_alternative<wire::Progress>(word.body) ||
                             std::holds_alternative<wire::Spend>(word.body);
    const bool newer = tells_state && !queue.empty() && queue.back().id == 0 &&
                       queue.back().word.body.index() == word.body.index();
    if (newer) queue.pop_back();
    queue.push_back({std::move(word), 0, now, 0, false});
    if (phase_ == Phase::kWelcomed && queue.size() == 1) send_word(lease, now, out);
    return out;
}

Actions Session::word_stored(const LeaseToken& lease, std::uint64_t word,
                             const Result<void>& stored, Millis now) {
    Actions out;
    auto found = words_.find(lease);
    if (found == words_.end() || found->second.front().word.number != word) return out;
    PendingWord& front = found->second.front();
    front.storing = false;
    if (!stored) {
        end_word(lease, refusal(stored.error().code, stored.error().message), now, out);
        return out;
    }
    front.word.contents.clear();
    front.next_send = now;
    if (phase_ == Phase::kWelcomed) send_word(lease, now, out);
    return out;
}

std::size_t Session::words_of(const LeaseToken& lease) const {
    auto found = words_.find(lease);
    return found == words_.end() ? 0 : found->second.size();
}

void Session::send_word(const LeaseToken& lease, Millis now, Actions& out) {
    PendingWord& front = words_.at(lease).front();
    if (front.storing) return;
    if (!front.word.contents.empty()) {
        front.storing = true;
        ++front.stores;
        out.push_back(StoreForWord{leases_.at(lease).held, front.word.number, front.word.contents});
        return;
    }
    if (front.id == 0) front.id = next_id_++;
    front.next_send = now + kResend;
    wire::Message message;
    message.header.id = front.id;
    message.body = front.word.body;
    out.push_back(Send{std::move(message)});
}

void Session::send_words(Millis now, Actions& out) {
    for (auto& [lease, queue] : words_) send_word(lease, now, out);
}

void Session::tick_words(Millis now, Actions& out) {
    if (phase_ != Phase::kWelcomed) return;
    for (auto& [lease, queue] : words_) {
        if (!queue.front().storing && now >= queue.front().next_send) send_word(lease, now, out);
    }
}

bool Session::answer_word(const wire::Message& message, Millis now, Actions& out) {
    auto found = words_with(message.header.id);
    if (found == words_.end()) return false;
    const LeaseToken lease = found->first;
    if (const auto* error = std::get_if<wire::ErrorReply>(&message.body)) {
        // What is wrong with the whole session is answered there; the word is sent again after it.
        if (error->code == ErrorCode::HELLO_FIRST || error->code == ErrorCode::SUPERSEDED) {
            return false;
        }
        if (retry_word(lease, *error, now, out)) return true;
    }
    end_word(lease, message, now, out);
    return true;
}

bool Session::retry_word(const LeaseToken& lease, const wire::ErrorReply& error, Millis now,
                         Actions& out) {
    PendingWord& front = words_.at(lease).front();
    if (is_for_the_submitter(front.word.body, error.code)) return false;
    if (error.code == ErrorCode::MISSING_CONTENT) {
        front.word.contents = missing_contents(front.word.body, error.missing);
        if (front.word.contents.empty() || front.stores == kStores) return false;
        send_word(lease, now, out);
        return true;
    }
    if (!retryable(error.code)) return false;
    front.next_send = now + std::clamp(error.retry_after, kResend, kRetryMax);
    return true;
}

void Session::end_word(const LeaseToken& lease, wire::Message answer, Millis now, Actions& out) {
    auto found = words_.find(lease);
    out.push_back(WordAnswered{lease, found->second.front().word.number, std::move(answer)});
    found->second.pop_front();
    const bool welcomed = phase_ == Phase::kWelcomed;
    if (!found->second.empty()) {
        if (welcomed) send_word(lease, now, out);
        return;
    }
    words_.erase(found);
    // The report may have waited for this word.
    auto report = reports_.find(lease);
    if (welcomed && report != reports_.end() && may_send(lease, report->second)) {
        send_report(report->second, now, out);
    }
}

void Session::drop_words(const LeaseToken& lease, Actions& out) {
    auto found = words_.find(lease);
    if (found == words_.end()) return;
    for (const PendingWord& pending : found->second) {
        out.push_back(WordAnswered{lease, pending.word.number,
                                   refusal(ErrorCode::STALE_LEASE, "the lease has ended")});
    }
    words_.erase(found);
}

Session::Words::iterator Session::words_with(std::uint64_t id) {
    if (id == 0) return words_.end();
    return std::find_if(words_.begin(), words_.end(),
                        [id](const auto& entry) { return entry.second.front().id == id; });
}

}  // namespace zq::worker
