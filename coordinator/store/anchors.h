// Anchors: what the durable state was at a place of the hash chain, by its hash. They say whether
// a later replay leads to the same state, and where older rows may be dropped (base.h). Taken from
// the projections by whoever has a connection; written by the one that writes.
#pragma once

#include <vector>

#include "coordinator/store/sqlite.h"

namespace zq::store {

struct Anchor {
    Seq seq = 0;  // the last event it speaks of
    Instant at;   // the latest time of any event up to it
    Digest state;
    Digest chain_head;
    friend bool operator==(const Anchor&, const Anchor&) = default;
};

/// The anchor of the last committed event, read in one snapshot. Takes seconds with a million open
/// tasks: beside the commits, or when nothing waits. Errors: IO.
Result<Anchor> take_anchor(Database& database);

/// Stores it; one of the same event is replaced. In a transaction of the caller's, or its own.
Result<void> write_anchor(Database& database, const Anchor& anchor);

/// All of them, in order. Errors: IO.
Result<std::vector<Anchor>> read_anchors(Database& database);
/// Seq of the last one; 0 if there is none.
Result<Seq> last_anchor(Database& database);

}  // namespace zq::store
