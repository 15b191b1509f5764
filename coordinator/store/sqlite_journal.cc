#include "coordinator/store/sqlite_journal.h"

#include <fcntl.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/base/check.h"
#include "common/platform/log.h"
#include "coordinator/store/log_recovery.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite_reader.h"
#include "coordinator/store/sqlite_recovery.h"
#include "coordinator/store/sqlite_task_records.h"

namespace zq::store {
namespace {

/// After an anchor that took longer than that none is taken for so many times as long: with many
/// open tasks it is seconds of a core.
constexpr std::chrono::milliseconds kQuickAnchor{50};
constexpr int kAnchorRest = 50;

/// About what a batch takes in memory and on disk.
std::size_t estimate(const Batch& batch) {
    constexpr std::size_t kRow = 512;
    std::size_t bytes = (batch.events.size() + batch.changes.tasks.size()) * kRow;
    for (const core::Event& event : batch.events) {
        if (const auto* submitted = std::get_if<core::TaskSubmitted>(&event.body)) {
            bytes += submitted->spec->instructions.size() + submitted->spec->payload.size();
        }
    }
    for (const core::Attempt& attempt : batch.changes.attempts) {
        bytes += 2 * kRow;
        for (const auto& [key, value] : attempt.output) bytes += 2 * value.size();
    }
    for (const InlineContent& content : batch.contents) bytes += content.data.size();
    return bytes;
}

JournalId fresh_id() {
    JournalId id = 0;
    while (id == 0) id = random_u64();
    return id;
}

}  // namespace

Result<FileHandle> lock_data_folder(const std::string& folder, Millis patience) {
    constexpr auto kBetween = std::chrono::milliseconds(10);
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience.count);
    auto lock = lock_file(folder + "/lock");
    while (!lock && lock.error().code == ErrorCode::CONFLICT &&
           std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(kBetween);
        lock = lock_file(folder + "/lock");
    }
    if (!lock && lock.error().code == ErrorCode::CONFLICT) {
        return fail(ErrorCode::CONFLICT, "another coordinator is using " + folder +
                                             ": stop it first, or give this one a --data folder of"
                                             " its own");
    }
    return lock;
}

SqliteJournal::SqliteJournal(SqliteJournalOptions options) : options_(std::move(options)) {}

SqliteJournal::~SqliteJournal() {
    if (!thread_.joinable()) return;
    if (taking_.valid()) taking_.wait();
    StopOrder order;
    queue_.push(std::move(order));
    join();
}

void SqliteJournal::join() {
    thread_.join();
    committer_->follower().end();
    tables_thread_.join();
}

Result<void> SqliteJournal::take_folder() {
    if (auto ok = make_folders(options_.folder, 0700, Durability::kSynced); !ok) return ok;
    auto lock = lock_data_folder(options_.folder, options_.lock_patience);
    if (!lock) return Failure(lock.error());
    lock_ = std::move(*lock);
    return {};
}

Result<Recovery> SqliteJournal::acquire(core::State& state) {
    ZQ_CHECK(!committer_);
    if (auto ok = take_folder(); !ok) return Failure(ok.error());
    auto recovery = open_and_restore(state);
    if (!recovery) lock_ = FileHandle();
    return recovery;
}

