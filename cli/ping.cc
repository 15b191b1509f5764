// `zq ping`: is anybody there, on both sockets, and who are we to them.
#include <array>

#include "cli/command_table.h"
#include "cli/session.h"
#include "cli/text.h"
#include "common/platform/clock.h"

namespace zq::cli {
namespace {

constexpr Millis kPatience = seconds(10);

constexpr auto kColumns = std::to_array<Column>({
    {"socket", "SOCKET"},
    {"endpoint", "ENDPOINT"},
    {"round_trip_ms", "ROUND TRIP", Cell::kDuration},
    {"you", "YOU"},
    {"program", "PROGRAM", Cell::kText, Where::kWide},
    {"journal", "JOURNAL", Cell::kText, Where::kWide},
});

struct Answer {
    wire::Pong pong;
    Millis took{};
};

Expected<Answer> ping(const Profile& profile, std::string* artifacts) {
    ClientOptions options{profile};
    options.give_up = kPatience;
    auto session = Session::open(std::move(options));
    if (!session) return tl::unexpected(session.error());
    const Millis start = boottime();
    auto pong = (*session)->call<wire::Pong>(wire::Ping{});
    if (!pong) return tl::unexpected(pong.error());
    const Millis took = boottime() - start;
    if (artifacts != nullptr) {
        auto endpoint = (*session)->artifacts_endpoint();
        if (!endpoint) return tl::unexpected(endpoint.error());
        *artifacts = *endpoint;
    }
    return Answer{std::move(*pong), took};
}

Json ping_record(std::string_view socket, const std::string& endpoint, const Answer& answer) {
    Json record = Json::object();
    record.set("schema", Json::text("zq/ping/v1"));
    record.set("id", Json::text(socket));
    record.set("socket", Json::text(socket));
    record.set("endpoint", Json::text(endpoint));
    record.set("round_trip_ms", to_json(answer.took));
    record.set("you", to_json(answer.pong.you));
    record.set("program", to_json(answer.pong.program));
    record.set("journal", to_json(answer.pong.journal));
    return record;
}

Ending run_ping(const Context& context) {
    auto profile = load_profile(context.args.text("connect"));
    if (!profile) return problem(profile.error());
    std::string artifacts;
    auto control = ping(*profile, &artifacts);
    if (!control) return tl::unexpected(control.error());
    View view{Shape::kLines, "zq/ping-list/v1", kColumns, {}, false};
    view.records.push_back(ping_record("control", profile->endpoints.front(), *control));
    Profile second = *profile;
    second.endpoints = {artifacts};
    auto content = artifacts.empty()
                       ? Expected<Answer>(problem(ErrorCode::UNREACHABLE,
                                                  "the coordinator names no artifacts "
                                                  "socket"))
                       : ping(second, nullptr);
    if (content) view.records.push_back(ping_record("artifacts", artifacts, *content));
    if (auto ok = print(view, context.output); !ok) return ok;
    if (content) return ExitCode::kDone;
    content.error().hint = "the artifacts socket is another port: open it too, or set `advertise`";
    return tl::unexpected(content.error());
}

constexpr auto kCommands = std::to_array<Command>({
    {"ping",
     "Watch",
     "",
     "Test the connection, on both sockets",
     "",
     {},
     {true, true, false},
     0,
     0,
     run_ping},
});

}  // namespace

std::span<const Command> ping_commands() {
    return kCommands;
}

}  // namespace zq::cli
