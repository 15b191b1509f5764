// The C library's calls that our own code makes (store, artifacts, files), told to a power disk:
// the test programs are linked with -Wl,--wrap for each of them (CMakeLists.txt), so the shipped
// code needs no seam. Calls on paths outside the disk go on untouched. Randomness comes from a
// seed.
#pragma once

#include <cstdint>
#include <string>

#include "tests/power/power_disk.h"

namespace zq::power {

/// Makes a disk the one that calls are told to, and seeds the process's randomness, for a scope.
class Mounted {
  public:
    Mounted(PowerDisk& disk, std::uint64_t seed);
    ~Mounted();
    Mounted(const Mounted&) = delete;
    Mounted& operator=(const Mounted&) = delete;
};

/// The mounted disk; there must be one.
PowerDisk& disk();

/// What getrandom and SQLite get instead of the kernel's.
std::string seeded_bytes(std::size_t size);

}  // namespace zq::power
