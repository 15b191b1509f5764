// A role as `status` and `role ls` show it, with what is kept of its ended tasks; and limit keys.
#include <array>

#include "cli/records.h"

namespace zq::cli {
namespace {

constexpr auto kRole = std::to_array<Column>({
    {"id", "ROLE"},
    {"state", "STATE", Cell::kState},
    {"queued", "QUEUED"},
    {"waiting", "WAITING"},
    {"running", "RUNNING"},
    {"dead", "DEAD"},
    {"workers", "WORKERS"},
    {"slots", "SLOTS"},
    {"oldest_ms", "OLDEST", Cell::kDuration},
    {"kept", "KEPT"},
    {"kept_bytes", "KEPT SIZE", Cell::kSize},
    {"dead_bytes", "DEAD SIZE", Cell::kSize, Where::kWide},
    {"open_bytes", "OPEN SIZE", Cell::kSize, Where::kWide},
    {"limited", "LIMITS", Cell::kText, Where::kWide},
});

constexpr auto kControlledRole = std::to_array<Column>({
    {"id", "ROLE"},
    {"state", "STATE", Cell::kState},
    {"queued", "QUEUED"},
    {"waiting", "WAITING"},
    {"running", "RUNNING"},
    {"dead", "DEAD"},
    {"workers", "WORKERS"},
    {"slots", "SLOTS"},
    {"oldest_ms", "OLDEST", Cell::kDuration},
    {"open_bytes", "OPEN SIZE", Cell::kSize, Where::kWide},
    {"kept", "KEPT", Cell::kText, Where::kWide},
    {"kept_bytes", "KEPT SIZE", Cell::kSize, Where::kWide},
    {"dead_bytes", "DEAD SIZE", Cell::kSize, Where::kWide},
    {"opens_at", "NEXT START", Cell::kTime, Where::kWide},
    {"by", "BY", Cell::kText, Where::kWide},
    {"at", "SINCE", Cell::kTime, Where::kWide},
    {"limited", "LIMITS"},
    {"reason", "REASON"},
});

constexpr auto kLimit = std::to_array<Column>({
    {"id", "LIMIT KEY"},
    {"state", "STATE", Cell::kState},
    {"ready", "QUEUED"},
    {"running", "RUNNING"},
    {"opens_at", "NEXT START", Cell::kTime},
    {"held_by", "HELD BY"},
    {"by", "BY", Cell::kText, Where::kWide},
    {"at", "SINCE", Cell::kTime, Where::kWide},
    {"limited", "LIMITS"},
    {"reason", "REASON"},
});

constexpr auto kControl = std::to_array<Column>({
    {"id", "ID"},
    {"state", "STATE", Cell::kState},
    {"limited", "LIMITS"},
    {"reason", "REASON"},
});

std::string state_word(bool paused, bool closed) {
    if (paused && closed) return "paused,draining";
    if (paused) return "paused";
    return closed ? "draining" : "open";
}

/// The limits that hold, for people.
void set_limits(const Limits& limits, Json& record) {
    if (auto text = limits_text(limits); !text.empty()) record.set("limited", Json::text(text));
}

/// Who said what, when and why; and what of the limits was set at run time.
void set_said(const wire::ControlRow& row, Json& record) {
    const wire::ControlView& control = row.control;
    if (!control.reason.empty()) record.set("reason", Json::text(control.reason));
    if (!control.by.empty()) record.set("by", to_json(control.by));
    if (control.at.is_set()) record.set("at", to_json(control.at));
    if (control.limits != Limits{}) record.set("set_limits", to_json(control.limits));
    if (row.opens_at.is_set()) record.set("opens_at", to_json(row.opens_at));
}

}  // namespace

Json role_record(const wire::RoleRow& row) {
    Json record = Json::object();
    record.set("schema", Json::text("zq/role/v1"));
    record.set("id", to_json(row.role));
    record.set("state", Json::text(state_word(row.paused, row.closed)));
    const Json fields = to_json(row);
    for (const std::string& key : fields.keys()) {
        if (key != "role") record.set(key, *fields.find(key));
    }
    set_limits(row.limits, record);
    return record;
}

Json role_record(const wire::RoleRow& row, const wire::ControlRow& said) {
    Json record = role_record(row);
    set_said(said, record);
    return record;
}

Json limit_record(const wire::ControlRow& row, Instant now) {
    const wire::ControlView& control = row.control;
    const bool held = control.held_until > now;
    Json record = Json::object();
    record.set("schema", Json::text("zq/limit/v1"));
    record.set("id", to_json(control.name));
    record.set("state",
               Json::text(held && !control.paused ? "held" : state_word(control.paused, false)));
    record.set("paused", Json::boolean(control.paused));
    record.set("ready", to_json(row.ready));
    record.set("running", to_json(row.running));
    record.set("limits", to_json(row.limits));
    set_limits(row.limits, record);
    set_said(row, record);
    if (held) {
        record.set("held_until", to_json(control.held_until));
        record.set("held_by", to_json(control.held_by));
        record.set("opens_at", to_json(control.held_until));
    }
    return record;
}

std::string_view state_of(const wire::WorkerRow& row) {
    if (row.draining) return "draining";
    return row.paused ? "paused" : "active";
}

std::span<const Column> role_columns() {
    return kRole;
}
std::span<const Column> controlled_role_columns() {
    return kControlledRole;
}
std::span<const Column> limit_columns() {
    return kLimit;
}
std::span<const Column> control_columns() {
    return kControl;
}

}  // namespace zq::cli
