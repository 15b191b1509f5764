// Pauses and limits of roles, limit keys and workers: SET_CONTROL, CONTROLS and what they answer
// (protocol.md, "Controls").
#pragma once

#include "common/base/control.h"
#include "common/wire/envelope.h"

namespace zq::wire {

/// Says something of a role, a limit key or a worker; what is left out stays as it is.
struct SetControl {
    static constexpr std::string_view kType = "SET_CONTROL";
    ControlKind kind = ControlKind::kRole;
    std::string name;
    std::optional<bool> paused;  // nothing of it starts; false also ends a hold, and a drain
    std::optional<bool> closed;  // a role: nothing is submitted to it
    bool drain = false;          // a worker: it ends what it has, and itself
    Limits limits;               // a role or a limit key: those that are there are set
    bool reset = false;          // all others are as the configuration says
    std::string reason;
    friend bool operator==(const SetControl&, const SetControl&) = default;
};
template <class V, Of<SetControl> T>
void describe(V& v, T& m) {
    v("kind", m.kind);
    v("name", m.name);
    v.optional("paused", m.paused);
    v.optional("closed", m.closed);
    v.optional("drain", m.drain);
    v.optional("limits", m.limits);
    v.optional("reset", m.reset);
    v.optional("reason", m.reason);
}

/// What was said of one.
struct ControlView {
    ControlKind kind = ControlKind::kRole;
    std::string name;
    bool paused = false;
    bool closed = false;
    bool draining = false;
    std::string reason;
    Identity by;  // who said something last; empty: nobody did
    Instant at;
    Limits limits;       // that were set at run time
    Instant held_until;  // a limit key: one of its tasks was rate limited
    TaskId held_by;
    friend bool operator==(const ControlView&, const ControlView&) = default;
};
template <class V, Of<ControlView> T>
void describe(V& v, T& m) {
    v("kind", m.kind);
    v("name", m.name);
    v.optional("paused", m.paused);
    v.optional("closed", m.closed);
    v.optional("draining", m.draining);
    v.optional("reason", m.reason);
    v.optional("by", m.by);
    v.optional("at", m.at);
    v.optional("limits", m.limits);
    v.optional("held_until", m.held_until);
    v.optional("held_by", m.held_by);
}

/// Answers SET_CONTROL.
struct ControlSet {
    static constexpr std::string_view kType = "CONTROL_SET";
    ControlView control;
    friend bool operator==(const ControlSet&, const ControlSet&) = default;
};
template <class V, Of<ControlSet> T>
void describe(V& v, T& m) {
    v("control", m.control);
}

/// What was said of roles, limit keys and workers, what the configuration limits, and which limit
/// keys have tasks.
struct Controls {
    static constexpr std::string_view kType = "CONTROLS";
    std::optional<ControlKind> kind;  // absent: all
    std::string name;                 // of one; empty: all of the kind
    friend bool operator==(const Controls&, const Controls&) = default;
};
template <class V, Of<Controls> T>
void describe(V& v, T& m) {
    v.optional("kind", m.kind);
    v.optional("name", m.name);
}

struct ControlRow {
    ControlView control;
    Limits limits;  // that hold: at run time, by configuration, or as for every limit key
    std::uint64_t ready = 0;
    std::uint64_t running = 0;
    Instant opens_at;  // after now: its rate lets nothing start before
    friend bool operator==(const ControlRow&, const ControlRow&) = default;
};
template <class V, Of<ControlRow> T>
void describe(V& v, T& m) {
    v("control", m.control);
    v.optional("limits", m.limits);
    v.optional("ready", m.ready);
    v.optional("running", m.running);
    v.optional("opens_at", m.opens_at);
}

struct ControlRows {
    static constexpr std::string_view kType = "CONTROL_ROWS";
    std::vector<ControlRow> rows;
    bool more = false;
    friend bool operator==(const ControlRows&, const ControlRows&) = default;
};
template <class V, Of<ControlRows> T>
void describe(V& v, T& m) {
    v("rows", m.rows);
    v.optional("more", m.more);
}

}  // namespace zq::wire
