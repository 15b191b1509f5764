#include "worker/state_folder.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "common/platform/log.h"
#include "worker/executor/family.h"
#include "worker/scrub.h"
#include "worker/task_secrets.h"

namespace zq::worker {
namespace {

constexpr int kNamesTried = 1000;
constexpr Millis kPatience = seconds(10);
constexpr std::size_t kStateIdShown = 8;

std::string state_home() {
    if (const char* home = std::getenv("XDG_STATE_HOME"); home != nullptr && *home == '/') {
        return std::string(home) + "/zq";
    }
    const char* home = std::getenv("HOME");
    return std::string(home == nullptr ? "" : home) + "/.local/state/zq";
}

/// HOST-ROLE, as far as both make a valid name with room for a suffix.
std::string name_stem(const std::string& role) {
    char host[256] = "host";
    ::gethostname(host, sizeof host - 1);
    std::string stem;
    for (const char* c = host; *c != '\0' && *c != '.'; ++c) {
        const bool plain =
            (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        stem += plain || (!stem.empty() && *c == '-') ? *c : 'x';
    }
    stem = stem.substr(0, 24) + "-" + role;
    return stem.substr(0, limits::kNameBytes - kStateIdShown - 1);
}

Result<std::string> read_word(const std::string& path) {
    auto text = read_file(path, 1024);
    if (!text) return text;
    while (!text->empty() && (text->back() == '\n' || text->back() == ' ')) text->pop_back();
    return text;
}

Result<StateFolder> lock_folder(const std::string& path) {
    StateFolder state;
    std::error_code error;
    state.path = std::filesystem::absolute(path, error).lexically_normal().string();
    while (state.path.size() > 1 && state.path.back() == '/') state.path.pop_back();
    if (auto ok = make_folders(state.path, 0700); !ok) return Failure(ok.error());
    auto lock = lock_file(state.path + "/lock");
    if (!lock && lock.error().code == ErrorCode::CONFLICT) {
        return fail(ErrorCode::CONFLICT, "another worker runs with the state folder " + state.path);
    }
    if (!lock) return Failure(lock.error());
    state.lock = std::move(*lock);
    return state;
}

bool is_state_id(const std::string& text) {
    return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

constexpr std::uint64_t kIncarnations = 1ULL << 53U;  // far more than will ever be

/// The number that a file holds; nullopt where it holds none that can still grow.
std::optional<std::uint64_t> parse_incarnation(const std::string& text) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [at, status] = std::from_chars(text.data(), end, number);
    if (status != std::errc{} || at != end || number >= kIncarnations) return std::nullopt;
    return number;
}

/// A folder with an id or a number that is damaged gets a new id: a coordinator would refuse the
/// one, and call the other superseded, at every start.
Result<void> count_up(StateFolder& state) {
    const std::string id_file = state.path + "/state_id";
    const std::string number_file = state.path + "/incarnation";
    auto id = read_word(id_file);
    auto text = read_word(number_file);
    for (const auto* word : {&id, &text}) {
        if (!*word && word->error().code == ErrorCode::IO) return Failure(word->error());
    }
    const auto number = text ? parse_incarnation(*text) : std::nullopt;
    if (!id || !is_state_id(*id) || !number) {
        id = to_hex(random_bytes(16));
        if (auto ok = write_file(id_file, *id + "\n", 0600, Durability::kSynced); !ok) return ok;
    }
    state.state_id = StateId(*id);
    state.incarnation = number.value_or(0) + 1;
    return write_file(number_file, std::to_string(state.incarnation) + "\n", 0600,
                      Durability::kSynced);
}

Result<StateFolder> first_free(const std::string& stem) {
    for (int n = 1; n <= kNamesTried; ++n) {
        const std::string name = stem + "-" + std::to_string(n);
        auto state = lock_folder(state_home() + "/" + name);
        if (!state && state.error().code == ErrorCode::CONFLICT) continue;
        if (state) state->name = WorkerName(name);
        return state;
    }
    return fail(ErrorCode::CONFLICT, "every state folder of " + stem + " is in use");
}

}  // namespace

Result<StateFolder> open_state_folder(const std::string& folder, const std::string& name,
                                      const std::string& role) {
    const std::string stem = name_stem(role);
    auto state = folder.empty() && name.empty()
                     ? first_free(stem)
                     : lock_folder(folder.empty() ? state_home() + "/" + name : folder);
    if (!state) return state;
    if (auto ok = count_up(*state); !ok) return Failure(ok.error());
    if (!name.empty()) state->name = WorkerName(name);
    if (state->name.empty()) {
        state->name = WorkerName(stem + "-" + state->state_id.text.substr(0, kStateIdShown));
    }
    for (const std::string& made : {state->attempts(), state->marks()}) {
        if (auto ok = make_folders(made, 0700); !ok) return Failure(ok.error());
    }
    return state;
}

namespace {

/// Kills the processes of every marked attempt; gives how many attempts had some.
Result<std::size_t> kill_marked(const StateFolder& state) {
    auto names = list_folder(state.marks());
    if (!names) return Failure(names.error());
    std::size_t killed = 0;
    for (const std::string& name : *names) {
        const std::string path = state.marks() + "/" + name;
        auto text = read_file(path, 4096);
        auto mark = text ? parse_family_mark(*text) : Result<FamilyMark>(Failure(text.error()));
        if (mark && !living(*mark).empty()) ++killed;
        if (mark && !kill_leftovers(*mark, kPatience)) {
            return fail(ErrorCode::IO, "processes of the attempt " + name +
                                           " that an earlier start left would not die");
        }
        ::unlink(path.c_str());
    }
    return killed;
}

}  // namespace

Result<std::size_t> clear_leftovers(const StateFolder& state,
                                    const std::vector<std::string>& reported, Keep keep) {
    auto killed = kill_marked(state);
    if (!killed) return killed;
    auto names = list_folder(state.attempts());
    if (!names) return Failure(names.error());
    // A command may have removed its own folder: its working tree is known all the same.
    if (auto trees = list_folder(state.worktrees())) {
        names->insert(names->end(), trees->begin(), trees->end());
    }
    std::sort(names->begin(), names->end());
    names->erase(std::unique(names->begin(), names->end()), names->end());
    for (const std::string& name : *names) {
        const Workspace workspace{state.attempts() + "/" + name};
        scrub_workspace(hidden_values(laid_secrets(workspace)), workspace);
        const bool has_report = std::find(reported.begin(), reported.end(), name) != reported.end();
        const bool is_evidence = ::access(workspace.refusal_file().c_str(), F_OK) == 0;
        if (has_report || is_evidence || keep == Keep::kForever) continue;
        if (auto ok = remove_workspace(workspace); !ok) {
            log_warn("cannot remove an old attempt", {{"reason", ok.error().message}});
        }
    }
    return killed;
}

}  // namespace zq::worker
