// Room that is kept free for the journal: a file of real blocks that is given up when the disk is
// full, so that what was already decided can still be committed; and the low-water mark before it.
// Used by the commit thread; `is_low` by any.
#pragma once

#include <atomic>
#include <cstdint>
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
    /// mark.
    void refresh();
    /// Gives the reserve's blocks back to the disk. False if there was none.
    bool release();
    /// Below the low-water mark at the last look, or without a reserve.
    bool is_low() const { return low_.load(std::memory_order_relaxed); }

  private:
    bool make();

    std::string folder_;
    std::string path_;
    StorageBounds bounds_;
    bool present_ = false;
    std::atomic<bool> low_ = true;
};

/// Bytes that an ordinary process may still write on the disk of this folder. Errors: IO.
Result<std::uint64_t> free_bytes(const std::string& folder);

}  // namespace zq::store
