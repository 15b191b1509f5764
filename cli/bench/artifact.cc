// `zq bench artifact`: how fast contents are stored, beside what the machine does with the same
// bytes, and what a submit waits meanwhile.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "cli/bench/crew.h"
#include "cli/bench/reports.h"
#include "cli/bench/setting.h"
#include "cli/command_table.h"
#include "cli/session.h"
#include "common/platform/digest.h"
#include "common/platform/files.h"

namespace zq::cli {
namespace {

constexpr std::uint64_t kMib = 1024 * 1024;
constexpr std::size_t kSmallBytes = 4096;
constexpr double kIdleSeconds = 2;

double seconds_since(std::int64_t start) {
    return static_cast<double>(now_ns() - start) / 1e9;
}

/// A file of zeros that takes no room. Errors: IO.
Expected<void> make_sparse(const std::string& path, std::uint64_t bytes) {
    FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (file.is_open() && ::ftruncate(file.fd(), static_cast<off_t>(bytes)) == 0) return {};
    return problem(ErrorCode::IO, "cannot make " + path);
}

/// The seconds of `sha256sum` and of `cp` with a sync, one after the other.
Expected<double> hash_and_copy(const std::string& path) {
    const std::string copy = path + ".copy";
    const std::int64_t start = now_ns();
    if (auto digest = sha256_file(path); !digest) return problem(digest.error());
    FileHandle from(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    FileHandle to(::open(copy.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    ::unlink(copy.c_str());
    std::vector<char> bytes(kMib);
    ssize_t got = 0;
    bool ok = from.is_open() && to.is_open();
    while (ok && (got = ::read(from.fd(), bytes.data(), bytes.size())) > 0) {
        ok = ::write(to.fd(), bytes.data(), static_cast<std::size_t>(got)) == got;
    }
    if (!ok || got < 0 || ::fsync(to.fd()) != 0) {
        return problem(ErrorCode::IO, "cannot copy " + path);
    }
    return seconds_since(start);
}

/// Stores what lies at `path` under its digest. Fatal where that fails.
void put(Transfer& transfer, const std::string& path) {
    const auto digest = sha256_file(path);
    if (!digest) fatal(digest.error().message);
    wire::Put order;
    order.digest = digest->digest;
    order.size = digest->size;
    if (auto ok = transfer.put_file(order, path); !ok) fatal(ok.error().message);
}

/// The process of one who stores: seconds, and the memory it took at most in MiB.
std::string store(const Profile& profile, const std::function<void(Transfer&)>& work) {
    auto session = Session::open(ClientOptions{profile});
    if (!session) fatal(session.error().error.message);
    auto transfer = (*session)->transfer();
    if (!transfer) fatal(transfer.error().error.message);
    const std::int64_t start = now_ns();
    work(**transfer);
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return std::to_string(seconds_since(start)) + " " +
           std::to_string(static_cast<double>(usage.ru_maxrss) / 1024);
}

struct Stored {
    double seconds = 0;   // of the slowest process
    double peak_mib = 0;  // of the largest
    Latencies submits;    // one at a time, meanwhile
};

/// `clients` processes store, each what `work` says, beside one that submits.
Expected<Stored> store_beside_submits(const Target& target, std::size_t clients,
                                      const std::function<void(Transfer&, std::size_t)>& work) {
    Crew submitting;
    const QueueMaker make = maker_of(target, false);
    submitting.start([&](int stop_fd) { return run_submits_until(*make(), stop_fd).to_text(); });
    Crew storing;
    for (std::size_t i = 0; i < clients; ++i) {
        storing.start([&, i](int) {
            return store(target.profile, [&](Transfer& transfer) { work(transfer, i); });
        });
    }
    const auto reports = storing.reports();
    submitting.stop();
    const auto submits = submitting.reports();
    if (!reports) return tl::unexpected(reports.error());
    if (!submits) return tl::unexpected(submits.error());
    Stored stored;
    for (const std::string& report : *reports) {
        char* rest = nullptr;
        stored.seconds = std::max(stored.seconds, std::strtod(report.c_str(), &rest));
        stored.peak_mib = std::max(stored.peak_mib, std::strtod(rest, nullptr));
    }
    stored.submits = Latencies::from_text(submits->front());
    return stored;
}

Ending run_artifact(const Context& context) {
    auto setting = read_setting(context.args);
    if (!setting) return tl::unexpected(setting.error());
    auto mib = number_or(context.args, "mib", 1'000'000, 256);
    if (!mib) return tl::unexpected(mib.error());
    auto files = number_or(context.args, "files", 1'000'000, 2'000);
    if (!files) return tl::unexpected(files.error());
    auto clients = number_or(context.args, "clients", 64, 4);
    if (!clients) return tl::unexpected(clients.error());
    const std::string large = "mib=" + std::to_string(*mib);
    const std::string small =
        "files=" + std::to_string(*files) + ",clients=" + std::to_string(*clients);
    return repeat(
        *setting, context.output, [&](Target& target, Figures& figures) -> Expected<void> {
            const QueueMaker make = maker_of(target, false);
            const auto idle = rate_of([&] { return run_submits(*make(), {1, 1, kIdleSeconds}); });
            if (!idle) return tl::unexpected(idle.error());
            figures.add("artifact", "idle", "submit_p99", idle->latencies.quantile(0.99), "us");

            const std::string path = target.own->folder() + "/large";
            if (auto ok = make_sparse(path, *mib * kMib); !ok) return tl::unexpected(ok.error());
            const auto machine = hash_and_copy(path);
            if (!machine) return tl::unexpected(machine.error());
            const auto one = store_beside_submits(
                target, 1, [&](Transfer& transfer, std::size_t) { put(transfer, path); });
            if (!one) return tl::unexpected(one.error());
            const auto size = static_cast<double>(*mib);
            figures.add("artifact", large, "rate", size / one->seconds, "MiB/s");
            figures.add("artifact", large, "of_sha256sum_and_cp", *machine / one->seconds, "ratio");
            figures.add("artifact", large, "client_memory", one->peak_mib, "MiB");
            figures.add("artifact", large, "rss", target.own->rss_mib(), "MiB");
            figures.add("artifact", large, "submit_p99", one->submits.quantile(0.99), "us");

            const std::uint64_t each = (*files + *clients - 1) / *clients;
            const auto many =
                store_beside_submits(target, *clients, [&](Transfer& transfer, std::size_t client) {
                    const std::string file =
                        target.own->folder() + "/small-" + std::to_string(client);
                    for (std::uint64_t n = 0; n < each; ++n) {
                        std::string bytes = std::to_string(client) + "/" + std::to_string(n) + "\n";
                        bytes.resize(kSmallBytes, 'x');
                        std::ofstream(file) << bytes;
                        put(transfer, file);
                    }
                });
            if (!many) return tl::unexpected(many.error());
            figures.add("artifact", small, "rate",
                        static_cast<double>(each * *clients) / many->seconds, "files/s");
            figures.add("artifact", small, "submit_p99", many->submits.quantile(0.99), "us");
            return {};
        });
}

constexpr auto kFlags = std::to_array<Flag>({
    {"mib", "N", "Size of the large content, in MiB (default 256)"},
    {"files", "N", "Contents of 4 KiB (default 2000)"},
    {"clients", "N", "Processes that store those (default 4)"},
    kRepetitionsFlag,
    kDataFlag,
    kCurveFlag,
});

constexpr auto kCommands = std::to_array<Command>({
    {"bench artifact", "Measure", "", "How fast contents are stored",
     "One large content from a sparse file, against the time of `sha256sum` and `cp` with a sync\n"
     "for the same file; then many small ones. Beside each, submits one at a time.",
     kFlags, kBenchUses, 0, 0, run_artifact},
});

}  // namespace

std::span<const Command> bench_artifact_commands() {
    return kCommands;
}

}  // namespace zq::cli
