// What a command's contents are: stored, inside the message, or missing; and which kinds of secrets
// stand in their text.
#pragma once

#include "coordinator/edge/in.h"

namespace zq::edge {

/// Enters the references whose content is neither stored nor inline, or that their sender may not
/// refer to, into the facts, and moves the inline bytes that are new to `incoming.contents`. Says
/// of each which kinds of secrets its text has.
struct ContentSorter {
    const Origin& origin;
    Incoming& incoming;
    FactFinder& facts;
    std::vector<ArtifactRef>& recorded;  // of the command: inline contents to record

    /// `data`: its inline bytes, or null. Errors: INVALID (another size), IO.
    Result<void> sort(ArtifactRef& ref, std::string* data);
};

/// Whoever sends the bytes has them, now or before; by its digest alone content is nobody's.
bool may_refer(const Origin& origin, const Digest& digest, bool sent);

/// Refuses an artifact in which a secret was found, where the policy says so. Errors: SECRET_FOUND.
Result<void> check_policy(const ArtifactRef& ref, const Origin& origin, const std::string& field);

}  // namespace zq::edge
