#include "coordinator/store/log_recovery.h"

#include <algorithm>
#include <filesystem>

#include "coordinator/core/apply.h"
#include "coordinator/store/erase.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite_recovery.h"

namespace zq::store {

Result<Meta> bring_over(Database& database, BatchWriter& writer, const CommitLog& log,
                        core::State& state, const Meta& meta) {
    Meta after = meta;
    const auto take = [&](LoggedBatch logged) -> Result<void> {
        Batch batch;
        for (const core::Event& event : logged.events) core::apply(state, event);
        batch.events = std::move(logged.events);
        batch.contents = std::move(logged.contents);
        batch.changes = core::take_changes(state);
        auto written = writer.write(batch, logged.rows, after);
        if (!written) return Failure(written.error());
        if (auto ok = erase_texts(database, batch.events); !ok) return ok;
        after = *written;
        core::forget_projected(state, after.last_seq);
        return {};
    };
    if (auto ok = database.run("BEGIN IMMEDIATE"); !ok) return Failure(ok.error());
    auto done = log.read(meta.last_seq, meta.chain_head, take);
    // As the connection is set, the commit is synced.
    if (done) done = database.run("COMMIT");
    if (done) return after;
    if (database.in_transaction()) static_cast<void>(database.run("ROLLBACK"));
    return Failure(done.error());
}

bool has_commit_log(const std::string& folder) {
    const auto paths = commit_log_paths(folder);
    return std::any_of(paths.begin(), paths.end(), [](const std::string& path) {
        std::error_code none;
        return std::filesystem::file_size(path, none) > 0 && !none;
    });
}

Result<void> bring_over(const std::string& folder) {
    auto database = Database::open(journal_path(folder), OpenMode::kExisting);
    if (!database) return Failure(database.error());
    auto version = format_version(*database);
    if (!version) return Failure(version.error());
    if (auto ok = configure_writer(*database); !ok) return ok;
    core::State state;
    auto recovery = restore_state(*database, state);
    if (!recovery) return Failure(recovery.error());
    auto meta = read_meta(*database);
    if (!meta) return Failure(meta.error());
    auto writer = BatchWriter::open(*database);
    if (!writer) return Failure(writer.error());
    if (auto ok = database->run("BEGIN IMMEDIATE"); !ok) return ok;
    if (auto ok = writer->find_trailing(*meta); !ok) return ok;
    if (auto ok = database->run("COMMIT"); !ok) return ok;
    auto log = CommitLog::open(folder);
    if (!log) return Failure(log.error());
    auto after = bring_over(*database, *writer, *log, state, *meta);
    if (!after) return Failure(after.error());
    if (auto ok = database->checkpoint(Checkpoint::kTruncate); !ok) return ok;
    log->settled(after->last_seq);
    log->remove();
    return {};
}

}  // namespace zq::store
