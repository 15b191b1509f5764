// What a second reading of the settings changes, and what it leaves for a restart.
#include "coordinator/reload.h"

#include <gtest/gtest.h>

namespace zq::coordinator {
namespace {

using Names = std::vector<std::string>;

TEST(Reload, OfTheSameSettingsChangesNothing) {
    Options options;
    options.role_limits[RoleName("review")].concurrency = 2;
    options.retention.dead = hours(1);
    const Reload found = reload(options, options);
    EXPECT_TRUE(found.changed.empty());
    EXPECT_TRUE(found.needs_restart.empty());
}

TEST(Reload, TakesLimitsRetentionAndTheLogLevelOver) {
    Options serving;
    serving.role_limits[RoleName("gone")].concurrency = 1;
    serving.role_limits[RoleName("same")].concurrency = 1;
    Options read = serving;
    read.role_limits.erase(RoleName("gone"));
    read.role_limits[RoleName("review")].rate = Rate{60, minutes(1), 1};
    read.key_limits["*"].concurrency = 3;
    read.retention.finished = hours(1);
    read.role_retention[RoleName("review")].dead = hours(2);
    read.max_open_tasks = 10;
    read.max_open_bytes = 20;
    read.max_open_per_client = 30;
    read.age_step = seconds(1);
    read.log_level = "debug";
    const Reload found = reload(serving, read);
    EXPECT_EQ(found.changed,
              (Names{"log_level", "max_open_tasks", "limits.open_bytes", "limits.open_per_client",
                     "limits.age_step", "retention", "roles.gone.limits", "roles.review.limits",
                     "limit_keys.*", "roles.review.retention"}));
    EXPECT_TRUE(found.needs_restart.empty());
    EXPECT_EQ(found.options.log_level, "debug");
    const core::Policy policy = policy_of(found.options);
    EXPECT_EQ(policy.role_limits, read.role_limits);
    EXPECT_EQ(policy.key_limits, read.key_limits);
    EXPECT_EQ(policy.retention, read.retention);
    EXPECT_EQ(policy.role_retention, read.role_retention);
    EXPECT_EQ(policy.max_open_tasks, 10U);
    EXPECT_EQ(policy.max_open_bytes, 20U);
    EXPECT_EQ(policy.max_open_per_client, 30U);
    EXPECT_EQ(policy.age_step, seconds(1));
}

TEST(Reload, LeavesTheRestAsItIsAndNamesIt) {
    const Options serving;
    Options read;
    read.data = "elsewhere";
    read.binds = {"tcp://127.0.0.1:1"};
    read.artifacts_binds = {"tcp://127.0.0.1:2"};
    read.advertise = "tcp://h:1";
    read.lease = seconds(30);
    read.heartbeat = seconds(1);
    read.payload_schemas = {"r=f"};
    read.insecure = true;
    read.unreferenced = hours(1);
    const Reload found = reload(serving, read);
    EXPECT_TRUE(found.changed.empty());
    EXPECT_EQ(found.needs_restart,
              (Names{"data", "bind", "artifacts_bind", "advertise", "lease", "heartbeat",
                     "payload_schemas", "insecure", "retention.unreferenced"}));
    EXPECT_EQ(policy_of(found.options).lease, serving.lease);
    EXPECT_EQ(policy_of(found.options).unreferenced, serving.unreferenced);
    EXPECT_EQ(found.options.binds, serving.binds);
}

}  // namespace
}  // namespace zq::coordinator
