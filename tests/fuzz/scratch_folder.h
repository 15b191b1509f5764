// A folder of this process alone, for what a target must read from disk: made at the first use, in
// memory where the machine has such a place, removed at the end.
#pragma once

#include <filesystem>
#include <string>

#include "common/base/check.h"
#include "common/platform/files.h"

namespace zq::fuzz {

class ScratchFolder {
  public:
    ScratchFolder() {
        std::error_code none;
        const bool in_memory = std::filesystem::is_directory("/dev/shm", none);
        path_ = std::string(in_memory ? "/dev/shm" : "/tmp") + "/zq-fuzz-" + to_hex(random_u64());
        ZQ_CHECK(make_folders(path_, 0700));
    }
    ~ScratchFolder() {
        std::error_code none;
        std::filesystem::remove_all(path_, none);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    const std::string& path() const { return path_; }
    /// Writes a file of it; gives its path.
    std::string write(const std::string& name, std::string_view content) const {
        const std::string file = path_ + "/" + name;
        ZQ_CHECK(write_file(file, content, 0600, Durability::kNone));
        return file;
    }
    /// Removes what is in it.
    void clear() const {
        std::error_code none;
        for (const auto& entry : std::filesystem::directory_iterator(path_, none)) {
            std::filesystem::remove_all(entry.path(), none);
        }
    }

  private:
    std::string path_;
};

}  // namespace zq::fuzz
