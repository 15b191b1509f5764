#include "coordinator/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "common/base/nearest.h"
#include "common/base/task_spec.h"
#include "common/platform/config.h"
#include "coordinator/approval_settings.h"
#include "coordinator/limit_settings.h"
#include "coordinator/retention_settings.h"

namespace zq::coordinator {
namespace {

constexpr Millis kHeartbeatMin = millis(100);

/// One setting: its key in the file, its flag's text, its variable, and what sets it from text.
struct Setting {
    const char* key;
    const char* flag;
    const char* variable;
    const char* help;
    Result<void> (*set)(Options&, const std::vector<std::string>& values);
};

Failure bad(const std::string& what) {
    return fail(ErrorCode::INVALID, what);
}

Result<void> set_text(std::string& target, const std::vector<std::string>& values) {
    target = values.empty() ? "" : values.back();
    return {};
}

Result<void> set_duration(Millis& target, const std::string& text) {
    auto duration = parse_duration(text, "");
    if (!duration) return Failure(duration.error());
    target = *duration;
    return {};
}

Result<void> check_endpoint(const std::string& endpoint) {
    const auto colon = endpoint.rfind(':');
    const bool tcp = endpoint.rfind("tcp://", 0) == 0 && colon > 6 && colon + 1 < endpoint.size();
    if (tcp || (endpoint.rfind("ipc://", 0) == 0 && endpoint.size() > 6)) return {};
    return bad("'" + endpoint + "' is no endpoint; write tcp://ADDRESS:PORT or ipc://PATH");
}

Result<void> set_endpoints(std::vector<std::string>& target,
                           const std::vector<std::string>& values) {
    std::vector<std::string> endpoints;
    for (const std::string& value : values) {
        std::size_t start = 0;
        while (start <= value.size()) {
            const auto comma = std::min(value.find(',', start), value.size());
            endpoints.push_back(value.substr(start, comma - start));
            if (auto ok = check_endpoint(endpoints.back()); !ok) return ok;
            start = comma + 1;
        }
    }
    if (endpoints.empty()) return bad("at least one endpoint");
    target = std::move(endpoints);
    return {};
}

Result<void> set_advertise(Options& o, const std::vector<std::string>& values) {
    if (auto ok = set_text(o.advertise, values); !ok || o.advertise.empty()) return ok;
    return check_endpoint(o.advertise);
}

Result<void> set_lease(Options& o, const std::vector<std::string>& values) {
    if (auto ok = set_duration(o.lease, values.back()); !ok) return ok;
    if (o.lease >= limits::kLeaseMin && o.lease <= limits::kLeaseMax) return {};
    return bad("a lease is " + to_string(limits::kLeaseMin) + " to " +
               to_string(limits::kLeaseMax));
}

Result<void> set_open_tasks(Options& o, const std::vector<std::string>& values) {
    const std::string& text = values.back();
    std::size_t number = 0;
    auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = status == std::errc{} && end == text.data() + text.size();
    if (!whole || number < 1 || number > limits::kOpenTasks) {
        return bad("'" + text + "' is not a number from 1 to " +
                   std::to_string(limits::kOpenTasks));
    }
    o.max_open_tasks = number;
    return {};
}

/// `ROLE=FILE` or `ROLE/TYPE=FILE`, each its own value; the files are read by the server.
Result<void> set_payload_schemas(Options& o, const std::vector<std::string>& values) {
    std::vector<std::string> settings;
    for (const std::string& value : values) {
        std::size_t start = 0;
        while (start < value.size()) {
            const auto comma = std::min(value.find(',', start), value.size());
            settings.push_back(value.substr(start, comma - start));
            const auto equals = settings.back().find('=');
            if (equals == 0 || equals == std::string::npos ||
                equals + 1 == settings.back().size()) {
                return bad("'" + settings.back() + "': write ROLE=FILE or ROLE/TYPE=FILE");
            }
            start = comma + 1;
        }
    }
    o.payload_schemas = std::move(settings);
    return {};
}

/// Settings of several values.
bool is_list(const std::string& key) {
    return key == "bind" || key == "artifacts_bind" || key == "payload_schemas";
}

Result<void> set_log_level(Options& o, const std::vector<std::string>& values) {
    const auto& level = values.back();
    if (level != "debug" && level != "info" && level != "warn" && level != "error") {
        return bad("'" + values.back() + "' is not debug, info, warn or error");
    }
    return set_text(o.log_level, values);
}

Result<void> set_insecure(Options& o, const std::vector<std::string>& values) {
    if (values.back() != "true" && values.back() != "false") {
        return bad("'" + values.back() + "' is neither true nor false");
    }
    o.insecure = values.back() == "true";
    return {};
}

Result<void> set_artifact_secrets(Options& o, const std::vector<std::string>& values) {
    const std::string& word = values.back();
    if (word != "flag" && word != "refuse") return bad("'" + word + "' is neither flag nor refuse");
    o.artifact_secrets =
        word == "flag" ? edge::ArtifactSecrets::kFlag : edge::ArtifactSecrets::kRefuse;
    return {};
}

using Texts = std::vector<std::string>;

// ZQ_LEASE and ZQ_CONFIG have other meanings already (a task's lease, the client's own file), so
// the coordinator's variables of these two carry its name.
const Setting kSettings[] = {
    {"data", "--data", "ZQ_DATA", "data folder, made if missing",
     [](Options& o, const Texts& v) { return set_text(o.data, v); }},
    {"bind", "--bind", "ZQ_BIND", "control endpoint (repeatable)",
     [](Options& o, const Texts& v) { return set_endpoints(o.binds, v); }},
    {"artifacts_bind", "--artifacts-bind", "ZQ_ARTIFACTS_BIND", "artifacts endpoint (repeatable)",
     [](Options& o, const Texts& v) { return set_endpoints(o.artifacts_binds, v); }},
    {"advertise", "--advertise", "ZQ_ADVERTISE", "artifacts endpoint that other machines are told",
     set_advertise},
    {"lease", "--lease", "ZQ_COORDINATOR_LEASE", "how long a worker keeps a task without a word",
     set_lease},
    {"heartbeat", "--heartbeat", "ZQ_HEARTBEAT", "how often workers say that they are alive",
     [](Options& o, const Texts& v) { return set_duration(o.heartbeat, v.back()); }},
    {"max_open_tasks", "--max-open-tasks", "ZQ_MAX_OPEN_TASKS", "bound on open tasks",
     set_open_tasks},
    {"payload_schemas", "--payload-schema", "ZQ_PAYLOAD_SCHEMAS",
     "ROLE=FILE or ROLE/TYPE=FILE: the JSON Schema that its payloads fit (repeatable)",
     set_payload_schemas},
    {"log_level", "--log-level", "ZQ_LOG_LEVEL", "debug, info, warn or error", set_log_level},
    {"insecure", "--insecure", "ZQ_INSECURE", "serve other machines without keys", set_insecure},
    {"secrets.artifacts", "--artifact-secrets", "ZQ_ARTIFACT_SECRETS",
     "flag or refuse: artifacts whose text has what looks like a secret", set_artifact_secrets},
};
constexpr const char* kConfigVariable = "ZQ_COORDINATOR_CONFIG";

/// What the command line says, by key of the setting.
struct Flags {
    std::map<std::string, Texts> values;
    std::string config;
    Mode mode = Mode::kServe;
    std::string help;
};

std::string suggestion_for(const std::vector<std::string>& arguments) {
    std::vector<std::string> known = {"--config", "--check", "--version", "--help"};
    for (const Setting& setting : kSettings) known.emplace_back(setting.flag);
    for (const std::string& argument : arguments) {
        const std::string name = argument.substr(0, argument.find('='));
        if (name.rfind("--", 0) != 0) continue;
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        const std::string nearest = nearest_word(name, known);
        if (!nearest.empty()) return "; did you mean " + nearest + "?";
    }
    return {};
}

Result<Flags> parse_flags(const std::vector<std::string>& arguments) {
    Flags flags;
    CLI::App app("The zq server: a durable task queue for agents.", "zq-coordinator");
    app.footer("Every setting can stand in the file too; see configs/coordinator.toml.");
    bool check = false;
    bool version = false;
    bool insecure = false;
    app.add_option(
        "--config", flags.config,
        "settings file [" + std::string(kConfigVariable) + "] (else DATA/coordinator.toml)");
    std::map<std::string, CLI::Option*> given;
    for (const Setting& setting : kSettings) {
        const std::string help = std::string(setting.help) + " [" + setting.variable + "]";
        const std::string key = setting.key;
        if (key == "insecure") {
            given[key] = app.add_flag(setting.flag, insecure, help)->disable_flag_override();
            continue;
        }
        auto* option = app.add_option(setting.flag, flags.values[key], help)->expected(1);
        if (is_list(key)) {
            option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        }
        given[key] = option;
    }
    app.add_flag("--check", check, "verify the data folder, print a report and exit (0 or 20)")
        ->disable_flag_override();
    app.add_flag("--version", version, "print versions and exit")->disable_flag_override();
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::CallForHelp&) {
        flags.mode = Mode::kHelp;
        flags.help = app.help();
        return flags;
    } catch (const CLI::Error& error) {
        return bad(std::string(error.what()) + suggestion_for(arguments));
    }
    for (const auto& [key, option] : given) {
        if (option->count() == 0) flags.values.erase(key);
        if (option->count() > 0 && key == "insecure") flags.values[key] = {"true"};
    }
    if (version) flags.mode = Mode::kVersion;
    if (check) flags.mode = Mode::kCheck;
    return flags;
}

/// A setting's value in the file as texts, whatever its TOML type.
Result<std::optional<Texts>> file_value(const ConfigFile& file, const Setting& setting) {
    const std::string key = setting.key;
    if (key == "max_open_tasks") {
        auto number = file.integer(key);
        if (!number) return Failure(number.error());
        if (!*number) return std::optional<Texts>{};
        return std::optional(Texts{std::to_string(**number)});
    }
    if (key == "insecure") {
        auto truth = file.boolean(key);
        if (!truth) return Failure(truth.error());
        if (!*truth) return std::optional<Texts>{};
        return std::optional(Texts{**truth ? "true" : "false"});
    }
    if (is_list(key)) return file.texts(key);
    auto text = file.text(key);
    if (!text) return Failure(text.error());
    if (!*text) return std::optional<Texts>{};
    return std::optional(Texts{**text});
}

Result<void> apply_file(Options& options, const ConfigFile& file) {
    std::vector<std::string> known = retention_keys(file);
    for (std::string& key : limit_keys(file)) known.push_back(std::move(key));
    for (std::string& key : approval_keys(file)) known.push_back(std::move(key));
    for (const Setting& setting : kSettings) known.emplace_back(setting.key);
    if (auto ok = file.allow_only(known); !ok) return ok;
    if (auto ok = apply_retention(options, file); !ok) return ok;
    if (auto ok = apply_limits(options, file); !ok) return ok;
    if (auto ok = apply_approvals(options, file); !ok) return ok;
    for (const Setting& setting : kSettings) {
        auto value = file_value(file, setting);
        if (!value) return Failure(value.error());
        if (!*value) continue;
        if (auto ok = setting.set(options, **value); !ok) {
            return file.wrong(setting.key, ok.error().message);
        }
    }
    return {};
}

Result<void> apply_environment(Options& options, const Environment& environment) {
    for (const Setting& setting : kSettings) {
        const std::string value = environment(setting.variable);
        if (value.empty()) continue;
        if (auto ok = setting.set(options, {value}); !ok) {
            return bad(std::string(setting.variable) + ": " + ok.error().message);
        }
    }
    return {};
}

Result<void> apply_flags(Options& options, const Flags& flags) {
    for (const Setting& setting : kSettings) {
        auto it = flags.values.find(setting.key);
        if (it == flags.values.end()) continue;
        if (auto ok = setting.set(options, it->second); !ok) {
            return bad(std::string(setting.flag) + ": " + ok.error().message);
        }
    }
    return {};
}

/// The same place, however each is written (`./zq-data`, an absolute path, through a link).
bool same_folder(const std::string& one, const std::string& other) {
    std::error_code error;
    const auto first = std::filesystem::weakly_canonical(one, error);
    return !error && first == std::filesystem::weakly_canonical(other, error) && !error;
}

/// The file to read: named, or the data folder's own.
Result<std::optional<ConfigFile>> find_file(const Flags& flags, const Environment& environment) {
    const std::string named = flags.config.empty() ? environment(kConfigVariable) : flags.config;
    if (!named.empty()) {
        auto file = ConfigFile::read(named);
        if (!file) return Failure(file.error());
        return std::optional(std::move(*file));
    }
    Options early;
    if (auto ok = apply_environment(early, environment); !ok) return Failure(ok.error());
    if (auto ok = apply_flags(early, flags); !ok) return Failure(ok.error());
    auto file = ConfigFile::read(early.data + "/coordinator.toml");
    if (!file && file.error().code == ErrorCode::NOT_FOUND) return std::optional<ConfigFile>{};
    if (!file) return Failure(file.error());
    if (auto data = file->text("data"); data && *data && !same_folder(**data, early.data)) {
        return file->wrong("data", "this file was found in " + early.data +
                                       "; it cannot name another data folder");
    }
    return std::optional(std::move(*file));
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments,
                              const Environment& environment) {
    auto flags = parse_flags(arguments);
    if (!flags) return Failure(flags.error());
    Options options;
    options.mode = flags->mode;
    options.help = flags->help;
    if (options.mode == Mode::kHelp || options.mode == Mode::kVersion) return options;
    auto file = find_file(*flags, environment);
    if (!file) return Failure(file.error());
    if (*file) {
        options.config = (*file)->path();
        if (auto ok = apply_file(options, **file); !ok) return Failure(ok.error());
    }
    if (auto ok = apply_environment(options, environment); !ok) return Failure(ok.error());
    if (auto ok = apply_flags(options, *flags); !ok) return Failure(ok.error());
    if (options.data.empty()) return bad("the data folder has no name");
    if (options.heartbeat < kHeartbeatMin || options.heartbeat * 3 > options.lease) {
        return bad("a heartbeat of " + to_string(options.heartbeat) + " does not fit a lease of " +
                   to_string(options.lease) + ": it is " + to_string(kHeartbeatMin) +
                   " to a third of the lease");
    }
    return options;
}

bool is_local_endpoint(const std::string& endpoint) {
    if (endpoint.rfind("ipc://", 0) == 0) return true;
    constexpr std::size_t kScheme = 6;  // tcp://
    const std::string host = endpoint.substr(kScheme, endpoint.rfind(':') - kScheme);
    const bool dotted = host.find_first_not_of("0123456789.") == std::string::npos;
    if (dotted && host.rfind("127.", 0) == 0) return true;
    return host == "localhost" || host == "lo" || host == "[::1]";
}

Result<void> check_exposure(const Options& options, ServerKeys keys) {
    if (keys == ServerKeys::kPresent || options.insecure) return {};
    for (const auto* endpoints : {&options.binds, &options.artifacts_binds}) {
        for (const std::string& endpoint : *endpoints) {
            if (is_local_endpoint(endpoint)) continue;
            return fail(ErrorCode::DENIED,
                        endpoint + " can be reached from other machines, and " + options.data +
                            " has no keys: run `zq init --data " + options.data +
                            "`, or serve everyone with insecure = true",
                        "bind");
        }
    }
    return {};
}

}  // namespace zq::coordinator
