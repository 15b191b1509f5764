// Puts the coordinator together, in the order that makes it safe: journal, epoch, settled disk,
// ZAP, sockets, service; and takes it apart again.
#pragma once

#include "coordinator/edge/payload_schemas.h"
#include "coordinator/options.h"

namespace zq::coordinator {

/// Name and version, as peers are told.
std::string program_name();

/// Reads the files that `payload_schemas` names. Errors: INVALID, with the setting and what is
/// wrong in the file.
Result<edge::PayloadSchemas> read_payload_schemas(const Options& options);

/// Serves until `stop_fd` (a signalfd of blocked signals) is readable. Errors: CONFLICT (another
/// coordinator has the folder), DENIED (peers would be let in without keys), INVALID, IO.
Result<void> serve(const Options& options, int stop_fd);

}  // namespace zq::coordinator
