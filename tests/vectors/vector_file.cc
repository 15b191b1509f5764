#include "tests/vectors/vector_file.h"

#include <sstream>

#include "common/platform/files.h"

namespace zq::vectors {
namespace {

Result<std::string> parse_hex(const std::string& text) {
    if (text.size() % 2 != 0) return fail(ErrorCode::INVALID, "odd number of hex digits");
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const std::string pair = text.substr(i, 2);
        if (pair.find_first_not_of("0123456789abcdef") != std::string::npos) {
            return fail(ErrorCode::INVALID, "not hex: " + pair);
        }
        bytes += static_cast<char>(std::stoi(pair, nullptr, 16));
    }
    return bytes;
}

std::string json_string(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += "\\u00" + to_hex(std::string_view(&c, 1));
        } else {
            out += c;
        }
    }
    return out + "\"";
}

std::string scalar_json(const pack::Node& node) {
    if (node.is_nil()) return "null";
    if (auto b = node.boolean()) return *b ? "true" : "false";
    if (auto u = node.uint()) return std::to_string(*u);
    if (auto i = node.sint()) return std::to_string(*i);
    if (auto t = node.text()) return json_string(*t);
    if (auto b = node.bytes()) return "{\"$bin\":\"" + to_hex(*b) + "\"}";
    return "{\"$other\":true}";  // a float or an extension: no message has one
}

std::string node_json(const pack::Node& node) {
    std::string out;
    if (auto count = node.array_size()) {
        for (std::size_t i = 0; i < *count; ++i) out += (i ? "," : "") + node_json(node.at(i));
        return "[" + out + "]";
    }
    auto count = node.map_size();
    if (!count) return scalar_json(node);
    for (std::size_t i = 0; i < *count; ++i) {
        auto [key, value] = node.pair_at(i);
        out += (i ? "," : "") + node_json(key) + ":" + node_json(value);
    }
    return "{" + out + "}";
}

/// Lines of at most 16 bytes; the note stands on the first.
class Listing {
  public:
    void line(std::string_view bytes, const std::string& note) {
        for (std::size_t at = 0; at == 0 || at < bytes.size(); at += kPerLine) {
            std::string hex;
            for (char c : bytes.substr(at, kPerLine)) {
                hex += (hex.empty() ? "" : " ") + to_hex(std::string_view(&c, 1));
            }
            if (at == 0) hex.resize(kPerLine * 3 - 1, ' ');
            out_ += hex + (at == 0 ? "  " + note : "") + "\n";
        }
    }

    void value(const pack::Node& node, const std::string& indent, pack::Writer key,
               const std::string& key_note) {
        pack::Writer token = std::move(key);
        if (auto count = node.array_size()) {
            token.array(*count);
            line(token.take(), indent + key_note + "array of " + std::to_string(*count));
            for (std::size_t i = 0; i < *count; ++i) value(node.at(i), indent + "  ", {}, "");
        } else if (auto pairs = node.map_size()) {
            token.map(*pairs);
            line(token.take(), indent + key_note + "map of " + std::to_string(*pairs));
            for (std::size_t i = 0; i < *pairs; ++i) {
                auto [name, inner] = node.pair_at(i);
                pack::Writer text;
                text.text(name.text().value_or(""));
                value(inner, indent + "  ", std::move(text), node_json(name) + ": ");
            }
        } else {
            scalar(token, node);
            auto bin = node.bytes();
            line(token.take(),
                 indent + key_note +
                     (bin ? "bin of " + std::to_string(bin->size()) : scalar_json(node)));
        }
    }

    std::string take() { return std::move(out_); }

  private:
    static constexpr std::size_t kPerLine = 16;

    static void scalar(pack::Writer& out, const pack::Node& node) {
        if (node.is_nil()) {
            out.nil();
        } else if (auto flag = node.boolean()) {
            out.boolean(*flag);
        } else if (auto u = node.uint()) {
            out.uint(*u);
        } else if (auto i = node.sint()) {
            out.sint(*i);
        } else if (auto text = node.text()) {
            out.text(*text);
        } else if (auto bytes = node.bytes()) {
            out.bytes(*bytes);
        }
    }

    std::string out_;
};

}  // namespace

Result<std::vector<Block>> read_blocks(const std::string& path) {
    auto text = read_file(path);
    if (!text) return Failure(text.error());
    std::vector<Block> blocks(1);
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
        if (line.substr(0, 1) == "#") continue;
        if (line.empty()) {
            if (!blocks.back().fields.empty()) blocks.emplace_back();
            continue;
        }
        auto colon = line.find(": ");
        if (colon == std::string::npos) return fail(ErrorCode::INVALID, path + ": " + line);
        blocks.back().fields[line.substr(0, colon)] = line.substr(colon + 2);
    }
    if (blocks.back().fields.empty()) blocks.pop_back();
    for (const Block& block : blocks) {
        if (block.fields.count("name") == 0 || block.fields.count("frames") == 0) {
            return fail(ErrorCode::INVALID, path + ": a block has no name or no frames");
        }
    }
    return blocks;
}

Result<wire::Frames> parse_frames(const std::string& text) {
    wire::Frames frames;
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        if (word == "-") {
            frames.emplace_back();
            continue;
        }
        auto star = word.find('*');
        auto bytes = parse_hex(word.substr(0, star));
        if (!bytes) return Failure(bytes.error());
        if (star == std::string::npos) {
            frames.push_back(*bytes);
        } else {
            frames.emplace_back(std::stoul(word.substr(star + 1)), bytes->at(0));
        }
    }
    return frames;
}

std::string print_frames(const wire::Frames& frames) {
    std::string out;
    for (const std::string& frame : frames) {
        out += (out.empty() ? "" : " ") + (frame.empty() ? "-" : to_hex(std::string_view(frame)));
    }
    return out;
}

std::string to_json(std::string_view packed) {
    auto document = pack::Document::parse(packed);
    return document ? node_json(document->root()) : std::string{};
}

std::string annotate(const wire::Frames& frames) {
    Listing listing;
    listing.line(frames[0], "frame 1: protocol and version, " + json_string(frames[0]));
    listing.line(frames[1], "frame 2: message type, " + json_string(frames[1]));
    auto document = pack::Document::parse(frames[2]);
    if (document) listing.value(document->root(), "", {}, "frame 3: ");
    if (frames.size() > 3) {
        listing.line(frames[3], "frame 4: " + std::to_string(frames[3].size()) + " raw bytes");
    }
    return listing.take();
}

}  // namespace zq::vectors
