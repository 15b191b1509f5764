// Files of this machine on their way to the coordinator: named, digested, small ones read into
// memory to travel inside a message, larger ones put by a transfer before it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "cli/session.h"
#include "common/base/task_spec.h"
#include "common/platform/files.h"

namespace zq::cli {

struct Content {
    ArtifactRef ref;
    std::optional<std::string> data;  // small content
    std::string path;                 // where larger content is read again
    FileHandle spool;                 // keeps what came by a pipe
};

/// Reads `path` (`-`: stdin) under a name. A regular file's uri is recorded; a pipe is copied to a
/// temporary file first. Errors: usage (no such file, a bad name), IO.
Expected<Content> read_content(const std::string& path, const std::string& name);

/// The text as a content. Errors: IO (no temporary file for a large one).
Expected<Content> content_of_text(std::string text, const std::string& name);
/// Keeps the bytes of a small content in a temporary file too, unless they lie in one already: it
/// can be put from there. Errors: IO.
Expected<void> spill(Content& content);

/// `base` and the extension of the path: `context.md` of `notes/a.md`.
std::string named_like(const std::string& base, const std::string& path);

/// `NAME=FILE`, or FILE under its own name. Errors: as read_content.
Expected<Content> read_named_content(const std::string& operand);

/// The path of `file:///…`. Errors: usage (another scheme or host).
Expected<std::string> path_of_uri(const std::string& uri);

/// Keeps the inline contents within what one message may carry: the largest beyond it are put.
void bound_inline(std::vector<Content>& contents);

/// Looks for secrets in a content's text before it leaves; of a larger file than
/// limits::kScannedBytes the coordinator looks at the beginning. Errors: SECRET_FOUND.
Expected<void> check_no_secret_in(const Content& content, const std::string& field);

/// Copies content to a path, its folders too, whole or not at all. Errors: IO, STORAGE_FULL.
Expected<void> copy_content(const Content& content, const std::string& path);

/// Puts what does not travel inline. With a lease as that attempt's output; else as an input.
/// Inside a task it is laid into the task's spool, for the worker to put.
Expected<void> put_contents(Session& session, const std::vector<Content>& contents,
                            const TaskId& task, const LeaseToken& lease);

/// Makes the named contents ready to be put, which the coordinator misses. False if none is ours.
bool send_missing(std::vector<Content>& contents, const std::vector<Digest>& missing);

}  // namespace zq::cli
