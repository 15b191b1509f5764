// A log of bounded size: what comes first and what comes last are kept, what falls between is
// counted. Used by one thread.
//
//     PATH:  head | the line of common/base/drop_mark.h | tail
//
// While it grows, the tail is a ring in a file without a name, so neither memory nor disk grows
// with what is written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/platform/files.h"

namespace zq::worker {

class CappedLog {
  public:
    /// Makes the file, empty, mode 0600. Keeps `cap` bytes at most, half of them for the head.
    /// Errors: IO, STORAGE_FULL.
    static Result<CappedLog> open(const std::string& path, std::uint64_t cap);

    /// Never fails: what the disk does not take counts as dropped.
    void write(std::string_view bytes);
    /// Puts the tail behind the head. Once, and last of all.
    void finish();

    /// Bytes that were written and are not in the file.
    std::uint64_t dropped() const;

  private:
    CappedLog() = default;
    void write_tail(std::string_view bytes);
    void append_ring(std::uint64_t from, std::uint64_t length);
    bool append_head(std::string_view bytes);

    std::string folder_;
    FileHandle head_;
    FileHandle ring_;
    std::uint64_t head_room_ = 0;
    std::uint64_t ring_size_ = 0;
    std::uint64_t ring_total_ = 0;  // ever written to the ring
    std::uint64_t lost_ = 0;        // not taken by the disk
};

}  // namespace zq::worker
