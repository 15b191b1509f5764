#include "coordinator/store/rewind.h"

#include "coordinator/store/event_codec.h"
#include "coordinator/store/fold.h"
#include "coordinator/store/held_count.h"
#include "coordinator/store/reference_count.h"
#include "coordinator/store/schema.h"

namespace zq::store {
namespace {

constexpr Seq kProjectEvery = 10'000;  // events between two writes of rows: bounds the memory

Result<void> cut(Database& database, Seq base, Seq upto) {
    const std::string after = " > " + std::to_string(upto) + ";";
    return database.run("DELETE FROM journal WHERE seq" + after +                           //
                        "DELETE FROM bodies WHERE seq" + after +                            //
                        "DELETE FROM tasks WHERE changed_seq" + after +                     //
                        "DELETE FROM attempts WHERE ended_seq" + after +                    //
                        "DELETE FROM contents WHERE stored_seq" + after +                   //
                        "DELETE FROM anchors WHERE seq" + after +                           //
                        "DELETE FROM removals WHERE seq > " + std::to_string(base) + ";" +  //
                        // What was removed later is gone all the same.
                        "UPDATE condemned SET lost = 1, seq = " + std::to_string(upto) +
                        " WHERE seq" + after +
                        "DELETE FROM requests; DELETE FROM roles_served; DELETE FROM controls;"
                        "DELETE FROM access;" +  //
                        // Sums cannot be taken back: statistics begin anew.
                        "DELETE FROM rollups;");
}

/// The tasks that had ended before the base, and were revised by an event that is to be cut: as
/// they were. One that was removed since is gone all the same.
Result<core::Changes> revised_after(Database& database, Seq base, Seq upto) {
    core::Changes ended;
    if (base == 0) return ended;
    const auto number = [](const core::EventBody& body) {
        return std::to_string(kind_number(body));
    };
    auto rows = database.prepare(
        "SELECT kind, version, body FROM journal j JOIN bodies b ON b.seq = j.seq"
        " WHERE j.seq > ?1 AND kind IN (" +
        number(core::TaskReplayed{}) + ", " + number(core::TaskEdited{}) +
        ") AND EXISTS (SELECT 1 FROM tasks t WHERE t.ns = j.ns AND t.id = j.task"
        " AND t.submitted_seq <= ?2) ORDER BY j.seq");
    if (!rows) return Failure(rows.error());
    rows->number(1, upto).number(2, base);
    while (true) {
        auto row = rows->step();
        if (!row) return Failure(row.error());
        if (!*row) return ended;
        auto body = decode_body(static_cast<std::uint16_t>(rows->number_at(0)),
                                static_cast<std::uint16_t>(rows->number_at(1)), rows->blob_at(2));
        if (!body) return Failure(body.error());
        const core::Revision& revision = *core::revision_of(*body);
        if (revision.before.changed_seq > base) continue;
        ended.tasks.push_back(revision.before);
        ended.attempts.insert(ended.attempts.end(), revision.attempts.begin(),
                              revision.attempts.end());
    }
}

Result<void> write_roles(Database& database, const core::Durable& durable) {
    auto insert = database.prepare("INSERT INTO roles_served VALUES (?1, ?2)");
    if (!insert) return Failure(insert.error());
    for (const RoleKey& key : durable.roles_served) {
        if (auto ok = insert->text(1, key.ns.text).text(2, key.role.text).run(); !ok) return ok;
    }
    return {};
}

Result<void> write_requests(Database& database, const core::Durable& durable) {
    auto insert = database.prepare("INSERT INTO requests VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    if (!insert) return Failure(insert.error());
    for (const auto& [key, record] : durable.requests) {
        auto ok = insert->text(1, key.identity.text)
                      .text(2, key.client.text)
                      .number(3, key.request)
                      .text(4, record.task.ns.text)
                      .text(5, record.task.id.text)
                      .number(6, record.token.journal)
                      .number(7, record.token.number)
                      .integer(8, record.at.ms)
                      .run();
        if (!ok) return ok;
    }
    return {};
}

Meta meta_of(const Fold& fold) {
    const core::Durable& durable = fold.state().durable;
    return {durable.journal,  durable.epoch,   durable.last_token,
            durable.last_seq, durable.last_at, fold.place().head};
}

/// Every row as the replay leads to it.
Result<void> rebuild(Database& database, BatchWriter& writer, Fold& fold, Seq upto,
                     const core::Changes& put_back) {
    auto ok = fold.run(upto, [&](const ChainWalk& walk) -> Result<void> {
        const core::Event& event = walk.event().event;
        if (const core::Revision* revision = core::revision_of(event.body)) {
            // Those from before the base, too: the task may have been removed since.
            if (auto done = writer.project({{}, revision->attempts}); !done) return done;
        }
        const bool removes = std::holds_alternative<core::TaskRemoved>(event.body) ||
                             std::holds_alternative<core::ArtifactsRemoved>(event.body);
        if (!removes && walk.place().seq % kProjectEvery != 0) return {};
        if (auto done = writer.project(fold.take_changes()); !done) return done;
        return removes ? writer.remove_again(event) : Result<void>();
    });
    if (!ok) return ok;
    if (ok = writer.project(fold.take_changes()); !ok) return ok;
    // What the base holds and no event has changed since.
    core::Changes open;
    fold.state().durable.open.for_each([&](const core::Task& task) { open.tasks.push_back(task); });
    open.attempts = fold.open_attempts();
    if (ok = writer.project(open); !ok) return ok;
    if (ok = writer.put_back(put_back); !ok) return ok;
    if (ok = write_roles(database, fold.state().durable); !ok) return ok;
    if (ok = write_requests(database, fold.state().durable); !ok) return ok;
    for (const auto& [key, control] : fold.state().durable.controls) {
        if (ok = writer.put_control(key, control); !ok) return ok;
    }
    for (const auto& [fingerprint, access] : fold.state().durable.access) {
        if (ok = writer.put_access(fingerprint, access); !ok) return ok;
    }
    if (ok = count_references(database); !ok) return ok;
    if (ok = count_held(database); !ok) return ok;
    return writer.write_meta(meta_of(fold));
}

/// The proof of an erased body must not be cut off while the body stays.
Result<void> keeps_proofs(Database& database, Seq upto) {
    auto rows = database.prepare(
        "SELECT seq, task FROM journal WHERE seq > ?1 AND kind = " +
        std::to_string(kind_number(core::TextsErased{})) +
        " AND EXISTS (SELECT 1 FROM journal e WHERE e.task = journal.task AND e.ns = journal.ns"
        " AND e.seq <= ?1) ORDER BY seq DESC LIMIT 1");
    if (!rows) return Failure(rows.error());
    rows->number(1, upto);
    auto row = rows->step();
    if (!row) return Failure(row.error());
    if (!*row) return {};
    return fail(ErrorCode::CONFLICT,
                "event " + std::to_string(rows->number_at(0)) + " erased the texts of task " +
                    std::string(rows->text_at(1)) +
                    ", and nothing before it proves what is left of them: restore to event " +
                    std::to_string(rows->number_at(0)) +
                    " or a later one, or a backup from before it");
}

}  // namespace

Result<Rewound> rewind(Database& database, BatchWriter& writer, Seq upto) {
    auto meta = read_meta(database);
    if (!meta) return Failure(meta.error());
    auto fold = Fold::open(database, kFormatVersion);
    if (!fold) return Failure(fold.error());
    if (upto < fold->place().seq || upto > meta->last_seq || upto == 0) {
        return fail(ErrorCode::INVALID, "event " + std::to_string(upto) +
                                            " is not in the journal, which has those from " +
                                            std::to_string(std::max<Seq>(1, fold->place().seq)) +
                                            " to " + std::to_string(meta->last_seq));
    }
    if (auto ok = keeps_proofs(database, upto); !ok) return Failure(ok.error());
    const auto work = [&]() -> Result<void> {
        if (auto ok = database.run("BEGIN IMMEDIATE"); !ok) return ok;
        auto put_back = revised_after(database, fold->place().seq, upto);
        if (!put_back) return Failure(put_back.error());
        if (auto ok = cut(database, fold->place().seq, upto); !ok) return ok;
        if (auto ok = rebuild(database, writer, *fold, upto, *put_back); !ok) return ok;
        return database.run("COMMIT");
    };
    if (auto ok = work(); !ok) return Failure(ok.error());
    return Rewound{fold->state(), meta_of(*fold)};
}

}  // namespace zq::store
