// What one cut leaves of what was never synced. Disks and file systems differ in this, so each cut
// draws its own manner: nothing stays, everything does, what came first does, whole files do, or
// single sectors do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/power/power_disk.h"

namespace zq::power {

class Loss {
  public:
    /// `last_call`: the number of the newest change there can be.
    Loss(Random& random, std::uint64_t last_call);

    /// The changes asked about from now on are another file's.
    void next_file();
    /// Whether a change that can't be torn stays (a name, a truncation).
    bool keeps(std::uint64_t number);
    /// Applies what stays of a write: whole, torn at sectors, or nothing; the file may have grown
    /// even where the bytes did not arrive.
    void apply(std::string& file, std::uint64_t number, std::uint64_t offset,
               std::string_view bytes);

  private:
    enum class Manner : std::uint8_t { kNothing, kEverything, kFirst, kFiles, kSectors };

    void apply_torn(std::string& file, std::uint64_t offset, std::string_view bytes);
    void grow(std::string& file, std::uint64_t size);

    Random& random_;
    Manner manner_;
    std::uint64_t last_ = 0;    // kFirst: the last call that stays
    unsigned percent_ = 0;      // kSectors: of what stays
    bool file_stays_ = false;   // kFiles
    bool stale_bytes_ = false;  // where bytes did not arrive: old ones of other files, or zeros
};

}  // namespace zq::power
