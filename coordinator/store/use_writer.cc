#include "coordinator/store/use_writer.h"

#include <array>

#include "common/base/check.h"
#include "coordinator/store/references.h"
#include "coordinator/store/row_sum.h"

namespace zq::store {
namespace {

enum Sql : std::size_t {
    kStored,
    kGained,
    kReleased,
    kReferences,
    kUseGone,
    kContentGone,
    kCondemned,
    kRemoval,
    kTaskGone,
    kAttemptsGone,
    kRemovalsGone,
    kRevised,
    kKeptContent,
    kKeptTask,
    kKeptAttempts,
    kKeptRemovals,
    kReadHead,
    kWriteHead,
    kStatements,
};

constexpr std::array<std::string_view, kStatements> kSql = {
    "INSERT INTO content_use VALUES (?1, 0, ?2)"
    " ON CONFLICT (digest) DO UPDATE SET since = excluded.since",
    "INSERT INTO content_use VALUES (?1, 1, ?2) ON CONFLICT (digest) DO UPDATE SET refs = refs + 1",
    "UPDATE content_use SET refs = refs - 1, since = max(since, ?2) WHERE digest = ?1",
    "SELECT refs FROM content_use WHERE digest = ?1",
    "DELETE FROM content_use WHERE digest = ?1",
    "DELETE FROM contents WHERE digest = ?1",
    "INSERT INTO condemned VALUES (?1, ?2, ?3, 0)"
    " ON CONFLICT (digest) DO UPDATE SET seq = excluded.seq, at = excluded.at, lost = 0",
    "INSERT INTO removals VALUES (?1, ?2, ?3, ?4)",
    "DELETE FROM tasks WHERE submitted_seq = ?1",
    "DELETE FROM attempts WHERE ns = ?1 AND task = ?2",
    "DELETE FROM removals WHERE submitted_seq = ?1",
    "UPDATE tasks SET changed_seq = ?2 WHERE submitted_seq = ?1",
    // As base.cc sums them.
    "SELECT digest, size, inlined, stored_seq, data IS NULL FROM contents"
    " WHERE digest = ?1 AND stored_seq <= ?2",
    "SELECT * FROM tasks WHERE submitted_seq = ?1 AND ended <> 0 AND changed_seq <= ?2",
    "SELECT a.* FROM tasks t JOIN attempts a ON a.ns = t.ns AND a.task = t.id"
    " WHERE t.submitted_seq = ?1 AND t.ended <> 0 AND t.changed_seq <= ?2",
    "SELECT * FROM removals WHERE submitted_seq = ?1 AND seq <= ?2",
    "SELECT record FROM base WHERE place = 0",
    "UPDATE base SET record = ?1 WHERE place = 0",
};

}  // namespace

Result<UseWriter> UseWriter::open(Database& database) {
    std::vector<Statement> statements;
    for (std::string_view sql : kSql) {
        auto statement = database.prepare(sql);
        if (!statement) return Failure(statement.error());
        statements.push_back(std::move(*statement));
    }
    UseWriter writer(std::move(statements));
    if (auto ok = writer.read_kept(); !ok) return Failure(ok.error());
    writer.base_seq_ = writer.kept_ ? writer.kept_->last_seq : 0;
    return writer;
}

Result<void> UseWriter::read_kept() {
    Statement& statement = statements_[kReadHead];
    ResetAtEnd reset_at_end(statement);
    auto row = statement.step();
    if (!row) return Failure(row.error());
    if (!*row) return {};
    auto head = decode_base_head(statement.blob_at(0));
    if (!head) return Failure(head.error());
    kept_ = *head;
    return {};
}

Result<void> UseWriter::project(const core::Event& event) {
    if (const auto* stored = std::get_if<core::ContentStored>(&event.body)) {
        return statements_[kStored].digest(1, stored->digest).integer(2, event.at.ms).run();
    }
    if (const auto* condemned = std::get_if<core::ContentsCondemned>(&event.body)) {
        return condemn(event, *condemned);
    }
    if (auto ok = count(event); !ok) return ok;
    return remove(event);
}

Result<void> UseWriter::remove(const core::Event& event) {
    if (const auto* removed = std::get_if<core::ArtifactsRemoved>(&event.body)) {
        return note_removal(event, *removed);
    }
    if (const auto* removed = std::get_if<core::TaskRemoved>(&event.body)) {
        return remove_task(event.task, removed->submitted_seq);
    }
    if (const core::Revision* revision = core::revision_of(event.body)) {
        return revise(event, *revision);
    }
    return {};
}

Result<void> UseWriter::count(const core::Event& event) {
    const ReferenceChange change = references_of(event.body);
    for (const Digest& digest : change.gained) {
        auto ok = statements_[kGained].digest(1, digest).integer(2, event.at.ms).run();
        if (!ok) return ok;
    }
    for (const Digest& digest : change.released) {
        auto ok = statements_[kReleased].digest(1, digest).integer(2, event.at.ms).run();
        if (!ok) return ok;
    }
    return {};
}

Result<void> UseWriter::condemn(const core::Event& event, const core::ContentsCondemned& body) {
    for (const core::CondemnedContent& content : body.contents) {
        if (auto ok = condemn_one(content.digest, event); !ok) return ok;
    }
    return {};
}

Result<void> UseWriter::condemn_one(const Digest& digest, const core::Event& event) {
    {
        Statement& references = statements_[kReferences].digest(1, digest);
        ResetAtEnd reset_at_end(references);
        auto row = references.step();
        if (!row) return Failure(row.error());
        // Nothing that anything refers to is ever removed: here is the last place to stop it.
        ZQ_CHECK(*row && references.integer_at(0) == 0);
    }
    auto ok = take_out("contents", statements_[kKeptContent].digest(1, digest));
    if (!ok) return ok;
    for (const Sql gone : {kUseGone, kContentGone}) {
        if (ok = statements_[gone].digest(1, digest).run(); !ok) return ok;
    }
    return statements_[kCondemned]
        .digest(1, digest)
        .number(2, event.seq)
        .integer(3, event.at.ms)
        .run();
}

Result<void> UseWriter::note_removal(const core::Event& event, const core::ArtifactsRemoved& body) {
    return statements_[kRemoval]
        .number(1, body.submitted_seq)
        .text(2, to_string(body.kind))
        .number(3, event.seq)
        .integer(4, event.at.ms)
        .run();
}

Result<void> UseWriter::remove_task(const TaskKey& key, Seq submitted_seq) {
    auto ok = take_out("tasks", statements_[kKeptTask].number(1, submitted_seq));
    if (ok) ok = take_out("attempts", statements_[kKeptAttempts].number(1, submitted_seq));
    if (ok) ok = take_out("removals", statements_[kKeptRemovals].number(1, submitted_seq));
    if (ok) ok = statements_[kAttemptsGone].text(1, key.ns.text).text(2, key.id.text).run();
    if (ok) ok = statements_[kTaskGone].number(1, submitted_seq).run();
    if (ok) ok = statements_[kRemovalsGone].number(1, submitted_seq).run();
    return ok;
}

/// Its row is written at the batch's end; from here on it is none that the base counts, whatever
/// follows in this batch.
Result<void> UseWriter::revise(const core::Event& event, const core::Revision& revision) {
    const Seq submitted_seq = revision.before.submitted_seq;
    if (base_seq_ == 0 || revision.before.changed_seq > base_seq_) return {};
    auto ok = take_out("tasks", statements_[kKeptTask].number(1, submitted_seq));
    if (ok) ok = take_out("attempts", statements_[kKeptAttempts].number(1, submitted_seq));
    if (ok) ok = statements_[kRevised].number(1, submitted_seq).number(2, event.seq).run();
    return ok;
}

Result<void> UseWriter::keep_again(Seq submitted_seq) {
    auto ok = move(Way::kIn, "tasks", statements_[kKeptTask].number(1, submitted_seq));
    if (ok) ok = move(Way::kIn, "attempts", statements_[kKeptAttempts].number(1, submitted_seq));
    return ok;
}

Result<void> UseWriter::take_out(std::string_view table, Statement& rows) {
    return move(Way::kOut, table, rows);
}

/// Its second parameter is the base; the first is bound.
Result<void> UseWriter::move(Way way, std::string_view table, Statement& rows) {
    ResetAtEnd reset_at_end(rows);
    if (base_seq_ == 0) return {};
    rows.number(2, base_seq_);
    while (true) {
        auto row = rows.step();
        if (!row) return Failure(row.error());
        if (!*row) return {};
        if (!kept_) {
            if (auto ok = read_kept(); !ok) return ok;
        }
        RowSum sum(kept_->kept);
        way == Way::kOut ? sum.subtract(table, rows) : sum.add(table, rows);
        kept_->kept = sum.value();
    }
}

Result<void> UseWriter::finish() {
    if (!kept_) return {};
    const std::string record = encode_base_head(*kept_);
    kept_.reset();
    return statements_[kWriteHead].blob(1, record).run();
}

}  // namespace zq::store
