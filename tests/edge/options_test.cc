// Flags over environment over file, and every mistake with its place.
#include "coordinator/options.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "common/platform/files.h"

namespace zq::coordinator {
namespace {

class OptionsTest : public testing::Test {
  protected:
    OptionsTest() : folder_(testing::TempDir() + "options-" + std::to_string(random_u64())) {
        EXPECT_TRUE(make_folders(folder_, 0700));
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string write(const std::string& text, const std::string& name = "zq.toml") {
        const std::string path = folder_ + "/" + name;
        EXPECT_TRUE(write_file(path, text, 0600, Durability::kNone));
        return path;
    }

    Result<Options> parse(const std::vector<std::string>& arguments) {
        return parse_options(arguments, [this](const std::string& name) {
            auto at = environment_.find(name);
            return at == environment_.end() ? std::string() : at->second;
        });
    }

    std::string error_of(const std::vector<std::string>& arguments) {
        auto options = parse(arguments);
        return options ? "no error" : options.error().message;
    }

    std::string folder_;
    std::map<std::string, std::string> environment_;
};

TEST_F(OptionsTest, TheShippedFileSaysTheDefaults) {
    auto shipped = parse({"--config", ZQ_SOURCE_DIR "/configs/coordinator.toml"});
    ASSERT_TRUE(shipped) << shipped.error().message;
    const Options defaults;
    EXPECT_EQ(shipped->data, defaults.data);
    EXPECT_EQ(shipped->binds, defaults.binds);
    EXPECT_EQ(shipped->artifacts_binds, defaults.artifacts_binds);
    EXPECT_EQ(shipped->advertise, defaults.advertise);
    EXPECT_EQ(shipped->lease, defaults.lease);
    EXPECT_EQ(shipped->heartbeat, defaults.heartbeat);
    EXPECT_EQ(shipped->max_open_tasks, defaults.max_open_tasks);
    EXPECT_EQ(shipped->payload_schemas, defaults.payload_schemas);
    EXPECT_EQ(shipped->log_level, defaults.log_level);
    EXPECT_EQ(shipped->insecure, defaults.insecure);
    EXPECT_EQ(shipped->artifact_secrets, defaults.artifact_secrets);
    EXPECT_EQ(shipped->unreferenced, defaults.unreferenced);
    EXPECT_EQ(shipped->retention, defaults.retention);
    EXPECT_EQ(shipped->retention, core::Retention{});
    EXPECT_EQ(shipped->max_open_bytes, defaults.max_open_bytes);
    EXPECT_EQ(shipped->max_open_per_client, defaults.max_open_per_client);
    EXPECT_EQ(shipped->age_step, defaults.age_step);
    EXPECT_TRUE(shipped->role_limits.empty());
    EXPECT_TRUE(shipped->key_limits.empty());
}

TEST_F(OptionsTest, RolesAndLimitKeysHaveTheLimitsOfTheirTables) {
    auto options =
        parse({"--config", write("[limits]\nopen_bytes = \"10GiB\"\n"
                                 "open_per_client = 500\nage_step = \"1m\"\n"
                                 "[roles.\"review.eu\".limits]\nconcurrency = 4\n"
                                 "rate = \"60/m:10\"\nmax_open = 0\nmax_bytes = \"1KiB\"\n"
                                 "[limit_keys.\"*\"]\nconcurrency = 2\n"
                                 "[limit_keys.\"account 7\"]\nrate = \"none\"\n")});
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->max_open_bytes, 10ULL << 30);
    EXPECT_EQ(options->max_open_per_client, 500U);
    EXPECT_EQ(options->age_step, minutes(1));
    const Limits& role = options->role_limits.at(RoleName("review.eu"));
    EXPECT_EQ(role.concurrency, 4U);
    EXPECT_EQ(role.rate, (Rate{60, minutes(1), 10}));
    EXPECT_EQ(role.max_open, 0U);
    EXPECT_EQ(role.max_bytes, 1024U);
    EXPECT_EQ(options->key_limits.at("*").concurrency, 2U);
    EXPECT_EQ(options->key_limits.at("*").rate, std::nullopt);
    EXPECT_EQ(options->key_limits.at("account 7").rate, Rate{});
}

TEST_F(OptionsTest, ALimitThatIsNoneIsRefusedWithItsLine) {
    const struct {
        const char* text;
        const char* says;
    } rows[] = {
        {"[roles.r.limits]\nconcurrency = -1\n", ":2: roles.r.limits.concurrency: a number from 1"},
        {"[roles.r.limits]\nrate = \"60\"\n",
         ":2: roles.r.limits.rate: a rate is a count per time"},
        {"[roles.r.limits]\nmax_bytes = \"0\"\n",
         ":2: roles.r.limits.max_bytes: '0' is not a size"},
        {"[roles.r.limits]\nconcurency = 1\n", "did you mean 'roles.r.limits.concurrency'?"},
        {"[limit_keys.k]\nmax_open = 1\n", "limit_keys.k.max_open"},
        {"[limit_keys.k]\nrate = \"1/2d\"\n", "a rate's period is 1ms to"},
        {"[limits]\nopen_per_client = 2000001\n", ":2: limits.open_per_client: a number from 1"},
        {"[limits]\nage_step = \"1ms\"\n", ":2: limits.age_step: an age step is 1s to 1d"},
        {"[roles.\"a b\".limits]\nconcurrency = 1\n", "'a b' is no role name"},
    };
    for (const auto& row : rows) {
        const std::string error = error_of({"--config", write(row.text)});
        EXPECT_NE(error.find(row.says), std::string::npos) << row.text << error;
    }
}

TEST_F(OptionsTest, ARoleKeepsWhatItsOwnTableSaysAndElseWhatTheCommonOneDoes) {
    auto options = parse({"--config", write("[retention]\nunreferenced = \"2h\"\n"
                                            "finished = \"30d\"\nlogs = \"7d\"\n"
                                            "[roles.review-worker.retention]\nlogs = \"1d\"\n"
                                            "finished = \"never\"\ndead = \"9d\"\n")});
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->unreferenced, hours(2));
    EXPECT_EQ(options->retention.finished, hours(24 * 30));
    EXPECT_EQ(options->retention.dead, Millis{});
    const core::Retention& own = options->role_retention.at(RoleName("review-worker"));
    EXPECT_EQ(own.finished, Millis{});
    EXPECT_EQ(own.logs, hours(24));
    EXPECT_EQ(own.dead, hours(24 * 9));
    EXPECT_NE(error_of({"--config", write("[retention]\nlogs = \"10ms\"\n")})
                  .find(":2: retention.logs: an age is 1s to 3650d, or \"never\""),
              std::string::npos);
    EXPECT_NE(error_of({"--config", write("[roles.a.retention]\nfinish = \"1d\"\n")})
                  .find("did you mean 'roles.a.retention.finished'?"),
              std::string::npos);
    EXPECT_NE(error_of({"--config", write("[retention]\nunreferenced = \"never\"\n")}), "no error");
}

TEST_F(OptionsTest, BoundsByBytesAreSizesOrUnlimitedForEachRole) {
    auto options = parse({"--config", write("[retention]\nfinished_bytes = \"10GiB\"\n"
                                            "dead_bytes = \"4096\"\n"
                                            "[roles.big.retention]\nfinished_bytes = \"2TiB\"\n"
                                            "dead_bytes = \"unlimited\"\n")});
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->retention.finished_bytes, 10ULL << 30);
    EXPECT_EQ(options->retention.dead_bytes, 4096U);
    const core::Retention& own = options->role_retention.at(RoleName("big"));
    EXPECT_EQ(own.finished_bytes, 2ULL << 40);
    EXPECT_EQ(own.dead_bytes, 0U);
    for (const char* bad : {"10GB", "0", "-1", "1.5GiB", "99999999TiB", "never", ""}) {
        EXPECT_NE(error_of({"--config",
                            write("[retention]\nfinished_bytes = \"" + std::string(bad) + "\"\n")})
                      .find(":2: retention.finished_bytes: '" + std::string(bad) +
                            "' is not a size: write 512MiB, 10GiB or 2TiB, or \"unlimited\""),
                  std::string::npos)
            << bad;
    }
    EXPECT_NE(error_of({"--config", write("[retention]\nartifact_bytes = \"1GiB\"\n")})
                  .find("unknown key 'retention.artifact_bytes'"),
              std::string::npos);
}

