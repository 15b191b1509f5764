// The text form of golden vectors, and what can be said of one message in text: its map as JSON,
// its bytes with notes. A vector file is made of blocks separated by empty lines; `#` starts a
// comment line:
//
//     name: ping
//     frames: 7a712f31 50494e47 82…      hex of each frame after the return envelope
//     json: {"id":1,…}                    the map frame; bin is {"$bin":"hex"}
//
// A block of a refused message has `error: CODE` and maybe `field: PATH` in place of `json`. In
// `frames`, `XX*N` is N times the byte XX, and `-` an empty frame.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/wire/codec.h"

namespace zq::vectors {

struct Block {
    std::map<std::string, std::string> fields;
    std::string name() const { return fields.at("name"); }
};

/// Reads a file of this folder. Errors: read_file's, INVALID with the line.
Result<std::vector<Block>> read_blocks(const std::string& path);

/// `7a712f31 00*3 -` as frames. Errors: INVALID.
Result<wire::Frames> parse_frames(const std::string& text);
std::string print_frames(const wire::Frames& frames);

/// A MessagePack value as JSON, keys in their order. Empty if it is not MessagePack.
std::string to_json(std::string_view packed);

/// A message's frames as protocol.md prints them: 16 bytes a line, then what they are.
std::string annotate(const wire::Frames& frames);

}  // namespace zq::vectors
