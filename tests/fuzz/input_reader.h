// Takes an input apart from its front: choices, numbers, texts. At the end of the bytes it gives
// zeros, so that every input means something and a cut one means the beginning of the whole one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace zq::fuzz {

class InputReader {
  public:
    explicit InputReader(std::string_view bytes) : rest_(bytes) {}

    bool is_empty() const { return rest_.empty(); }
    std::size_t size() const { return rest_.size(); }

    std::uint8_t byte() {
        if (rest_.empty()) return 0;
        const auto value = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }
    /// 0 to bound - 1; bound is 1 to 256.
    std::size_t below(std::size_t bound) { return byte() % bound; }
    std::uint64_t number(int bytes) {
        std::uint64_t value = 0;
        for (int i = 0; i < bytes; ++i) value = value << 8 | byte();
        return value;
    }
    /// One of a list that is not empty.
    template <class List>
    const auto& pick(const List& list) {
        return list[below(std::min<std::size_t>(std::size(list), 256))];
    }
    /// A length in one byte, and so many bytes (fewer at the end).
    std::string text() { return take(byte()); }
    /// A length in two bytes.
    std::string long_text() { return take(number(2)); }
    /// Up to the next `separator` (which is dropped), or all.
    std::string until(char separator) {
        const std::size_t end = std::min(rest_.find(separator), rest_.size());
        std::string part = take(end);
        if (!rest_.empty()) rest_.remove_prefix(1);
        return part;
    }
    std::string all() { return take(rest_.size()); }

  private:
    std::string take(std::size_t size) {
        std::string part(rest_.substr(0, size));
        rest_.remove_prefix(part.size());
        return part;
    }

    std::string_view rest_;
};

}  // namespace zq::fuzz
