#include "cli/previous.h"

#include <algorithm>
#include <array>

#include "cli/contents.h"
#include "cli/records.h"
#include "common/wire/artifact_messages.h"

namespace zq::cli {
namespace {

constexpr auto kFetched = std::to_array<Column>({
    {"path", "PATH"},
    {"name", "NAME", Cell::kText, Where::kWide},
    {"attempt", "ATTEMPT", Cell::kText, Where::kWide},
    {"size", "SIZE", Cell::kSize, Where::kWide},
    {"digest", "SHA-256", Cell::kText, Where::kWide},
});

struct Previous {
    std::unique_ptr<Session> session;
    std::vector<ArtifactRef> artifacts;
};

/// Asks the worker, and it the coordinator, what that attempt left.
Expected<Previous> open_previous(const Context& context, const OwnTask& own,
                                 std::uint32_t attempt) {
    if (attempt == 0 || attempt >= own.held.attempt) {
        return usage("--attempt takes an earlier attempt than this one, which is " +
                         std::to_string(own.held.attempt),
                     own.held.attempt == 1 ? "nothing ran before this one" : "");
    }
    auto session = open_session(context, own);
    if (!session) return tl::unexpected(session.error());
    wire::Get get;
    get.task = own.held.task;
    auto task = (*session)->call<wire::TaskReply>(get);
    if (!task) return tl::unexpected(task.error());
    Previous found{std::move(*session), {}};
    for (const wire::AttemptRow& row : task->attempts) {
        if (row.attempt == attempt) found.artifacts = row.artifacts;
    }
    return found;
}

/// Has the worker lay it where it belongs; gives the path.
Expected<std::string> fetch(Session& session, const OwnTask& own, std::uint32_t attempt,
                            const ArtifactRef& artifact) {
    wire::Fetch what;
    what.task = own.held.task;
    what.attempt = attempt;
    what.name = artifact.name;
    auto stored = session.call<wire::Stored>(what);
    if (!stored) return tl::unexpected(stored.error());
    if (stored->digest != artifact.digest) {
        return problem(ErrorCode::DIGEST_MISMATCH, artifact.name + " does not have its digest");
    }
    return own.folder + "/previous/" + std::to_string(attempt) + "/" + artifact.name;
}

tl::unexpected<Problem> left_no(std::uint32_t attempt, const std::string& name) {
    const std::string number = std::to_string(attempt);
    return problem(ErrorCode::NOT_FOUND, "attempt " + number + " left no " + name,
                   "run `zq artifact ls --attempt " + number + "` to see what it left");
}

/// All of them, where no name is given.
Expected<std::vector<ArtifactRef>> choose(const Previous& previous, std::uint32_t attempt,
                                          const std::vector<std::string>& names) {
    if (names.empty()) return previous.artifacts;
    std::vector<ArtifactRef> chosen;
    for (const std::string& name : names) {
        const auto at = std::find_if(previous.artifacts.begin(), previous.artifacts.end(),
                                     [&](const ArtifactRef& ref) { return ref.name == name; });
        if (at == previous.artifacts.end()) return left_no(attempt, name);
        chosen.push_back(*at);
    }
    return chosen;
}

}  // namespace

Ending list_previous(const Context& context, const OwnTask& own, std::uint32_t attempt) {
    auto previous = open_previous(context, own, attempt);
    if (!previous) return tl::unexpected(previous.error());
    View view{Shape::kList, "zq/artifact-list/v1", artifact_columns(), {}, false};
    for (const ArtifactRef& artifact : previous->artifacts) {
        view.records.push_back(artifact_record(own.held.task, attempt, artifact));
    }
    return print(view, context.output);
}

Ending get_previous(const Context& context, const OwnTask& own, std::uint32_t attempt,
                    const std::vector<std::string>& names) {
    const std::string to = context.args.text("output-file");
    if (!to.empty() && names.size() != 1) return usage("--output-file takes one NAME");
    auto previous = open_previous(context, own, attempt);
    if (!previous) return tl::unexpected(previous.error());
    auto chosen = choose(*previous, attempt, names);
    if (!chosen) return tl::unexpected(chosen.error());
    View view{Shape::kLines, "zq/artifact-list/v1", kFetched, {}, false};
    for (const ArtifactRef& artifact : *chosen) {
        auto path = fetch(*previous->session, own, attempt, artifact);
        if (!path) return tl::unexpected(path.error());
        if (!to.empty()) {
            auto content = read_content(*path, artifact.name);
            if (!content) return tl::unexpected(content.error());
            if (auto ok = copy_content(*content, to); !ok) return tl::unexpected(ok.error());
        }
        Json record = artifact_record(own.held.task, attempt, artifact);
        view.records.push_back(record.set("path", Json::text(*path)));
    }
    return print(view, context.output);
}

}  // namespace zq::cli
