// The state that a journal starts from once its older rows were dropped. It is the durable state
// after the base's anchor (and has that anchor's hash), so that a replay of the remaining events
// leads to what all of them led to.
//
// Rows of the table `base`, by `place`:
//
//     0      kind 0   {journal, epoch, last_token, last_seq, last_at, chain_head, kept,
//                     references}
//     1 …    kind 1   the open tasks, in the order of their keys: records as in `tasks`
//            kind 2   the ended attempts of those tasks: records as in `attempts`
//            kind 3   {ns, role}: the roles that were served
//            kind 4   {identity, client, request, ns, task_id, token, at}: remembered requests
//            kind 5   {ns, kind, name, control}: what was said of roles, limit keys and workers
//
// What else stays of the time before: the submits (with instructions and payload) of tasks that
// have a row and what has edited them, tasks that had ended with their attempts and what was
// removed of them, contents. `kept` is the RowSum of all that and of kind 2: none of these rows
// changes any more, and one that retention removes is taken out of the sum (use_writer.h).
#pragma once

#include <string>
#include <vector>

#include "coordinator/core/state.h"
#include "coordinator/store/chain_walk.h"

namespace zq::store {

/// Row 0. `references`: the sum of all references (reference_count.h) that its rows hold.
struct BaseHead {
    JournalId journal = 0;
    Epoch epoch = 0;
    std::uint64_t last_token = 0;
    Seq last_seq = 0;
    Instant last_at;
    Digest chain_head;
    Digest kept;
    Digest references;
};
std::string encode_base_head(const BaseHead& head);
/// Errors: pack::decode's.
Result<BaseHead> decode_base_head(std::string_view bytes);

struct Base {
    ChainPlace place;   // seq 0: the journal has all its events
    core::State state;  // after that event
    std::vector<core::Attempt> attempts;
    Digest kept;
    Digest references;
};

/// Errors: IO, MALFORMED, INVALID (a row of the table was changed from outside).
Result<Base> read_base(Database& database);

/// In place of the former one. The rows that `kept` counts must be as they will stay; it is
/// computed here. In the caller's transaction.
Result<void> write_base(Database& database, const Base& base);

/// Seq of the base's event; 0: the journal has all its events.
Result<Seq> base_seq(Database& database);

/// Takes the task's texts out of its records in the base (core/redact.h), and the sum follows. The
/// hash of the base's state is another then. False: it has none of the task. In the caller's
/// transaction.
Result<bool> redact_in_base(Database& database, const TaskKey& key);

/// What `kept` must be, and how many rows of each table it counts. Reads them all.
struct Kept {
    Digest sum;
    std::uint64_t events = 0;
    std::uint64_t tasks = 0;
    std::uint64_t attempts = 0;
    std::uint64_t contents = 0;
    std::uint64_t removals = 0;
};
Result<Kept> sum_kept(Database& database, const Base& base);

}  // namespace zq::store
