#include "tests/simulator/lease_watch.h"

namespace zq::sim {
namespace {

/// `now` may gain a second on the boot clock before the leases are given it back.
constexpr Millis kSlack = millis(1100);

bool ended_by_the_clock(const core::Attempt& attempt) {
    return attempt.reason == "the lease was not renewed" ||
           attempt.reason == "the assignment was never confirmed";
}

const std::vector<core::LeaseWord>* words_of(const core::Effect& effect) {
    const auto* answer = std::get_if<core::Answer>(&effect);
    if (answer == nullptr) return nullptr;
    if (const auto* beat = std::get_if<core::BeatAnswer>(&answer->body)) return &beat->leases;
    if (const auto* hello = std::get_if<core::WelcomeAnswer>(&answer->body)) return &hello->leases;
    return nullptr;
}

}  // namespace

void LeaseWatch::decided(const core::Command& command, const core::Decision& decision,
                         Millis listened) {
    if (std::holds_alternative<core::BeginService>(command.body)) {
        for (auto& [token, heard] : heard_) heard.at = listened;
    }
    for (const core::Event& event : decision.events) {
        if (const auto* given = std::get_if<core::TaskAssigned>(&event.body)) {
            heard_[given->lease.token.number] = {listened, given->lease.term};
        } else if (const auto* ended = std::get_if<core::AttemptEnded>(&event.body)) {
            check_end(*ended, listened);
        }
    }
    for (const core::Effect& effect : decision.effects) {
        const auto* words = words_of(effect);
        if (words == nullptr) continue;
        for (const core::LeaseWord& word : *words) {
            auto at = heard_.find(word.token.number);
            if (word.verdict != Verdict::kStale && at != heard_.end()) at->second.at = listened;
        }
    }
}

void LeaseWatch::check_end(const core::AttemptEnded& ended, Millis listened) {
    auto at = heard_.find(ended.attempt.token.number);
    if (at == heard_.end() || !ended_by_the_clock(ended.attempt)) return;
    const Millis silent = listened - at->second.at;
    if (silent + kSlack >= at->second.term + heartbeat_) return;
    world_.violate("the lease of " + ended.attempt.task.id.text + " ended after only " +
                   std::to_string(silent.count) + " ms of silence");
}

}  // namespace zq::sim
