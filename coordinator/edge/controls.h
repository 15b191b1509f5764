// Pauses and limits between the wire and the core: SET_CONTROL as a command, and what CONTROLS is
// answered.
#pragma once

#include "common/wire/control_messages.h"
#include "coordinator/core/command.h"
#include "coordinator/core/policy.h"
#include "coordinator/core/state.h"

namespace zq::edge {

/// Fields are checked (check_fields.h).
core::SetControl to_set_control(wire::SetControl message);

wire::ControlView view_of(ControlKind kind, std::string name, const core::Control& control);

/// By kind and name, as many as fit into a message.
wire::ControlRows list_controls(const core::State& state, const core::Policy& policy,
                                const wire::Controls& query, Instant now);

}  // namespace zq::edge
