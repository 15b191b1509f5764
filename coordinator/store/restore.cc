#include "coordinator/store/restore.h"

#include <filesystem>

#include "coordinator/core/apply.h"
#include "coordinator/core/outcome.h"
#include "coordinator/store/anchors.h"
#include "coordinator/store/artifact_files.h"
#include "coordinator/store/rewind.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite_journal.h"

namespace zq::store {
namespace {

namespace fs = std::filesystem;

/// What ends the old life: whoever held a lease held it from another journal.
Batch end_old_life(core::State& state, JournalId journal, const std::string& program) {
    Batch batch;
    const auto happen = [&](core::Event event) {
        event.seq = state.durable.last_seq + 1;
        event.at = state.durable.last_at;
        event.identity = kSystemIdentity;
        core::apply(state, event);
        batch.events.push_back(std::move(event));
    };
    const std::map<std::uint64_t, TaskKey> leases = state.index.leases;
    for (const auto& [number, key] : leases) {
        const core::Task& task = state.durable.open.at(key);
        core::AttemptEnded ended;
        ended.next = core::after_silence(task, Outcome::kReleased);
        if (ended.next.state == TaskState::kInputRequired) {
            Question question = core::hold_question(
                *task.lease, "was lost when the journal was restored", state.durable.last_at);
            happen({0,
                    {},
                    state.durable.epoch,
                    key,
                    {},
                    core::QuestionAsked{task.lease->token, std::move(question)}});
        }
        ended.attempt.task = key;
        ended.attempt.attempt = task.lease->attempt;
        ended.attempt.token = task.lease->token;
        ended.attempt.holder = task.lease->holder;
        ended.attempt.started_at = task.lease->since;
        ended.attempt.ended_at = state.durable.last_at;
        ended.attempt.outcome = Outcome::kReleased;
        ended.attempt.reason = "the journal was restored from an earlier state";
        ended.attempt.answer = ended.next.state;
        happen({0, {}, state.durable.epoch, key, {}, std::move(ended)});
    }
    // What could start was perhaps to be asked about in the next moment.
    std::vector<TaskKey> unasked;
    state.durable.open.for_each([&](const core::Task& task) {
        if (core::lacks_approval(task)) unasked.push_back(task.key);
    });
    for (const TaskKey& key : unasked) {
        const core::Task& task = state.durable.open.at(key);
        Question question =
            core::approval_question(task, task.attempts, task.request, state.durable.last_at);
        happen({0, {}, state.durable.epoch, key, {}, core::QuestionAsked{{}, std::move(question)}});
    }
    core::Event started;
    started.task.ns = kDefaultNamespace;
    started.epoch = state.durable.epoch + 1;
    started.body = core::EpochStarted{journal, program};
    happen(std::move(started));
    batch.changes = core::take_changes(state);
    return batch;
}

JournalId new_id() {
    JournalId id = 0;
    while (id == 0) id = random_u64();
    return id;
}

/// The copy becomes a journal of its own.
Result<RestoreReport> begin_new_life(Database& database, const RestoreOrder& order) {
    if (auto ok = configure_writer(database); !ok) return Failure(ok.error());
    if (auto ok = migrate(database, 1); !ok) return Failure(ok.error());
    auto writer = BatchWriter::open(database);
    if (!writer) return Failure(writer.error());
    auto meta = read_meta(database);
    if (!meta) return Failure(meta.error());
    RestoreReport report;
    report.upto = order.upto.value_or(meta->last_seq);
    auto rewound = rewind(database, *writer, report.upto);
    if (!rewound) return Failure(rewound.error());
    report.journal = new_id();
    report.ended_leases = rewound->state.index.leases.size();
    const Batch batch = end_old_life(rewound->state, report.journal, order.program);
    if (auto ok = database.run("BEGIN IMMEDIATE"); !ok) return Failure(ok.error());
    if (auto ok = writer->find_trailing(rewound->meta); !ok) return Failure(ok.error());
    auto after =
        writer->write(batch, make_rows(batch.events, rewound->meta.chain_head), rewound->meta);
    if (!after) return Failure(after.error());
    if (auto ok = database.run("COMMIT"); !ok) return Failure(ok.error());
    auto anchor = take_anchor(database);
    if (!anchor) return Failure(anchor.error());
    if (auto ok = write_anchor(database, *anchor); !ok) return Failure(ok.error());
    report.last_seq = after->last_seq;
    report.chain_head = after->chain_head;
    report.open_tasks = rewound->state.durable.open.size();
    if (auto ok = database.checkpoint(Checkpoint::kTruncate); !ok) return Failure(ok.error());
    return report;
}

Result<void> take_empty_folder(const std::string& folder) {
    std::error_code failed;
    if (fs::exists(folder, failed) && !fs::is_empty(folder, failed)) {
        return fail(ErrorCode::CONFLICT,
                    folder + " is not empty: name a folder that is, or a new one");
    }
    return make_folders(folder, 0700, Durability::kSynced);
}

/// It was empty when it was taken: what is in it now is half a restored folder, of use to nobody.
void empty_folder(const std::string& folder) {
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
        fs::remove_all(entry.path(), failed);
    }
}

Result<RestoreReport> restore_into_empty(OfflineJournal& source, const RestoreOrder& order) {
    auto lock = lock_data_folder(order.into, {});
    if (!lock) return Failure(lock.error());
    const std::string path = journal_path(order.into);
    // Under another name until all is there: half a restored journal must not be served.
    const std::string unfinished = order.into + "/unfinished.db";
    if (auto ok = source.database().copy_to(unfinished); !ok) return Failure(ok.error());
    Result<RestoreReport> report;
    {
        auto database = Database::open(unfinished, OpenMode::kExisting);
        if (!database) return Failure(database.error());
        report = begin_new_life(*database, order);
        if (!report) return report;
        const std::string from =
            order.artifacts.empty() ? source.folder() + "/artifacts" : order.artifacts;
        auto artifacts = take_artifacts(*database, from, order.into + "/artifacts", Proof::kNone);
        if (!artifacts) return Failure(artifacts.error());
        report->artifacts = artifacts->count;
    }
    std::error_code failed;
    fs::rename(unfinished, path, failed);
    if (failed) return fail(ErrorCode::IO, "cannot rename " + unfinished + ": " + failed.message());
    if (auto ok = sync_folder(order.into); !ok) return Failure(ok.error());
    return report;
}

}  // namespace

Result<RestoreReport> restore(OfflineJournal& source, const RestoreOrder& order) {
    if (auto ok = take_empty_folder(order.into); !ok) return Failure(ok.error());
    auto report = restore_into_empty(source, order);
    if (!report) empty_folder(order.into);
    return report;
}

}  // namespace zq::store
