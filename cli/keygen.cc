// `zq keygen`: a new pair of keys, for a file, in the place of this machine's, or in the place of
// the coordinator's.
#include <sys/stat.h>

#include <array>
#include <cstdio>

#include "cli/command_table.h"
#include "cli/records.h"
#include "cli/server_folder.h"
#include "cli/session.h"
#include "cli/start.h"
#include "common/platform/files.h"
#include "common/platform/keys.h"

namespace zq::cli {
namespace {

constexpr Millis kGraceDefault = hours(24);

constexpr auto kColumns = std::to_array<Column>({
    {"fingerprint", "FINGERPRINT"},
    {"file", "FILE"},
    {"public_key", "PUBLIC KEY", Cell::kText, Where::kWide},
    {"identity", "IDENTITY", Cell::kText, Where::kWide},
    {"next", "NEXT", Cell::kText, Where::kOnAsking},
});

bool exists(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0;
}

Expected<Json> key_record(const KeyPair& keys, const std::string& file) {
    auto fingerprint = key_fingerprint(keys.public_key);
    auto hex = key_to_hex(keys.public_key);
    if (!fingerprint) return problem(fingerprint.error());
    if (!hex) return problem(hex.error());
    Json record = Json::object();
    record.set("schema", Json::text("zq/key/v1"));
    record.set("id", Json::text(*fingerprint));
    record.set("fingerprint", Json::text(*fingerprint));
    record.set("public_key", Json::text(*hex));
    record.set("file", Json::text(file));
    return record;
}

Ending show(const Context& context, const Json& record) {
    return print({Shape::kOne, {}, kColumns, {record}}, context.output);
}

Ending make_file(const Context& context) {
    const std::string path = context.args.operand(0);
    if (exists(path)) {
        return problem(ErrorCode::CONFLICT, path + " is there already", "name another file");
    }
    const KeyPair keys = make_key_pair();
    auto record = key_record(keys, path);
    if (!record) return tl::unexpected(record.error());
    if (context.args.has("dry-run")) {
        note("dry run: nothing was written");
        return ExitCode::kDone;
    }
    if (auto ok = write_key_file(path, keys); !ok) return problem(ok.error());
    return show(context, *record);
}

/// The pair that is to be this machine's: one from an earlier try that was cut short, or a new one.
Expected<KeyPair> next_pair(const std::string& path) {
    if (exists(path)) {
        auto keys = read_key_file(path);
        if (!keys) return problem(keys.error());
        return *keys;
    }
    const KeyPair keys = make_key_pair();
    if (auto ok = write_key_file(path, keys); !ok) return problem(ok.error());
    return keys;
}

/// The new key is on this disk before it is announced, and takes the old one's place when it is
/// known: cut short anywhere, the same command goes on.
Ending rotate_own(const Context& context) {
    auto grace = context.args.duration("grace");
    if (!grace) return tl::unexpected(grace.error());
    auto profile = load_profile(context.args.text("connect"));
    if (!profile) return problem(profile.error());
    if (profile->key_file.empty()) {
        return problem(ErrorCode::INVALID, "this machine's profile names no key",
                       "the coordinator asks for none at " + profile->endpoints.front());
    }
    if (context.args.has("dry-run")) {
        note("dry run: " + profile->key_file + " would be replaced");
        return ExitCode::kDone;
    }
    const std::string next = profile->key_file + ".next";
    auto keys = next_pair(next);
    if (!keys) return tl::unexpected(keys.error());
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    const wire::Rotate rotate{keys->public_key, grace->value_or(kGraceDefault)};
    auto joined = (*session)->call<wire::Joined>(rotate);
    if (!joined) return tl::unexpected(joined.error());
    if (std::rename(next.c_str(), profile->key_file.c_str()) != 0) {
        return problem(ErrorCode::IO, "cannot rename " + next + " to " + profile->key_file);
    }
    auto record = key_record(*keys, profile->key_file);
    if (!record) return tl::unexpected(record.error());
    record->set("identity", to_json(joined->identity));
    note("the old key is known for " + to_string(rotate.grace) +
         " more: restart this machine's workers before that");
    return show(context, *record);
}

/// This machine's own profile, where it is one of that coordinator.
Expected<void> pin_here(const std::string& old_public, const std::string& new_public) {
    auto profile = read_user_profile();
    if (!profile) return problem(profile.error());
    if (!*profile || (*profile)->server_public != old_public) return {};
    (*profile)->server_public = new_public;
    if (auto ok = save_profile(**profile); !ok) return problem(ok.error());
    return {};
}

/// Takes effect when the coordinator is started again; every peer has the old key pinned until
/// then.
Ending rotate_server(const Context& context) {
    const std::string data = data_folder_of(context.args);
    auto settings = read_settings(data);
    if (!settings) return tl::unexpected(settings.error());
    const std::string path = data + "/keys/server.key";
    auto old = read_key_file(path);
    if (!old) return problem(old.error(), "run `zq init --data " + data + "` first");
    if (context.args.has("dry-run")) {
        note("dry run: " + path + " would be replaced");
        return ExitCode::kDone;
    }
    const KeyPair keys = make_key_pair();
    auto record = key_record(keys, path);
    if (!record) return tl::unexpected(record.error());
    if (auto ok = write_key_file(path + ".old", *old); !ok) return problem(ok.error());
    if (auto ok = write_key_file(path, keys); !ok) return problem(ok.error());
    auto own = ensure_server_folder(data, {});
    if (!own) return tl::unexpected(own.error());
    if (auto ok = pin_here(old->public_key, keys.public_key); !ok)
        return tl::unexpected(ok.error());
    const std::string pin =
        "zq join ADDRESS --server-key " + record->find("public_key")->as_text().value_or("");
    record->set("next", Json::text(pin));
    note("start the coordinator again; then run on every other machine, with its address:\n  " +
         pin + "\nuntil then they do not reach it; the old pair is in " + path + ".old");
    return show(context, *record);
}

Ending run_keygen(const Context& context) {
    const Arguments& args = context.args;
    const int ways = (args.operands().empty() ? 0 : 1) + (args.has("rotate") ? 1 : 0) +
                     (args.has("server") ? 1 : 0);
    if (ways != 1) {
        return usage("either FILE, --rotate (this machine's key), or --server (the coordinator's)");
    }
    if (args.has("grace") && !args.has("rotate")) return usage("--grace goes with --rotate");
    if (args.has("data") && !args.has("server")) return usage("--data goes with --server");
    if (args.has("rotate")) return rotate_own(context);
    if (args.has("server")) return rotate_server(context);
    return make_file(context);
}

constexpr auto kFlags = std::to_array<Flag>({
    {"rotate", "", "A new key in the place of this machine's, with its name and permissions",
     Takes::kNothing},
    {"grace", "D", "How long the old key is known beside it (default 24h; 30d at most)"},
    {"server", "", "A new key in the place of the coordinator's, on its machine", Takes::kNothing},
    {"data", "DIR", "The coordinator's data folder (default: ZQ_DATA, then ./zq-data)"},
});

constexpr auto kCommands = std::to_array<Command>({
    {"keygen",
     "Access",
     "[FILE]",
     "Make a new pair of keys",
     "FILE gets a pair of mode 0600 that nobody knows yet. --rotate changes this machine's key: "
     "the\n"
     "coordinator knows the new one at once, under the same identity, and the old one until "
     "--grace\n"
     "is over. --server changes the coordinator's own: all others must then pin the new one.",
     kFlags,
     {true, true, true},
     0,
     1,
     run_keygen},
});

}  // namespace

std::span<const Command> keygen_commands() {
    return kCommands;
}

}  // namespace zq::cli
