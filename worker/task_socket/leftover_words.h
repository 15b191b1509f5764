// What attempts of an earlier start said and the coordinator has not answered: it is told after
// all, under their leases, before these are given back.
#pragma once

#include "worker/outbox.h"
#include "worker/state_folder.h"

namespace zq::worker {

/// Attempts without a report that have such words get one that releases them, in the outbox and at
/// the end of `stored`. Errors: IO, STORAGE_FULL.
Result<void> report_for_words(const StateFolder& state, const Outbox& outbox,
                              std::vector<StoredReport>& stored);

/// The words of an attempt whose report is stored, ready for `Session::tell`.
std::vector<Word> leftover_words(const StateFolder& state, const wire::HeldLease& held);

}  // namespace zq::worker
