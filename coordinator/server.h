// Puts the coordinator together, in the order that makes it safe: journal, epoch, settled disk,
// ZAP, sockets, service; and takes it apart again.
#pragma once

#include "coordinator/options.h"

namespace zq::coordinator {

/// Name and version, as peers are told.
std::string program_name();

/// Serves until `stop_fd` (a signalfd of blocked signals) is readable. Errors: CONFLICT (another
/// coordinator has the folder), DENIED (peers would be let in without keys), INVALID, IO.
Result<void> serve(const Options& options, int stop_fd);

}  // namespace zq::coordinator
