// JSON pointers (RFC 6901): places in a JSON text, as an error names them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zq::json_pointer {

/// One step, with `~` and `/` escaped.
inline std::string escaped(std::string_view step) {
    std::string out;
    for (const char c : step) {
        if (c == '~') {
            out += "~0";
        } else if (c == '/') {
            out += "~1";
        } else {
            out += c;
        }
    }
    return out;
}

/// The steps of `/a/b~1c`; none of "".
inline std::vector<std::string> steps_of(std::string_view pointer) {
    std::vector<std::string> steps;
    for (std::size_t i = 0; i < pointer.size(); ++i) {
        const char c = pointer[i];
        if (c == '/') {
            steps.emplace_back();
        } else if (c == '~' && i + 1 < pointer.size()) {
            steps.back() += pointer[++i] == '1' ? '/' : '~';
        } else {
            steps.back() += c;
        }
    }
    return steps;
}

/// The place that valijson names by `<root>`, `[risks]`, `[0]`.
inline std::string of_context(const std::vector<std::string>& context) {
    std::string pointer;
    for (std::string_view step : context) {
        if (step == "<root>") continue;
        if (step.starts_with('[') && step.ends_with(']')) step = step.substr(1, step.size() - 2);
        pointer += "/" + escaped(step);
    }
    return pointer;
}

}  // namespace zq::json_pointer
