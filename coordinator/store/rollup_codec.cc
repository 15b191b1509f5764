#include "coordinator/store/rollup_codec.h"

#include "common/platform/pack.h"

namespace zq::store {
namespace {

/// Slot, count, slot, count, …
using Pairs = std::vector<std::uint64_t>;

struct Stored {
    Rollup sums;  // without its durations
    Pairs wait;
    Pairs run;
    Pairs total;
};

// Fields are never renamed or given another meaning; new ones are optional.
template <class V, Of<Stored> T>
void describe(V& v, T& s) {
    v.optional("submitted", s.sums.submitted);
    v.optional("completed", s.sums.completed);
    v.optional("skipped", s.sums.skipped);
    v.optional("cancelled", s.sums.cancelled);
    v.optional("dead", s.sums.dead);
    v.optional("expired", s.sums.expired);
    v.optional("dlq_left", s.sums.dlq_left);
    v.optional("started", s.sums.started);
    v.optional("retries", s.sums.retries);
    v.optional("failed", s.sums.failed);
    v.optional("lost", s.sums.lost);
    v.optional("cost_usd_micros", s.sums.cost_usd_micros);
    v.optional("input_tokens", s.sums.input_tokens);
    v.optional("output_tokens", s.sums.output_tokens);
    v.optional("wait", s.wait);
    v.optional("run", s.run);
    v.optional("total", s.total);
}

Pairs pairs_of(const Durations& durations) {
    Pairs pairs;
    for (const auto& [slot, count] : durations.slots) {
        pairs.push_back(slot);
        pairs.push_back(count);
    }
    return pairs;
}

Result<Durations> durations_of(const Pairs& pairs) {
    Durations durations;
    if (pairs.size() % 2 != 0) return fail(ErrorCode::IO, "a histogram has a slot without a count");
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
        if (pairs[i] > UINT16_MAX) return fail(ErrorCode::IO, "a histogram has an unknown slot");
        durations.slots[static_cast<std::uint32_t>(pairs[i])] = pairs[i + 1];
    }
    return durations;
}

}  // namespace

std::string encode_rollup(const Rollup& rollup) {
    return pack::encode(
        Stored{rollup, pairs_of(rollup.wait), pairs_of(rollup.run), pairs_of(rollup.total)});
}

Result<Rollup> decode_rollup(std::string_view bytes) {
    auto stored = pack::decode<Stored>(bytes);
    if (!stored) return Failure(stored.error());
    Rollup rollup = std::move(stored->sums);
    const std::pair<const Pairs*, Durations*> parts[] = {{&stored->wait, &rollup.wait},
                                                         {&stored->run, &rollup.run},
                                                         {&stored->total, &rollup.total}};
    for (const auto& [pairs, into] : parts) {
        auto durations = durations_of(*pairs);
        if (!durations) return Failure(durations.error());
        *into = std::move(*durations);
    }
    return rollup;
}

}  // namespace zq::store
