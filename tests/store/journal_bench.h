// Journals of every body for one suite of tests, in a folder of their own that goes away.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "coordinator/store/memory_journal.h"
#include "coordinator/store/sqlite_journal.h"

namespace zq::store {

/// A new folder under the system's temporary one, removed at the end.
class TemporaryFolder {
  public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

enum class BodyKind { kMemory, kSqlite };

class JournalBench {
  public:
    explicit JournalBench(BodyKind kind) : kind_(kind) { disk_.journal = 77; }
    /// A journal on this bench's disk; the same disk each time.
    std::unique_ptr<Journal> make();
    const std::string& folder() const { return folder_.path(); }

  private:
    BodyKind kind_;
    TemporaryFolder folder_;
    MemoryDisk disk_;
};

/// Options with bounds that suit a small machine.
SqliteJournalOptions sqlite_options(const std::string& folder);

/// Waits until `count` results are there, at most 30 s.
std::vector<CommitResult> await_results(Journal& journal, std::size_t count);

/// Appends and waits; the batch must be committed.
CommitResult commit(Journal& journal, Batch batch);
void commit_all(Journal& journal, std::vector<Batch> batches);

/// Takes the journal; the state it restored.
core::State acquire(Journal& journal);

}  // namespace zq::store
