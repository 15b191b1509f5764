// Room that is kept free for the journal: a file of real blocks that is given up when the disk is
// full, so that what was already decided can still be committed; and the low-water mark before it.
// Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

#include "common/base/error.h"

namespace zq::store {

struct StorageBounds {
    std::uint64_t reserve_bytes = 8ULL << 20;
    std::uint64_t low_water_bytes = 64ULL << 20;  // of free space on the data folder's disk
};

class StorageReserve {
  public:
    StorageReserve(std::string folder, StorageBounds bounds);

    /// Looks at the disk, and makes the reserve where it is missing and fits above the low-water
    /// mark. Not soon after it was given up: the loop is to see that it is gone.
    void refresh();
    /// Gives the reserve's blocks back to the disk. False if there was none.
    bool release();
    /// Below the low-water mark at the last look, or without a reserve.
    bool is_low() const { return low_.load(std::memory_order_relaxed); }

  private:
    void look();
    bool make();

    std::mutex mutex_;
    std::string folder_;
    std::string path_;
    StorageBounds bounds_;
    bool present_ = false;
    std::chrono::steady_clock::time_point gone_until_{};
    std::atomic<bool> low_ = true;
};

/// Bytes that an ordinary process may still write on the disk of this folder. Errors: IO.
Result<std::uint64_t> free_bytes(const std::string& folder);

}  // namespace zq::store
