#include "cli/bench/setting.h"

#include <filesystem>

#include "cli/bench/crew.h"
#include "cli/session.h"
#include "common/platform/files.h"

namespace zq::cli {
namespace {

constexpr Millis kConnectPatience = seconds(10);

}  // namespace

Expected<Setting> read_setting(const Arguments& args) {
    catch_interrupts();
    Setting setting;
    auto repetitions = args.number("repetitions", 1, 1000);
    if (!repetitions) return tl::unexpected(repetitions.error());
    if (*repetitions) setting.repetitions = **repetitions;
    auto time = args.duration("time");
    if (!time) return tl::unexpected(time.error());
    if (*time) setting.seconds = static_cast<double>((*time)->count) / 1000;
    setting.server.parent =
        args.has("data") ? args.text("data") : std::filesystem::temp_directory_path().string();
    setting.server.curve = args.has("curve");
    setting.connect = args.text("connect");
    for (const char* flag : {"data", "curve"}) {
        if (setting.connect.empty() || !args.has(flag)) continue;
        return usage(std::string("--") + flag + " is for a coordinator of the benchmark's own",
                     "leave out --connect, or --" + std::string(flag));
    }
    return setting;
}

Expected<std::uint64_t> number_or(const Arguments& args, std::string_view flag, std::uint64_t most,
                                  std::uint64_t absent) {
    auto number = args.number(flag, 1, most);
    if (!number) return tl::unexpected(number.error());
    return number->value_or(absent);
}

Expected<Target> open_target(const Setting& setting) {
    Target target;
    if (!setting.connect.empty()) {
        auto profile = load_profile(setting.connect);
        if (!profile) return problem(profile.error());
        auto curve = curve_of(*profile);
        if (!curve) return problem(curve.error());
        target.profile = *profile;
        // Whoever is not there is told of at once, and not by a load that waits.
        ClientOptions options{*profile};
        options.give_up = kConnectPatience;
        auto session = Session::open(std::move(options));
        if (!session) return tl::unexpected(session.error());
        if (auto pong = (*session)->call<wire::Pong>(wire::Ping{}); !pong) {
            return tl::unexpected(pong.error());
        }
        target.queue.endpoint = profile->endpoints.front();
        target.queue.curve = std::move(*curve);
        // What an earlier run has left is not this one's.
        target.queue.role = "bench-" + to_hex(random_u64());
    } else {
        auto server = OwnServer::start(setting.server);
        if (!server) return tl::unexpected(server.error());
        target.own = std::move(*server);
        target.profile = target.own->profile();
        target.queue.endpoint = target.own->endpoint();
        target.queue.curve = target.own->curve();
        target.cpu_before = target.own->cpu_seconds();
    }
    return target;
}

Ending repeat(const Setting& setting, const OutputOptions& output,
              const std::function<Expected<void>(Target&, Figures&)>& once) {
    Figures figures;
    for (std::uint64_t i = 0; i < setting.repetitions; ++i) {
        auto target = open_target(setting);
        if (!target) return tl::unexpected(target.error());
        if (auto ok = once(*target, figures); !ok) return tl::unexpected(ok.error());
    }
    return figures.print(output);
}

QueueMaker maker_of(const Target& target, bool with_results) {
    ZqQueueOptions options = target.queue;
    if (with_results) options.reply_to = options.role;
    return [options] { return std::make_unique<ZqQueue>(options); };
}

void add_cpu(Figures& figures, const std::string& workload, const std::string& params,
             const Target& target, const Rate& rate) {
    if (!target.own || rate.count == 0) return;
    const double seconds = target.own->cpu_seconds() - target.cpu_before;
    figures.add(workload, params, "server_cpu", seconds * 1e6 / static_cast<double>(rate.count),
                "us");
}

}  // namespace zq::cli
