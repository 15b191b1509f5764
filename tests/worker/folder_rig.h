// A folder of its own for a test, removed at its end, and waiting for conditions.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "common/base/ids.h"
#include "common/platform/files.h"

namespace zq::worker {

class FolderRig {
  public:
    FolderRig()
        : path_((std::filesystem::temp_directory_path() / ("zqw-" + to_hex(random_bytes(6))))
                    .string()) {
        std::filesystem::create_directories(path_);
    }
    FolderRig(const FolderRig&) = delete;
    FolderRig& operator=(const FolderRig&) = delete;
    ~FolderRig() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const { return path_; }
    std::string file(const std::string& name) const { return path_ + "/" + name; }
    void write(const std::string& name, const std::string& text) const {
        const auto full = std::filesystem::path(path_) / name;
        std::filesystem::create_directories(full.parent_path());
        std::ofstream(full, std::ios::binary) << text;
    }
    std::string read(const std::string& name) const { return read_file(file(name)).value_or(""); }

  private:
    std::string path_;
};

/// True as soon as `condition` holds; false after ten seconds.
inline bool eventually(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < until) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return condition();
}

}  // namespace zq::worker