TEST_F(OptionsTest, PayloadSchemasAreRolesWithFiles) {
    const std::string file = write("payload_schemas = [\"a=x.json\", \"b/c=y.json\"]\n");
    EXPECT_EQ(parse({"--config", file})->payload_schemas,
              (std::vector<std::string>{"a=x.json", "b/c=y.json"}));
    environment_["ZQ_PAYLOAD_SCHEMAS"] = "c=z.json,d=w.json";
    EXPECT_EQ(parse({"--config", file})->payload_schemas,
              (std::vector<std::string>{"c=z.json", "d=w.json"}));
    EXPECT_EQ(
        parse({"--payload-schema", "e=v.json", "--payload-schema", "f=u.json"})->payload_schemas,
        (std::vector<std::string>{"e=v.json", "f=u.json"}));
    EXPECT_NE(error_of({"--payload-schema", "x.json"}).find("write ROLE=FILE"), std::string::npos);
}

TEST_F(OptionsTest, ArtifactsWithSecretsAreFlaggedOrRefused) {
    const std::string file = write("[secrets]\nartifacts = \"refuse\"\n");
    EXPECT_EQ(parse({"--config", file})->artifact_secrets, edge::ArtifactSecrets::kRefuse);
    EXPECT_EQ(parse({"--config", file, "--artifact-secrets", "flag"})->artifact_secrets,
              edge::ArtifactSecrets::kFlag);
    EXPECT_NE(error_of({"--artifact-secrets", "drop"}).find("neither flag nor refuse"),
              std::string::npos);
}

