#include "coordinator/store/rollup_writer.h"

#include <algorithm>
#include <array>

#include "coordinator/store/record_codec.h"
#include "coordinator/store/rollup_codec.h"

namespace zq::store {
namespace {

enum Sql : std::size_t { kDead, kNames, kRead, kWrite, kPrune, kStatements };

constexpr std::array<std::string_view, kStatements> kSql = {
    "SELECT record FROM tasks WHERE submitted_seq = ?1 AND state IN ('dead', 'expired')",
    "SELECT name FROM rollups WHERE ns = ?1 AND dimension = ?2 AND span = ?3 AND start = ?4",
    "SELECT record FROM rollups WHERE ns = ?1 AND dimension = ?2 AND span = ?3 AND start = ?4"
    " AND name = ?5",
    "INSERT INTO rollups VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
    " ON CONFLICT (ns, dimension, span, start, name) DO UPDATE SET record = excluded.record",
    "DELETE FROM rollups WHERE ns = ?1 AND dimension = ?2 AND span = ?3 AND start < ?4",
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
    sum_ = {};
    if (last == written_seq_) {
        for (auto& [key, row] : written_) rows_[key] = std::move(row);
    } else if (last != rows_seq_) {
        rows_.clear();
        buckets_.clear();
    }
    rows_seq_ = last;
    written_.clear();
}

Result<void> RollupWriter::add(const core::Event& event, const core::Changes& changes) {
    const auto* removed = std::get_if<core::TaskRemoved>(&event.body);
    if (removed == nullptr) {
        sum_.add(event, changed_task(changes, event.task));
        return {};
    }
    Statement& row = statements_[kDead].number(1, removed->submitted_seq);
    ResetAtEnd reset_at_end(row);
    auto found = row.step();
    if (!found) return Failure(found.error());
    if (!*found) return {};
    auto task = decode_task(row.blob_at(0));
    if (!task) return Failure(task.error());
    sum_.add(event, &*task);
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

Result<void> RollupWriter::finish(Seq last) {
    written_seq_ = last;
    // Of several names beyond the bound one row is made.
    std::map<RollupKey, Rollup> rows;
    for (const auto& [key, added] : sum_.sums()) {
        auto kept = bounded(key);
        if (!kept) return Failure(kept.error());
        rows[*kept].add(added);
    }
    for (const auto& [key, added] : rows) {
        if (auto ok = write(key, added); !ok) return ok;
    }
    return {};
}

}  // namespace zq::store
