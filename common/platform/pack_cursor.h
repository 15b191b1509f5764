// MessagePack read from front to back, with nothing built in between. Who meets something else than
// it expects gives up: what is wrong, and where, is told by reading the whole (pack.h).
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "common/base/limits.h"

namespace zq::pack {

/// A place in bytes that must outlive it. `take_…`: true, and it stands behind the token; false,
/// and it is of no more use.
class Cursor {
  public:
    explicit Cursor(std::string_view bytes)
        : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    bool is_done() const { return at_ == end_; }
    /// The next token is this text, of less than 32 bytes. False: nothing is taken.
    bool take_key(std::string_view key) {
        if (left() <= key.size() || byte_at(0) != (kFixText | key.size())) return false;
        if (std::memcmp(at_ + 1, key.data(), key.size()) != 0) return false;
        at_ += 1 + key.size();
        return true;
    }
    /// The next token is nil. False: nothing is taken.
    bool take_nil() {
        if (left() == 0 || byte_at(0) != kNil) return false;
        ++at_;
        return true;
    }
    bool take_boolean(bool& value) {
        if (left() == 0 || (byte_at(0) & 0xFEU) != kFalse) return false;
        value = byte_at(0) != kFalse;
        ++at_;
        return true;
    }
    bool take_uint(std::uint64_t& value) {
        if (left() == 0) return false;
        const std::uint8_t first = byte_at(0);
        ++at_;
        if (first < 0x80) {
            value = first;
            return true;
        }
        return first >= kUint8 && first <= kUint64 &&
               take_big_endian(1U << (first - kUint8), value);
    }
    /// Not less than zero: nothing of ours is.
    bool take_natural(std::int64_t& value) {
        std::uint64_t number = 0;
        if (!take_uint(number) || number > static_cast<std::uint64_t>(INT64_MAX)) return false;
        value = static_cast<std::int64_t>(number);
        return true;
    }
    bool take_text(std::string_view& value) {
        if (left() == 0) return false;
        const std::uint8_t first = byte_at(0);
        ++at_;
        if ((first & 0xE0U) == kFixText) return take_bytes(first & 0x1FU, value);
        return take_sized(first, kText8, value);
    }
    bool take_bin(std::string_view& value) {
        if (left() == 0) return false;
        const std::uint8_t first = byte_at(0);
        ++at_;
        return take_sized(first, kBin8, value);
    }
    /// How many pairs follow, or elements.
    bool take_map(std::uint64_t& size) { return take_count(kFixMap, kMap16, size); }
    bool take_array(std::uint64_t& size) { return take_count(kFixArray, kArray16, size); }

  private:
    static constexpr std::uint8_t kFixMap = 0x80;
    static constexpr std::uint8_t kFixArray = 0x90;
    static constexpr std::uint8_t kFixText = 0xA0;
    static constexpr std::uint8_t kNil = 0xC0;
    static constexpr std::uint8_t kFalse = 0xC2;  // true follows it
    static constexpr std::uint8_t kBin8 = 0xC4;   // and 16, 32
    static constexpr std::uint8_t kUint8 = 0xCC;  // and 16, 32, 64
    static constexpr std::uint8_t kUint64 = 0xCF;
    static constexpr std::uint8_t kText8 = 0xD9;    // and 16, 32
    static constexpr std::uint8_t kArray16 = 0xDC;  // and 32
    static constexpr std::uint8_t kMap16 = 0xDE;    // and 32

    std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
    std::uint8_t byte_at(std::size_t index) const { return static_cast<std::uint8_t>(at_[index]); }
    bool take_big_endian(std::size_t bytes, std::uint64_t& value) {
        if (left() < bytes) return false;
        value = 0;
        for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | byte_at(i);
        at_ += bytes;
        return true;
    }
    bool take_bytes(std::uint64_t size, std::string_view& value) {
        if (left() < size) return false;
        value = {at_, static_cast<std::size_t>(size)};
        at_ += size;
        return true;
    }
    bool take_sized(std::uint8_t first, std::uint8_t of_one_byte, std::string_view& value) {
        const unsigned width = static_cast<unsigned>(first) - of_one_byte;
        std::uint64_t size = 0;
        return first >= of_one_byte && width < 3 && take_big_endian(1U << width, size) &&
               take_bytes(size, value);
    }
    bool take_count(std::uint8_t fix, std::uint8_t of_two_bytes, std::uint64_t& size) {
        if (left() == 0) return false;
        const std::uint8_t first = byte_at(0);
        ++at_;
        if ((first & 0xF0U) == fix) {
            size = first & 0x0FU;
            return true;
        }
        const unsigned width = static_cast<unsigned>(first) - of_two_bytes;
        return first >= of_two_bytes && width < 2 && take_big_endian(2U << width, size) &&
               size <= limits::kPackItems;
    }

    const char* at_;
    const char* end_;
};

}  // namespace zq::pack
