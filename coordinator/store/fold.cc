#include "coordinator/store/fold.h"

#include <algorithm>

#include "coordinator/core/apply.h"
#include "coordinator/store/record_codec.h"

namespace zq::store {

Result<Fold> Fold::open(Database& database, int format) {
    if (format < 2) return Fold(database, {}, {});
    auto base = read_base(database);
    if (!base) return Failure(base.error());
    auto anchors = read_anchors(database);
    if (!anchors) return Failure(anchors.error());
    Fold fold(database, std::move(*base), std::move(*anchors));
    for (core::Attempt& attempt : fold.base_.attempts) {
        const auto key = std::pair(attempt.task, attempt.attempt);
        fold.attempts_.insert_or_assign(key, std::move(attempt));
    }
    fold.base_.attempts.clear();
    if (auto ok = fold.check_anchor(); !ok) return Failure(ok.error());
    return fold;
}

Result<void> Fold::run(Seq upto, const std::function<Result<void>(const ChainWalk&)>& each) {
    auto walk = ChainWalk::open(*database_, base_.place, upto);
    if (!walk) return Failure(walk.error());
    while (true) {
        auto more = walk->next();
        if (!more) return Failure(more.error());
        if (!*more) break;
        core::apply(base_.state, walk->event().event);
        base_.place = walk->place();
        note_attempt(walk->event().event);
        if (auto ok = check_anchor(); !ok) return ok;
        if (auto ok = each(*walk); !ok) return ok;
    }
    if (walk->broken().empty()) return {};
    return fail(ErrorCode::IO, walk->broken());
}

/// Keeps the attempts of open tasks, for a base to come.
void Fold::note_attempt(const core::Event& event) {
    const core::Durable& durable = base_.state.durable;
    if (const auto* ended = std::get_if<core::AttemptEnded>(&event.body)) {
        core::Attempt& kept = attempts_[{event.task, ended->attempt.attempt}];
        kept = ended->attempt;
        kept.ended_seq = event.seq;
    }
    if (const core::Revision* revision = core::revision_of(event.body)) {
        for (const core::Attempt& attempt : revision->attempts) {
            attempts_.insert_or_assign({event.task, attempt.attempt}, attempt);
        }
    }
    if (event.task.id.empty() || durable.open.contains(event.task)) return;
    const auto first = attempts_.lower_bound({event.task, 0});
    const auto last = attempts_.upper_bound({event.task, UINT32_MAX});
    attempts_.erase(first, last);
}

Result<void> Fold::check_anchor() const {
    const auto at =
        std::lower_bound(anchors_.begin(), anchors_.end(), base_.place.seq,
                         [](const Anchor& anchor, Seq seq) { return anchor.seq < seq; });
    if (at == anchors_.end() || at->seq != base_.place.seq || *at == anchor()) return {};
    return fail(ErrorCode::IO,
                "anchor " + std::to_string(at->seq) + " is not what the events up to it lead to");
}

core::Changes Fold::take_changes() {
    core::Changes changes = core::take_changes(base_.state);
    core::forget_projected(base_.state, base_.place.seq);
    return changes;
}

std::vector<core::Attempt> Fold::open_attempts() const {
    std::vector<core::Attempt> all;
    all.reserve(attempts_.size());
    for (const auto& [key, attempt] : attempts_) all.push_back(attempt);
    return all;
}

Base Fold::base() const {
    Base base = base_;
    base.attempts = open_attempts();
    return base;
}

Anchor Fold::anchor() const {
    return {base_.place.seq, base_.state.durable.last_at, state_hash(base_.state),
            base_.place.head};
}

Result<Seq> last_seq_at(Database& database, Instant time) {
    auto statement = database.prepare("SELECT coalesce(max(seq), 0) FROM journal WHERE at <= ?1");
    if (!statement) return Failure(statement.error());
    statement->integer(1, time.ms);
    auto row = statement->step();
    if (!row) return Failure(row.error());
    return statement->number_at(0);
}

}  // namespace zq::store
