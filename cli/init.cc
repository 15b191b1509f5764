// `zq init`: a coordinator's data folder, and how this machine's user reaches it.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "cli/command_table.h"
#include "cli/server_folder.h"
#include "cli/start.h"
#include "common/platform/key_registry.h"

namespace zq::cli {
namespace {

/// The profile that an earlier init of this folder wrote, before its settings change.
std::optional<Profile> former_profile(const std::string& data) {
    auto settings = read_settings(data);
    auto server = KeyRegistry(data + "/keys").server_keys();
    if (!settings || !server) return std::nullopt;
    return own_profile(*settings, server->public_key);
}

bool same(const Profile& a, const Profile& b) {
    return a.endpoints == b.endpoints && a.server_public == b.server_public &&
           a.key_file == b.key_file;
}

Json init_record(const ServerFolder& folder) {
    Json record = Json::object();
    record.set("schema", Json::text("zq/init/v1"));
    record.set("id", Json::text(folder.settings.data));
    record.set("data", Json::text(folder.settings.data));
    record.set("bind", to_json(folder.settings.binds));
    record.set("artifacts_bind", to_json(folder.settings.artifacts_binds));
    record.set("steps", to_json(folder.steps));
    record.set("next", Json::text(start_line(folder.settings)));
    return record;
}

constexpr auto kInitColumns = std::to_array<Column>({
    {"data", "DATA"},
    {"bind", "BIND"},
    {"artifacts_bind", "ARTIFACTS"},
    {"steps", "STEPS", Cell::kText, Where::kOnAsking},
    {"next", "NEXT", Cell::kText, Where::kOnAsking},
});

Ending say(const Context& context, const ServerFolder& folder) {
    const OutputOptions& options = context.output;
    const bool plain = options.format == Format::kTable || options.format == Format::kWide;
    if (!plain || !options.fields.empty()) {
        return print({Shape::kOne, {}, kInitColumns, {init_record(folder)}}, options);
    }
    std::string text;
    for (const std::string& step : folder.steps) text += step + "\n";
    if (folder.steps.empty()) text += folder.settings.data + " is complete: nothing to do\n";
    text += "\nnext:\n  " + start_line(folder.settings) + "\n";
    const bool open = std::any_of(folder.settings.binds.begin(), folder.settings.binds.end(),
                                  [](const std::string& bind) { return !is_local(bind); });
    if (open) {
        text += "  zq invite --role ROLE --data " + folder.settings.data +
                "      # for a machine that works\n";
        text += "  zq invite --submit --data " + folder.settings.data +
                "         # for a machine that submits\n";
    } else {
        text += "  zq-worker --role ROLE -- COMMAND\n";
        text += "  zq submit --to ROLE --instructions TEXT\n";
    }
    print_raw(text);
    return ExitCode::kDone;
}

Ending run_init(const Context& context) {
    auto change = read_settings_change(context.args);
    if (!change) return tl::unexpected(change.error());
    const std::string data = data_folder_of(context.args);
    if (context.args.has("dry-run")) {
        auto plan = plan_server_folder(data, *change);
        if (!plan) return tl::unexpected(plan.error());
        note("dry run: nothing was written");
        return say(context, *plan);
    }
    auto folder = init_data_folder(data, *change);
    if (!folder) return tl::unexpected(folder.error());
    return say(context, *folder);
}

constexpr auto kFlags = std::to_array<Flag>({
    {"data", "DIR", "The data folder (default: ZQ_DATA, then ./zq-data)"},
    {"bind", "ENDPOINT", "Control socket (default tcp://127.0.0.1:5570); repeatable",
     Takes::kValues},
    {"artifacts-bind", "ENDPOINT",
     "Artifacts socket (default: the port above the control socket's)", Takes::kValues},
    {"advertise", "ENDPOINT", "The artifacts endpoint that other machines are told"},
});

constexpr auto kCommands = std::to_array<Command>({
    {"init",
     "Start",
     "",
     "Make a coordinator's data folder: keys, settings",
     "Without flags: ./zq-data, reachable from this machine alone. For other machines name an\n"
     "address of this one: --bind tcp://192.168.1.10:5570; peers then need keys (zq invite).\n"
     "Doing it again changes nothing but what the flags say.",
     kFlags,
     {false, true, true},
     0,
     0,
     run_init},
});

}  // namespace

std::string data_folder_of(const Arguments& args) {
    if (args.has("data")) return args.text("data");
    const char* data = std::getenv("ZQ_DATA");
    return data != nullptr && *data != '\0' ? data : "./zq-data";
}

std::string start_line(const ServerSettings& settings) {
    return "zq-coordinator --data " + settings.data;
}

Expected<SettingsChange> read_settings_change(const Arguments& args) {
    SettingsChange change{args.values("bind"), args.values("artifacts-bind"),
                          args.text("advertise")};
    for (const std::string& bind : change.binds) {
        if (auto ok = check_bind(bind, "--bind"); !ok) return tl::unexpected(ok.error());
    }
    for (const std::string& bind : change.artifacts_binds) {
        if (auto ok = check_bind(bind, "--artifacts-bind"); !ok) return tl::unexpected(ok.error());
    }
    if (!change.advertise.empty()) {
        auto ok = check_bind(change.advertise, "--advertise");
        if (!ok) return tl::unexpected(ok.error());
    }
    if (!change.artifacts_binds.empty()) return change;
    // One port above the control socket's, as the defaults are.
    for (const std::string& bind : change.binds) {
        if (bind.rfind("ipc://", 0) == 0) {
            change.artifacts_binds.push_back(bind + "-artifacts");
            continue;
        }
        const auto colon = bind.rfind(':');
        const int port = std::atoi(bind.c_str() + colon + 1);
        change.artifacts_binds.push_back(bind.substr(0, colon + 1) + std::to_string(port + 1));
    }
    return change;
}

Expected<ServerFolder> init_data_folder(const std::string& data, const SettingsChange& change) {
    const std::optional<Profile> former = former_profile(data);
    auto folder = ensure_server_folder(data, change);
    if (!folder) return folder;
    auto read = read_user_profile();
    if (!read) return problem(read.error());
    const std::optional<Profile>& user = *read;
    const bool ours = user && former && same(*user, *former);
    if (!user || (ours && !same(*user, folder->profile))) {
        if (auto ok = save_profile(folder->profile); !ok) return problem(ok.error());
        folder->steps.push_back("wrote your profile " + profile_path());
    } else if (!same(*user, folder->profile)) {
        note("your profile " + profile_path() +
             " names another coordinator and stays; for this one:\n"
             "  export ZQ_CONFIG=" +
             folder->admin_profile);
    }
    return folder;
}

std::span<const Command> start_commands() {
    return kCommands;
}

}  // namespace zq::cli
