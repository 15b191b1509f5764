#include "tests/power/recorded_journal.h"

#include <algorithm>

#include "common/base/check.h"

namespace zq::power {

void RecordedJournal::append(store::Batch batch) {
    const Seq before = batch.events.front().seq - 1;
    ZQ_CHECK(before <= history_.events.size());
    history_.events.resize(before);
    history_.events.insert(history_.events.end(), batch.events.begin(), batch.events.end());
    journal_.append(std::move(batch));
}

Result<void> RecordedJournal::settle() {
    if (settles_) {
        if (auto ok = journal_.settle(); !ok) return ok;
    }
    settled_ = true;
    return {};
}

std::vector<store::CommitResult> RecordedJournal::results() {
    auto results = journal_.results();
    for (const store::CommitResult& result : results) {
        if (result.status != store::CommitStatus::kCommitted) continue;
        if (settled_) history_.said = std::max(history_.said, result.last_seq);
        history_.heads[result.last_seq] = result.chain_head;
        ++history_.batches;
    }
    return results;
}

}  // namespace zq::power
