// What an attempt said and the worker must not forget, as files of the attempt's folder: its final
// word, and the words that the coordinator has not answered yet.
//
//     FOLDER/.said        the final word        TYPE \n MessagePack map (as on the wire)
//     FOLDER/.words/N     the N-th kept word    the same
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "common/wire/codec.h"
#include "worker/workspace/workspace.h"

namespace zq::worker {

/// Durable when it returns. Errors: CONFLICT (it has said another one), IO, STORAGE_FULL.
Result<void> keep_final_word(const Workspace& workspace, const wire::Body& report);
/// Nullopt where none was said, or nothing that can be read.
std::optional<wire::Body> read_final_word(const Workspace& workspace);

/// Durable when it returns. Errors: IO, STORAGE_FULL.
Result<void> keep_word(const Workspace& workspace, std::uint64_t number, const wire::Body& word);
/// Nothing happens where it is not there.
void forget_word(const Workspace& workspace, std::uint64_t number);
/// By number; what cannot be read is left out, and logged.
std::vector<std::pair<std::uint64_t, wire::Body>> read_words(const Workspace& workspace);

}  // namespace zq::worker
