// What a running attempt has used of models so far, read from its `usage` file as it grows.
#pragma once

#include <optional>

#include "common/base/time.h"
#include "common/base/usage.h"
#include "worker/workspace/workspace.h"

namespace zq::worker {

class UsageMeter {
  public:
    UsageMeter(const Workspace& workspace, Millis now);

    /// The total, where it is another than at the last look. Looks once a second.
    std::optional<Usage> look(Millis now);
    /// When `look` has something to do.
    Millis deadline() const { return next_; }

  private:
    std::string path_;
    Millis next_;
    std::uint64_t size_ = 0;  // of the file when it was read last
    Usage told_;
};

/// The total of a file of `usage add`; nothing for one that cannot be read.
Usage read_usage_file(const std::string& path);

}  // namespace zq::worker
