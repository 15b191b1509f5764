// One run of the journal under power cuts: the real SQLite journal and pipeline live a few lives on
// one disk, each ended at a random call by a cut or a kill, some of them during their recovery;
// after each stop everything that was said must be there, event by event.
#pragma once

#include <atomic>
#include <memory>

#include "coordinator/store/sqlite_journal.h"
#include "tests/power/coordinator_load.h"
#include "tests/power/interpose.h"
#include "tests/power/power_vfs.h"
#include "tests/power/recorded_journal.h"
#include "tests/power/run_report.h"

namespace zq::power {

/// Ways to be wrong that a run must notice, for the controls.
enum class JournalFault : std::uint8_t {
    kNone,
    kNormalSync,  // PRAGMA synchronous = NORMAL
    // A start makes what it finds durable twice: it rewrites the log, and settles with a
    // checkpoint.
    kSaysAtOnce,     // neither, and it speaks before its epoch is committed
    kNoCheckpoint,   // neither, and it speaks after its epoch is committed
    kNoRewrite,      // the first alone
    kNoFolderSync,   // folders are never synced
    kRemovesAtOnce,  // files of condemned contents, before the event that says so is durable
};

class JournalRun {
  public:
    explicit JournalRun(std::uint64_t seed, JournalFault fault = JournalFault::kNone);
    RunReport run();

    const std::vector<core::Event>& events() const { return history_.events; }

  private:
    struct Life;

    void plan_stop(bool last);
    void live(std::uint64_t steps);
    bool start(Life& life);
    bool work(Life& life, std::uint64_t steps);
    bool step(Life& life);
    bool retain(Life& life);
    bool await_commits(Life& life);
    void end(Life& life, bool clean);
    void after_stop();
    void check_recovered(const Life& life, const store::Recovery& recovery);
    std::vector<core::Event> as_left() const;
    void check_events(store::Reader& reader);
    void check_settled();
    void check_offline();
    void violation(const std::string& sentence);
    void say(Seq upto) { history_.said = std::max(history_.said, upto); }

    const JournalFault fault_;
    Random random_;
    // Of one life's work. A process that stops does so a little earlier or later in it, as its
    // threads run; what comes after must not depend on that.
    Random work_random_{0};
    ScratchFolder scratch_;
    PowerDisk disk_;
    Mounted mounted_;
    const std::string folder_;
    History history_;
    std::atomic<Seq> shown_ = 0;  // by a reader, while a commit was under way
    bool with_files_ = false;     // this life puts artifacts too
    bool sync_failed_ = false;    // in the life before
    RunReport report_;
};

}  // namespace zq::power
