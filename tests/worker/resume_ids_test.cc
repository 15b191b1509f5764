// Sessions of earlier attempts.
#include "worker/resume_ids.h"

#include "tests/worker/folder_rig.h"

namespace zq::worker {
namespace {

TEST(ResumeIds, TheLastSessionIsKnownOverAStartUntilItIsForgotten) {
    FolderRig folder;
    ResumeIds(folder.file("sessions")).remember(TaskId("t-a"), "one");
    ResumeIds(folder.file("sessions"))
        .remember(TaskId("t-a"), "5b9c2f1e-0000-4000-8000-00000000000a");
    const ResumeIds next(folder.file("sessions"));
    EXPECT_EQ(next.of(TaskId("t-a")), "5b9c2f1e-0000-4000-8000-00000000000a");
    EXPECT_EQ(next.of(TaskId("t-b")), "");
    next.forget(TaskId("t-a"));
    EXPECT_EQ(next.of(TaskId("t-a")), "");
}

TEST(ResumeIds, WhatCouldBeTakenForAFlagOrMoreThanOneWordIsNotKept) {
    FolderRig folder;
    const ResumeIds ids(folder.file("sessions"));
    for (const std::string& bad :
         {std::string("--dangerous"), std::string("a b"), std::string("a;b"), std::string("a/b"),
          std::string("a\nb"), std::string(), std::string(129, 'x')}) {
        ids.remember(TaskId("t-a"), bad);
        EXPECT_EQ(ids.of(TaskId("t-a")), "") << bad;
    }
    folder.write("sessions/t-a", "--forged");
    EXPECT_EQ(ids.of(TaskId("t-a")), "");
}

TEST(ResumeIds, OldOnesArePruned) {
    FolderRig folder;
    const ResumeIds ids(folder.file("sessions"));
    ids.remember(TaskId("old"), "s");
    ids.remember(TaskId("new"), "s");
    std::filesystem::last_write_time(
        folder.file("sessions/old"),
        std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 31));
    ids.prune();
    EXPECT_EQ(ids.of(TaskId("old")), "");
    EXPECT_EQ(ids.of(TaskId("new")), "s");
}

}  // namespace
}  // namespace zq::worker
