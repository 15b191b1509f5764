#include "tests/fuzz/corpus_file.h"

#include "common/platform/files.h"

namespace zq::fuzz {
namespace {

constexpr std::string_view kEmpty = "\\e";
constexpr std::string_view kHex = "0123456789abcdef";

bool is_plain(char c, bool first, bool last) {
    if (c < ' ' || c > '~' || c == '\\') return false;
    return (c != '#' || !first) && (c != ' ' || (!first && !last));
}

/// The byte of `\xNN` or `\\` at `at`, which moves behind it.
Result<char> read_escape(std::string_view line, std::size_t& at) {
    if (line.substr(at, 2) == "\\\\") {
        at += 2;
        return '\\';
    }
    const std::string_view escape = line.substr(at, 4);
    if (escape.size() == 4 && escape[1] == 'x') {
        const std::size_t high = kHex.find(escape[2]);
        const std::size_t low = kHex.find(escape[3]);
        if (high != std::string_view::npos && low != std::string_view::npos) {
            at += 4;
            return static_cast<char>(high * 16 + low);
        }
    }
    return fail(ErrorCode::INVALID, "a backslash begins \\\\ or \\xNN");
}

}  // namespace

std::string to_line(std::string_view input) {
    if (input.empty()) return std::string(kEmpty);
    std::string line;
    for (std::size_t i = 0; i < input.size(); ++i) {
        const char c = input[i];
        if (is_plain(c, i == 0, i + 1 == input.size())) {
            line += c;
        } else if (c == '\\') {
            line += "\\\\";
        } else {
            line += "\\x";
            line += kHex[static_cast<unsigned char>(c) / 16];
            line += kHex[static_cast<unsigned char>(c) % 16];
        }
    }
    return line;
}

Result<std::string> from_line(std::string_view line) {
    if (line == kEmpty) return std::string();
    std::string input;
    std::size_t at = 0;
    while (at < line.size()) {
        if (line[at] != '\\') {
            input += line[at++];
            continue;
        }
        auto byte = read_escape(line, at);
        if (!byte) return Failure(byte.error());
        input += *byte;
    }
    return input;
}

Result<std::vector<std::string>> read_corpus(const std::string& path) {
    std::vector<std::string> inputs;
    auto text = read_file(path);
    if (!text && text.error().code == ErrorCode::NOT_FOUND) return inputs;
    if (!text) return Failure(text.error());
    std::size_t number = 0;
    for (std::size_t at = 0; at < text->size();) {
        const std::size_t end = std::min(text->find('\n', at), text->size());
        const std::string_view line = std::string_view(*text).substr(at, end - at);
        at = end + 1;
        ++number;
        if (line.empty() || line[0] == '#') continue;
        auto input = from_line(line);
        if (!input) {
            return fail(ErrorCode::INVALID,
                        path + ":" + std::to_string(number) + ": " + input.error().message);
        }
        inputs.push_back(std::move(*input));
    }
    return inputs;
}

}  // namespace zq::fuzz
