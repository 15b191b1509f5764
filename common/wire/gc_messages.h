// Retention by hand: GC and what it answers (protocol.md, "Client messages").
#pragma once

#include "common/base/report_words.h"
#include "common/base/words.h"
#include "common/wire/envelope.h"

namespace zq::wire {

/// How far a pass of retention is.
enum class GcState : std::uint8_t { kRunning, kDone };
inline constexpr auto kGcStates = std::to_array<std::string_view>({"running", "done"});
inline std::string_view to_string(GcState state) {
    return word_of(kGcStates, state);
}
inline bool from_text(std::string_view text, GcState& out) {
    return value_of(kGcStates, text, out);
}

/// Begins a pass of retention, or asks how far it is: the same client instance.
struct Gc {
    static constexpr std::string_view kType = "GC";
    bool dry_run = false;
    RoleName role;  // empty: all, and contents that nothing refers to
    friend bool operator==(const Gc&, const Gc&) = default;
};
template <class V, Of<Gc> T>
void describe(V& v, T& m) {
    v.optional("dry_run", m.dry_run);
    v.optional("role", m.role);
}

/// What of one kind went, or would go.
struct GcRow {
    std::string kind;  // tasks, logs, artifacts, contents
    RoleName role;     // empty for contents
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;  // of contents that are let go; of contents: that are freed
    RetentionRule rule = RetentionRule::kAge;
    friend bool operator==(const GcRow&, const GcRow&) = default;
};
template <class V, Of<GcRow> T>
void describe(V& v, T& r) {
    v("kind", r.kind);
    v.optional("role", r.role);
    v("count", r.count);
    v.optional("bytes", r.bytes);
    v.optional("rule", r.rule);
}

struct GcReply {
    static constexpr std::string_view kType = "GC_REPLY";
    GcState state = GcState::kRunning;
    std::vector<GcRow> removed;
    friend bool operator==(const GcReply&, const GcReply&) = default;
};
template <class V, Of<GcReply> T>
void describe(V& v, T& m) {
    v("state", m.state);
    v.optional("removed", m.removed);
}

}  // namespace zq::wire