Result<Recovery> SqliteJournal::open_and_restore(core::State& state) {
    const std::string path = journal_path(options_.folder);
    // For this user alone; SQLite gives its log the same mode.
    if (!FileHandle(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)).is_open()) {
        return fail(ErrorCode::IO, "cannot make " + path + ": " + std::strerror(errno));
    }
    // What a failed sync has left in the log would be read now and be gone after a power cut, and
    // with it what comes after it. Before SQLite opens it: closing the file would drop its locks.
    if (auto ok = rewrite_file(path + "-wal"); !ok && ok.error().code != ErrorCode::NOT_FOUND) {
        return Failure(ok.error());
    }
    auto database = Database::open(path, OpenMode::kCreate);
    if (!database) return Failure(database.error());
    // The version first: nothing is changed in a database that is not ours to change.
    if (auto version = format_version(*database); !version) return Failure(version.error());
    if (auto ok = configure_writer(*database, options_.page_bytes); !ok) return Failure(ok.error());
    if (auto ok = migrate(*database, fresh_id()); !ok) return Failure(ok.error());
    if (auto ok = sync_folder(options_.folder); !ok) return Failure(ok.error());
    auto records = SqliteTaskRecords::open(path);
    if (!records) return Failure(records.error());
    state.durable.open.rest_in(*records, options_.tasks_in_memory);
    auto recovery = restore_state(*database, state);
    if (!recovery) return Failure(recovery.error());
    auto meta = read_meta(*database);
    if (!meta) return Failure(meta.error());
    auto anchored = last_anchor(*database);
    if (!anchored) return Failure(anchored.error());
    anchored_ = *anchored;
    auto writer = BatchWriter::open(*database);
    if (!writer) return Failure(writer.error());
    if (auto ok = database->run("BEGIN IMMEDIATE"); !ok) return Failure(ok.error());
    if (auto ok = writer->find_trailing(*meta); !ok) return Failure(ok.error());
    if (auto ok = database->run("COMMIT"); !ok) return Failure(ok.error());
    auto log = CommitLog::open(options_.folder, options_.log.turn_bytes);
    if (!log) return Failure(log.error());
    if (auto ok = sync_folder(options_.folder); !ok) return Failure(ok.error());
    auto after = take_over_log(*database, *writer, *log, state, *meta);
    if (!after && after.error().code == ErrorCode::STORAGE_FULL &&
        StorageReserve(options_.folder, options_.storage).release()) {
        log_warn("no room for what the last run left in its log: the reserve is given up for it",
                 {{"error", after.error().message}});
        state = core::State();
        state.durable.open.rest_in(*records, options_.tasks_in_memory);
        recovery = restore_state(*database, state);
        if (!recovery) return Failure(recovery.error());
        after = take_over_log(*database, *writer, *log, state, *meta);
    }
    if (!after && after.error().code == ErrorCode::STORAGE_FULL) {
        return fail(ErrorCode::STORAGE_FULL,
                    "the disk of the data folder is full: free some space, then start again");
    }
    if (!after) return Failure(after.error());
    meta = std::move(after);
    restored_ = meta->last_seq;
    next_seq_ = restored_ + 1;
    committer_ = std::make_unique<Committer>(
        CommitterParts{std::move(*database), std::move(*writer), std::move(*log), *meta},
        options_.folder, options_.storage, options_.log, queue_);
    thread_ = std::thread([this] { committer_->serve(); });
    pthread_setname_np(thread_.native_handle(), "zq-commit");
    tables_thread_ = std::thread([this] { committer_->follower().serve(); });
    pthread_setname_np(tables_thread_.native_handle(), "zq-tables");
    return Recovery{meta->journal,    meta->epoch,      meta->last_seq,           meta->last_at,
                    meta->last_token, meta->chain_head, state.durable.open.size()};
}

/// What a killed process left in it is in the tables and on disk afterwards, and nowhere else.
Result<Meta> SqliteJournal::take_over_log(Database& database, BatchWriter& writer, CommitLog& log,
                                          core::State& state, const Meta& meta) const {
    auto after = bring_over(database, writer, log, state, meta);
    if (!after) return after;
    log.settled(after->last_seq);
    if (!has_commit_log(options_.folder)) return after;
    if (auto ok = log.wipe(); !ok) return Failure(ok.error());
    return after;
}

Result<void> SqliteJournal::settle() {
    ZQ_CHECK(thread_.joinable());
    SettleOrder order;
    auto done = order.done.get_future();
    queue_.push(std::move(order));
    return done.get();
}

void SqliteJournal::append(Batch batch) {
    ZQ_CHECK(thread_.joinable());
    ZQ_CHECK(!batch.events.empty() && batch.events.front().seq == next_seq_);
    next_seq_ = batch.events.back().seq + 1;
    const std::size_t bytes = estimate(batch);
    ++batches_;
    bytes_ += bytes;
    queue_.push(CommitOrder{std::move(batch), bytes});
}

