// What zq keeps on this machine: the profile, the leases, a coordinator's folder; and what it reads
// from flags and files before anything is sent.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "cli/command_table.h"
#include "cli/lease_file.h"
#include "cli/server_folder.h"
#include "cli/submit_spec.h"
#include "common/platform/digest.h"
#include "common/platform/key_registry.h"

namespace zq::cli {
namespace {

class Local : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::canonical(testing::TempDir()).string() + "/zq-local-" +
                  to_hex(random_u64());
        std::filesystem::create_directory(folder_);
        for (const char* name : {"ZQ_CONNECT", "ZQ_LEASE", "ZQ_TASK_ID", "ZQ_ATTEMPT", "ZQ_FROM"}) {
            ::unsetenv(name);
        }
        ::setenv("ZQ_CONFIG", path("config.toml").c_str(), 1);
        ::setenv("XDG_STATE_HOME", folder_.c_str(), 1);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string path(const std::string& name) const { return folder_ + "/" + name; }
    std::string write(const std::string& name, const std::string& text) {
        std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
        EXPECT_TRUE(write_file(path(name), text, 0600, Durability::kNone));
        return path(name);
    }
    static unsigned mode(const std::string& file) {
        struct stat info {};
        return ::stat(file.c_str(), &info) == 0 ? info.st_mode & 0777U : 0;
    }

