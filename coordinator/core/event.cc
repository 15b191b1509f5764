#include "coordinator/core/event.h"

#include <array>

namespace zq::core {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<EventBody>> kKinds = {
    "epoch_started",      "task_submitted",    "task_ready",     "task_assigned",
    "lease_resumed",      "progress_noted",    "attempt_ended",  "cancel_requested",
    "task_cancelled",     "task_expired",      "role_served",    "content_stored",
    "request_recorded",   "checkpoint_saved",  "question_asked", "question_closed",
    "contents_condemned", "artifacts_removed", "task_removed",   "usage_noted",
    "budget_reached",     "task_replayed",     "task_edited",    "upstream_ended",
    "control_changed",    "access_changed",    "texts_erased"};

}  // namespace

const TaskSpec* spec_in(const EventBody& body) {
    if (const auto* submitted = std::get_if<TaskSubmitted>(&body)) return &*submitted->spec;
    const Revision* revision = revision_of(body);
    return revision != nullptr && revision->spec ? &*revision->spec : nullptr;
}

std::optional<Shared<TaskSpec>> shared_spec(const EventBody& body) {
    if (const auto* submitted = std::get_if<TaskSubmitted>(&body)) return submitted->spec;
    const TaskSpec* spec = spec_in(body);
    return spec != nullptr ? std::optional<Shared<TaskSpec>>(*spec) : std::nullopt;
}

const Revision* revision_of(const EventBody& body) {
    if (const auto* replayed = std::get_if<TaskReplayed>(&body)) return &*replayed->revision;
    if (const auto* edited = std::get_if<TaskEdited>(&body)) return &*edited->revision;
    return nullptr;
}

std::string_view kind_of(const EventBody& body) {
    return kKinds.at(body.index());
}

std::span<const std::string_view> event_kinds() {
    return kKinds;
}

const RoleName* role_in(const EventBody& body) {
    return std::visit(
        [](const auto& one) -> const RoleName* {
            if constexpr (requires { one.role.text; }) return &one.role;
            return nullptr;
        },
        body);
}

}  // namespace zq::core
