// The only functions that change the state. Live running, replay and recovery use the same ones.
#pragma once

#include <span>

#include "coordinator/core/event.h"
#include "coordinator/core/notice.h"
#include "coordinator/core/state.h"

namespace zq::core {

/// Applies one event. Its seq must be the state's last plus one; moves must be legal (checked).
void apply(State& state, const Event& event);
void apply(State& state, const Notice& notice);

/// Puts an open task from the projection back at a restart, as of the projection's watermark.
/// Events after it follow through `apply`.
void restore(State& state, const Task& task);
void restore(State& state, std::span<const Task> tasks);
/// The rest of the durable part at the watermark.
void restore(State& state, JournalId journal, Epoch epoch, std::uint64_t last_token, Seq last_seq,
             Instant last_at);
void restore(State& state, RoleKey role);
void restore(State& state, ControlKey key, Control control);
/// A known key, by its fingerprint.
void restore(State& state, std::string fingerprint, KeyAccess access);
void restore(State& state, RequestKey key, RequestRecord record);

/// What must be projected since the last call: the changed records as they are now, in key order.
struct Changes {
    std::vector<Shared<Task>> tasks;
    std::vector<Attempt> attempts;
};
Changes take_changes(State& state);

/// The store has projected everything up to this sequence number: ended records up to it leave
/// memory.
void forget_projected(State& state, Seq upto);

}  // namespace zq::core
