#include "tests/fuzz/mutation.h"

namespace zq::fuzz {
namespace {

/// Bytes that begin MessagePack tokens of every kind, floats and extensions included, and those
/// that mean something in texts and paths.
constexpr unsigned char kBytes[] = {
    0x00, 0x01, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc6,
    0xc7, 0xca, 0xcb, 0xcc, 0xcf, 0xd0, 0xd3, 0xd4, 0xd9, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0,
    0xff, '\n', '"',  '\'', '\\', '/',  '.',  '=',  '-',  ' ',  '[',  ']',  '{',  '}',  '0'};

void edit(std::string& input, const std::vector<std::string>& others, Random& random) {
    const std::size_t at = below(random, input.size() + 1);
    const char byte = static_cast<char>(kBytes[below(random, sizeof kBytes)]);
    switch (below(random, 6)) {
        case 0:
            input.insert(at, 1, byte);
            break;
        case 1:
            if (at < input.size()) input[at] = byte;
            break;
        case 2:
            if (at < input.size()) {
                input[at] = static_cast<char>(input[at] ^ (1 << below(random, 8)));
            }
            break;
        case 3:
            input.erase(at, 1 + below(random, 8));
            break;
        case 4:
            input.resize(at);
            break;
        default: {
            const std::string& other = others[below(random, others.size())];
            const std::size_t from = below(random, other.size());
            input.insert(at, other.substr(from, 1 + below(random, 32)));
        }
    }
}

}  // namespace

std::size_t below(Random& random, std::size_t bound) {
    return bound == 0 ? 0 : random() % bound;
}

std::string mutate(std::string input, const std::vector<std::string>& others, Random& random) {
    const std::size_t edits = 1 + below(random, 4);
    for (std::size_t i = 0; i < edits; ++i) edit(input, others, random);
    if (input.size() > kLargestInput) input.resize(kLargestInput);
    return input;
}

}  // namespace zq::fuzz
