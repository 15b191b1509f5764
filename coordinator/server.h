// Puts the coordinator together, in the order that makes it safe: journal, epoch, settled disk,
// ZAP, sockets, service; and takes it apart again.
#pragma once

#include <functional>

#include "common/platform/notify.h"
#include "coordinator/edge/payload_schemas.h"
#include "coordinator/options.h"

namespace zq::coordinator {

/// Name and version, as peers are told.
std::string program_name();

/// Reads the files that `payload_schemas` names. Errors: INVALID, with the setting and what is
/// wrong in the file.
Result<edge::PayloadSchemas> read_payload_schemas(const Options& options);

/// What the process gives to the service in it.
struct Surroundings {
    int signals = -1;    // a signalfd of SIGTERM, SIGINT (end in good order) and SIGHUP (hang_up.h)
    Notifier& notifier;  // is told when it serves, and that it is alive
    std::function<Result<Options>()> read_settings;  // as they are now
};

/// Serves until a signal ends it. Errors: CONFLICT (another
/// coordinator has the folder), DENIED (peers would be let in without keys), INVALID, IO.
Result<void> serve(const Options& options, const Surroundings& surroundings);

}  // namespace zq::coordinator