/// A hop to the other thread and back takes as long as half a commit does.
bool SqliteJournal::append_now(Batch batch) {
    ZQ_CHECK(thread_.joinable());
    ZQ_CHECK(!batch.events.empty() && batch.events.front().seq == next_seq_);
    auto result = batches_ == 0 ? committer_->commit_here(batch) : std::nullopt;
    if (!result) {
        append(std::move(batch));
        return false;
    }
    next_seq_ = result->last_seq + 1;
    at_once_.push_back(std::move(*result));
    return true;
}

std::vector<CommitResult> SqliteJournal::results() {
    std::vector<CommitResult> results = std::exchange(at_once_, {});
    for (const CommitResult& result : results) {
        if (result.status == CommitStatus::kCommitted) keep_anchored(result.last_seq);
    }
    for (Answered& answered : queue_.take_answers()) {
        if (answered.of == Answered::Of::kBatch) --batches_;
        bytes_ -= answered.bytes;
        if (answered.result.status == CommitStatus::kCommitted) {
            keep_anchored(answered.result.last_seq);
        }
        results.push_back(std::move(answered.result));
    }
    return results;
}

/// Hashing the state takes seconds where a million tasks are open: a reader does it on a thread of
/// its own, and neither the loop nor a commit waits.
void SqliteJournal::keep_anchored(Seq committed) {
    // The start itself: its `settle` comes next, and would wait for that reader.
    if (committed <= restored_ + 1) return;
    if (taking_.valid()) {
        if (taking_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
        const auto now = std::chrono::steady_clock::now();
        const auto took = now - anchoring_since_;
        next_anchor_at_ = took < kQuickAnchor ? now : now + kAnchorRest * took;
        // One that could not be taken is made up for by the next.
        if (auto anchor = taking_.get()) committer_->follower().put(*anchor);
    }
    if (committed - anchored_ < options_.anchor_every) return;
    if (std::chrono::steady_clock::now() < next_anchor_at_) return;
    anchoring_since_ = std::chrono::steady_clock::now();
    anchored_ = committed;
    taking_ =
        std::async(std::launch::async, [path = journal_path(options_.folder)]() -> Result<Anchor> {
            auto reader = Database::open(path, OpenMode::kReadOnly);
            if (!reader) return Failure(reader.error());
            if (auto ok = configure_reader(*reader); !ok) {
                return Failure(ok.error());
            }
            return take_anchor(*reader);
        });
}

int SqliteJournal::results_fd() const {
    return queue_.answers_fd();
}

bool SqliteJournal::storage_low() const {
    return committer_ && committer_->storage_low();
}

bool SqliteJournal::waits_for_room() const {
    return committer_ && committer_->waits_for_room();
}

void SqliteJournal::catch_up() {
    ZQ_CHECK(committer_);
    committer_->follower().catch_up();
}

Result<std::unique_ptr<Reader>> SqliteJournal::open_reader() {
    ZQ_CHECK(committer_);
    return SqliteReader::open(journal_path(options_.folder),
                              [this] { committer_->follower().project(); });
}

Result<std::unique_ptr<Reader>> SqliteJournal::open_trailing_reader() {
    ZQ_CHECK(committer_);
    return SqliteReader::open(journal_path(options_.folder), {});
}

Seq SqliteJournal::projected() const {
    ZQ_CHECK(committer_);
    return committer_->follower().projected();
}

void SqliteJournal::project_soon(Seq upto) {
    if (wanted_ >= upto || projected() >= upto) return;
    wanted_ = upto;
    committer_->follower().want(upto);
}

bool SqliteJournal::trails_far() const {
    return committer_ && committer_->follower().trails_far();
}

Result<void> SqliteJournal::close() {
    ZQ_CHECK(thread_.joinable());
    if (taking_.valid()) taking_.wait();
    StopOrder order;
    auto done = order.done.get_future();
    queue_.push(std::move(order));
    auto result = done.get();
    join();
    return result;
}

}  // namespace zq::store
