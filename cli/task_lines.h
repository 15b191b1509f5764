// The lines of a file of tasks, read as they are wanted: memory holds one line at a time, however
// long the file is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/exit_code.h"
#include "common/platform/files.h"

namespace zq::cli {

struct TaskLine {
    std::uint64_t number = 0;  // in the file, from 1
    std::string text;
    bool too_long = false;  // more than kTaskJsonBytes: the text is not here
};

class TaskLines {
  public:
    /// `-`: stdin. Errors: usage (no such file), IO.
    static Expected<TaskLines> open(const std::string& path);

    /// The next line that is not blank; nullopt at the end. Errors: IO.
    Expected<std::optional<TaskLine>> next();

  private:
    explicit TaskLines(FileHandle file) : file_(std::move(file)) {}
    /// False at the end of the file.
    Expected<bool> fill();

    FileHandle file_;
    std::string buffer_;
    std::size_t begin_ = 0;  // of what is not taken yet
    std::uint64_t number_ = 0;
    bool ended_ = false;
};

}  // namespace zq::cli
