#include "coordinator/store/rollup_writer.h"

#include <algorithm>
#include <array>

#include "coordinator/store/record_codec.h"
#include "coordinator/store/rollup_codec.h"
#include "coordinator/store/sqlite_reader.h"

namespace zq::store {
namespace {

enum Sql : std::size_t {
    kDead,
    kNames,
    kRead,
    kWrite,
    kPrune,
    kMark,
    kDropMark,
    kSetMark,
    kEvents,
    kTask,
    kStatements,
};

/// Rows are written with a batch after so many events, or so long after the last time.
constexpr std::uint64_t kTrailing = 8'192;
constexpr std::chrono::seconds kTrailingTime{1};

constexpr std::array<std::string_view, kStatements> kSql = {
    "SELECT record FROM tasks WHERE submitted_seq = ?1 AND state IN ('dead', 'expired')",
    "SELECT name FROM rollups WHERE ns = ?1 AND dimension = ?2 AND span = ?3 AND start = ?4",
    "SELECT record FROM rollups WHERE ns = ?1 AND dimension = ?2 AND span = ?3 AND start = ?4"
    " AND name = ?5",
    "INSERT INTO rollups VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
    " ON CONFLICT (ns, dimension, span, start, name) DO UPDATE SET record = excluded.record",
    "DELETE FROM rollups WHERE ns = ?1 AND dimension = ?2 AND span = ?3 AND start < ?4",
    // The place that the rows reach up to: `start` of a row that is no bucket's.
    "SELECT start FROM rollups WHERE ns = '' AND dimension = 'upto' AND span = 0",
    "DELETE FROM rollups WHERE ns = '' AND dimension = 'upto'",
    "INSERT INTO rollups VALUES ('', 'upto', 0, ?1, '', x'')",
    "SELECT j.seq, at, epoch, ns, task, kind, version, identity, body_digest, hash, body"
    " FROM journal j JOIN bodies b ON b.seq = j.seq WHERE j.seq > ?1 ORDER BY j.seq",
    "SELECT record FROM tasks WHERE ns = ?1 AND id = ?2",
};

Statement& bind(Statement& statement, const RollupKey& key) {
    return statement.text(1, key.ns.text)
        .text(2, to_string(key.by))
        .integer(3, key.span.count)
        .integer(4, key.start.ms);
}

}  // namespace

Result<RollupWriter> RollupWriter::open(Database& database) {
    std::vector<Statement> statements;
    for (std::string_view sql : kSql) {
        auto statement = database.prepare(sql);
        if (!statement) return Failure(statement.error());
        statements.push_back(std::move(*statement));
    }
    return RollupWriter(std::move(statements));
}

void RollupWriter::begin(Seq last) {
    if (last != batch_seq_) {
        // It was rolled back, or this is the first: its rows are as they were.
        rows_.clear();
        buckets_.clear();
    } else if (wrote_) {
        for (auto& [key, row] : written_) rows_[key] = std::move(row);
        pending_ = {};
        pending_events_ = 0;
        wrote_at_ = std::chrono::steady_clock::now();
    } else {
        pending_.add(batch_);
    }
    batch_ = {};
    batch_seq_ = last;
    written_.clear();
    wrote_ = at_once_ = false;
}

Result<void> RollupWriter::add(const core::Event& event, const core::Changes& changes) {
    const auto* removed = std::get_if<core::TaskRemoved>(&event.body);
    if (removed == nullptr) {
        batch_.add(event, changed_task(changes, event.task));
        ++pending_events_;
        return {};
    }
    at_once_ = true;
    Statement& row = statements_[kDead].number(1, removed->submitted_seq);
    ResetAtEnd reset_at_end(row);
    auto found = row.step();
    if (!found) return Failure(found.error());
    if (!*found) return {};
    auto task = decode_task(row.blob_at(0));
    if (!task) return Failure(task.error());
    batch_.add(event, &*task);
    return {};
}

/// Another bucket: what it holds already, and older ones leave.
Result<void> RollupWriter::begin_bucket(Bucket& bucket, const RollupKey& key) {
    bucket = {key.start, {}};
    std::erase_if(rows_, [&](const auto& row) {
        const RollupKey& old = row.first;
        return old.ns == key.ns && old.by == key.by && old.span == key.span;
    });
    Statement& names = bind(statements_[kNames], key);
    {
        ResetAtEnd reset_at_end(names);
        while (true) {
            auto row = names.step();
            if (!row) return Failure(row.error());
            if (!*row) break;
            bucket.names.emplace(names.text_at(0));
        }
    }
    const auto* span = std::find_if(kRollupSpans.begin(), kRollupSpans.end(),
                                    [&](const RollupSpan& s) { return s.length == key.span; });
    return bind(statements_[kPrune], key).integer(4, (key.start - span->kept).ms).run();
}

/// The key itself, or that of all other names, where the bucket holds as many as it may.
Result<RollupKey> RollupWriter::bounded(const RollupKey& key) {
    Bucket& bucket = buckets_[{key.ns, key.by, key.span}];
    if (bucket.start != key.start) {
        if (auto ok = begin_bucket(bucket, key); !ok) return Failure(ok.error());
    }
    RollupKey kept = key;
    if (!bucket.names.contains(key.name) && bucket.names.size() >= limits::kRollupNames) {
        kept.name = kOtherNames;
    }
    bucket.names.insert(kept.name);
    return kept;
}

Result<Rollup> RollupWriter::read(const RollupKey& key) {
    if (auto known = rows_.find(key); known != rows_.end()) return known->second;
    Statement& read = bind(statements_[kRead], key).text(5, key.name);
    ResetAtEnd reset_at_end(read);
    auto row = read.step();
    if (!row) return Failure(row.error());
    return *row ? decode_rollup(read.blob_at(0)) : Rollup{};
}

Result<void> RollupWriter::write(const RollupKey& key, const Rollup& added) {
    auto sum = read(key);
    if (!sum) return Failure(sum.error());
    sum->add(added);
    const std::string record = encode_rollup(*sum);
    written_[key] = std::move(*sum);
    return bind(statements_[kWrite], key).text(5, key.name).blob(6, record).run();
}

Result<void> RollupWriter::write_all(Seq last) {
    // Of several names beyond the bound one row is made.
    std::map<RollupKey, Rollup> rows;
    for (const RollupSum* sum : {&pending_, &batch_}) {
        for (const auto& [key, added] : sum->sums()) {
            auto kept = bounded(key);
            if (!kept) return Failure(kept.error());
            rows[*kept].add(added);
        }
    }
    for (const auto& [key, added] : rows) {
        if (auto ok = write(key, added); !ok) return ok;
    }
    wrote_ = true;
    return write_mark(last);
}

Result<void> RollupWriter::write_mark(Seq last) {
    if (auto ok = statements_[kDropMark].run(); !ok) return ok;
    return statements_[kSetMark].number(1, last).run();
}

bool RollupWriter::is_due() const {
    return at_once_ || pending_events_ >= kTrailing ||
           std::chrono::steady_clock::now() - wrote_at_ >= kTrailingTime;
}

Result<void> RollupWriter::finish(Seq last) {
    batch_seq_ = last;
    return is_due() ? write_all(last) : Result<void>{};
}

bool RollupWriter::trails(Seq last) {
    begin(last);
    return !pending_.sums().empty();
}

Result<void> RollupWriter::catch_up(Seq last) {
    begin(last);
    return write_all(last);
}

Result<void> RollupWriter::recount(Seq last) {
    Statement& mark = statements_[kMark];
    auto marked = mark.step();
    const Seq upto = marked && *marked ? mark.number_at(0) : last;
    mark.reset();
    if (!marked) return Failure(marked.error());
    // Nothing, where no program has left it trailing.
    if (!*marked) return write_mark(last);
    Statement& events = statements_[kEvents].number(1, upto);
    ResetAtEnd reset_at_end(events);
    while (true) {
        auto row = events.step();
        if (!row) return Failure(row.error());
        if (!*row) break;
        auto chained = event_at(events);
        if (!chained) return Failure(chained.error());
        const core::Event& event = chained->event;
        Statement& record =
            statements_[kTask].text(1, event.task.ns.text).text(2, event.task.id.text);
        ResetAtEnd reset_record(record);
        auto found = record.step();
        if (!found) return Failure(found.error());
        if (!*found) continue;
        auto task = decode_task(record.blob_at(0));
        if (!task) return Failure(task.error());
        pending_.add(event, &*task);
        ++pending_events_;
    }
    batch_seq_ = last;
    return {};
}

}  // namespace zq::store