    std::string folder_;
};

Arguments parse(const std::string& name, std::vector<std::string> words) {
    auto args = Arguments::parse(find_command({name})->command, std::move(words));
    EXPECT_TRUE(args) << args.error().error.message;
    return std::move(*args);
}

using ProfileTest = Local;

TEST_F(ProfileTest, AFlagWinsOverTheEnvironmentOverTheFileOverTheDefault) {
    ::unsetenv("ZQ_CONFIG");
    ::setenv("XDG_CONFIG_HOME", folder_.c_str(), 1);
    EXPECT_EQ(load_profile("")->endpoints.front(), "tcp://127.0.0.1:5570");
    ASSERT_TRUE(save_profile({{"tcp://file:1"}, {}, {}}));
    EXPECT_EQ(profile_path(), path("zq/config.toml"));
    EXPECT_EQ(load_profile("")->endpoints.front(), "tcp://file:1");
    ::setenv("ZQ_CONNECT", "tcp://env:1,tcp://env:2", 1);
    EXPECT_EQ(load_profile("")->endpoints,
              (std::vector<std::string>{"tcp://env:1", "tcp://env:2"}));
    EXPECT_EQ(load_profile("tcp://flag:1")->endpoints.front(), "tcp://flag:1");
}

TEST_F(ProfileTest, KeysGoToTheAddressOfTheFileAlone) {
    const KeyPair keys = make_key_pair();
    ASSERT_TRUE(write_key_file(path("own.key"), keys));
    ASSERT_TRUE(save_profile({{"tcp://server:1"}, keys.public_key, path("own.key")}));
    EXPECT_EQ(mode(path("config.toml")), 0600U);
    EXPECT_EQ(load_profile("tcp://server:1")->server_public, keys.public_key);
    EXPECT_EQ(load_profile("tcp://other:1")->server_public, "");
    EXPECT_FALSE(curve_of(*load_profile("tcp://other:1"))->has_value());
    EXPECT_EQ((*curve_of(*load_profile("")))->secret_key, keys.secret_key);
}

TEST_F(ProfileTest, MistakesAreNamedWithFileAndLine) {
    write("config.toml", "endpoints = [\"tcp://a:1\"]\nserver_pubic_key = \"x\"\n");
    auto profile = load_profile("");
    ASSERT_FALSE(profile);
    EXPECT_NE(profile.error().message.find("config.toml:2"), std::string::npos);
    EXPECT_NE(profile.error().message.find("server_public_key"), std::string::npos);
    write("config.toml", "endpoints = [\"server\"]\n");
    EXPECT_FALSE(load_profile(""));
    EXPECT_FALSE(load_profile("server:5570"));
}

TEST_F(ProfileTest, ANamedFileThatIsMissingMattersOnlyWithoutAnAddress) {
    EXPECT_EQ(load_profile("").error().code, ErrorCode::NOT_FOUND);
    EXPECT_TRUE(load_profile("tcp://flag:1"));
}

using LeaseFile = Local;

TEST_F(LeaseFile, IsPrivateAndComesAfterFlagAndEnvironment) {
    const TaskId task("task-1");
    const wire::HeldLease kept{task, 2, {7, 1}};
    EXPECT_EQ(*find_lease(parse("complete", {"task-1"}), task), std::nullopt);
    ASSERT_TRUE(save_lease(kept));
    EXPECT_EQ(mode(path("zq/leases/task-1")), 0600U);
    EXPECT_EQ(*find_lease(parse("complete", {"task-1"}), task), kept);
    ::setenv("ZQ_LEASE", to_string(LeaseToken{7, 2}).c_str(), 1);
    EXPECT_EQ((**find_lease(parse("complete", {"task-1"}), task)).lease.number, 2U);
    const auto flag = parse("complete", {"task-1", "--lease", to_string(LeaseToken{7, 3})});
    EXPECT_EQ((**find_lease(flag, task)).lease.number, 3U);
    EXPECT_FALSE(find_lease(parse("complete", {"task-1", "--lease", "x"}), task));
    // Inside another task the environment's lease is not this one's.
    ::setenv("ZQ_TASK_ID", "task-2", 1);
    EXPECT_EQ(*find_lease(parse("complete", {"task-1"}), task), kept);
    drop_lease(task);
    EXPECT_EQ(*load_lease(task), std::nullopt);
}

TEST_F(LeaseFile, AnIdThatIsAPathNamesNoLease) {
    write("zq/secret", "{}");
    EXPECT_EQ(*load_lease(TaskId("../secret")), std::nullopt);
    drop_lease(TaskId("../secret"));
    EXPECT_TRUE(std::filesystem::exists(path("zq/secret")));
}

using ServerFolderTest = Local;

TEST_F(ServerFolderTest, MakingItTwiceIsTheSameAsOnce) {
    auto first = ensure_server_folder(path("data"), {});
    ASSERT_TRUE(first) << first.error().error.message;
    EXPECT_FALSE(first->steps.empty());
    EXPECT_EQ(mode(path("data")), 0700U);
    EXPECT_EQ(mode(path("data/admin.key")), 0600U);
    const std::string settings = *read_file(path("data/coordinator.toml"));
    auto second = ensure_server_folder(path("data"), {});
    ASSERT_TRUE(second);
    EXPECT_TRUE(second->steps.empty());
    EXPECT_EQ(*read_file(path("data/coordinator.toml")), settings);
    EXPECT_EQ(KeyRegistry(path("data/keys")).list()->size(), 1U);
}

TEST_F(ServerFolderTest, LoopbackNeedsNoKeysAndOtherAddressesDo) {
    auto local = ensure_server_folder(path("data"), {});
    EXPECT_EQ(local->profile.endpoints.front(), "tcp://127.0.0.1:5570");
    EXPECT_EQ(local->profile.key_file, "");
    auto open = ensure_server_folder(path("data"), {{"tcp://0.0.0.0:7000"}, {}, {}});
    ASSERT_TRUE(open);
    EXPECT_EQ(open->profile.endpoints.front(), "tcp://127.0.0.1:7000");
    EXPECT_EQ(open->profile.key_file, path("data/admin.key"));
    EXPECT_TRUE((*curve_of(open->profile)).has_value());
}

TEST_F(ServerFolderTest, ChangesKeepTheSettingsThatAreNotAskedFor) {
    write("data/coordinator.toml",
          "bind = \"tcp://127.0.0.1:1\"\nlease = \"30s\"\nmax_open_tasks = 5\ninsecure = true\n");
    ASSERT_TRUE(ensure_server_folder(path("data"), {{}, {"tcp://127.0.0.1:2"}, {}}));
    const std::string text = *read_file(path("data/coordinator.toml"));
    for (const char* line :
         {"bind = [\"tcp://127.0.0.1:1\"]", "artifacts_bind = [\"tcp://127.0.0.1:2\"]",
          "lease = \"30s\"", "max_open_tasks = 5", "insecure = true"}) {
        EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
    }
}

TEST_F(ServerFolderTest, APlanWritesNothing) {
    auto plan = plan_server_folder(path("data"), {});
    ASSERT_TRUE(plan);
    EXPECT_FALSE(plan->steps.empty());
    EXPECT_FALSE(std::filesystem::exists(path("data")));
}

using SubmitSpec = Local;

TEST_F(SubmitSpec, AContextFileInTasksNamesItsTaskUnlessAnIdIsGiven) {
    const std::string file = write("shared/tasks/task-123.md", "# Context\n");
    auto submission = read_submission(parse("submit", {"--to", "r", "--file", file}));
    ASSERT_TRUE(submission) << submission.error().error.message;
    EXPECT_EQ(submission->spec.id.text, "task-123");
    EXPECT_NE(submission->note.find("--id"), std::string::npos);
    const ArtifactRef& context = submission->spec.inputs.at(0);
    EXPECT_EQ(context.name, "context.md");
    EXPECT_EQ(context.uri, "file://" + file);
    EXPECT_EQ(context.media, "text/markdown");
    EXPECT_EQ(context.digest, sha256("# Context\n"));
    EXPECT_EQ(submission->contents.at(0).data, "# Context\n");
    auto other = read_submission(parse("submit", {"--to", "r", "--file", file, "--id", "x"}));
    EXPECT_EQ(other->spec.id.text, "x");
    EXPECT_EQ(task_id_of_path("/elsewhere/task-123.md"), "");
    EXPECT_EQ(task_id_of_path("/shared/tasks/not a name.md"), "");
}

TEST_F(SubmitSpec, AReferenceIsReadAndRecorded) {
    const std::string file = write("a.json", "{}");
    auto submission = read_submission(parse("submit", {"--to", "r", "--ref", "file://" + file}));
    ASSERT_TRUE(submission) << submission.error().error.message;
    EXPECT_EQ(submission->spec.inputs.at(0).name, "context.json");
    EXPECT_EQ(submission->spec.inputs.at(0).uri, "file://" + file);
    EXPECT_TRUE(submission->spec.inputs.at(0).by_reference);
    EXPECT_EQ(submission->spec.inputs.at(0).digest, sha256("{}"));
    EXPECT_TRUE(submission->contents.empty()) << "it is not sent along";
    EXPECT_FALSE(read_submission(parse("submit", {"--to", "r", "--ref", "https://x/y"})));
}

TEST_F(SubmitSpec, TheContractComesFromItsFlags) {
    const std::string schema = write("schema.json", "{\"type\": \"object\"}");
    auto submission = read_submission(parse(
        "submit", {"--to", "r", "--expect", "summary,patch:media=text/x-diff:max=2KiB", "--expect",
                   "notes:min=3:optional", "--schema", schema, "--max-result", "1MiB"}));
    ASSERT_TRUE(submission) << submission.error().error.message;
    const ExpectedOutput& expected = submission->spec.expected;
    EXPECT_EQ(expected.artifacts, (std::vector<std::string>{"summary"}));
    EXPECT_EQ(expected.rules, (std::vector<ArtifactRule>{{"patch", "text/x-diff", 0, 2048, true},
                                                         {"notes", "", 3, 0, false}}));
    EXPECT_EQ(expected.format, "json");
    EXPECT_EQ(expected.schema, "{\"type\": \"object\"}");
    EXPECT_EQ(expected.max_bytes, 1U << 20U);
    auto headings =
        read_submission(parse("submit", {"--to", "r", "--heading", "A", "--heading", "B"}));
    ASSERT_TRUE(headings);
    EXPECT_EQ(headings->spec.expected.format, "markdown");
    EXPECT_EQ(headings->spec.expected.headings, (std::vector<std::string>{"A", "B"}));
    EXPECT_FALSE(read_submission(parse("submit", {"--to", "r", "--expect", "x:min=many"})));
    EXPECT_FALSE(read_submission(parse("submit", {"--to", "r", "--schema", schema + ".none"})));
}

TEST_F(SubmitSpec, LargeContentsDoNotTravelInline) {
    const std::string large = write("large.bin", std::string(limits::kInlineBytes + 1, 'x'));
    std::vector<std::string> words = {"--to", "r", "--artifact", large};
    for (int i = 0; i < 20; ++i) {
        const std::string name = "small-" + std::to_string(i);
        words.insert(words.end(),
                     {"--artifact", write(name, std::string(limits::kInlineBytes, 'y'))});
    }
    auto submission = read_submission(parse("submit", words));
    ASSERT_TRUE(submission) << submission.error().error.message;
    std::size_t inlined = 0;
    for (const Content& content : submission->contents) {
        inlined += content.data ? content.data->size() : 0;
    }
    EXPECT_FALSE(submission->contents.front().data);
    EXPECT_LE(inlined, limits::kInlineTotalBytes);
    EXPECT_GT(inlined, limits::kInlineTotalBytes / 2);
}

TEST_F(SubmitSpec, WrongValuesAreRefusedBeforeAnythingIsSent) {
    const std::vector<std::vector<std::string>> wrong = {
        {},
        {"--to", "no such/name"},
        {"--to", "r", "--payload", "{"},
        {"--to", "r", "--payload", "@/nowhere.json"},
        {"--to", "r", "--priority", "11"},
        {"--to", "r", "--ttl", "5"},
        {"--to", "r", "--backoff", "exp:9s..1s"},
        {"--to", "r", "--max-attempts", "0"},
        {"--to", "r", "--label", "novalue"},
        {"--to", "r", "--format", "pdf"},
        {"--to", "r", "--file", "/nowhere.md"},
        {"--to", "r,r"},
        {"--to", "r,a b"},
        {"--to", "r", "--on-unique", "existing"},
        {"--to", "r", "--unique-key", "k", "--on-unique", "replace"},
        {"--to", "r,s", "--unique-key", "k"},
        {"--to", "r", "--limit-key", "*"},
        {"--to", "r", "--needs", ""},
        {"--to", "r", "--needs",
         "gpu,"
         "two words"},
        {"--to", "r", "--needs", "region="},
        {"-f", "/nowhere.json"},
        {"--to", "r", "--artifact", "/dev/null", "--artifact", "/dev/null"},
    };
    for (const auto& words : wrong) {
        auto submission = read_submission(parse("submit", words));
        ASSERT_FALSE(submission) << testing::PrintToString(words);
        EXPECT_EQ(exit_code_of(submission.error()), ExitCode::kUsage)
            << testing::PrintToString(words);
    }
}

TEST_F(SubmitSpec, FlagsGoBeforeWhatATaskFileSays) {
    const std::string file = write("task.json", R"({"id": "t1", "agent_type": "r", "ttl_seconds": 5,
        "labels": {"a": "b"}, "type": "x", "context": "read me", "max_retries": 4})");
    auto submission = read_submission(
        parse("submit",
              {"-f", file, "--ttl", "1h", "--label", "c=d", "--unique-key", "k", "--on-unique",
               "existing", "--limit-key", "a 7", "--needs", "region=eu,gpu", "--needs", "gpu"}));
    ASSERT_TRUE(submission) << submission.error().error.message;
    const TaskSpec& spec = submission->spec;
    EXPECT_EQ(spec.id.text, "t1");
    EXPECT_EQ(spec.role.text, "r");
    EXPECT_EQ(spec.ttl, hours(1));
    EXPECT_EQ(spec.labels, (std::map<std::string, std::string>{{"a", "b"}, {"c", "d"}}));
    EXPECT_EQ(spec.type, "x");
    EXPECT_EQ(spec.max_attempts, 5U);
    EXPECT_EQ(spec.unique_key, "k");
    EXPECT_EQ(spec.limit_key, "a 7");
    EXPECT_EQ(spec.needs, (std::vector<std::string>{"gpu", "region=eu"}));
    EXPECT_EQ(spec.on_unique, OnUnique::kExisting);
    EXPECT_EQ(spec.inputs.at(0).name, "context.md");
    EXPECT_TRUE(submission->own_id);
    auto wrong =
        read_submission(parse("submit", {"-f", write("bad.json", R"({"agent_type": "a b"})")}));
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().error.field, "agent_type");
}

