// What an ended attempt left, read from its folder: what it said, its artifacts, its patch, what
// its agent's tool told. From it follows the report (ending.h). Waits for the disk, and for git.
#pragma once

#include "worker/ending.h"
#include "worker/workspace/collect.h"

namespace zq::worker {

struct Evidence {
    EndFacts facts;
    Collected collected;
    Result<void> added;  // an error where the adapter's result or the patch could not be written
};

/// Also writes the result that the adapter read to its place in `out/`, unless the command has put
/// one there.
Evidence gather_evidence(const Workspace& workspace, const ExpectedOutput& expected,
                         const AttemptEnd& end);

}  // namespace zq::worker
