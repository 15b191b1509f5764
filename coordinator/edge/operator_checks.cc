#include "coordinator/edge/operator_checks.h"

#include "common/platform/keys.h"

namespace zq::edge::field {
namespace {

/// A role's or a worker's name; a limit key is any text.
Check control_name(ControlKind kind, const std::string& text) {
    if (kind != ControlKind::kLimitKey) return name(text, "name");
    if (text.empty()) return fail(ErrorCode::INVALID, "a limit key has at least one byte", "name");
    return size(text, limits::kKeyBytes, "name");
}

Check control_parts(const wire::SetControl& m) {
    const bool bounds_open = m.limits.max_open || m.limits.max_bytes;
    if (m.kind != ControlKind::kRole && (m.closed || bounds_open)) {
        return fail(ErrorCode::INVALID, "only a role is closed, or has bounds on what is open",
                    m.closed ? "closed" : "limits");
    }
    if (m.kind == ControlKind::kLimitKey && m.name == kAnyLimitKey && m.paused) {
        return fail(ErrorCode::INVALID, "`*` has limits alone: name the limit key", "name");
    }
    if (m.kind != ControlKind::kWorker) {
        if (!m.drain) return {};
        return fail(ErrorCode::INVALID, "only a worker drains so; a role is closed", "drain");
    }
    if (m.limits == Limits{} && !m.reset) return {};
    return fail(ErrorCode::INVALID, "a worker's limit is the number of its slots", "limits");
}

}  // namespace

Check set_control(const wire::SetControl& m) {
    const bool says = m.paused || m.closed || m.drain || m.reset || m.limits != Limits{};
    if (!says) return fail(ErrorCode::INVALID, "what is to be said of it?", "paused");
    return all_of([&] { return control_name(m.kind, m.name); }, [&] { return control_parts(m); },
                  [&] { return validate(m.limits, "limits"); },
                  [&] { return size(m.reason, limits::kReasonBytes, "reason"); });
}

Check controls(const wire::Controls& m) {
    if (m.name.empty()) return {};
    return control_name(m.kind.value_or(ControlKind::kLimitKey), m.name);
}

Check set_access(const wire::SetAccess& m) {
    if (m.key.empty()) return fail(ErrorCode::INVALID, "which key is meant?", "key");
    const bool changes = !m.grant.empty() || !m.revoke.empty();
    if (changes == m.remove) {
        return fail(ErrorCode::INVALID, "either permissions change, or the key is removed",
                    "grant");
    }
    return all_of([&] { return size(m.key, limits::kIdentityBytes, "key"); },
                  [&] { return count(m.grant.size(), limits::kPermissions, "grant"); },
                  [&] { return count(m.revoke.size(), limits::kPermissions, "revoke"); },
                  [&] { return size(m.reason, limits::kReasonBytes, "reason"); });
}

Check rotate(const wire::Rotate& m) {
    if (auto key = key_fingerprint(m.public_key); !key) return Failure(key.error());
    return duration(m.grace, {}, limits::kRotationGraceMax, "grace_ms");
}

}  // namespace zq::edge::field
