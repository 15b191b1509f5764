// `zq invite` (on the coordinator's machine) and `zq join` (on another one): how a machine comes to
// have a key that the coordinator knows.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "cli/command_table.h"
#include "cli/session.h"
#include "cli/start.h"
#include "cli/text.h"
#include "common/platform/clock.h"
#include "common/platform/files.h"
#include "common/platform/key_registry.h"

namespace zq::cli {
namespace {

constexpr Millis kExpiryDefault = hours(24);
constexpr Millis kPatience = seconds(15);  // with a JOIN
constexpr Millis kGlance = seconds(5);     // with a PING

std::string host_name() {
    char name[256] = {};
    if (::gethostname(name, sizeof name - 1) != 0) return "localhost";
    return name;
}

/// The data folder of --data or ZQ_DATA, ./zq-data, or the one whose admin this user's profile is.
std::string find_data_folder(const Arguments& args) {
    std::string named = data_folder_of(args);
    if (args.has("data") || read_settings(named)) return named;
    auto profile = read_user_profile();
    if (!profile || !*profile || (*profile)->key_file.empty()) return named;
    const auto folder = std::filesystem::path((*profile)->key_file).parent_path().string();
    return read_settings(folder) ? folder : named;
}

/// The address that other machines shall dial.
Expected<std::string> choose_address(const Arguments& args, const ServerSettings& settings) {
    if (args.has("address")) {
        const std::string address = args.text("address");
        if (auto ok = check_bind(address, "--address"); !ok) return tl::unexpected(ok.error());
        return address;
    }
    for (const std::string& bind : settings.binds) {
        if (!is_local(bind) && !is_wildcard(bind)) return bind;
    }
    for (const std::string& bind : settings.binds) {
        if (!is_wildcard(bind)) continue;
        const std::string address = "tcp://" + host_name() + bind.substr(bind.rfind(':'));
        note("the other machine must find " + address + "; else name an address by --address");
        return address;
    }
    return settings.binds.front();
}

struct Invitation {
    KnownKey known;
    KeyPair keys;
    std::string line;
};

Expected<Invitation> make_invitation(const Arguments& args, const std::string& address,
                                     const std::string& server_public) {
    Invitation invitation;
    invitation.keys = make_key_pair();
    KnownKey& known = invitation.known;
    known.public_key = invitation.keys.public_key;
    known.kind = KeyKind::kInvitation;
    known.role = RoleName(args.text("role"));
    known.name = args.has("name")   ? args.text("name")
                 : args.has("role") ? args.text("role")
                                    : "client";
    for (const std::string* name : {&known.name, &known.role.text}) {
        if (name->empty()) continue;
        if (auto ok = parse_name(*name, "name"); !ok) return problem(ok.error());
    }
    auto uses = args.number("uses", 1, 10'000);
    if (!uses) return tl::unexpected(uses.error());
    known.uses = static_cast<std::uint32_t>(uses->value_or(1));
    const KeyKind becomes = known.role.empty() ? KeyKind::kClient : KeyKind::kWorker;
    known.rights = default_permissions(becomes, known.role);
    if (args.has("permissions")) {
        auto rights = parse_permissions(comma_list(args.text("permissions")), "--permissions");
        if (!rights) return problem(rights.error());
        known.rights = std::move(*rights);
    }
    auto expires = args.duration("expires");
    if (!expires) return tl::unexpected(expires.error());
    known.expires_at = wall_time() + expires->value_or(kExpiryDefault);
    auto server = key_to_hex(server_public);
    auto credential = key_to_hex(invitation.keys.secret_key);
    if (!server) return problem(server.error());
    if (!credential) return problem(credential.error());
    invitation.line =
        "zq join " + address + " --server-key " + *server + " --credential " + *credential;
    return invitation;
}

Ending print_invitation(const Context& context, const std::string& line,
                        const std::string& expires) {
    Json record = Json::object();
    record.set("schema", Json::text("zq/invitation/v1"));
    record.set("id", Json::text(line));
    record.set("join", Json::text(line));
    if (!expires.empty()) record.set("expires_at", Json::text(expires));
    static constexpr auto kColumns = std::to_array<Column>(
        {{"join", "JOIN"}, {"expires_at", "EXPIRES", Cell::kTime, Where::kOnAsking}});
    // The line is there to be pasted: it is never cut to the terminal's width.
    OutputOptions options = context.output;
    options.width = 0;
    return print({Shape::kOne, {}, kColumns, {record}}, options);
}

Ending run_invite(const Context& context) {
    const Arguments& args = context.args;
    if (args.has("role") == args.has("submit")) {
        return usage("say what the machine is for: --role ROLE (to work) or --submit");
    }
    const std::string data = find_data_folder(args);
    auto settings = read_settings(data);
    if (!settings) return tl::unexpected(settings.error());
    auto address = choose_address(args, *settings);
    if (!address) return tl::unexpected(address.error());
    if (is_local(*address)) {
        note(
            "this coordinator listens for its own machine alone, which needs no key; for others "
            "run\n"
            "  zq init --data " +
            settings->data + " --bind tcp://ADDRESS:5570");
        return print_invitation(context, "zq join " + *address, {});
    }
    KeyRegistry registry(settings->data + "/keys");
    auto server = registry.server_keys();
    if (!server) return problem(server.error(), "run `zq init --data " + data + "` first");
    auto invitation = make_invitation(args, *address, server->public_key);
    if (!invitation) return tl::unexpected(invitation.error());
    if (args.has("dry-run")) {
        note("dry run: no invitation was made for " + *address);
        return ExitCode::kDone;
    }
    if (auto ok = registry.add(invitation->known); !ok) return problem(ok.error());
    note("run this on the other machine, once, before " + to_rfc3339(invitation->known.expires_at) +
         ":");
    return print_invitation(context, invitation->line, to_rfc3339(invitation->known.expires_at));
}

// --- join ----------------------------------------------------------------------------------------

struct Joining {
    Profile profile;
    std::optional<CurveKeys> invitation;  // none: an address without keys
    KeyPair own;
    std::string name;
};

std::string valid_name_of(std::string text) {
    for (char& c : text) {
        const bool fits = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-';
        if (!fits) c = '-';
    }
    text = text.substr(0, limits::kNameBytes);
    return is_valid_name(text) ? text : "client";
}

/// The coordinator has another key than the one that is pinned; this machine's own stays.
Expected<Joining> pin_anew(Joining joining, const std::string& server_public) {
    auto profile = read_user_profile();
    if (!profile) return problem(profile.error());
    if (!*profile || (*profile)->key_file.empty()) {
        return usage("this machine has no key of its own yet",
                     "paste the whole line that `zq invite` printed, with its --credential");
    }
    joining.profile.key_file = (*profile)->key_file;
    joining.profile.server_public = server_public;
    return joining;
}

Expected<Joining> read_joining(const Arguments& args) {
    Joining joining;
    const std::string address = args.operand(0);
    if (auto ok = check_bind(address, "ADDRESS"); !ok) return tl::unexpected(ok.error());
    joining.profile.endpoints = {address};
    joining.name = args.has("name") ? args.text("name") : valid_name_of(host_name());
    if (auto ok = parse_name(joining.name, "--name"); !ok) return problem(ok.error());
    if (!args.has("server-key") && !args.has("credential")) return joining;
    if (!args.has("server-key")) {
        return usage("--credential goes with --server-key",
                     "paste the whole line that `zq invite` printed");
    }
    auto server = key_from_hex(args.text("server-key"), "--server-key");
    if (!args.has("credential")) {
        if (!server) return problem(server.error());
        return pin_anew(std::move(joining), *server);
    }
    auto credential = key_from_hex(args.text("credential"), "--credential");
    if (!server) return problem(server.error());
    if (!credential) return problem(credential.error());
    auto invited = public_of(*credential);
    auto fingerprint = key_fingerprint(*server);
    if (!invited) return problem(invited.error());
    if (!fingerprint) return problem(fingerprint.error());
    joining.invitation = CurveKeys{*invited, *credential, *server};
    joining.profile.server_public = *server;
    std::error_code error;
    const auto folder =
        std::filesystem::absolute(profile_path(), error).lexically_normal().parent_path();
    joining.profile.key_file = (folder / ("zq-" + *fingerprint + ".key")).string();
    return joining;
}

/// This machine's pair for that coordinator: kept before it is announced, so that a crash between
/// the two leaves a key that is known and had.
Expected<void> ensure_own_key(Joining& joining) {
    const std::string& path = joining.profile.key_file;
    auto keys = read_key_file(path);
    if (!keys && keys.error().code == ErrorCode::NOT_FOUND) {
        const auto folder = std::filesystem::path(path).parent_path().string();
        if (auto ok = make_folders(folder, 0700); !ok) return problem(ok.error());
        if (auto ok = write_key_file(path, make_key_pair()); !ok) return problem(ok.error());
        keys = read_key_file(path);
    }
    if (!keys) return problem(keys.error());
    joining.own = *keys;
    return {};
}

Expected<wire::Pong> glance(const Profile& profile, Millis patience) {
    ClientOptions options{profile};
    options.give_up = patience;
    auto session = Session::open(std::move(options));
    if (!session) return tl::unexpected(session.error());
    return (*session)->call<wire::Pong>(wire::Ping{});
}

/// Redeems the invitation. A key that the coordinator knows already is enough: the answer to an
/// earlier JOIN may have been lost.
Expected<wire::Joined> redeem(const Joining& joining, bool had_key) {
    if (had_key) {
        if (auto pong = glance(joining.profile, seconds(2)); pong) {
            return wire::Joined{pong->you, {}};
        }
    }
    ClientOptions options{joining.profile};
    options.curve = joining.invitation;
    options.give_up = kPatience;
    auto session = Session::open(std::move(options));
    if (!session) return tl::unexpected(session.error());
    auto joined = (*session)->call<wire::Joined>(wire::Join{joining.own.public_key, joining.name});
    if (joined) return joined;
    if (auto pong = glance(joining.profile, kGlance); pong) return wire::Joined{pong->you, {}};
    return joined;
}

Ending say_joined(const Context& context, const wire::Joined& joined) {
    Json record = Json::object();
    record.set("schema", Json::text("zq/join/v1"));
    record.set("id", to_json(joined.identity));
    record.set("identity", to_json(joined.identity));
    if (!joined.role.empty()) record.set("to", to_json(joined.role));
    record.set("profile", Json::text(profile_path()));
    static constexpr auto kColumns =
        std::to_array<Column>({{"identity", "IDENTITY"},
                               {"to", "ROLE", Cell::kText, Where::kWide},
                               {"profile", "PROFILE", Cell::kText, Where::kWide}});
    if (auto ok = print({Shape::kOne, {}, kColumns, {record}}, context.output); !ok) return ok;
    const std::string role = joined.role.empty() ? "ROLE" : joined.role.text;
    note("wrote " + profile_path() + "; next:\n" +
         (joined.role.empty() ? "  zq submit --to ROLE --instructions TEXT"
                              : "  zq-worker --role " + role + " -- COMMAND"));
    return ExitCode::kDone;
}

Ending run_join(const Context& context) {
    auto joining = read_joining(context.args);
    if (!joining) return tl::unexpected(joining.error());
    if (context.args.has("dry-run")) {
        note("dry run: nothing was sent or written; " + profile_path() + " would name " +
             joining->profile.endpoints.front());
        return ExitCode::kDone;
    }
    wire::Joined joined;
    if (joining->invitation) {
        const bool had_key = read_key_file(joining->profile.key_file).has_value();
        if (auto ok = ensure_own_key(*joining); !ok) return tl::unexpected(ok.error());
        auto redeemed = redeem(*joining, had_key);
        if (!redeemed) return tl::unexpected(redeemed.error());
        joined = std::move(*redeemed);
    } else {
        auto pong = glance(joining->profile, kPatience);
        if (!pong) return tl::unexpected(pong.error());
        joined.identity = pong->you;
    }
    if (auto ok = save_profile(joining->profile); !ok) return problem(ok.error());
    return say_joined(context, joined);
}

constexpr auto kInviteFlags = std::to_array<Flag>({
    {"role", "ROLE", "The machine shall work for this role"},
    {"submit", "", "The machine shall submit tasks", Takes::kNothing},
    {"data", "DIR", "The data folder (default: ZQ_DATA, ./zq-data, then your profile's)"},
    {"address", "ENDPOINT", "What the other machine dials, such as tcp://HOST:5570", Takes::kValue,
     "connect"},
    {"expires", "D", "How long it may be used (default 24h)"},
    {"uses", "N", "How many machines may use it (default 1)"},
    {"permissions", "LIST", "What the machine's key may do, instead of the usual; see below"},
    {"name", "NAME", "What the invitation is called in the folder of keys"},
});
constexpr auto kJoinFlags = std::to_array<Flag>({
    {"server-key", "HEX", "The coordinator's public key"},
    {"credential", "HEX", "The invitation's key; without it: pin that server key from now on"},
    {"name", "NAME", "This machine's name there (default: its host name)"},
});

constexpr auto kCommands = std::to_array<Command>({
    {"invite",
     "Start",
     "",
     "Print the `zq join …` line for another machine",
     "Run it where the coordinator's data folder is. The coordinator need not run, nor restart.\n"
     "Usual permissions: work:ROLE,submit:*,read:own,put with --role; submit:*,read:own,put with\n"
     "--submit. Others: --permissions submit:review-worker,read:group:nightly (zq access grant).",
     kInviteFlags,
     {false, true, true},
     0,
     0,
     run_invite},
    {"join",
     "Start",
     "ADDRESS",
     "Connect this machine, with a line that `zq invite` printed",
     "Makes this machine's own key, has the coordinator know it, and saves the profile that zq "
     "and\n"
     "zq-worker read. An address of a coordinator without keys is joined by itself.",
     kJoinFlags,
     {false, true, true},
     1,
     1,
     run_join},
});

}  // namespace

std::span<const Command> join_commands() {
    return kCommands;
}

}  // namespace zq::cli
