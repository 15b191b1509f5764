// Many submits in one request (protocol.md, "BATCH"): one commit, answered task by task.
#pragma once

#include <optional>

#include "common/wire/client_messages.h"

namespace zq::wire {

/// Creates up to limits::kBatchTasks tasks. Each is taken or refused for itself, in order; with
/// `atomic` all are, or none. Repeating it is as safe as repeating a SUBMIT.
struct Batch {
    static constexpr std::string_view kType = "BATCH";
    std::vector<TaskSpec> tasks;
    std::vector<InlineContent> contents;  // of inputs, each once; at most kBatchContents
    bool atomic = false;
    bool dry_run = false;  // check everything, change nothing
    friend bool operator==(const Batch&, const Batch&) = default;
};
template <class V, Of<Batch> T>
void describe(V& v, T& m) {
    v("tasks", m.tasks);
    v.optional("contents", m.contents);
    v.optional("atomic", m.atomic);
    v.optional("dry_run", m.dry_run);
}

/// What became of one of them: as SUBMITTED says it, or as ERROR does.
struct BatchItem {
    TaskId task;
    std::optional<TaskState> state;  // none: it was not submitted
    bool duplicate = false;
    bool role_served = true;
    std::string nearest_role;
    std::optional<ErrorReply> error;
    friend bool operator==(const BatchItem&, const BatchItem&) = default;
};
template <class V, Of<BatchItem> T>
void describe(V& v, T& i) {
    v("task_id", i.task);
    v.optional("state", i.state);
    v.optional("duplicate", i.duplicate);
    v.optional("role_served", i.role_served, true);
    v.optional("nearest_role", i.nearest_role);
    v.optional("error", i.error);
}

struct Batched {
    static constexpr std::string_view kType = "BATCHED";
    std::vector<BatchItem> items;  // one for each task, in order
    bool refused = false;          // `atomic`, and nothing was submitted
    friend bool operator==(const Batched&, const Batched&) = default;
};
template <class V, Of<Batched> T>
void describe(V& v, T& m) {
    v("items", m.items);
    v.optional("refused", m.refused);
}

}  // namespace zq::wire
