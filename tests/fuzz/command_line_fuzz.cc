// Command lines of `zq` under any words: the table of commands, flags, task specs from flags and
// files, leases, the line that `zq invite` prints. What the command line takes for a task, the
// coordinator's door takes too; what is refused says so in text and in JSON. An input is words, one
// a line, a NUL, and what the files of the current folder hold.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "cli/command_table.h"
#include "cli/lease_file.h"
#include "cli/submit_spec.h"
#include "common/platform/json.h"
#include "common/platform/keys.h"
#include "coordinator/edge/check_fields.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/scratch_folder.h"
#include "tests/fuzz/target.h"

namespace zq::fuzz {
namespace {

/// The folder that the words' paths are in.
const ScratchFolder& enter_scratch() {
    static const ScratchFolder folder;
    static const bool entered = [] {
        for (const char* name : {"ZQ_LEASE", "ZQ_TASK_ID", "ZQ_ATTEMPT", "ZQ_FROM", "ZQ_CONNECT"}) {
            ::unsetenv(name);
        }
        ::setenv("XDG_STATE_HOME", folder.path().c_str(), 1);
        ::setenv("ZQ_CONFIG", (folder.path() + "/config.toml").c_str(), 1);
        return ::chdir(folder.path().c_str()) == 0;
    }();
    ZQ_CHECK(entered);
    return folder;
}

void check_refusal(const cli::Problem& problem) {
    ZQ_CHECK(cli::render_text(problem).rfind("error: ", 0) == 0);
    const std::string line = cli::render_json(problem);
    ZQ_CHECK(std::count(line.begin(), line.end(), '\n') <= 1);
    auto json = Json::parse(line, "problem");
    ZQ_CHECK(json && json->find("error").has_value());
    ZQ_CHECK(cli::exit_code_of(problem) != cli::ExitCode::kDone);
}

void check_submission(const cli::Arguments& args) {
    auto submission = cli::read_submission(args);
    if (!submission) return check_refusal(submission.error());
    wire::Submit submit;
    submit.task = submission->spec;
    for (const cli::Content& content : submission->contents) {
        if (!content.data) continue;
        submit.contents.push_back({content.ref.digest, Bytes{*content.data}});
    }
    const wire::Message message{{1, ClientId(std::string(16, '1')), 0, 0, 0, ""}, submit, ""};
    ZQ_CHECK(edge::check_fields(message).has_value());
    ZQ_CHECK(wire::decode(wire::encode(message)).value() == message);
}

void check_join(const cli::Arguments& args) {
    for (const char* flag : {"server-key", "credential"}) {
        auto key = key_from_hex(args.text(flag), cli::dashed(flag));
        if (!key) {
            ZQ_CHECK(key.error().field == cli::dashed(flag));
            continue;
        }
        ZQ_CHECK(*key_to_hex(*key) == args.text(flag));
        ZQ_CHECK(key_fingerprint(*key)->size() == 16);
        static_cast<void>(public_of(*key));
    }
}

void check_flags(const cli::Command& command, const cli::Arguments& args) {
    for (const cli::Flag& flag : cli::all_flags(command)) {
        ZQ_CHECK(args.has(flag.name) || args.values(flag.name).empty());
        static_cast<void>(args.duration(flag.name));
        static_cast<void>(args.number(flag.name, 1, 100));
    }
    if (args.wants_help()) return;
    ZQ_CHECK(args.operands().size() >= command.min_operands);
    ZQ_CHECK(args.operands().size() <= command.max_operands);
    if (auto output = cli::output_options(args); !output) check_refusal(output.error());
    auto lease = cli::find_lease(args, TaskId(args.operand(0)));
    if (!lease) check_refusal(lease.error());
}

}  // namespace

void run(std::string_view bytes) {
    const ScratchFolder& folder = enter_scratch();
    folder.clear();
    InputReader input(bytes);
    std::vector<std::string> words = harmless(split_lines(input.until('\0')));
    if (const std::string file = input.all(); !file.empty()) {
        ZQ_CHECK(make_folders(folder.path() + "/tasks", 0700));
        for (const char* name : {"a.md", "a.json", "tasks/t-1.md"}) folder.write(name, file);
    }
    auto match = cli::find_command(words);
    if (!match) return check_refusal(match.error());
    ZQ_CHECK(match->words <= words.size());
    words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(match->words));
    auto args = cli::Arguments::parse(match->command, std::move(words));
    if (!args) return check_refusal(args.error());
    check_flags(match->command, *args);
    if (match->command.name == "submit") check_submission(*args);
    if (match->command.name == "join") check_join(*args);
}

/// Every command, with each of its flags, and some that mean something.
std::vector<std::string> seeds() {
    std::vector<std::string> found;
    for (const cli::Command& command : cli::all_commands()) {
        std::string words(command.name);
        std::replace(words.begin(), words.end(), ' ', '\n');
        for (std::size_t i = 0; i < command.min_operands; ++i) words += "\nt-1";
        for (const cli::Flag& flag : cli::all_flags(command)) {
            if (flag.name == "help") continue;
            words += "\n" + cli::dashed(flag.name);
            if (flag.takes != cli::Takes::kNothing) words += "=1";
        }
        found.push_back(std::move(words));
    }
    const std::string nul(1, '\0');
    const std::string key(64, 'a');
    found.push_back(
        "submit\n--to\nreview\n--file\ntasks/t-1.md\n--payload=@a.json\n--label\nk=v\n"
        "--ttl=1h\n--backoff=exp:5s..10m\n--priority=high\n--expect=a,b" +
        nul + "{\"k\": 1}");
    found.push_back("submit\n--to=r\n--artifact=x/y=a.md\n--artifact=a.json\n--delay\n3d" + nul +
                    "text");
    found.push_back("join\ntcp://h:5570\n--server-key\n" + key + "\n--credential\n" + key);
    found.push_back("done\nt-1\n--lease=0000000000000001-0000000100000001");
    return found;
}

}  // namespace zq::fuzz
