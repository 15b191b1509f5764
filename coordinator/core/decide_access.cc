// What is known of keys is journaled as it changes. Who may change it, and what it means, is the
// edge's: the core never asks what a key may do.
#include "coordinator/core/decide_parts.h"

namespace zq::core {

Decision decide_access(const Call& call, const NoteAccess& note) {
    Decision decision;
    const auto& known = call.state.durable.access;
    for (const NoteAccess::Key& key : note.keys) {
        const auto at = known.find(key.fingerprint);
        const bool same = at == known.end() ? !key.access : key.access == at->second;
        if (same) continue;
        decision.events.push_back(
            event_of(call, AccessChanged{key.fingerprint, key.access, note.reason}));
    }
    return decision;
}

}  // namespace zq::core