TEST_F(OptionsTest, FlagsWinOverTheEnvironmentAndItOverTheFile) {
    const std::string file =
        write("lease = \"40s\"\nheartbeat = \"4s\"\nmax_open_tasks = 7\nbind = \"ipc:///tmp/a\"\n");
    environment_["ZQ_COORDINATOR_LEASE"] = "50s";
    environment_["ZQ_MAX_OPEN_TASKS"] = "8";
    environment_["ZQ_BIND"] = "tcp://127.0.0.1:1,ipc:///tmp/b";
    auto options = parse({"--config", file, "--max-open-tasks", "9"});
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->heartbeat, seconds(4));
    EXPECT_EQ(options->lease, seconds(50));
    EXPECT_EQ(options->max_open_tasks, 9U);
    EXPECT_EQ(options->binds, (std::vector<std::string>{"tcp://127.0.0.1:1", "ipc:///tmp/b"}));
}

TEST_F(OptionsTest, RepeatedBindsAreAllServed) {
    auto options = parse({"--bind", "tcp://127.0.0.1:1", "--bind", "tcp://10.0.0.1:1"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->binds.size(), 2U);
}

TEST_F(OptionsTest, TheDataFoldersOwnFileIsReadWithoutConfig) {
    write("heartbeat = \"7s\"\n", "coordinator.toml");
    auto options = parse({"--data", folder_});
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->heartbeat, seconds(7));
    EXPECT_EQ(options->config, folder_ + "/coordinator.toml");
    write("data = \"" + folder_ + "/../" + folder_.substr(folder_.rfind('/') + 1) + "\"\n",
          "coordinator.toml");
    EXPECT_EQ(error_of({"--data", folder_}), "no error");
    write("data = \"/elsewhere\"\n", "coordinator.toml");
    EXPECT_NE(error_of({"--data", folder_}).find("coordinator.toml:1: data:"), std::string::npos);
}

