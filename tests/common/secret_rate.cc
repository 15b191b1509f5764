// How often the search for secrets errs on real text, and what it costs: `secret_rate [-v] PATH…`
// reads every file below the paths (text alone, its first 16 MiB), and says how many lines have a
// find of each kind, and how long a pass takes. With -v, every find's place and line. The figures
// in protocol.md, "Redaction", are its output; what it prints may be secrets.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "common/base/secret_formats.h"

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kFileBytes = 16U << 20;

struct Totals {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::uint64_t lines = 0;
    std::map<std::string, std::uint64_t> lines_with;
    double seconds = 0;
};

void scan(const fs::path& path, bool verbose, Totals& totals) {
    std::ifstream in(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    if (text.size() > kFileBytes) text.resize(kFileBytes);
    if (text.substr(0, 8192).find('\0') != std::string::npos) return;
    ++totals.files;
    totals.bytes += text.size();
    totals.lines += static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    const auto begun = Clock::now();
    std::vector<zq::FoundSecret> all;
    for (auto found = zq::find_secret(text); found; found = zq::find_secret(text, found->end)) {
        all.push_back(*found);
    }
    totals.seconds += std::chrono::duration<double>(Clock::now() - begun).count();
    for (const zq::FoundSecret& found : all) {
        ++totals.lines_with[std::string(found.kind)];
        if (!verbose) continue;
        const std::size_t line = text.rfind('\n', found.begin) + 1;
        const std::size_t end = std::min(text.find('\n', found.begin), line + 200);
        std::printf("%s: %s: %s\n", path.c_str(), std::string(found.kind).c_str(),
                    text.substr(line, end - line).c_str());
    }
}

/// Nanoseconds for one pass over the first `size` bytes of `text`.
double cost(const std::string& text, std::size_t size) {
    const std::string part = text.substr(0, size);
    const int rounds = static_cast<int>((16U << 20) / size);
    std::size_t finds = 0;
    const auto begun = Clock::now();
    for (int i = 0; i < rounds; ++i) finds += zq::find_secret(part) ? 1 : 0;
    const double ns = std::chrono::duration<double, std::nano>(Clock::now() - begun).count();
    if (finds > 0) std::printf("(a find ends the pass early)\n");
    return ns / rounds;
}

}  // namespace

int main(int argc, char** argv) {
    bool verbose = false;
    Totals totals;
    for (int i = 1; i < argc; ++i) {
        if (std::string(argv[i]) == "-v") {
            verbose = true;
            continue;
        }
        std::error_code error;
        if (fs::is_regular_file(argv[i], error)) scan(argv[i], verbose, totals);
        fs::recursive_directory_iterator it(argv[i], error);
        for (const fs::recursive_directory_iterator end; !error && it != end; it.increment(error)) {
            if (it->is_regular_file(error) && !it->is_symlink(error)) {
                scan(it->path(), verbose, totals);
            }
        }
    }
    std::printf("%llu files, %llu lines, %.1f MiB in %.2f s: %.0f MiB/s\n",
                static_cast<unsigned long long>(totals.files),
                static_cast<unsigned long long>(totals.lines),
                static_cast<double>(totals.bytes) / (1U << 20), totals.seconds,
                static_cast<double>(totals.bytes) / (1U << 20) / totals.seconds);
    for (const auto& [kind, count] : totals.lines_with) {
        std::printf("  %-20s %6llu, one in %.0f lines\n", kind.c_str(),
                    static_cast<unsigned long long>(count),
                    static_cast<double>(totals.lines) / static_cast<double>(count));
    }
    std::string prose;
    while (prose.size() < 65536) {
        prose +=
            "Review this architecture and identify risks: what fails first, and who notices? "
            "{\"repository\": \"example/service\", \"depth\": 3, \"paths\": [\"src/\", "
            "\"docs/\"]}\n";
    }
    std::printf("1 KiB: %.0f ns; 64 KiB: %.0f ns\n", cost(prose, 1024), cost(prose, 65536));
    return 0;
}
