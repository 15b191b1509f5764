// The state of the past as a data folder of its own: `zq journal restore`. The new folder has the
// old one's events up to a place, its chain and its anchors; then, as events of its own, the ends
// of the leases that were held and an epoch under a new journal id, so that no token of the old
// life is good for it.
#pragma once

#include <optional>
#include <string>

#include "coordinator/store/offline.h"

namespace zq::store {

struct RestoreReport {
    JournalId journal = 0;  // the new id
    Seq upto = 0;           // the last event that was taken over
    Seq last_seq = 0;       // of the new journal
    Digest chain_head;
    std::uint64_t open_tasks = 0;
    std::uint64_t ended_leases = 0;
    std::uint64_t artifacts = 0;  // linked or copied
};

struct RestoreOrder {
    std::string into;         // missing or empty
    std::optional<Seq> upto;  // nothing: all events
    std::string program;      // for the new epoch's event
    std::string artifacts;    // the folder to take them from; empty: the source's own
};

/// Errors: CONFLICT (`into` is not empty), INVALID (a place before what the journal still has, or
/// after its end), IO (also where the source is not sound: the first bad row), STORAGE_FULL. After
/// an error `into` is empty again.
Result<RestoreReport> restore(OfflineJournal& source, const RestoreOrder& order);

}  // namespace zq::store
