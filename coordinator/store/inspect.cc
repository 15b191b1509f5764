#include "coordinator/store/inspect.h"

#include "coordinator/store/base.h"
#include "coordinator/store/batch_writer.h"

namespace zq::store {
namespace {

Result<void> count(Database& database, std::string_view sql, std::uint64_t& out) {
    auto number = database.number(sql);
    if (!number) return Failure(number.error());
    out = static_cast<std::uint64_t>(*number);
    return {};
}

Result<void> count_rows(Database& database, JournalInfo& info) {
    const std::pair<std::string_view, std::uint64_t&> counts[] = {
        {"SELECT count(*) FROM journal", info.events},
        {"SELECT count(*) FROM attempts", info.attempts},
        {"SELECT count(*) FROM contents", info.contents},
        {"SELECT coalesce(sum(size), 0) FROM contents", info.content_bytes},
        {"SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
         info.database_bytes},
    };
    for (const auto& [sql, out] : counts) {
        if (auto ok = count(database, sql, out); !ok) return ok;
    }
    auto states = database.prepare("SELECT state, count(*) FROM tasks GROUP BY state");
    if (!states) return Failure(states.error());
    while (true) {
        auto row = states->step();
        if (!row) return Failure(row.error());
        if (!*row) return {};
        info.tasks[std::string(states->text_at(0))] = states->number_at(1);
    }
}

Result<void> read_evidence(Database& database, JournalInfo& info) {
    auto base = read_base(database);
    if (!base) return Failure(base.error());
    info.base_seq = base->place.seq;
    auto anchors = read_anchors(database);
    if (!anchors) return Failure(anchors.error());
    info.anchors = anchors->size();
    if (anchors->empty()) return {};
    info.oldest_anchor = anchors->front();
    info.newest_anchor = anchors->back();
    return {};
}

}  // namespace

Result<JournalInfo> inspect(OfflineJournal& journal) {
    Database& database = journal.database();
    auto meta = read_meta(database);
    if (!meta) return Failure(meta.error());
    JournalInfo info;
    info.journal = meta->journal;
    info.format = journal.format();
    info.epoch = meta->epoch;
    info.last_seq = meta->last_seq;
    info.last_at = meta->last_at;
    info.chain_head = meta->chain_head;
    if (auto ok = count_rows(database, info); !ok) return Failure(ok.error());
    if (info.format >= 2) {
        if (auto ok = read_evidence(database, info); !ok) return Failure(ok.error());
    }
    if (info.last_seq == 0) return info;
    info.first_seq = info.base_seq + 1;
    auto first =
        database.number("SELECT at FROM journal WHERE seq = " + std::to_string(info.first_seq));
    if (!first) return Failure(first.error());
    info.first_at = Instant{*first};
    return info;
}

}  // namespace zq::store
