// Reports on disk, from before they are sent until they are acknowledged: one file each, named by
// the lease. Used by several threads, each for leases of its own.
//
//     outbox/JJJJJJJJJJJJJJJJ-NNNNNNNNNNNNNNNN:  TYPE \n MessagePack map (as on the wire)
#pragma once

#include <string>
#include <vector>

#include "worker/session/session.h"

namespace zq::worker {

class Outbox {
  public:
    /// Makes the folder where it is missing. Errors: IO.
    static Result<Outbox> open(std::string folder);

    /// Durable when it returns; replaces an older one of the same lease. Errors: IO, STORAGE_FULL.
    Result<void> put(const LeaseToken& lease, const wire::Body& report) const;
    /// Removing what is not there is no error: an acknowledged report may be sent twice.
    void remove(const LeaseToken& lease) const;
    /// Everything in it. A file that cannot be read is kept aside as `NAME.bad` and logged.
    std::vector<StoredReport> load() const;

  private:
    explicit Outbox(std::string folder) : folder_(std::move(folder)) {}
    std::string path_of(const LeaseToken& lease) const { return folder_ + "/" + to_string(lease); }

    std::string folder_;
};

}  // namespace zq::worker
