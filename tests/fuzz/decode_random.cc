// The decoder's property over the golden vectors, the malformed ones, and a bounded number of
// random mutations of them: the fuzz target for ordinary builds. The same seed makes the same run.
//
//     zq_decode_random [COUNT [SEED]]      default 300000 1
//     zq_decode_random --corpus FOLDER     writes the inputs as files, for libFuzzer
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "common/platform/files.h"
#include "tests/fuzz/decode_property.h"
#include "tests/vectors/vector_file.h"

namespace {

using Random = std::mt19937_64;

constexpr std::size_t kLargest = 4096;  // longer ones say nothing new and take their time

/// Every map frame of the vector files, under every type byte that matters: its own, and one other.
std::vector<std::string> inputs() {
    std::vector<std::string> found;
    std::size_t type = 0;
    for (const char* file : {"worker", "client", "reading", "artifacts", "malformed", "odd"}) {
        auto blocks = zq::vectors::read_blocks(std::string(ZQ_SOURCE_DIR) + "/tests/vectors/" +
                                               file + ".txt");
        if (!blocks) continue;
        for (const auto& block : *blocks) {
            auto frames = zq::vectors::parse_frames(block.fields.at("frames"));
            if (!frames || frames->size() < 3 || frames->at(2).size() > kLargest) continue;
            for (std::size_t i = 0; i < zq::fuzz::type_count(); ++i) {
                if (i % 7 == type % 7)
                    found.push_back(std::string(1, static_cast<char>(i)) + frames->at(2));
            }
            ++type;
        }
    }
    return found;
}

std::size_t below(Random& random, std::size_t bound) {
    return bound == 0 ? 0 : random() % bound;
}

/// Bytes that begin MessagePack tokens of every kind, floats and extensions included.
constexpr unsigned char kTokens[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1,
                                     0xc2, 0xc3, 0xc4, 0xc6, 0xc7, 0xca, 0xcb, 0xcc, 0xcf, 0xd0,
                                     0xd3, 0xd4, 0xd9, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xff};

std::string mutate(std::string bytes, const std::vector<std::string>& all, Random& random) {
    const std::size_t edits = 1 + below(random, 4);
    for (std::size_t i = 0; i < edits; ++i) {
        const std::size_t at = below(random, bytes.size() + 1);
        const char token = static_cast<char>(kTokens[below(random, sizeof kTokens)]);
        switch (below(random, 6)) {
            case 0:
                bytes.insert(at, 1, token);
                break;
            case 1:
                if (at < bytes.size()) bytes[at] = token;
                break;
            case 2:
                if (at < bytes.size())
                    bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(random, 8)));
                break;
            case 3:
                bytes.erase(at, 1 + below(random, 8));
                break;
            case 4:
                bytes.resize(at);
                break;
            default: {
                const std::string& other = all[below(random, all.size())];
                const std::size_t from = below(random, other.size());
                bytes.insert(at, other.substr(from, 1 + below(random, 32)));
            }
        }
    }
    if (bytes.size() > kLargest) bytes.resize(kLargest);
    return bytes;
}

int write_corpus(const std::string& folder, const std::vector<std::string>& all) {
    if (!zq::make_folders(folder, 0700)) return 1;
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto ok =
            zq::write_file(folder + "/" + std::to_string(i), all[i], 0600, zq::Durability::kNone);
        if (!ok) return 1;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> all = inputs();
    if (all.size() < 100) {
        std::fprintf(stderr, "the vectors were not found\n");
        return 1;
    }
    if (argc == 3 && std::string(argv[1]) == "--corpus") return write_corpus(argv[2], all);
    const unsigned long count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 300'000;
    Random random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
    for (const std::string& input : all) zq::fuzz::check_decode(input);
    for (unsigned long i = 0; i < count; ++i) {
        zq::fuzz::check_decode(mutate(all[below(random, all.size())], all, random));
    }
    std::printf("%zu inputs and %lu mutations of them\n", all.size(), count);
    return 0;
}
