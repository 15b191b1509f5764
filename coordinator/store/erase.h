// Erasing the texts of a task from the journal (core/redact.h). The chain covers a body by its
// digest alone, so another body can take its place; a later event, texts_erased, says by digest
// which one did. Whoever reads the chain takes a body that has either of the two digests.
//
// What the texts were part of goes with them: hashes of the state in which the task was open
// (anchors), its record in the base, and soon its contents.
#pragma once

#include <map>
#include <span>

#include "coordinator/core/event.h"
#include "coordinator/store/sqlite.h"

namespace zq::store {

/// The digests of bodies that are not what they first were, by seq.
using ErasedBodies = std::map<Seq, Digest>;

/// All that events of the journal say, whatever its format. Errors: IO, and those of a body that
/// cannot be read.
Result<ErasedBodies> erased_bodies(Database& database);

/// True if `body` is what the event was stored with, or what is left of that.
bool is_body_of(const ErasedBodies& erased, Seq seq, const Digest& stored_with,
                std::string_view body);

/// True if one of them is texts_erased.
bool erases_texts(std::span<const core::Event> events);

/// Carries out what texts_erased among a batch's events say, after everything else of the batch is
/// written, in its transaction. Errors: those of the database.
Result<void> erase_texts(Database& database, std::span<const core::Event> events);

}  // namespace zq::store
