// Several submissions in one request: BATCH at the coordinator; inside a task its worker hands them
// on one by one. Shared by `zq batch` and by `zq submit --to` several roles.
#pragma once

#include <vector>

#include "cli/session.h"
#include "cli/submit_spec.h"

namespace zq::cli {

struct BatchMode {
    bool atomic = false;
    bool dry_run = false;
};

/// What came back for one submission, in their order. `error` where it was refused.
using BatchItems = std::vector<wire::BatchItem>;

/// Puts the contents that do not travel inline, sends, and waits for the answer. Contents that are
/// missed are put and sent again. At most limits::kBatchTasks. Errors: what the whole request was
/// refused with.
tl::expected<wire::Batched, CallError> exchange_batch(Session& session,
                                                      std::vector<Submission*> submissions,
                                                      const BatchMode& mode);

}  // namespace zq::cli
