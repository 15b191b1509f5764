#include "coordinator/pipeline.h"

#include <algorithm>

#include "common/base/check.h"
#include "common/base/mutant.h"
#include "common/platform/files.h"
#include "common/platform/socket.h"
#include "coordinator/core/gates.h"

namespace zq::coordinator {
namespace {

/// Answers that may wait for one commit: beyond it a stalled disk stops the reading too.
constexpr std::size_t kHeldMost = 65'536;
/// What is committed while the loop waits: a disk's sync, and little more.
constexpr std::size_t kAtOnceEvents = 8;
constexpr std::size_t kAtOnceBytes = 64UL << 10;
/// Events that are decided while the disk is full.
constexpr std::size_t kWaitingEvents = 256;

template <class... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace

Result<store::Recovery> Pipeline::acquire() {
    auto recovery = journal_.acquire(state_);
    if (!recovery) return recovery;
    durable_seq_ = readable_seq_ = recovery->last_seq;
    chain_head_ = recovery->chain_head;
    new_journal_ = recovery->journal != 0 ? recovery->journal : random_u64();
    return recovery;
}

Result<void> Pipeline::open_epoch(Instant now, const std::string& program) {
    core::Command command;
    command.now = now;
    command.identity = kSystemIdentity;
    command.body = core::StartEpoch{new_journal_, state_.durable.epoch + 1, program};
    run(command);
    append();
    if (auto ok = wait_committed(); !ok) return ok;
    if (mutant(Mutant::kUnsettledStart)) return {};
    return journal_.settle();
}

Result<void> Pipeline::wait_committed() {
    while (!batches_.empty()) {
        if (auto committed = collect(); !committed) return Failure(committed.error());
        if (batches_.empty()) break;
        // Nobody is served yet: whoever starts this program is told at once.
        if (journal_.waits_for_room()) {
            return fail(ErrorCode::STORAGE_FULL,
                        "the disk of the data folder is full: free some space, then start again");
        }
        std::vector<PollItem> items{{nullptr, journal_.results_fd(), false}};
        poll(items, seconds(1));
    }
    return {};
}

void Pipeline::change_policy(core::Policy policy, Instant now) {
    core::Command command;
    command.now = now;
    command.identity = kSystemIdentity;
    command.body = core::NotePolicy{core::other_rates(policy_, policy)};
    policy_ = std::move(policy);
    run(command);
}

void Pipeline::accept(core::Decision decision, const core::Command& command,
                      std::vector<store::InlineContent> contents) {
    core::stamp(decision, state_, command.now);
    if (on_decision_) on_decision_(command, decision);
    for (const core::Event& event : decision.events) core::apply(state_, event);
    for (const core::Notice& notice : decision.notices) core::apply(state_, notice);
    const Seq written = decision.events.empty() ? 0 : decision.events.back().seq;
    take_contents(decision, std::move(contents));
    for (core::Event& event : decision.events) {
        if (auto spec = core::shared_spec(event.body)) {
            batch_bytes_ += (*spec)->instructions.size() + (*spec)->payload.size();
            if (on_spec_) on_spec_(event.seq, *spec);
        }
        batch_.events.push_back(std::move(event));
    }
    for (core::Effect& effect : decision.effects) hold(std::move(effect), written);
}

void Pipeline::take_contents(const core::Decision& decision,
                             std::vector<store::InlineContent> contents) {
    for (const core::Event& event : decision.events) {
        const auto* stored = std::get_if<core::ContentStored>(&event.body);
        if (stored == nullptr) continue;
        pending_contents_.add(*stored, event.seq);
        if (!stored->inlined) continue;
        auto content = std::find_if(contents.begin(), contents.end(),
                                    [&](const auto& c) { return c.digest == stored->digest; });
        ZQ_CHECK(content != contents.end());
        batch_bytes_ += content->data.size();
        batch_.contents.push_back(std::move(*content));
    }
}

void Pipeline::hold(core::Effect effect, Seq written) {
    const Seq seen = state_.durable.last_seq;
    std::visit(Overloaded{[&](core::Answer& answer) {
                              if (answer.to == 0) return;
                              const Seq after = answer.after.value_or(seen);
                              held_.emplace(after, Outgoing{std::move(answer), written});
                          },
                          [&](core::Push& push) {
                              held_.emplace(seen, Outgoing{std::move(push), 0});
                          }},
               effect);
}

void Pipeline::defer(std::uint64_t ticket, After after) {
    auto& held = after == After::kReadable ? held_for_tables_ : held_;
    held.emplace(state_.durable.last_seq, Outgoing{Deferred{ticket}, 0});
    if (after == After::kReadable) read_upto_ = state_.durable.last_seq;
}

void Pipeline::append() {
    if (auto batch = take_batch()) journal_.append(std::move(*batch));
}

bool Pipeline::append_now() {
    const bool small = batch_.events.size() <= kAtOnceEvents && batch_bytes_ <= kAtOnceBytes;
    if (!small) {
        append();
        return false;
    }
    auto batch = take_batch();
    return batch && journal_.append_now(std::move(*batch));
}

std::optional<store::Batch> Pipeline::take_batch() {
    // While a batch waits for room the next one only grows, so that heartbeats are still read.
    if (batch_.events.empty() || journal_.waits_for_room()) return std::nullopt;
    batch_.changes = core::take_changes(state_);
    batches_.push_back({batch_.events.back().seq, batch_.changes.tasks});
    batch_bytes_ = 0;
    store::Batch next;
    next.events.reserve(batch_.events.size());  // as much may come as came just now
    return std::exchange(batch_, std::move(next));
}

Result<std::vector<Committed>> Pipeline::collect() {
    std::vector<Committed> committed;
    for (const store::CommitResult& result : journal_.results()) {
        if (result.status != store::CommitStatus::kCommitted) {
            return fail(ErrorCode::IO, "the journal could not be committed: " + result.message);
        }
        ZQ_CHECK(!batches_.empty() && batches_.front().upto == result.last_seq);
        durable_seq_ = result.last_seq;
        chain_head_ = result.chain_head;
        if (is_awaited_ && is_awaited_(batches_.front())) read_upto_ = durable_seq_;
        trail_.push_back(std::move(batches_.front()));
        batches_.pop_front();
    }
    const Seq readable = std::min(journal_.projected(), durable_seq_);
    if (readable != readable_seq_) {
        readable_seq_ = readable;
        core::forget_projected(state_, readable);
        state_.durable.open.rest(readable);
        pending_contents_.forget_upto(readable);
    }
    while (!trail_.empty() && trail_.front().upto <= readable) {
        committed.push_back(std::move(trail_.front()));
        trail_.pop_front();
    }
    return committed;
}

std::vector<Outgoing> Pipeline::release() {
    const Seq wanted = std::min(read_upto_, durable_seq_);
    if (readable_seq_ < wanted) journal_.project_soon(wanted);
    std::vector<Outgoing> out;
    const bool early = mutant(Mutant::kReplyBeforeCommit);
    const auto end = held_.upper_bound(early ? state_.durable.last_seq : durable_seq_);
    for (auto at = held_.begin(); at != end; ++at) out.push_back(std::move(at->second));
    held_.erase(held_.begin(), end);
    const auto read = held_for_tables_.upper_bound(readable_seq_);
    for (auto at = held_for_tables_.begin(); at != read; ++at) out.push_back(std::move(at->second));
    held_for_tables_.erase(held_for_tables_.begin(), read);
    return out;
}

bool Pipeline::batch_is_large() const {
    return batch_.events.size() >= limits::kBatchEvents ||
           batch_bytes_ >= limits::kUncommittedBytes / 4;
}

bool Pipeline::is_full() const {
    if (undurable() >= kHeldMost || journal_.trails_far()) return true;
    if (journal_.waits_for_room()) return batch_.events.size() >= kWaitingEvents;
    return journal_.uncommitted_batches() >= limits::kUncommittedBatches ||
           journal_.uncommitted_bytes() >= limits::kUncommittedBytes;
}

}  // namespace zq::coordinator
