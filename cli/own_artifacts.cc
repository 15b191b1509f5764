#include "cli/own_artifacts.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "cli/contents.h"
#include "cli/text.h"
#include "common/platform/files.h"

namespace zq::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto kColumns = std::to_array<Column>({
    {"name", "NAME"},
    {"place", "PLACE"},
    {"size", "SIZE", Cell::kSize},
});

struct Place {
    std::string_view word;
    std::string folder;
};

std::array<Place, 2> places_of(const OwnTask& own) {
    return {Place{"out", own.out}, Place{"input", own.folder + "/context"}};
}

}  // namespace

Ending put_own_artifact(const Context& context, const OwnTask& own, const std::string& file) {
    const std::string name = context.args.text("name");
    auto content = name.empty() ? read_named_content(file) : read_content(file, name);
    if (!content) return tl::unexpected(content.error());
    if (context.args.has("dry-run")) {
        note("dry run: it would become the artifact " + content->ref.name);
        return ExitCode::kDone;
    }
    auto ok = copy_content(*content, own.out + "/" + content->ref.name);
    return ok ? Ending(ExitCode::kDone) : Ending(tl::unexpected(ok.error()));
}

Ending list_own_artifacts(const Context& context, const OwnTask& own) {
    View view{Shape::kList, "zq/artifact-list/v1", kColumns, {}, false};
    for (const Place& place : places_of(own)) {
        for (const std::string& name : own_files(place.folder)) {
            std::error_code ignored;
            Json record = Json::object();
            record.set("name", Json::text(name));
            record.set("place", Json::text(place.word));
            record.set("size",
                       to_json(std::uint64_t{fs::file_size(place.folder + "/" + name, ignored)}));
            view.records.push_back(std::move(record));
        }
    }
    return print(view, context.output);
}

Ending print_own_artifact(const Context& context, const OwnTask& own, const std::string& name) {
    for (const Place& place : places_of(own)) {
        const std::string path = place.folder + "/" + name;
        std::error_code ignored;
        if (is_valid_artifact_name(name) && fs::is_regular_file(path, ignored)) {
            return print_own_file(context, path);
        }
    }
    return problem(ErrorCode::NOT_FOUND, "no artifact and no input " + name + " is here",
                   "run `zq artifact ls` to see them");
}

std::vector<std::string> own_files(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code error;
    fs::recursive_directory_iterator at(folder, error);
    for (const fs::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
        if (!at->is_regular_file(error)) continue;
        names.push_back(at->path().lexically_relative(folder).string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

Ending print_own_file(const Context& context, const std::string& path) {
    auto bytes = read_file(path, limits::kArtifactBytes);
    if (!bytes) return problem(bytes.error());
    const bool escaped = context.output.terminal && !context.args.has("raw");
    print_raw(escaped ? escape_text(*bytes) : *bytes);
    return ExitCode::kDone;
}

}  // namespace zq::cli
