#include "worker/usage_meter.h"

#include <sys/stat.h>

#include "common/platform/files.h"

namespace zq::worker {
namespace {

constexpr Millis kEvery = seconds(1);
constexpr std::uint64_t kUsageBytes = 1024 * 1024;

}  // namespace

UsageMeter::UsageMeter(const Workspace& workspace, Millis now)
    : path_(workspace.usage_file()), next_(now + kEvery) {}

std::optional<Usage> UsageMeter::look(Millis now) {
    if (now < next_) return std::nullopt;
    next_ = now + kEvery;
    struct stat info {};
    if (::lstat(path_.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
    const auto size = static_cast<std::uint64_t>(info.st_size);
    if (size == size_) return std::nullopt;
    size_ = size;
    const Usage used = read_usage_file(path_);
    if (used == told_) return std::nullopt;
    told_ = used;
    return used;
}

Usage read_usage_file(const std::string& path) {
    return read_usage_lines(read_file(path, kUsageBytes).value_or(""));
}

}  // namespace zq::worker
