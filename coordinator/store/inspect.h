// What a journal holds, in numbers: `zq journal info`. Says nothing about whether it is sound
// (verify.h).
#pragma once

#include <map>
#include <string>

#include "coordinator/store/anchors.h"
#include "coordinator/store/offline.h"

namespace zq::store {

struct JournalInfo {
    JournalId journal = 0;
    int format = 0;
    Epoch epoch = 0;
    Seq first_seq = 0;  // the oldest event from which on none is missing; 0: no events
    Seq last_seq = 0;
    Instant first_at;
    Instant last_at;
    Digest chain_head;
    std::uint64_t events = 0;  // rows, with those that stayed from before first_seq
    Seq base_seq = 0;          // events up to it were dropped; 0: none were
    std::uint64_t anchors = 0;
    Anchor oldest_anchor;
    Anchor newest_anchor;
    std::map<std::string, std::uint64_t> tasks;  // by state; those that have a row
    std::uint64_t attempts = 0;
    std::uint64_t contents = 0;
    std::uint64_t content_bytes = 0;
    std::uint64_t database_bytes = 0;
};

/// Errors: IO.
Result<JournalInfo> inspect(OfflineJournal& journal);

}  // namespace zq::store
