// Keeps values that only the worker has from leaving it: takes them out of what an attempt says and
// of the files it leaves. Found as they are, not in another encoding.
#pragma once

#include <string>
#include <vector>

#include "common/wire/codec.h"
#include "worker/executor/redactor.h"
#include "worker/workspace/workspace.h"

namespace zq::worker {

/// The name of the first value that stands in the bytes; empty: none does.
std::string value_in(const std::vector<SecretValue>& values, std::string_view bytes);
/// Likewise of a regular file; one that cannot be read has none.
std::string value_in_file(const std::vector<SecretValue>& values, const std::string& path);

/// Puts `[redacted:NAME]` in the place of each value in every text of a message.
void hide(const std::vector<SecretValue>& values, wire::Body& body);

/// Puts it into every regular file below the folder that has one; links are not followed. A file
/// that cannot be mended is removed.
void scrub_folder(const std::vector<SecretValue>& values, const std::string& folder);

/// Removes the secrets that were laid into an attempt's folder, and scrubs the rest of it.
void scrub_workspace(const std::vector<SecretValue>& values, const Workspace& workspace);

}  // namespace zq::worker
