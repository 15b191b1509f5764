#include "cli/expected_flags.h"

#include "common/base/byte_size.h"
#include "common/platform/files.h"
#include "common/platform/json_schema.h"

namespace zq::cli {
namespace {

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts;
    std::size_t start = 0;
    while (start <= text.size()) {
        const std::size_t end = std::min(text.find(at, start), text.size());
        if (end > start) parts.push_back(text.substr(start, end - start));
        start = end + 1;
    }
    return parts;
}

Expected<void> read_part(const std::string& part, ArtifactRule& rule) {
    const auto equals = part.find('=');
    const std::string key = part.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : part.substr(equals + 1);
    if (part == "optional") {
        rule.required = false;
        return {};
    }
    if (key == "media" && !value.empty()) {
        rule.media = value;
        return {};
    }
    if (key != "min" && key != "max") {
        return usage("--expect takes NAME:media=TYPE:min=SIZE:max=SIZE:optional, not '" + part +
                     "'");
    }
    auto size = parse_size(value, "--expect");
    if (!size) return tl::unexpected(size.error());
    (key == "min" ? rule.min_bytes : rule.max_bytes) = *size;
    return {};
}

/// A name alone stays one; with more behind it, it is a rule.
Expected<void> read_item(const std::string& item, ExpectedOutput& expected) {
    const std::vector<std::string> parts = split(item, ':');
    if (parts.empty()) return usage("--expect takes artifact names, not '" + item + "'");
    if (parts.size() == 1) {
        expected.artifacts.push_back(parts.front());
        return {};
    }
    ArtifactRule rule;
    rule.name = parts.front();
    for (std::size_t i = 1; i < parts.size(); ++i) {
        if (auto ok = read_part(parts[i], rule); !ok) return ok;
    }
    expected.rules.push_back(std::move(rule));
    return {};
}

Expected<void> read_schema(const std::string& path, ExpectedOutput& expected) {
    auto text = read_file(path, limits::kSchemaBytes);
    if (!text && text.error().code == ErrorCode::NOT_FOUND) {
        return usage("--schema: no such file: " + path);
    }
    if (!text) return problem(text.error());
    auto schema = JsonSchema::parse(*text, "--schema");
    if (!schema) {
        return problem(
            Error{schema.error().code, path + ": " + schema.error().message, "--schema", {}});
    }
    expected.schema = std::move(*text);
    return {};
}

}  // namespace

Expected<std::uint64_t> parse_size(const std::string& text, const std::string& flag) {
    auto size = parse_byte_size(text, limits::kArtifactBytes);
    if (size) return *size;
    return usage(flag + " takes a size such as 64KiB, 2MiB or 4096, not '" + text + "'");
}

Expected<void> read_expected(const Arguments& args, ExpectedOutput& expected) {
    if (args.has("format")) expected.format = args.text("format");
    for (const std::string& list : args.values("expect")) {
        for (const std::string& item : split(list, ',')) {
            if (auto ok = read_item(item, expected); !ok) return ok;
        }
    }
    if (args.has("schema")) {
        if (auto ok = read_schema(args.text("schema"), expected); !ok) return ok;
        if (!args.has("format")) expected.format = "json";
    }
    if (args.has("heading")) expected.headings = args.values("heading");
    if (!expected.headings.empty() && expected.format.empty()) expected.format = "markdown";
    if (args.has("max-result")) {
        auto size = parse_size(args.text("max-result"), "--max-result");
        if (!size) return tl::unexpected(size.error());
        expected.max_bytes = *size;
    }
    return {};
}

}  // namespace zq::cli
