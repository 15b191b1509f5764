// From a checked message to the core's command, with the facts it needs. Changes nothing.
#pragma once

#include <vector>

#include "common/wire/codec.h"
#include "coordinator/core/command.h"
#include "coordinator/edge/facts.h"
#include "coordinator/edge/possession.h"
#include "coordinator/store/journal.h"

namespace zq::edge {

/// What becomes of an artifact whose text has what looks like a secret: it is flagged, or the
/// report that names it is refused.
enum class ArtifactSecrets : std::uint8_t { kFlag, kRefuse };

/// What is known of a message beside its own words.
struct Origin {
    Instant now;
    Identity identity;
    core::ReturnPath reply = 0;
    core::SessionId session = 0;  // of its connection; 0: none
    std::uint64_t seed = 0;
    bool storage_full = false;
    Possession* shown = nullptr;  // who has sent which bytes; null: it may refer to any content
    ArtifactSecrets artifact_secrets = ArtifactSecrets::kFlag;
};

struct Incoming {
    core::Command command;
    std::vector<store::InlineContent> contents;  // bytes of the contents that the command records
};

/// The message must have passed check_fields; its parts are moved from. Errors: HELLO_FIRST (a
/// worker's word on a connection without a session), INVALID, IO (the store could not be read),
/// BUSY (what it must know is not committed yet), SECRET_FOUND, UNKNOWN_TYPE (no command).
Result<Incoming> to_command(wire::Message&& message, const Origin& origin, FactFinder& facts);

/// SHA-256 of the packed spec without its id and trace id: what a repeated submit must match.
/// `spec` comes back as it was.
Digest request_digest(TaskSpec& spec);

/// SHA-256 of a report's type and packed body without inline data: what a repeated report must
/// match.
template <class Report>
Digest report_digest(Report message);

}  // namespace zq::edge
