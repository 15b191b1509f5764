#include "tests/store/journal_bench.h"

#include <poll.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>

#include "common/base/check.h"

namespace zq::store {

TemporaryFolder::TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "zq-store-XXXXXX").string();
    ZQ_CHECK(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

SqliteJournalOptions sqlite_options(const std::string& folder) {
    SqliteJournalOptions options;
    options.folder = folder;
    options.storage = {.reserve_bytes = 1 << 20, .low_water_bytes = 1 << 20};
    options.tasks_in_memory = 4;
    return options;
}

std::unique_ptr<Journal> JournalBench::make() {
    if (kind_ == BodyKind::kMemory) {
        return std::make_unique<MemoryJournal>(disk_, MemorySync::kAtOnce);
    }
    return std::make_unique<SqliteJournal>(sqlite_options(folder_.path()));
}

std::vector<CommitResult> await_results(Journal& journal, std::size_t count) {
    std::vector<CommitResult> all;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (all.size() < count) {
        for (CommitResult& result : journal.results()) all.push_back(std::move(result));
        if (all.size() >= count) break;
        if (std::chrono::steady_clock::now() > end || journal.results_fd() < 0) {
            ADD_FAILURE() << "only " << all.size() << " of " << count << " results came";
            break;
        }
        pollfd wait{journal.results_fd(), POLLIN, 0};
        ::poll(&wait, 1, 1'000);
    }
    return all;
}

CommitResult commit(Journal& journal, Batch batch) {
    const Seq last = batch.events.back().seq;
    journal.append(std::move(batch));
    auto results = await_results(journal, 1);
    if (results.size() != 1) return {};
    EXPECT_EQ(results[0].status, CommitStatus::kCommitted) << results[0].message;
    EXPECT_EQ(results[0].last_seq, last);
    return results[0];
}

void commit_all(Journal& journal, std::vector<Batch> batches) {
    for (Batch& batch : batches) commit(journal, std::move(batch));
}

core::State acquire(Journal& journal) {
    core::State state;
    auto recovery = journal.acquire(state);
    EXPECT_TRUE(recovery.has_value()) << (recovery ? "" : recovery.error().message);
    return state;
}

}  // namespace zq::store
