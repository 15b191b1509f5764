#include "coordinator/store/verify_removal.h"

#include "coordinator/store/event_codec.h"
#include "coordinator/store/held_count.h"
#include "coordinator/store/reference_count.h"
#include "coordinator/store/references.h"
#include "coordinator/store/verify_projection.h"

namespace zq::store {
namespace {

constexpr int kFirstFormat = 3;      // that removes anything
constexpr int kFirstFormatHeld = 4;  // that counts what ended tasks hold

Result<bool> has_row(Statement& statement) {
    ResetAtEnd reset_at_end(statement);
    return statement.step();
}

}  // namespace

Result<void> RemovalCheck::prepare() {
    if (format_ < kFirstFormat) return {};
    const std::string kind = std::to_string(kind_number(core::TaskRemoved{}));
    const std::pair<Statement&, std::string> all[] = {
        {condemned_seq_, "SELECT seq, at FROM condemned WHERE digest = ?1"},
        {removal_, "SELECT at FROM removals WHERE submitted_seq = ?1 AND kind = ?2 AND seq = ?3"},
        {old_task_, "SELECT 1 FROM tasks WHERE ns = ?1 AND id = ?2 AND submitted_seq < ?3"},
        {removed_later_,
         "SELECT 1 FROM journal INDEXED BY journal_task WHERE task = ?1 AND task <> ''"
         " AND ns = ?2 AND seq > ?3 AND kind = " +
             kind},
    };
    for (const auto& [statement, sql] : all) {
        auto prepared = database_.prepare(sql);
        if (!prepared) return Failure(prepared.error());
        statement = std::move(*prepared);
    }
    return {};
}

void RemovalCheck::start_from(const Base& base, std::uint64_t kept_removals) {
    references_ = RowSum(base.references);
    removals_ = kept_removals;
}

Result<void> RemovalCheck::follow(const core::Event& event) {
    if (format_ < kFirstFormat) return {};
    const ReferenceChange change = references_of(event.body);
    for (const Digest& digest : change.gained) references_.add(digest);
    for (const Digest& digest : change.released) references_.subtract(digest);
    if (const auto* body = std::get_if<core::ContentsCondemned>(&event.body)) {
        return follow(event, *body);
    }
    if (const auto* body = std::get_if<core::ArtifactsRemoved>(&event.body)) {
        return follow(event, *body);
    }
    if (const auto* body = std::get_if<core::TaskRemoved>(&event.body)) return follow(event, *body);
    return {};
}

Result<void> RemovalCheck::follow(const core::Event& event, const core::ContentsCondemned& body) {
    for (const core::CondemnedContent& content : body.contents) {
        condemned_seq_.digest(1, content.digest);
        ResetAtEnd reset_at_end(condemned_seq_);
        auto row = condemned_seq_.step();
        if (!row) return Failure(row.error());
        const bool its = *row && condemned_seq_.number_at(0) == event.seq;
        if (!*row || condemned_seq_.number_at(0) < event.seq ||
            (its && condemned_seq_.integer_at(1) != event.at.ms)) {
            note_problem(report_, "content " + to_hex(content.digest) +
                                      " was condemned, and no row says so");
        } else if (its) {
            ++condemned_;
        }
    }
    return {};
}

Result<void> RemovalCheck::follow(const core::Event& event, const core::ArtifactsRemoved& body) {
    removal_.number(1, body.submitted_seq).text(2, to_string(body.kind)).number(3, event.seq);
    bool there = false;
    {
        ResetAtEnd reset_at_end(removal_);
        auto row = removal_.step();
        if (!row) return Failure(row.error());
        there = *row && removal_.integer_at(0) == event.at.ms;
    }
    if (there) {
        ++removals_;
        return {};
    }
    auto gone = task_was_removed(event.task, event.seq);
    if (!gone) return Failure(gone.error());
    if (!*gone) {
        note_problem(report_, "the " + std::string(to_string(body.kind)) + " of task " +
                                  event.task.id.text + " were removed, and no row says so");
    }
    return {};
}

Result<void> RemovalCheck::follow(const core::Event& event, const core::TaskRemoved&) {
    old_task_.text(1, event.task.ns.text).text(2, event.task.id.text).number(3, event.seq);
    auto there = has_row(old_task_);
    if (!there) return Failure(there.error());
    if (*there) {
        note_problem(report_, "task " + event.task.id.text + " was removed, and has a row");
    }
    return {};
}

Result<bool> RemovalCheck::task_was_removed(const TaskKey& key, Seq after) {
    if (format_ < kFirstFormat) return false;
    removed_later_.text(1, key.id.text).text(2, key.ns.text).number(3, after);
    return has_row(removed_later_);
}

Result<bool> RemovalCheck::was_condemned(const Digest& digest, Seq after) {
    if (format_ < kFirstFormat) return false;
    condemned_seq_.digest(1, digest);
    ResetAtEnd reset_at_end(condemned_seq_);
    auto row = condemned_seq_.step();
    if (!row) return Failure(row.error());
    return *row && condemned_seq_.number_at(0) >= after;
}

Result<void> RemovalCheck::compare() {
    if (format_ < kFirstFormat) return {};
    if (auto ok = compare_count("condemned WHERE lost = 0", condemned_); !ok) return ok;
    if (auto ok = compare_count("removals", removals_); !ok) return ok;
    auto sum = sum_references(database_);
    if (!sum) return Failure(sum.error());
    if (*sum != references_.value()) {
        note_problem(report_, "the references to contents are not counted as the events make them");
    }
    if (format_ >= kFirstFormatHeld) {
        auto ok = compare_held(
            database_, [&](std::string problem) { note_problem(report_, std::move(problem)); });
        if (!ok) return ok;
    }
    return find_lost();
}

Result<void> RemovalCheck::compare_count(std::string_view rows, std::uint64_t matched) {
    auto found = database_.number("SELECT count(*) FROM " + std::string(rows));
    if (!found) return Failure(found.error());
    if (static_cast<std::uint64_t>(*found) != matched) {
        note_problem(report_, "table " + std::string(rows) + " has " + std::to_string(*found) +
                                  " rows, the events lead to " + std::to_string(matched));
    }
    return {};
}

/// What is referred to is there, and what is there is counted.
Result<void> RemovalCheck::find_lost() {
    auto rows = database_.prepare(
        "SELECT digest, 'is referred to and not stored' FROM content_use u WHERE refs > 0"
        " AND NOT EXISTS (SELECT 1 FROM contents c WHERE c.digest = u.digest)"
        " AND NOT EXISTS (SELECT 1 FROM condemned g WHERE g.digest = u.digest AND g.lost = 1)"
        " UNION ALL SELECT digest, 'is stored and not counted' FROM contents c"
        " WHERE NOT EXISTS (SELECT 1 FROM content_use u WHERE u.digest = c.digest)");
    if (!rows) return Failure(rows.error());
    while (true) {
        auto row = rows->step();
        if (!row) return Failure(row.error());
        if (!*row) return {};
        auto digest = rows->digest_at(0);
        if (!digest) return Failure(digest.error());
        note_problem(report_, "content " + to_hex(*digest) + " " + std::string(rows->text_at(1)));
    }
}

}  // namespace zq::store
