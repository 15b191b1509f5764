#include "worker/task_socket/leftover_words.h"

#include <algorithm>
#include <cstdlib>

#include "common/platform/log.h"
#include "worker/task_socket/kept.h"

namespace zq::worker {
namespace {

/// Whose words they are. Only checkpoints are kept, and each names its task and lease; the
/// attempt's number stands in the folder's name.
std::optional<wire::HeldLease> holder_of(
    const std::string& folder_name,
    const std::vector<std::pair<std::uint64_t, wire::Body>>& words) {
    for (const auto& [number, body] : words) {
        const auto* checkpoint = std::get_if<wire::Checkpoint>(&body);
        if (checkpoint == nullptr) continue;
        wire::HeldLease held{checkpoint->task, 0, checkpoint->lease};
        const std::string& task = held.task.text;
        if (folder_name.rfind(task + ".", 0) != 0) continue;
        held.attempt = static_cast<std::uint32_t>(
            std::strtoul(folder_name.c_str() + task.size() + 1, nullptr, 10));
        if (attempt_folder_name(held) == folder_name) return held;
    }
    return std::nullopt;
}

}  // namespace

Result<void> report_for_words(const StateFolder& state, const Outbox& outbox,
                              std::vector<StoredReport>& stored) {
    auto names = list_folder(state.attempts());
    if (!names) return {};  // the first start
    for (const std::string& name : *names) {
        const auto held = holder_of(name, read_words({state.attempts() + "/" + name, {}}));
        if (!held) continue;
        const bool reported = std::any_of(stored.begin(), stored.end(), [&](const auto& report) {
            return report.held.lease == held->lease;
        });
        if (reported) continue;
        wire::Release release;
        release.report.task = held->task;
        release.report.attempt = held->attempt;
        release.report.lease = held->lease;
        release.report.from = state.name.text;
        release.reason = "the worker was restarted";
        if (auto ok = outbox.put(held->lease, release); !ok) return ok;
        log_info("told after all: what an attempt said before its worker ended",
                 {{"task", held->task.text}});
        stored.push_back({*held, std::move(release)});
    }
    return {};
}

std::vector<Word> leftover_words(const StateFolder& state, const wire::HeldLease& held) {
    std::vector<Word> words;
    const Workspace workspace{state.attempts() + "/" + attempt_folder_name(held), {}};
    for (auto& [number, body] : read_words(workspace)) {
        Word word{number, std::move(body), {}};
        const auto* checkpoint = std::get_if<wire::Checkpoint>(&word.body);
        if (checkpoint != nullptr && !checkpoint->artifact.data) {
            word.contents.push_back(checkpoint->artifact.ref);
        }
        words.push_back(std::move(word));
    }
    return words;
}

}  // namespace zq::worker
