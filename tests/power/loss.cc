#include "tests/power/loss.h"

#include <algorithm>
#include <array>

namespace zq::power {
namespace {

constexpr std::uint64_t kSector = 512;

}  // namespace

std::uint64_t below(Random& random, std::uint64_t bound) {
    return random() % bound;
}

bool chance(Random& random, unsigned percent) {
    return below(random, 100) < percent;
}

Loss::Loss(Random& random, std::uint64_t last_call) : random_(random) {
    constexpr std::array kManners = {Manner::kNothing, Manner::kNothing, Manner::kEverything,
                                     Manner::kFirst,   Manner::kFirst,   Manner::kFiles,
                                     Manner::kFiles,   Manner::kSectors, Manner::kSectors,
                                     Manner::kSectors};
    manner_ = kManners.at(below(random, kManners.size()));
    last_ = last_call - std::min(last_call, below(random, 40));
    percent_ = static_cast<unsigned>(1 + below(random, 99));
    stale_bytes_ = chance(random, 25);
    next_file();
}

void Loss::next_file() {
    file_stays_ = chance(random_, 50);
}

bool Loss::keeps(std::uint64_t number) {
    switch (manner_) {
        case Manner::kNothing:
            return false;
        case Manner::kEverything:
            return true;
        case Manner::kFirst:
            return number <= last_;
        case Manner::kFiles:
            return file_stays_;
        case Manner::kSectors:
            return chance(random_, percent_);
    }
    return false;
}

void Loss::apply(std::string& file, std::uint64_t number, std::uint64_t offset,
                 std::string_view bytes) {
    const bool torn = manner_ == Manner::kFirst ? number == last_ : manner_ == Manner::kSectors;
    if (torn) return apply_torn(file, offset, bytes);
    if (!keeps(number)) return;
    grow(file, offset + bytes.size());
    file.replace(offset, bytes.size(), bytes);
}

void Loss::apply_torn(std::string& file, std::uint64_t offset, std::string_view bytes) {
    const std::uint64_t end = offset + bytes.size();
    if (chance(random_, 50)) grow(file, end);
    for (std::uint64_t at = offset; at < end;) {
        const std::uint64_t next = std::min(end, (at / kSector + 1) * kSector);
        if (chance(random_, percent_)) {
            grow(file, next);
            file.replace(at, next - at, bytes.substr(at - offset, next - at));
        }
        at = next;
    }
}

void Loss::grow(std::string& file, std::uint64_t size) {
    const std::size_t before = file.size();
    if (before >= size) return;
    file.resize(size);
    if (!stale_bytes_) return;
    for (std::size_t i = before; i < size; ++i) file[i] = static_cast<char>(random_());
}

}  // namespace zq::power
