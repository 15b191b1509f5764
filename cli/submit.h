// Handing a submission over: contents first, then the envelope, repeated safely. Shared by `submit`
// and `run`.
#pragma once

#include "cli/session.h"
#include "cli/submit_spec.h"

namespace zq::cli {

/// Says nothing of it on stdout. Warnings (a role nobody has ever served) go to stderr.
Expected<wire::Submitted> submit(Session& session, Submission& submission);

}  // namespace zq::cli
