#include "common/base/contract.h"

#include <algorithm>

namespace zq {
namespace {

constexpr const char* kField = "task.expected_output.";

Failure invalid(const std::string& field, const std::string& what) {
    return fail(ErrorCode::INVALID, what, kField + field);
}

Result<void> count(std::size_t number, std::size_t limit, const std::string& field) {
    if (number <= limit) return {};
    return fail(ErrorCode::TOO_LARGE,
                std::to_string(number) + " entries; at most " + std::to_string(limit),
                kField + field);
}

Result<void> validate_rule(const ArtifactRule& rule, const std::string& field) {
    if (!is_valid_artifact_name(rule.name)) {
        return invalid(field + ".name", "not an artifact name: " + rule.name);
    }
    if (rule.media.size() > limits::kMediaBytes) {
        return fail(ErrorCode::TOO_LARGE,
                    "at most " + std::to_string(limits::kMediaBytes) + " bytes",
                    kField + field + ".media");
    }
    if (rule.min_bytes > limits::kArtifactBytes || rule.max_bytes > limits::kArtifactBytes) {
        return fail(ErrorCode::TOO_LARGE, "an artifact has at most 1 TiB",
                    kField + field +
                        (rule.min_bytes > limits::kArtifactBytes ? ".min_bytes" : ".max_bytes"));
    }
    if (rule.max_bytes != 0 && rule.min_bytes > rule.max_bytes) {
        return invalid(field + ".min_bytes", "more than max_bytes");
    }
    return {};
}

Result<void> validate_rules(const std::vector<ArtifactRule>& rules) {
    if (auto ok = count(rules.size(), limits::kExpected, "rules"); !ok) return ok;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const std::string field = "rules[" + std::to_string(i) + "]";
        if (auto ok = validate_rule(rules[i], field); !ok) return ok;
        for (std::size_t j = 0; j < i; ++j) {
            if (rules[j].name == rules[i].name) {
                return invalid(field + ".name", "two rules of one name");
            }
        }
    }
    return {};
}

std::string_view trimmed(std::string_view text, std::string_view blanks = " \t\r") {
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

Result<void> validate_headings(const ExpectedOutput& expected) {
    if (expected.headings.empty()) return {};
    if (expected.format != "markdown") {
        return invalid("headings", "headings are a markdown result's: format must be markdown");
    }
    if (auto ok = count(expected.headings.size(), limits::kHeadings, "headings"); !ok) return ok;
    for (std::size_t i = 0; i < expected.headings.size(); ++i) {
        const std::string& heading = expected.headings[i];
        const std::string field = "headings[" + std::to_string(i) + "]";
        if (heading.size() > limits::kHeadingBytes) {
            return fail(ErrorCode::TOO_LARGE,
                        "at most " + std::to_string(limits::kHeadingBytes) + " bytes",
                        kField + field);
        }
        const bool one_line = heading.find_first_of("\r\n") == std::string::npos;
        if (trimmed(heading, " \t#").empty() || !one_line) {
            return invalid(field, "one line with a heading's text");
        }
    }
    return {};
}

/// A heading as it is compared.
std::string plain_heading(std::string_view text) {
    text = trimmed(text);
    while (text.starts_with('#')) text.remove_prefix(1);
    text = trimmed(text);
    const auto last = text.find_last_not_of('#');
    if (last != std::string_view::npos && last + 1 < text.size() && text[last] == ' ') {
        text = trimmed(text.substr(0, last));
    }
    std::string plain(text);
    for (char& c : plain) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return plain;
}

bool is_atx(std::string_view line) {
    const auto level = std::min(line.find_first_not_of('#'), line.size());
    if (level < 1 || level > 6) return false;
    return level == line.size() || line[level] == ' ' || line[level] == '\t';
}

bool is_underline(std::string_view line) {
    return !line.empty() && (line.find_first_not_of('=') == std::string_view::npos ||
                             line.find_first_not_of('-') == std::string_view::npos);
}

/// Three or more of ` or ~ at the start: the fence; else empty.
std::string_view fence_of(std::string_view line) {
    for (const char c : {'`', '~'}) {
        const auto length = std::min(line.find_first_not_of(c), line.size());
        if (length >= 3) return line.substr(0, length);
    }
    return {};
}

std::vector<std::string> headings_of(std::string_view markdown) {
    std::vector<std::string> found;
    std::string_view before;
    std::string_view fence;
    while (!markdown.empty()) {
        const auto end = std::min(markdown.find('\n'), markdown.size());
        const std::string_view line = trimmed(markdown.substr(0, end));
        markdown.remove_prefix(std::min(end + 1, markdown.size()));
        const std::string_view mark = fence_of(line);
        if (!fence.empty()) {
            if (mark.starts_with(fence) && mark.size() == line.size()) fence = {};
            before = {};
            continue;
        }
        if (!mark.empty()) fence = mark;
        if (is_atx(line)) found.push_back(plain_heading(line));
        if (is_underline(line) && !before.empty()) found.push_back(plain_heading(before));
        before = is_atx(line) || !mark.empty() ? std::string_view{} : line;
    }
    return found;
}

std::string bytes(std::uint64_t number) {
    return std::to_string(number) + (number == 1 ? " byte" : " bytes");
}

void check_file(const ArtifactRule& rule, const Delivered& file, std::vector<std::string>& broken) {
    const std::uint64_t least = std::max<std::uint64_t>(rule.min_bytes, 1);
    if (file.size < least) {
        broken.push_back(file.name + " has " + bytes(file.size) + "; at least " +
                         std::to_string(least) + " were expected");
    }
    if (rule.max_bytes != 0 && file.size > rule.max_bytes) {
        broken.push_back(file.name + " has " + bytes(file.size) + "; at most " +
                         std::to_string(rule.max_bytes) + " were expected");
    }
    if (!rule.media.empty() && file.media != rule.media) {
        broken.push_back(file.name + " is " +
                         (file.media.empty() ? "of no known type" : file.media) + "; " +
                         rule.media + " was expected");
    }
}

}  // namespace

Result<void> validate(const ExpectedOutput& expected) {
    const std::string& format = expected.format;
    if (!format.empty() && format != "markdown" && format != "json") {
        return invalid("format", "markdown, json or nothing");
    }
    for (const std::string& name : expected.artifacts) {
        if (!is_valid_artifact_name(name)) {
            return invalid("artifacts", "not an artifact name: " + name);
        }
    }
    if (auto ok = count(expected.artifacts.size(), limits::kExpected, "artifacts"); !ok) return ok;
    if (auto ok = validate_rules(expected.rules); !ok) return ok;
    if (auto ok = validate_headings(expected); !ok) return ok;
    if (!expected.schema.empty() && format != "json") {
        return invalid("schema", "a schema is a json result's: format must be json");
    }
    if (expected.schema.size() > limits::kSchemaBytes) {
        return fail(ErrorCode::TOO_LARGE,
                    std::to_string(expected.schema.size()) + " bytes; at most " +
                        std::to_string(limits::kSchemaBytes),
                    std::string(kField) + "schema");
    }
    if (expected.max_bytes > limits::kArtifactBytes) {
        return fail(ErrorCode::TOO_LARGE, "an artifact has at most 1 TiB",
                    std::string(kField) + "max_bytes");
    }
    return {};
}

bool is_result_name(const std::string& name) {
    return name == "result" || name.starts_with("result.");
}

std::string result_name_of(const std::string& format, const std::vector<std::string>& names) {
    std::string found;
    for (const std::string& name : names) {
        if (!is_result_name(name)) continue;
        if (format == "json" && name == "result.json") return name;
        if (format == "markdown" && (name == "result.md" || name == "result.markdown")) return name;
        if (found.empty()) found = name;
    }
    return found;
}

std::vector<std::string> broken_rules(const ExpectedOutput& expected,
                                      const std::vector<Delivered>& files) {
    std::vector<std::string> broken;
    for (const ArtifactRule& rule : expected.rules) {
        bool found = false;
        for (const Delivered& file : files) {
            if (!answers_to(rule.name, file.name)) continue;
            found = true;
            check_file(rule, file, broken);
        }
        if (!found && rule.required) broken.push_back(rule.name + " is missing");
    }
    for (const Delivered& file : files) {
        if (expected.max_bytes == 0 || !is_result_name(file.name)) continue;
        if (file.size <= expected.max_bytes) continue;
        broken.push_back("the result " + file.name + " has " + bytes(file.size) + "; at most " +
                         std::to_string(expected.max_bytes) + " were expected");
    }
    return broken;
}

std::vector<std::string> missing_headings(const std::vector<std::string>& expected,
                                          std::string_view markdown) {
    std::vector<std::string> missing;
    if (expected.empty()) return missing;
    const std::vector<std::string> found = headings_of(markdown);
    for (const std::string& heading : expected) {
        const std::string wanted = plain_heading(heading);
        if (std::find(found.begin(), found.end(), wanted) == found.end())
            missing.push_back(heading);
    }
    return missing;
}

std::string joined_violations(const std::vector<std::string>& sentences) {
    std::string text;
    for (const std::string& sentence : sentences) {
        std::string more = (text.empty() ? "" : "; ") + sentence;
        if (text.empty() && more.size() + 4 > limits::kReasonBytes) {
            more.resize(limits::kReasonBytes - 8);
            // Back to before a character that the cut may have gone through.
            while (!more.empty() && (static_cast<unsigned char>(more.back()) & 0x80U) != 0) {
                more.pop_back();
            }
            return more + "…";
        }
        if (text.size() + more.size() + 4 > limits::kReasonBytes) return text + "; …";
        text += more;
    }
    return text;
}

}  // namespace zq
