// What an attempt is told: `task.json` for programs, `prompt.md` for agents. Writes no file.
#pragma once

#include <string>
#include <vector>

#include "common/wire/upstream_messages.h"
#include "common/wire/worker_messages.h"
#include "worker/workspace/workspace.h"

namespace zq::worker {

/// The envelope with the attempt's own fields before it, as JSON.
std::string task_json(const wire::Assign& assign);

/// What earlier attempts asked of people and how it ended, as JSON.
std::string answers_json(const wire::Assign& assign);
/// `feedback.md`: what sent the task back to this attempt. Empty where nothing did.
std::string feedback_text(const wire::Assign& assign);

/// The instructions, and what was handed over with them, each piece marked with where it came from.
/// Texts in `workspace`'s context folder are quoted in full as long as they fit; others are named.
/// `upstream`: what became of the tasks that it waited for; their results lie in `deps/`.
std::string prompt_text(const wire::Assign& assign, const std::vector<wire::UpstreamRow>& upstream,
                        const Workspace& workspace);

}  // namespace zq::worker
