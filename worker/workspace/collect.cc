#include "worker/workspace/collect.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "common/base/contract.h"
#include "common/platform/files.h"
#include "common/platform/result_check.h"

namespace zq::worker {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kOwnFiles = 4;  // stdout.log, stderr.log, verify.log, the result from stdout
constexpr std::size_t kVisited = 100'000;
constexpr std::size_t kNotes = 10;
constexpr std::uint64_t kParsedBytes = 16ULL << 20;
constexpr std::uint64_t kSchemaStepsHere = 100'000'000;  // some seconds, on a thread of its own

std::string media_of(const std::string& name) {
    struct Known {
        std::string_view extension;
        std::string_view media;
    };
    static constexpr auto kKnown = std::to_array<Known>({{".md", "text/markdown"},
                                                         {".json", "application/json"},
                                                         {".txt", "text/plain"},
                                                         {".log", "text/plain"},
                                                         {".patch", "text/x-diff"},
                                                         {".diff", "text/x-diff"},
                                                         {".html", "text/html"},
                                                         {".csv", "text/csv"}});
    for (const Known& known : kKnown) {
        if (name.ends_with(known.extension)) return std::string(known.media);
    }
    return {};
}

std::optional<std::uint64_t> regular_size(const std::string& path) {
    std::error_code error;
    if (!fs::is_regular_file(fs::symlink_status(path, error))) return std::nullopt;
    const auto size = fs::file_size(path, error);
    if (error) return std::nullopt;
    return size;
}

void note(Collected& found, const std::string& what) {
    if (found.notes.size() < kNotes) found.notes.push_back(what);
}

std::string shown(const std::string& name) {
    return pack::is_utf8(name) ? name.substr(0, limits::kArtifactNameBytes) : "(not UTF-8)";
}

bool is_own_name(const std::string& name, bool verified) {
    return name == "stdout.log" || name == "stderr.log" || (verified && name == "verify.log");
}

void collect_out(const Workspace& workspace, bool verified, Collected& found) {
    std::error_code error;
    const std::string root = workspace.out_folder();
    if (!fs::is_directory(fs::symlink_status(root, error))) {
        return note(found, "out/: not a folder any more, left out");
    }
    fs::recursive_directory_iterator it(root, error);
    std::size_t visited = 0;
    for (const fs::recursive_directory_iterator end; !error && it != end; it.increment(error)) {
        if (++visited > kVisited)
            return note(found, "out/: too many entries; the rest was left out");
        const auto status = it->symlink_status(error);
        if (fs::is_directory(status)) continue;
        const std::string path = it->path().string();
        const std::string name = path.substr(root.size() + 1);
        if (!fs::is_regular_file(status)) {
            note(found, "out/" + shown(name) + ": not a regular file, left out");
        } else if (!is_valid_artifact_name(name)) {
            note(found, "out/" + shown(name) + ": not a valid artifact name, left out");
        } else if (is_own_name(name, verified)) {
            note(found, "out/" + name + ": the name is taken by the log, left out");
        } else if (auto size = regular_size(path)) {
            found.files.push_back({name, path, *size, media_of(name)});
        }
    }
    if (error) note(found, "out/: " + error.message());
}

bool is_result(const FoundFile& file) {
    return is_result_name(file.name);
}

std::string result_name(const ExpectedOutput& expected) {
    if (expected.format == "json") return "result.json";
    if (expected.format == "markdown") return "result.md";
    return "result.txt";
}

}  // namespace

bool has_result(const Workspace& workspace) {
    Collected found;
    collect_out(workspace, false, found);
    return std::any_of(found.files.begin(), found.files.end(), is_result);
}

Collected collect(const Workspace& workspace, const ExpectedOutput& expected,
                  const StdoutFacts& from) {
    Collected found;
    collect_out(workspace, from.verified, found);
    std::sort(found.files.begin(), found.files.end(), [](const FoundFile& a, const FoundFile& b) {
        if (is_result(a) != is_result(b)) return is_result(a);  // never the one that is cut off
        return a.name < b.name;
    });
    if (found.files.size() > limits::kArtifacts - kOwnFiles) {
        note(found, "out/: more than " + std::to_string(limits::kArtifacts - kOwnFiles) +
                        " files; the rest was left out");
        found.files.resize(limits::kArtifacts - kOwnFiles);
    }
    const bool result_is_there = std::any_of(found.files.begin(), found.files.end(), is_result);
    if (auto size = regular_size(workspace.stdout_file())) {
        if (!result_is_there && !from.is_records && from.dropped > 0) {
            note(found, "stdout: not taken as the result, " + std::to_string(from.dropped) +
                            " bytes of it were dropped");
        } else if (!result_is_there && !from.is_records && *size > 0) {
            const std::string name = result_name(expected);
            found.files.push_back({name, workspace.stdout_file(), *size, media_of(name)});
        }
        found.files.push_back({"stdout.log", workspace.stdout_file(), *size, "text/plain"});
    }
    if (auto size = regular_size(workspace.stderr_file())) {
        found.files.push_back({"stderr.log", workspace.stderr_file(), *size, "text/plain"});
    }
    if (auto size = regular_size(workspace.verify_file()); size && from.verified) {
        found.files.push_back({"verify.log", workspace.verify_file(), *size, "text/plain"});
    }
    return found;
}

namespace {

/// What the result's text lacks.
void check_text(const ExpectedOutput& expected, const FoundFile& result,
                std::vector<std::string>& broken) {
    const bool has_text_rules = !expected.schema.empty() || !expected.headings.empty();
    if (expected.format != "json" && !has_text_rules) return;
    if (result.size > kParsedBytes) {
        if (!has_text_rules) return;
        broken.push_back(result.name + " has " + std::to_string(result.size) +
                         " bytes; more than " + std::to_string(kParsedBytes) +
                         " cannot be checked");
        return;
    }
    auto text = read_file(result.path, kParsedBytes);
    if (!text) {
        broken.push_back("the result cannot be read: " + text.error().message);
        return;
    }
    ResultFindings found = check_result(expected, result.name, *text, kSchemaStepsHere);
    broken.insert(broken.end(), found.broken.begin(), found.broken.end());
    if (found.unchecked) broken.push_back(result.name + " is too large for its schema's check");
}

}  // namespace

std::string unmet_expectation(const ExpectedOutput& expected, const Collected& collected,
                              const Output& output) {
    std::vector<std::string> names;
    std::vector<Delivered> files;
    for (const FoundFile& file : collected.files) {
        files.push_back({file.name, file.size, file.media});
        if (file.size > 0) names.push_back(file.name);
    }
    std::string missing;
    for (const std::string& name : expected.artifacts) {
        if (meets_expectation(name, names)) continue;
        if (name == "summary" && !output.value("summary").empty()) continue;
        missing += (missing.empty() ? "" : ", ") + name;
    }
    std::vector<std::string> broken;
    if (!missing.empty()) broken.push_back("missing or empty in out/: " + missing);
    for (std::string& rule : broken_rules(expected, files)) broken.push_back(std::move(rule));
    if (expected.format.empty()) return joined_violations(broken);
    const std::string name = result_name_of(expected.format, names);
    const auto result = std::find_if(collected.files.begin(), collected.files.end(),
                                     [&](const FoundFile& file) { return file.name == name; });
    if (result == collected.files.end()) {
        broken.push_back("no result: " + expected.format + " was expected");
    } else {
        check_text(expected, *result, broken);
    }
    return joined_violations(broken);
}

}  // namespace zq::worker
