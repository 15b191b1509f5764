#include "tests/power/run_report.h"

#include <stdlib.h>

#include <filesystem>

#include "common/base/check.h"

namespace zq::power {

ScratchFolder::ScratchFolder() {
    namespace fs = std::filesystem;
    std::error_code ignored;
    const fs::path base =
        fs::is_directory("/dev/shm", ignored) ? "/dev/shm" : fs::temp_directory_path();
    std::string pattern = (base / "zq-power-XXXXXX").string();
    ZQ_CHECK(::mkdtemp(pattern.data()) != nullptr);
    path_ = fs::canonical(pattern).string();
}

ScratchFolder::~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace zq::power
