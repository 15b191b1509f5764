// Work that needs a person's word (protocol.md, "Approvals"): what the rules make of a task, and
// the question that is asked. Internal to core/.
#pragma once

#include "coordinator/core/decide_parts.h"

namespace zq::core {

/// The envelope as the coordinator's rules about its role, type and labels have it: work that
/// cannot be undone is never repeated by itself.
Shared<TaskSpec> under_rules(Shared<TaskSpec> spec, const Policy& policy);
/// The same for the record of a task that is done again; it is to be approved anew.
void put_under_rules(Task& task, const Policy& policy);

/// The state of a task that could start, or be complete, now.
TaskState state_or_approval(TaskState state, const Approval& approval);

/// Asks for approval of every task that the decision lets start, and of every result that it takes,
/// where that is asked for and was not given.
void ask_approvals(const Call& call, Decision& decision);

/// Why this identity may not answer; nullopt if it may.
std::optional<Error> approver_error(const Call& call, const Task& task, const AnswerPerson& said,
                                    const Question& question);
/// What the answer, or the end of the time for one (then `choice` is empty), makes of the task.
void close_approval(const Task& task, QuestionClosed& closed);

}  // namespace zq::core
