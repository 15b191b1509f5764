// Takes secrets out of what workers, and people beside an envelope, say, before it is journaled: no
// report fails for it. What a repetition must match (report_digest) is taken of the original words.
#pragma once

#include "common/wire/client_messages.h"

namespace zq::edge {

/// Summary, output, names of artifacts (which stay different from each other), who says it.
void redact(wire::Report& report);
void redact(NewQuestion& question);
void redact(wire::Progress& progress);
/// The name of what it saves.
void redact(wire::Checkpoint& checkpoint);
/// In place, with a reason's limit.
void redact_reason(std::string& reason);
/// In place: how somebody calls themselves.
void redact_from(std::string& from);

}  // namespace zq::edge
