// SQLite on a disk that can lose its power. The VFS stands in the place of `unix-excl`, the one the
// store asks for, so that what is tested is the store as it ships, with no option and no seam;
// every call goes on to the real one, and those that change something are told to the disk first.
// Syncs end here: nothing is to survive this process.
#pragma once

#include "tests/power/power_disk.h"

namespace zq::power {

/// Puts the VFS in its place. Once for a process; the disk is that of interpose.h.
void install_power_vfs();

/// What `PRAGMA synchronous` is for connections opened from now on. kNormal: they are set to
/// NORMAL, and the store's own pragma is swallowed.
enum class Synchronous : std::uint8_t { kAsShipped, kNormal };
void force_synchronous(Synchronous level);

}  // namespace zq::power