TEST_F(SubmitSpec, EveryFlagReachesTheEnvelope) {
    auto submission = read_submission(parse("submit", {"--to",           "r",
                                                       "--priority",     "high",
                                                       "--ttl",          "1h",
                                                       "--delay",        "2s",
                                                       "--run-timeout",  "3m",
                                                       "--max-attempts", "4",
                                                       "--backoff",      "fixed:1s",
                                                       "--group",        "g",
                                                       "--label",        "team=x",
                                                       "--reply-to",     "me",
                                                       "--expect",       "summary,patch",
                                                       "--format",       "markdown",
                                                       "--trace-id",     "tr",
                                                       "--key",          "k",
                                                       "--from",         "f",
                                                       "--payload",      "[1]",
                                                       "--type",         "t"}));
    ASSERT_TRUE(submission) << submission.error().error.message;
    const TaskSpec& spec = submission->spec;
    EXPECT_EQ(spec.priority, 8);
    EXPECT_EQ(spec.ttl, hours(1));
    EXPECT_EQ(spec.delay, seconds(2));
    EXPECT_EQ(spec.run_timeout, minutes(3));
    EXPECT_EQ(spec.max_attempts, 4U);
    EXPECT_EQ(to_string(spec.backoff), "fixed:1s");
    EXPECT_EQ(spec.group.text, "g");
    EXPECT_EQ(spec.labels.at("team"), "x");
    EXPECT_EQ(spec.reply_to, "me");
    EXPECT_EQ(spec.expected.artifacts, (std::vector<std::string>{"summary", "patch"}));
    EXPECT_EQ(spec.expected.format, "markdown");
    EXPECT_EQ(spec.trace_id, "tr");
    EXPECT_EQ(spec.idempotency_key, "k");
    EXPECT_EQ(spec.from, "f");
    EXPECT_EQ(spec.payload, "[1]");
    EXPECT_EQ(spec.type, "t");
    EXPECT_EQ(spec.id.text.substr(0, 2), "t-");
}

}  // namespace
}  // namespace zq::cli
