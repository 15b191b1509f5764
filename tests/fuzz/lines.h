// Command lines and environments as lines of an input.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace zq::fuzz {

/// The lines without their ends; none of an empty text.
inline std::vector<std::string> split_lines(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

/// Without the words that would read what is no input of ours: devices, stdin, the rest of the
/// disk.
inline std::vector<std::string> harmless(std::vector<std::string> words) {
    std::erase_if(words, [](const std::string& word) {
        for (const char* place : {"/dev", "/proc", "/sys", "..", "/./", "//d", "//p", "//s"}) {
            if (word.find(place) != std::string::npos) return true;
        }
        return word == "-" || word.ends_with("=-");
    });
    return words;
}

}  // namespace zq::fuzz
