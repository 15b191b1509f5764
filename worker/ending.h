// What follows from how an attempt ended: the exit table. Pure; artifacts are put into the report
// by the uploader.
#pragma once

#include <optional>
#include <string>

#include "common/wire/codec.h"
#include "worker/attempt_end.h"
#include "worker/workspace/output_file.h"

namespace zq::worker {

/// The report of an ended attempt, without its artifacts. `unmet` is what the contract misses where
/// the command succeeded (collect.h); `last_words` is the end of its stderr; `notes` is what was
/// left out of the artifacts.
struct EndFacts {
    AttemptEnd end;
    std::optional<wire::Body> said;  // the final word, where the command said one to the worker
    Output output;
    std::string unmet;
    std::string verify_words;  // the end of what the check wrote
    std::string last_words;
    std::string notes;
    std::string first_words;  // of the result: the summary where nobody said another
};
wire::Body report_of(const wire::HeldLease& held, const std::string& worker, const EndFacts& facts);

/// The part that all reports share.
wire::Report& report_part(wire::Body& body);

/// `90` (seconds) or `15m`; 0 for anything else.
Millis parse_retry_after(const std::string& text);

/// Cut to `limit` bytes at a character's border; bytes that are not UTF-8 become `?`.
std::string bounded_text(std::string text, std::size_t limit);

}  // namespace zq::worker
