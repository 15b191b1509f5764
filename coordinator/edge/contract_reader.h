// What the contracts say that the core cannot look up itself: a completion against the envelope of
// its task, with its result's text, and a submit's payload against its role's schema. Finds facts;
// what follows from them is the core's. Reads and checks within the bounds of limits.h, since the
// loop waits for it.
#pragma once

#include <optional>
#include <string>

#include "common/wire/worker_messages.h"
#include "coordinator/edge/out.h"
#include "coordinator/edge/payload_schemas.h"
#include "coordinator/store/artifact_store.h"

namespace zq::edge {

struct ContractReader {
    Specs specs;
    store::ArtifactStore* contents = nullptr;  // without it only inline contents are read
    const PayloadSchemas* payloads = nullptr;  // without it every payload is taken

    /// What the completion lacks by the rules of the envelope at `spec_seq`; empty: nothing. A
    /// result of more than kCheckedResultBytes, or whose schema would take more than kSchemaSteps,
    /// is not read: there its worker's check stands. Errors: IO, NOT_FOUND, BUSY (the result was
    /// stored just now: ask again).
    Result<std::string> unmet(Seq spec_seq, const wire::Report& report) const;
    /// Why the payload is not what the role takes.
    std::optional<Error> payload_error(const TaskSpec& spec) const;

  private:
    /// The artifact's bytes; nullopt where nothing here can read them.
    Result<std::optional<std::string>> read(const wire::ReportArtifact& artifact) const;
};

}  // namespace zq::edge
