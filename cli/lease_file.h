// Leases claimed by hand, kept between commands: one file of mode 0600 per task, under
// $XDG_STATE_HOME/zq/leases (default ~/.local/state/zq/leases).
#pragma once

#include <optional>
#include <string>

#include "cli/command.h"
#include "common/wire/worker_messages.h"

namespace zq::cli {

/// Keeps a lease. Errors: IO.
Expected<void> save_lease(const wire::HeldLease& lease);
/// The lease kept for a task; nullopt where there is none. Errors: INVALID (a damaged file), IO.
Expected<std::optional<wire::HeldLease>> load_lease(const TaskId& task);
/// Forgets it; nothing happens where there is none.
void drop_lease(const TaskId& task);

/// The lease of --lease, ZQ_LEASE, or the file, in this order; nullopt where there is none. From a
/// flag or the environment its attempt is 0 unless ZQ_ATTEMPT tells it. Errors: usage.
Expected<std::optional<wire::HeldLease>> find_lease(const Arguments& args, const TaskId& task);

}  // namespace zq::cli
