// What `zq` says of artifacts that retention has taken: of a task that was run again, those of the
// attempts before it alone.
#include "cli/removed.h"

#include <gtest/gtest.h>

namespace zq::cli {
namespace {

TEST(Removed, SpeaksOfTheAttemptsThatHadEndedWhenItWent) {
    wire::TaskReply task;
    task.removed = {{RemovedKind::kArtifacts, 1, Instant{1'000}, "age"},
                    {RemovedKind::kLogs, 2, Instant{2'000}, "bytes"},
                    {RemovedKind::kArtifacts, 2, Instant{3'000}, "bytes"}};
    EXPECT_EQ(removal_of(task, 1, "report.md")->at, Instant{1'000});
    EXPECT_EQ(removal_of(task, 2, "report.md")->at, Instant{3'000});
    EXPECT_EQ(removal_of(task, 1, "stdout.log")->at, Instant{2'000});
    EXPECT_EQ(removal_of(task, 3, "report.md"), nullptr) << "it came later";
    EXPECT_EQ(removal_of(task, 0, "context"), nullptr) << "inputs stay";
    CheckpointRef checkpoint;
    checkpoint.attempt = 3;
    EXPECT_EQ(checkpoint_removal(task, checkpoint), nullptr);
    checkpoint.attempt = 2;
    EXPECT_EQ(checkpoint_removal(task, checkpoint)->at, Instant{3'000});
}

}  // namespace
}  // namespace zq::cli
