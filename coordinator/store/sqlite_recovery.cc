#include "coordinator/store/sqlite_recovery.h"

#include <algorithm>
#include <array>
#include <future>

#include "coordinator/store/record_codec.h"

namespace zq::store {
namespace {

constexpr std::array kOpenStates = {
    TaskState::kScheduled, TaskState::kBlocked,   TaskState::kInputRequired, TaskState::kQueued,
    TaskState::kRunning,   TaskState::kRetryWait, TaskState::kCancelling,    TaskState::kInReview};
static_assert(kOpenStates.size() == static_cast<std::size_t>(TaskState::kCompleted));

/// The watermark is the journal's end, or something outside has changed the database.
Result<void> check_end(Database& database, const Meta& meta) {
    auto last = database.prepare("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1");
    if (!last) return Failure(last.error());
    auto row = last->step();
    if (!row) return Failure(row.error());
    bool agrees = !*row && meta.last_seq == 0;
    if (*row) {
        auto hash = last->digest_at(1);
        agrees = hash && *hash == meta.chain_head && last->number_at(0) == meta.last_seq;
    }
    if (agrees) return {};
    return fail(ErrorCode::IO,
                "the journal's tables do not end where its events end: it was changed from outside;"
                " run zq-coordinator --check");
}

Result<std::vector<RoleKey>> read_roles(Database& database, std::string_view sql) {
    auto statement = database.prepare(sql);
    if (!statement) return Failure(statement.error());
    std::vector<RoleKey> roles;
    while (true) {
        auto row = statement->step();
        if (!row) return Failure(row.error());
        if (!*row) return roles;
        roles.push_back({Namespace(statement->text_at(0)), RoleName(statement->text_at(1))});
    }
}

/// Roles that have tasks: from one to the next by the index, whatever lies between. (A comparison
/// of both columns at once would search by the first alone, and look at every row.)
constexpr std::string_view kTaskRoles = R"sql(
WITH RECURSIVE found(ns, role) AS (
  SELECT * FROM (SELECT ns, role FROM tasks INDEXED BY tasks_role ORDER BY ns, role LIMIT 1)
  UNION ALL
  SELECT t.ns, t.role FROM found f JOIN tasks t ON t.submitted_seq =
    coalesce((SELECT submitted_seq FROM tasks INDEXED BY tasks_role
              WHERE ns = f.ns AND role > f.role ORDER BY role LIMIT 1),
             (SELECT submitted_seq FROM tasks INDEXED BY tasks_role
              WHERE ns > f.ns ORDER BY ns, role LIMIT 1)))
SELECT ns, role FROM found
)sql";

constexpr std::size_t kChunk = 1'024;  // rows that are read while those before are entered
constexpr std::size_t kAtOnce = 16;    // tasks that are made of them and entered: a cache's fill

/// Records of tasks, one behind the other.
struct Records {
    std::string bytes;
    std::vector<std::size_t> ends;
};

/// The rest of a statement's rows, so many at most.
Result<void> read_chunk(Statement& statement, Records& records) {
    records.bytes.clear();
    records.ends.clear();
    while (records.ends.size() < kChunk) {
        auto row = statement.step();
        if (!row) return Failure(row.error());
        if (!*row) break;
        records.bytes += statement.blob_at(0);
        records.ends.push_back(records.bytes.size());
    }
    return {};
}

/// All must be in this state.
Result<void> restore_records(const Records& records, TaskState in, core::State& state) {
    std::vector<core::Task> tasks;
    tasks.reserve(kAtOnce);
    std::size_t begin = 0;
    for (const std::size_t end : records.ends) {
        core::Task& task = tasks.emplace_back();
        const std::string_view record(records.bytes.data() + begin, end - begin);
        if (auto ok = decode_task(record, task); !ok) return ok;
        if (task.state != in) {
            return fail(ErrorCode::IO, "the row of task " + task.key.id.text +
                                           " contradicts itself; run zq-coordinator --check");
        }
        begin = end;
        if (tasks.size() < kAtOnce && end != records.bytes.size()) continue;
        core::restore(state, tasks);
        tasks.clear();
    }
    return {};
}

/// Where there are many, another thread reads ahead.
Result<std::uint64_t> restore_tasks(Statement& statement, TaskState in, core::State& state) {
    std::uint64_t count = 0;
    ResetAtEnd reset_at_end(statement);
    Records records;
    Records ahead;
    auto read = read_chunk(statement, records);
    while (read) {
        std::future<Result<void>> next;
        const bool is_last = records.ends.size() < kChunk;
        if (!is_last) {
            next = std::async(std::launch::async, [&] { return read_chunk(statement, ahead); });
        }
        if (auto ok = restore_records(records, in, state); !ok) return Failure(ok.error());
        count += records.ends.size();
        if (is_last) return count;
        read = next.get();
        std::swap(records, ahead);
    }
    return Failure(read.error());
}

Result<std::uint64_t> restore_open(Database& database, core::State& state) {
    auto roles = read_roles(database, kTaskRoles);
    if (!roles) return Failure(roles.error());
    auto tasks = database.prepare(
        "SELECT record FROM tasks INDEXED BY tasks_role WHERE ns = ?1 AND role = ?2 AND state = "
        "?3");
    if (!tasks) return Failure(tasks.error());
    auto waiting = database.prepare(
        "SELECT count(*) FROM tasks INDEXED BY tasks_role WHERE ns = ?1 AND role = ?2 AND state = "
        "?3");
    if (!waiting) return Failure(waiting.error());
    std::uint64_t count = 0;
    for (const RoleKey& key : *roles) {
        for (TaskState open : kOpenStates) {
            waiting->text(1, key.ns.text).text(2, key.role.text).text(3, to_string(open));
            ResetAtEnd reset_at_end(*waiting);
            auto row = waiting->step();
            if (!row) return Failure(row.error());
            state.durable.open.expect(waiting->number_at(0));
            tasks->text(1, key.ns.text).text(2, key.role.text).text(3, to_string(open));
            auto restored = restore_tasks(*tasks, open, state);
            if (!restored) return restored;
            count += *restored;
        }
    }
    return count;
}

Result<void> restore_requests(Database& database, core::State& state) {
    auto statement = database.prepare(
        "SELECT identity, client, request, ns, task, token_journal, token_number, at FROM "
        "requests");
    if (!statement) return Failure(statement.error());
    while (true) {
        auto row = statement->step();
        if (!row) return Failure(row.error());
        if (!*row) return {};
        core::restore(
            state,
            core::RequestKey{Identity(statement->text_at(0)), ClientId(statement->text_at(1)),
                             statement->number_at(2)},
            core::RequestRecord{{Namespace(statement->text_at(3)), TaskId(statement->text_at(4))},
                                {statement->number_at(5), statement->number_at(6)},
                                Instant{statement->integer_at(7)}});
    }
}

Result<void> restore_controls(Database& database, core::State& state) {
    auto has = database.number("SELECT count(*) FROM sqlite_schema WHERE name = 'controls'");
    if (!has) return Failure(has.error());
    if (*has == 0) return {};  // an older format
    auto rows = database.prepare("SELECT ns, kind, name, held_until, record FROM controls");
    if (!rows) return Failure(rows.error());
    while (true) {
        auto row = rows->step();
        if (!row) return Failure(row.error());
        if (!*row) return {};
        core::ControlKey key{Namespace(rows->text_at(0)), {}, std::string(rows->text_at(2))};
        auto control = decode_control(rows->blob_at(4));
        if (!control) return Failure(control.error());
        const std::int64_t held = core::only_held(*control) ? control->held_until.ms : 0;
        if (!from_text(rows->text_at(1), key.kind) || rows->integer_at(3) != held) {
            return fail(ErrorCode::IO, "the row of control " + key.name +
                                           " contradicts itself; run zq-coordinator --check");
        }
        core::restore(state, std::move(key), std::move(*control));
    }
}

Result<void> restore_access(Database& database, core::State& state) {
    auto has = database.number("SELECT count(*) FROM sqlite_schema WHERE name = 'access'");
    if (!has) return Failure(has.error());
    if (*has == 0) return {};  // an older format
    auto rows = database.prepare("SELECT fingerprint, record FROM access");
    if (!rows) return Failure(rows.error());
    while (true) {
        auto row = rows->step();
        if (!row) return Failure(row.error());
        if (!*row) return {};
        auto access = decode_access(rows->blob_at(1));
        if (!access) return Failure(access.error());
        core::restore(state, std::string(rows->text_at(0)), std::move(*access));
    }
}

/// Everything but the tasks.
Result<Meta> restore_rest(Database& database, core::State& state) {
    auto meta = read_meta(database);
    if (!meta) return meta;
    if (auto ok = check_end(database, *meta); !ok) return Failure(ok.error());
    core::restore(state, meta->journal, meta->epoch, meta->last_token, meta->last_seq,
                  meta->last_at);
    auto served = read_roles(database, "SELECT ns, role FROM roles_served");
    if (!served) return Failure(served.error());
    for (RoleKey& key : *served) core::restore(state, std::move(key));
    if (auto ok = restore_requests(database, state); !ok) return Failure(ok.error());
    if (auto ok = restore_controls(database, state); !ok) return Failure(ok.error());
    if (auto ok = restore_access(database, state); !ok) return Failure(ok.error());
    return meta;
}

/// Where the open tasks' rows are, in the order of their keys.
Result<std::vector<std::pair<TaskKey, Seq>>> open_places(Database& database) {
    auto roles = read_roles(database, kTaskRoles);
    if (!roles) return Failure(roles.error());
    auto tasks = database.prepare(
        "SELECT id, submitted_seq FROM tasks INDEXED BY tasks_role WHERE ns = ?1 AND role = ?2"
        " AND state = ?3");
    if (!tasks) return Failure(tasks.error());
    std::vector<std::pair<TaskKey, Seq>> places;
    for (const RoleKey& key : *roles) {
        for (TaskState open : kOpenStates) {
            tasks->text(1, key.ns.text).text(2, key.role.text).text(3, to_string(open));
            ResetAtEnd reset_at_end(*tasks);
            while (true) {
                auto row = tasks->step();
                if (!row) return Failure(row.error());
                if (!*row) break;
                places.emplace_back(TaskKey{key.ns, TaskId(tasks->text_at(0))},
                                    tasks->number_at(1));
            }
        }
    }
    std::sort(places.begin(), places.end());
    return places;
}

}  // namespace

Result<Recovery> restore_state(Database& database, core::State& state) {
    auto meta = restore_rest(database, state);
    if (!meta) return Failure(meta.error());
    auto open = restore_open(database, state);
    if (!open) return Failure(open.error());
    return Recovery{meta->journal,    meta->epoch,      meta->last_seq, meta->last_at,
                    meta->last_token, meta->chain_head, *open};
}

Result<ProjectedState> hash_projected(Database& database) {
    core::State state;
    auto meta = restore_rest(database, state);
    if (!meta) return Failure(meta.error());
    auto places = open_places(database);
    if (!places) return Failure(places.error());
    auto record = database.prepare("SELECT record FROM tasks WHERE submitted_seq = ?1");
    if (!record) return Failure(record.error());
    StateHash hash(state.durable, places->size());
    for (const auto& [key, seq] : *places) {
        record->number(1, seq);
        ResetAtEnd reset_at_end(*record);
        auto row = record->step();
        if (!row) return Failure(row.error());
        hash.add_task(record->blob_at(0));
    }
    return ProjectedState{meta->last_seq, meta->last_at, meta->chain_head, hash.finish()};
}

}  // namespace zq::store