TEST_F(OptionsTest, UnknownKeysAndBadValuesNameFileLineAndRemedy) {
    const auto expect = [&](const std::string& text, const std::string& wanted) {
        const std::string file = write(text);
        EXPECT_EQ(error_of({"--config", file}), file + wanted);
    };
    expect("# one\n\nleese = \"5s\"\n", ":3: unknown key 'leese'; did you mean 'lease'?");
    expect("[server]\nbind = \"x\"\n", ":2: unknown key 'server.bind'");
    expect("lease = 5\n", ":1: lease: expected a string");
    expect("\nlease = \"5 parsecs\"\n",
           ":2: lease: '5 parsecs' is not a duration; write 100ms, 1s, 15m, 2h or 3d");
    expect("insecure = \"yes\"\n", ":1: insecure: expected true or false");
    expect("max_open_tasks = 0\n", ":1: max_open_tasks: '0' is not a number from 1 to 2000000");
    expect("bind = [\"tcp://127.0.0.1:1\", \"http://x\"]\n",
           ":1: bind: 'http://x' is no endpoint; write tcp://ADDRESS:PORT or ipc://PATH");
    expect("log_level = \"loud\"\n", ":1: log_level: 'loud' is not debug, info, warn or error");
    EXPECT_EQ(error_of({"--config", write("a = 1\nb =\n")}).find(folder_ + "/zq.toml:2: "), 0U);
}

TEST_F(OptionsTest, UnknownFlagsAreRefusedWithASuggestion) {
    EXPECT_NE(error_of({"--leas", "5s"}).find("did you mean --lease?"), std::string::npos);
    EXPECT_NE(error_of({"stray"}), "no error");
    EXPECT_EQ(error_of({"--lease", "1x"}),
              "--lease: '1x' is not a duration; write 100ms, 1s, 15m, 2h or 3d");
    environment_["ZQ_HEARTBEAT"] = "often";
    EXPECT_EQ(error_of({}).find("ZQ_HEARTBEAT: 'often'"), 0U);
}

TEST_F(OptionsTest, AHeartbeatMustFitItsLeaseThreeTimes) {
    EXPECT_EQ(error_of({"--lease", "3s", "--heartbeat", "1s"}), "no error");
    EXPECT_NE(error_of({"--lease", "3s", "--heartbeat", "1001ms"}), "no error");
    EXPECT_NE(error_of({"--lease", "999ms", "--heartbeat", "100ms"}), "no error");
}

TEST_F(OptionsTest, ANamedFileMustBeThere) {
    auto options = parse({"--config", folder_ + "/none.toml"});
    ASSERT_FALSE(options);
    EXPECT_EQ(options.error().code, ErrorCode::NOT_FOUND);
}

TEST(Exposure, OnlyLoopbackAndIpcAreServedWithoutKeys) {
    for (const char* local : {"tcp://127.0.0.1:5570", "tcp://127.8.0.1:1", "tcp://localhost:1",
                              "tcp://[::1]:5570", "ipc:///run/zq"}) {
        EXPECT_TRUE(is_local_endpoint(local)) << local;
    }
    for (const char* exposed : {"tcp://0.0.0.0:5570", "tcp://*:5570", "tcp://10.0.0.1:1",
                                "tcp://[::]:5570", "tcp://127.example.org:1", "tcp://eth0:1"}) {
        EXPECT_FALSE(is_local_endpoint(exposed)) << exposed;
    }
    Options options;
    EXPECT_TRUE(check_exposure(options, ServerKeys::kMissing));
    options.artifacts_binds.emplace_back("tcp://0.0.0.0:5571");
    auto refused = check_exposure(options, ServerKeys::kMissing);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::DENIED);
    EXPECT_NE(refused.error().message.find("zq init --data ./zq-data"), std::string::npos);
    EXPECT_TRUE(check_exposure(options, ServerKeys::kPresent));
    options.insecure = true;
    EXPECT_TRUE(check_exposure(options, ServerKeys::kMissing));
}

}  // namespace
}  // namespace zq::coordinator
