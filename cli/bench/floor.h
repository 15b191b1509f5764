// What no durable queue on this machine can be faster than: one sync of a log that is written over
// again, and one round trip through a ROUTER in another process.
#pragma once

#include <string>

#include "cli/bench/latencies.h"
#include "cli/exit_code.h"

namespace zq::cli {

struct Floor {
    Latencies sync;        // a page with its frame's header, then fdatasync
    Latencies round_trip;  // 1 KiB there, 100 bytes back

    /// In microseconds.
    double p50() const { return sync.quantile(0.5) + round_trip.quantile(0.5); }
};

/// `folder`: on the disk that is meant. Errors: IO.
Expected<Floor> measure_floor(const std::string& folder);

}  // namespace zq::cli
