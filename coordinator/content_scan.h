// Which kinds of secrets stand in the text of a stored content: looked for once, when its last byte
// has come.
#pragma once

#include <string>
#include <vector>

#include "coordinator/store/artifact_store.h"

namespace zq::coordinator {

/// Kinds that are found in the content's first limits::kScannedBytes; none of a binary one. Reads
/// about 1 MiB at a time. Errors: NOT_FOUND, IO.
Result<std::vector<std::string>> scan_content(store::ArtifactStore& store, const Digest& digest);

}  // namespace zq::coordinator
