#include "coordinator/store/batch_writer.h"

#include <algorithm>
#include <array>

#include "common/base/check.h"
#include "common/base/secret_scan.h"
#include "coordinator/store/event_codec.h"
#include "coordinator/store/record_codec.h"

namespace zq::store {
namespace {

enum Sql : std::size_t {
    kEvent,
    kBody,
    kTask,
    kAttempt,
    kContent,
    kContentPlace,
    kRole,
    kRequest,
    kPruneRequests,
    kControl,
    kDropControl,
    kForgetHeld,
    kAccess,
    kDropAccess,
    kMeta,
    kStatements,
};

constexpr std::array<std::string_view, kStatements> kSql = {
    "INSERT INTO journal VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    "INSERT INTO bodies VALUES (?1, ?2)",
    "INSERT INTO tasks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
    " ON CONFLICT (submitted_seq) DO UPDATE SET changed_seq = excluded.changed_seq,"
    " role = excluded.role, state = excluded.state, ended = excluded.ended, record = "
    "excluded.record",
    "INSERT INTO attempts VALUES (?1, ?2, ?3, ?4, ?5)"
    " ON CONFLICT (ns, task, attempt) DO UPDATE SET ended_seq = excluded.ended_seq,"
    " record = excluded.record",
    "INSERT INTO contents VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (digest) DO NOTHING",
    "SELECT inlined FROM contents WHERE digest = ?1",
    "INSERT INTO roles_served VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    "INSERT INTO requests VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    "DELETE FROM requests WHERE at < ?1",
    "INSERT INTO controls VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET"
    " held_until = excluded.held_until, record = excluded.record",
    "DELETE FROM controls WHERE ns = ?1 AND kind = ?2 AND name = ?3",
    "DELETE FROM controls WHERE held_until <> 0 AND held_until < ?1",
    "INSERT INTO access VALUES (?1, ?2) ON CONFLICT DO UPDATE SET record = excluded.record",
    "DELETE FROM access WHERE fingerprint = ?1",
    "UPDATE meta SET journal_id = ?1, epoch = ?2, last_token = ?3, last_seq = ?4, last_at = ?5,"
    " chain_head = ?6",
};

}  // namespace

TaskColumns columns_of(const core::Task& task) {
    return {to_string(task.state), is_final(task.state), task.role.text, task.group.text, task.from,
            task.reply_to,         task.idempotency_key};
}

Result<Meta> read_meta(Database& database) {
    auto statement = database.prepare(
        "SELECT journal_id, epoch, last_token, last_seq, last_at, chain_head FROM meta");
    if (!statement) return Failure(statement.error());
    auto row = statement->step();
    if (!row) return Failure(row.error());
    if (!*row) return fail(ErrorCode::IO, "journal database: its meta row is missing");
    auto head = statement->digest_at(5);
    if (!head) return Failure(head.error());
    const std::uint64_t epoch = statement->number_at(1);
    if (epoch > UINT32_MAX) return fail(ErrorCode::IO, "journal database: an epoch of 33 bits");
    return Meta{statement->number_at(0), static_cast<Epoch>(epoch),         statement->number_at(2),
                statement->number_at(3), Instant{statement->integer_at(4)}, *head};
}

Result<BatchWriter> BatchWriter::open(Database& database) {
    std::vector<Statement> statements;
    for (std::string_view sql : kSql) {
        auto statement = database.prepare(sql);
        if (!statement) return Failure(statement.error());
        statements.push_back(std::move(*statement));
    }
    auto uses = UseWriter::open(database);
    if (!uses) return Failure(uses.error());
    auto held = HeldWriter::open(database);
    if (!held) return Failure(held.error());
    auto rollups = RollupWriter::open(database);
    if (!rollups) return Failure(rollups.error());
    return BatchWriter(std::move(statements), std::move(*uses), std::move(*held),
                       std::move(*rollups));
}

Result<Meta> BatchWriter::write(const Batch& batch, const std::vector<EventRow>& rows,
                                const Meta& before) {
    ZQ_CHECK(!batch.events.empty() && rows.size() == batch.events.size());
    Meta meta = before;
    auto row = rows.begin();
    last_request_ = {};
    uses_.begin();
    held_.begin();
    rollups_.begin(before.last_seq);
    for (const core::Event& event : batch.events) {
        ZQ_CHECK(event.seq == meta.last_seq + 1);
        if (auto ok = write_event(event, *row++, meta); !ok) return Failure(ok.error());
        if (auto ok = rollups_.add(event, batch.changes); !ok) return Failure(ok.error());
        if (auto ok = project(event, batch, meta); !ok) return Failure(ok.error());
        if (auto ok = uses_.project(event); !ok) return Failure(ok.error());
        if (auto ok = held_.project(event); !ok) return Failure(ok.error());
    }
    if (auto ok = uses_.finish(); !ok) return Failure(ok.error());
    if (auto ok = prune_requests(); !ok) return Failure(ok.error());
    if (auto ok = project(batch.changes); !ok) return Failure(ok.error());
    auto held = held_.project(batch.changes, batch.events.front().seq);
    if (!held) return Failure(held.error());
    if (auto ok = rollups_.finish(meta.last_seq); !ok) return Failure(ok.error());
    if (auto ok = write_meta(meta); !ok) return Failure(ok.error());
    return meta;
}

Result<void> BatchWriter::project(const core::Changes& changes) {
    for (const Shared<core::Task>& task : changes.tasks) {
        if (auto ok = write_task(*task); !ok) return ok;
    }
    for (const core::Attempt& attempt : changes.attempts) {
        if (auto ok = write_attempt(attempt); !ok) return ok;
    }
    return {};
}

Result<void> BatchWriter::write_event(const core::Event& event, const EventRow& row, Meta& meta) {
    auto ok = statements_[kEvent]
                  .number(1, event.seq)
                  .integer(2, event.at.ms)
                  .integer(3, event.epoch)
                  .text(4, event.task.ns.text)
                  .text(5, event.task.id.text)
                  .integer(6, kind_number(event.body))
                  .integer(7, kBodyVersion)
                  .text(8, event.identity.text)
                  .digest(9, row.body_digest)
                  .digest(10, row.hash)
                  .run();
    if (!ok) return ok;
    meta.chain_head = row.hash;
    meta.last_seq = event.seq;
    meta.last_at = std::max(meta.last_at, event.at);
    return statements_[kBody].number(1, event.seq).blob(2, row.body).run();
}

/// What follows from one event beside the tasks and attempts, which come with the batch.
Result<void> BatchWriter::project(const core::Event& event, const Batch& batch, Meta& meta) {
    if (const auto* started = std::get_if<core::EpochStarted>(&event.body)) {
        meta.journal = started->journal;
        meta.epoch = event.epoch;
        meta.last_token = static_cast<std::uint64_t>(event.epoch) << 32;
    } else if (const auto* assigned = std::get_if<core::TaskAssigned>(&event.body)) {
        meta.last_token = assigned->lease.token.number;
    } else if (const auto* served = std::get_if<core::RoleServed>(&event.body)) {
        return statements_[kRole].text(1, event.task.ns.text).text(2, served->role.text).run();
    } else if (const auto* stored = std::get_if<core::ContentStored>(&event.body)) {
        return write_content(event, *stored, batch);
    } else if (const auto* recorded = std::get_if<core::RequestRecorded>(&event.body)) {
        return write_request(event, *recorded);
    } else if (const auto* changed = std::get_if<core::ControlChanged>(&event.body)) {
        return write_control(event, *changed);
    } else if (const auto* access = std::get_if<core::AccessChanged>(&event.body)) {
        if (access->access) return put_access(access->fingerprint, *access->access);
        return statements_[kDropAccess].text(1, access->fingerprint).run();
    }
    return {};
}

/// The first event about a content wins: what it says holds for good.
Result<void> BatchWriter::write_content(const core::Event& event, const core::ContentStored& body,
                                        const Batch& batch) {
    auto content = batch.contents.end();
    if (body.inlined) {
        content = std::find_if(batch.contents.begin(), batch.contents.end(),
                               [&](const InlineContent& c) { return c.digest == body.digest; });
        if (content == batch.contents.end()) {
            Statement& place = statements_[kContentPlace].digest(1, body.digest);
            ResetAtEnd reset_at_end(place);
            auto known = place.step();
            if (!known) return Failure(known.error());
            ZQ_CHECK(*known);  // inline content comes with its event
            return {};
        }
        ZQ_CHECK(content->data.size() == body.size);
    }
    Statement& insert = statements_[kContent];
    insert.digest(1, body.digest).number(2, body.size).integer(3, body.inlined ? 1 : 0);
    insert.number(4, event.seq);
    if (body.inlined) {
        insert.blob(5, content->data);
    } else {
        insert.null(5);
    }
    const std::string secrets = kinds_text(body.secrets);
    if (secrets.empty()) {
        insert.null(6);
    } else {
        insert.text(6, secrets);
    }
    return insert.run();
}

Result<void> BatchWriter::write_request(const core::Event& event,
                                        const core::RequestRecorded& body) {
    last_request_ = std::max(last_request_, event.at);
    return statements_[kRequest]
        .text(1, event.identity.text)
        .text(2, body.client.text)
        .number(3, body.request)
        .text(4, event.task.ns.text)
        .text(5, event.task.id.text)
        .number(6, body.token.journal)
        .number(7, body.token.number)
        .integer(8, event.at.ms)
        .run();
}

/// By the rule of core/apply.cc, for the whole batch.
Result<void> BatchWriter::prune_requests() {
    const Instant last = std::exchange(last_request_, {});
    if (last == Instant{}) return {};
    return statements_[kPruneRequests].integer(1, (last - limits::kRequestMemory).ms).run();
}

/// By the rule of core/apply_control.cc.
Result<void> BatchWriter::write_control(const core::Event& event,
                                        const core::ControlChanged& body) {
    if (auto ok = statements_[kForgetHeld].integer(1, event.at.ms).run(); !ok) return ok;
    const core::ControlKey key{event.task.ns, body.kind, body.name};
    if (body.control != core::Control{}) return put_control(key, body.control);
    return statements_[kDropControl]
        .text(1, key.ns.text)
        .text(2, to_string(key.kind))
        .text(3, key.name)
        .run();
}

Result<void> BatchWriter::put_control(const core::ControlKey& key, const core::Control& control) {
    const std::string record = encode_control(control);
    return statements_[kControl]
        .text(1, key.ns.text)
        .text(2, to_string(key.kind))
        .text(3, key.name)
        .integer(4, core::only_held(control) ? control.held_until.ms : 0)
        .blob(5, record)
        .run();
}

Result<void> BatchWriter::put_access(const std::string& fingerprint, const KeyAccess& access) {
    const std::string record = encode_access(access);
    return statements_[kAccess].text(1, fingerprint).blob(2, record).run();
}

Result<void> BatchWriter::write_task(const core::Task& task) {
    const TaskColumns columns = columns_of(task);
    const std::string record = encode_task(task);
    return statements_[kTask]
        .number(1, task.submitted_seq)
        .number(2, task.changed_seq)
        .text(3, task.key.ns.text)
        .text(4, task.key.id.text)
        .text(5, columns.role)
        .text(6, columns.state)
        .integer(7, columns.ended ? 1 : 0)
        .text(8, columns.group)
        .text(9, columns.sender)
        .text(10, columns.reply_to)
        .text(11, columns.idempotency_key)
        .blob(12, record)
        .run();
}

Result<void> BatchWriter::write_attempt(const core::Attempt& attempt) {
    const std::string record = encode_attempt(attempt);
    return statements_[kAttempt]
        .text(1, attempt.task.ns.text)
        .text(2, attempt.task.id.text)
        .integer(3, attempt.attempt)
        .number(4, attempt.ended_seq)
        .blob(5, record)
        .run();
}

Result<void> BatchWriter::remove_again(const core::Event& event) {
    uses_.begin();
    if (auto ok = uses_.remove(event); !ok) return ok;
    return uses_.finish();
}

Result<void> BatchWriter::put_back(const core::Changes& ended) {
    if (auto ok = project(ended); !ok) return ok;
    uses_.begin();
    for (const Shared<core::Task>& task : ended.tasks) {
        if (auto ok = uses_.keep_again(task->submitted_seq); !ok) return ok;
    }
    return uses_.finish();
}

Result<void> BatchWriter::write_meta(const Meta& meta) {
    return statements_[kMeta]
        .number(1, meta.journal)
        .integer(2, meta.epoch)
        .number(3, meta.last_token)
        .number(4, meta.last_seq)
        .integer(5, meta.last_at.ms)
        .digest(6, meta.chain_head)
        .run();
}

}  // namespace zq::store
