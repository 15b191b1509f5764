// `zq submit --to a,b,c`: one task becomes a copy for each role, all in one group, all or none.
#pragma once

#include <vector>

#include "cli/submit_spec.h"

namespace zq::cli {

/// The copies, in the order of the roles. Of an id or an idempotency key each gets its own, with
/// the role behind it; without a group one is made, the same one for the same id or key. The
/// contents are with the first. Errors: INVALID (an id that gets too long).
Expected<std::vector<Submission>> copies_of(Submission submission);

}  // namespace zq::cli
