// What a supervisor looks at while a command runs: whether it has said its final word and does not
// end, and whether it shows no sign of life. Reads files of the attempt's folder; ends nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/time.h"
#include "worker/executor/execution.h"
#include "worker/workspace/workspace.h"

namespace zq::worker {

struct WatchLimits {
    Millis stall{};   // 0: never
    Millis linger{};  // 0: at once
};

/// A fingerprint of names, sizes and times below a folder, the two logs left out: it changes when
/// anything is written there. Looks at 20,000 entries at most; follows no links.
std::uint64_t folder_fingerprint(const Workspace& workspace);

class Watch {
  public:
    Watch(Workspace workspace, WatchLimits limits, Millis now);

    /// kLingered or kStalled when the command is to be ended for it.
    std::optional<StopCause> look(const Signs& signs, Millis now);
    /// When `look` has something to do.
    Millis deadline() const;
    const WatchLimits& limits() const { return limits_; }
    /// The command was frozen for so long: that counts for nothing.
    void shift(Millis frozen);

  private:
    bool has_said_final_word();
    bool look_for_linger(const Signs& signs, Millis now);
    bool look_for_stall(const Signs& signs, Millis now);

    Workspace workspace_;
    WatchLimits limits_;
    Millis next_word_{};
    Millis next_life_{};
    std::optional<Millis> final_since_;
    std::uint64_t output_size_ = 0;  // of the file `output` when it was read last
    std::int64_t output_time_ = -1;
    bool said_ = false;
    std::uint64_t seen_bytes_ = 0;
    std::uint64_t seen_folder_ = 0;
    Millis alive_{};  // when the last sign of life was seen
};

}  // namespace zq::worker
