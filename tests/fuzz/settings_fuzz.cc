// Configuration under any bytes: TOML as settings, the coordinator's and the worker's options, the
// profile, key files and the folder of known keys. What is taken keeps its bounds and reads alike
// once written; what is refused says why. The first byte picks the reader. Options are words, a
// NUL, `NAME=value` lines of the environment, a NUL, and the settings file.
#include <cstdlib>
#include <map>

#include "common/client/profile.h"
#include "common/platform/config.h"
#include "common/platform/key_registry.h"
#include "coordinator/options.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/scratch_folder.h"
#include "tests/fuzz/target.h"
#include "worker/options.h"

namespace zq::fuzz {
namespace {

enum Reader : std::uint8_t {
    kToml,
    kCoordinator,
    kWorker,
    kProfile,
    kKeyFile,
    kRegistry,
    kReaders
};

constexpr Instant kNow{1'800'000'000'000};
constexpr std::uint64_t kMaxInteger = INT64_MAX;
// A pair that belongs together, and another public key.
constexpr const char* kPublic = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
constexpr const char* kSecret = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";
constexpr const char* kOther = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";

const ScratchFolder& scratch() {
    static const ScratchFolder folder;
    return folder;
}

void check_refusal(const Error& error) {
    ZQ_CHECK(!error.message.empty());
    ZQ_CHECK(error.code == ErrorCode::INVALID || error.code == ErrorCode::NOT_FOUND ||
             error.code == ErrorCode::TOO_LARGE || error.code == ErrorCode::DENIED ||
             error.code == ErrorCode::IO);
}

/// Any text in a quoted string is that text again.
void check_toml(const std::string& text) {
    if (auto file = ConfigFile::parse(text, "f.toml"); !file) {
        check_refusal(file.error());
    } else {
        static_cast<void>(file->allow_only({"bind", "lease"}));
        static_cast<void>(file->texts("bind"));
        static_cast<void>(file->integer("lease"));
        static_cast<void>(file->boolean("insecure"));
    }
    if (!pack::is_utf8(text)) return;
    auto quoted = ConfigFile::parse("text = " + to_toml(text) + "\n", "f.toml");
    ZQ_CHECK(quoted.has_value());
    ZQ_CHECK(quoted->text("text").value() == text);
}

void check_coordinator(InputReader& input) {
    const std::vector<std::string> words = harmless(split_lines(input.until('\0')));
    std::map<std::string, std::string> variables;
    for (const std::string& line : harmless(split_lines(input.until('\0')))) {
        const std::size_t equals = std::min(line.find('='), line.size());
        variables[line.substr(0, equals)] = line.substr(std::min(equals + 1, line.size()));
    }
    variables["ZQ_COORDINATOR_CONFIG"] = scratch().write("coordinator.toml", input.all());
    auto options = coordinator::parse_options(words, [&](const std::string& name) {
        auto at = variables.find(name);
        return at == variables.end() ? std::string() : at->second;
    });
    if (!options) return check_refusal(options.error());
    if (options->mode == coordinator::Mode::kHelp) ZQ_CHECK(!options->help.empty());
    if (options->mode != coordinator::Mode::kServe) return;
    ZQ_CHECK(!options->data.empty());
    ZQ_CHECK(!options->binds.empty() && !options->artifacts_binds.empty());
    ZQ_CHECK(options->lease >= limits::kLeaseMin && options->lease <= limits::kLeaseMax);
    ZQ_CHECK(options->heartbeat.count > 0 && options->heartbeat * 3 <= options->lease);
    ZQ_CHECK(options->max_open_tasks >= 1 && options->max_open_tasks <= limits::kOpenTasks);
    auto exposed = coordinator::check_exposure(*options, coordinator::ServerKeys::kMissing);
    if (!exposed) ZQ_CHECK(exposed.error().code == ErrorCode::DENIED);
    ZQ_CHECK(coordinator::check_exposure(*options, coordinator::ServerKeys::kPresent));
}

void check_worker(InputReader& input) {
    std::vector<std::string> words = harmless(split_lines(input.until('\0')));
    words.insert(words.begin(), "zq-worker");
    if (const std::string file = input.all(); !file.empty()) {
        words.insert(words.begin() + 1, {"--env-file", scratch().write("env", file)});
    }
    std::vector<const char*> argv;
    for (const std::string& word : words) argv.push_back(word.c_str());
    const auto parsed = worker::parse_arguments(static_cast<int>(argv.size()), argv.data(), {});
    if (parsed.exit_code) {
        ZQ_CHECK(!parsed.text.empty());
        return;
    }
    const worker::WorkerOptions& options = parsed.options;
    ZQ_CHECK(!options.roles.empty() && options.roles.size() <= limits::kRolesPerWorker);
    for (const RoleName& role : options.roles) ZQ_CHECK(is_valid_name(role.text));
    ZQ_CHECK(options.slots >= 1 && options.slots <= limits::kSlots);
    ZQ_CHECK(options.name.empty() || is_valid_name(options.name));
    ZQ_CHECK(!options.command.empty());
    for (const std::string& pair : options.environment) ZQ_CHECK(pair.find('=') > 0);
}

/// A profile that is read is written so that it reads as the same one.
void check_profile(const std::string& text) {
    ::setenv("ZQ_CONFIG", scratch().write("profile.toml", text).c_str(), 1);
    ::unsetenv("ZQ_CONNECT");
    auto profile = read_user_profile();
    if (!profile) return check_refusal(profile.error());
    ZQ_CHECK(profile->has_value());
    ZQ_CHECK(!(*profile)->endpoints.empty());
    ZQ_CHECK(load_profile("")->endpoints == (*profile)->endpoints);
    static_cast<void>(load_profile((*profile)->endpoints.front()));
    ZQ_CHECK(save_profile(**profile));
    auto again = read_user_profile();
    ZQ_CHECK(again && again->has_value());
    ZQ_CHECK((*again)->endpoints == (*profile)->endpoints);
    ZQ_CHECK((*again)->server_public == (*profile)->server_public);
    ZQ_CHECK((*again)->key_file == (*profile)->key_file);
}

void check_key_file(const std::string& text) {
    auto keys = read_key_file(scratch().write("key", text));
    if (!keys) return check_refusal(keys.error());
    ZQ_CHECK(public_of(keys->secret_key).value() == keys->public_key);
    ZQ_CHECK(key_from_hex(*key_to_hex(keys->secret_key), "key").value() == keys->secret_key);
    ZQ_CHECK(key_fingerprint(keys->public_key)->size() == 16);
}

/// A damaged file may hide a key, or make the registry refuse; it never makes another key known.
void check_registry(const std::string& text) {
    const std::string folder = scratch().path() + "/keys";
    ZQ_CHECK(make_folders(folder + "/known", 0700));
    scratch().write("keys/known/" + *key_fingerprint(kPublic) + ".toml", text);
    const KeyRegistry registry(folder);
    auto known = registry.find(kPublic);
    if (!known) {
        check_refusal(known.error());
    } else if (*known) {
        ZQ_CHECK((*known)->public_key == kPublic);
        ZQ_CHECK(identity_of(**known).has_value());
    }
    ZQ_CHECK(registry.find(kOther).value() == std::nullopt);
    KeyRegistry redeeming(folder);
    const bool is_invitation = known && *known && (*known)->kind == KeyKind::kInvitation &&
                               (!(*known)->expires_at.is_set() || (*known)->expires_at > kNow);
    const bool is_spent = text.find(*key_fingerprint(kPublic)) != std::string::npos;
    auto redeemed = redeeming.redeem(kPublic, kOther, "ann", kNow);
    if (redeemed) ZQ_CHECK(is_invitation || is_spent);
    static_cast<void>(redeeming.remove(kOther));
    static_cast<void>(registry.list());
}

std::string input_of(Reader reader, const std::string& rest) {
    return static_cast<char>(reader) + rest;
}

}  // namespace

void run(std::string_view bytes) {
    InputReader input(bytes);
    scratch().clear();
    switch (static_cast<Reader>(input.below(kReaders))) {
        case kToml:
            return check_toml(input.all());
        case kCoordinator:
            return check_coordinator(input);
        case kWorker:
            return check_worker(input);
        case kProfile:
            return check_profile(input.all());
        case kKeyFile:
            return check_key_file(input.all());
        case kRegistry:
            return check_registry(input.all());
        case kReaders:
            break;
    }
}

std::vector<std::string> seeds() {
    const std::string shipped = *read_file(ZQ_SOURCE_DIR "/configs/coordinator.toml");
    const std::string nul(1, '\0');
    const std::string is_public = std::string("public_key = \"") + kPublic + "\"\n";
    const std::string is_secret = std::string("secret_key = \"") + kSecret + "\"\n";
    const std::string number = "big = " + std::to_string(kMaxInteger) + "\n";
    return {
        input_of(kToml, shipped),
        input_of(kToml, number + "[a.b]\n\"c d\" = ['x', \"\\u00e9\"]\nd = 1979-05-27\ne = 1.5\n"),
        input_of(kToml, std::string(300, '[')),
        input_of(kCoordinator, nul + nul + shipped),
        input_of(kCoordinator, "--lease\n40s\n--bind=ipc:///a,tcp://[::1]:1" + nul +
                                   "ZQ_HEARTBEAT=4s\nZQ_INSECURE=true" + nul +
                                   "bind = [\"tcp://0.0.0.0:*\"]\nmax_open_tasks = 7\n"),
        input_of(kCoordinator, "--help" + nul + nul),
        input_of(kWorker, "--role\nreview\n--slots=4\n--env\nPATH\n--grace\n5s\n--\nsh\n-c\ntrue"),
        input_of(kWorker, "--role\na\n--role\nb\n--stdin\nprompt\n--shell\n--once\n--\nx" + nul +
                              "A=1\n# no\nB=two words\n"),
        input_of(kProfile,
                 "endpoints = [\"tcp://10.0.0.1:5570\", \"ipc:///run/zq\"]\n"
                 "server_public_key = \"k\"\nkey_file = \"/home/a/key\"\n"),
        input_of(kProfile, "endpoints = \"tcp://h:1\"\n"),
        input_of(kKeyFile, "# A zq key.\n" + is_public + is_secret),
        input_of(kRegistry, is_public + "name = \"ann\"\nkind = \"admin\"\n"),
        input_of(kRegistry, is_public + "name = \"w\"\nkind = \"invitation\"\nrole = \"review\"\n"
                                        "expires_at = 1800000000001\ninvited_by = \"ann\"\n"),
        input_of(kRegistry, is_public + "name = \"w\"\nkind = \"worker\"\nredeems = \"" +
                                *key_fingerprint(kOther) + "\"\n"),
    };
}

}  // namespace zq::fuzz
