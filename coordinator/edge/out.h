// From the core's effects to wire messages. Whoever calls sends them only when they may leave.
#pragma once

#include "common/wire/codec.h"
#include "coordinator/core/effect.h"
#include "coordinator/edge/spec_cache.h"
#include "coordinator/store/reader.h"

namespace zq::edge {

/// Where envelopes are found: recent ones in memory, all committed ones in the store.
struct Specs {
    SpecCache& cache;
    store::Reader& trailing;  // looked at first: most envelopes are in the tables for long
    store::Reader& reader;

    /// The one in the event `spec_seq` (task.h). Errors: NOT_FOUND, IO.
    Result<TaskSpec> get(Seq spec_seq) const;
};

/// What the coordinator says of itself in its answers.
struct Self {
    std::string program;  // name and version
    JournalId journal = 0;
};

/// Errors: those of the envelope's reading.
Result<wire::Body> to_message(const core::AnswerBody& answer, const Self& self, const Specs& specs);
Result<wire::Body> to_message(const core::PushBody& push, const Specs& specs);

/// The message of a refusal.
wire::ErrorReply error_message(const Error& error, std::vector<Digest> missing = {});

/// The frames of a message; of an error instead where they would exceed what a peer takes.
wire::Frames encode_bounded(const wire::Message& message);

}  // namespace zq::edge
