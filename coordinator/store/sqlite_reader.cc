#include "coordinator/store/sqlite_reader.h"

#include <array>

#include "common/base/secret_scan.h"
#include "coordinator/store/event_codec.h"
#include "coordinator/store/reader_sql.h"
#include "coordinator/store/record_codec.h"
#include "coordinator/store/rollup_codec.h"
#include "coordinator/store/schema.h"

namespace zq::store {
namespace {

/// The rest of a statement's rows, each through `make`.
template <class T, class Make>
Result<std::vector<T>> all_rows(Statement& statement, Make make) {
    ResetAtEnd reset_at_end(statement);
    std::vector<T> rows;
    while (true) {
        auto row = statement.step();
        if (!row) return Failure(row.error());
        if (!*row) return rows;
        Result<T> made = make(statement);
        if (!made) return Failure(made.error());
        rows.push_back(std::move(*made));
    }
}

/// The first row, if there is one.
template <class T, class Make>
Result<std::optional<T>> first_row(Statement& statement, Make make) {
    ResetAtEnd reset_at_end(statement);
    auto row = statement.step();
    if (!row) return Failure(row.error());
    if (!*row) return std::optional<T>{};
    Result<T> made = make(statement);
    if (!made) return Failure(made.error());
    return std::optional<T>(std::move(*made));
}

Result<core::Task> task_at(const Statement& row) {
    return decode_task(row.blob_at(0));
}
Result<core::Attempt> attempt_at(const Statement& row) {
    return decode_attempt(row.blob_at(0));
}

Result<Instant> instant_at(const Statement& row) {
    return Instant{row.integer_at(0)};
}

}  // namespace

Result<ChainedEvent> event_at(const Statement& row) {
    ChainedEvent chained;
    // The header has fewer bits for these than SQLite: what goes beyond would be lost in the hash.
    if (row.number_at(2) > UINT32_MAX || row.number_at(5) > UINT16_MAX ||
        row.number_at(6) > UINT16_MAX) {
        return fail(ErrorCode::IO, "epoch, kind or version is out of its range");
    }
    core::Event& event = chained.event;
    event.seq = row.number_at(0);
    event.at = Instant{row.integer_at(1)};
    event.epoch = static_cast<Epoch>(row.integer_at(2));
    event.task = {Namespace(row.text_at(3)), TaskId(row.text_at(4))};
    event.identity = Identity(row.text_at(7));
    auto body_digest = row.digest_at(8);
    if (!body_digest) return Failure(body_digest.error());
    chained.body_digest = *body_digest;
    auto hash = row.digest_at(9);
    if (!hash) return Failure(hash.error());
    chained.hash = *hash;
    auto body = decode_body(static_cast<std::uint16_t>(row.integer_at(5)),
                            static_cast<std::uint16_t>(row.integer_at(6)), row.blob_at(10));
    if (!body) return Failure(body.error());
    event.body = std::move(*body);
    return chained;
}

SqliteReader::SqliteReader(Database database, std::vector<Statement> statements,
                           std::function<void()> refresh)
    : database_(std::move(database)),
      statements_(std::move(statements)),
      refresh_(std::move(refresh)) {}

Statement& SqliteReader::ask(std::size_t sql) {
    if (refresh_) refresh_();
    return statements_[sql];
}

Result<std::unique_ptr<Reader>> SqliteReader::open(const std::string& path,
                                                   std::function<void()> refresh) {
    auto database = Database::open(path, OpenMode::kReadOnly);
    if (!database) return Failure(database.error());
    if (auto ok = configure_reader(*database); !ok) return Failure(ok.error());
    std::vector<Statement> statements;
    for (std::string_view sql : reader_sql::kSql) {
        auto statement = database->prepare(sql);
        if (!statement) return Failure(statement.error());
        statements.push_back(std::move(*statement));
    }
    return std::unique_ptr<Reader>(
        new SqliteReader(std::move(*database), std::move(statements), std::move(refresh)));
}

Result<std::optional<core::Task>> SqliteReader::task(const TaskKey& key) {
    Statement& statement = ask(reader_sql::kTask);
    statement.text(1, key.ns.text).text(2, key.id.text);
    return first_row<core::Task>(statement, task_at);
}

Result<std::optional<core::Task>> SqliteReader::task_by_idempotency_key(const Namespace& ns,
                                                                        const std::string& key) {
    Statement& statement = ask(reader_sql::kTaskByKey);
    statement.text(1, ns.text).text(2, key);
    return first_row<core::Task>(statement, task_at);
}

Result<std::vector<TaskId>> SqliteReader::ids_with_prefix(const Namespace& ns,
                                                          const std::string& prefix,
                                                          std::size_t limit) {
    // Ids are ASCII: 0x7f is above every character of one.
    const std::string end = prefix + '\x7f';
    Statement& statement = ask(reader_sql::kIdsWithPrefix);
    statement.text(1, ns.text)
        .text(2, prefix)
        .text(3, end)
        .integer(4, reader_sql::row_limit(limit));
    return all_rows<TaskId>(
        statement, [](const Statement& row) -> Result<TaskId> { return TaskId(row.text_at(0)); });
}

Result<TaskPage> SqliteReader::tasks(const TaskFilter& filter) {
    if (refresh_) refresh_();
    // One snapshot: a task that changes its state meanwhile is seen once.
    if (auto ok = database_.run("BEGIN"); !ok) return Failure(ok.error());
    auto read = [&]() -> Result<TaskPage> {
        TaskFilter leading = filter;
        leading.limit = most_looked(filter) + 1;
        auto seqs = listed(leading);
        if (!seqs) return Failure(seqs.error());
        return look_through(filter, *seqs, [&](Seq seq) {
            Statement& statement = statements_[reader_sql::kTaskBySeq];
            statement.number(1, seq);
            return first_row<core::Task>(statement, task_at);
        });
    };
    auto page = read();
    if (auto ok = database_.run("COMMIT"); !ok) return Failure(ok.error());
    return page;
}

Result<std::vector<core::Task>> SqliteReader::answers(const Namespace& ns,
                                                      const std::string& reply_to, Seq after,
                                                      std::size_t limit) {
    Statement& statement = ask(reader_sql::kAnswers);
    statement.text(1, ns.text)
        .text(2, reply_to)
        .number(3, after)
        .integer(4, reader_sql::row_limit(limit));
    return all_rows<core::Task>(statement, task_at);
}

Result<std::vector<core::Task>> SqliteReader::group(const Namespace& ns, const GroupName& group,
                                                    std::size_t limit) {
    Statement& statement = ask(reader_sql::kGroup);
    statement.text(1, ns.text).text(2, group.text).integer(3, reader_sql::row_limit(limit));
    return all_rows<core::Task>(statement, task_at);
}

Result<std::vector<std::pair<RoleKey, std::uint64_t>>> SqliteReader::dead_counts() {
    using Row = std::pair<RoleKey, std::uint64_t>;
    return all_rows<Row>(ask(reader_sql::kDeadCounts), [](const Statement& row) -> Result<Row> {
        return Row{{Namespace(row.text_at(0)), RoleName(row.text_at(1))}, row.number_at(2)};
    });
}

Result<std::optional<TaskSpec>> SqliteReader::spec(Seq spec_seq) {
    Statement& statement = ask(reader_sql::kEvent);
    statement.number(1, spec_seq);
    auto found = first_row<ChainedEvent>(statement, event_at);
    if (!found) return Failure(found.error());
    if (!*found) return std::optional<TaskSpec>{};
    const TaskSpec* spec = core::spec_in((*found)->event.body);
    return spec == nullptr ? std::optional<TaskSpec>{} : std::optional(*spec);
}

Result<std::vector<core::Attempt>> SqliteReader::attempts(const TaskKey& key) {
    Statement& statement = ask(reader_sql::kAttempts);
    statement.text(1, key.ns.text).text(2, key.id.text);
    return all_rows<core::Attempt>(statement, attempt_at);
}

Result<std::optional<core::Attempt>> SqliteReader::attempt(const TaskKey& key,
                                                           std::uint32_t number) {
    Statement& statement = ask(reader_sql::kAttempt);
    statement.text(1, key.ns.text).text(2, key.id.text).integer(3, number);
    return first_row<core::Attempt>(statement, attempt_at);
}

Result<std::optional<ContentPlace>> SqliteReader::content(const Digest& digest) {
    Statement& statement = ask(reader_sql::kContent);
    statement.digest(1, digest);
    return first_row<ContentPlace>(statement, [&](const Statement& row) -> Result<ContentPlace> {
        ContentPlace place{digest, row.number_at(0), row.integer_at(1) != 0};
        if (!row.is_null(2)) place.secrets = kinds_in(row.text_at(2));
        return place;
    });
}

Result<std::string> SqliteReader::inline_content(const Digest& digest, std::uint64_t offset,
                                                 std::size_t length) {
    // The length has room for the 1 that substr counts from.
    if (offset > INT32_MAX) return std::string{};
    Statement& statement = ask(reader_sql::kInlineContent);
    statement.digest(1, digest).number(2, offset + 1).integer(3, reader_sql::row_limit(length));
    auto data = first_row<std::string>(statement, [](const Statement& row) -> Result<std::string> {
        return std::string(row.blob_at(0));
    });
    if (!data) return Failure(data.error());
    if (!*data) return fail(ErrorCode::NOT_FOUND, "no inline content " + to_hex(digest));
    return std::move(**data);
}

Result<std::vector<core::UnusedContent>> SqliteReader::unused_contents(
    const std::pair<Instant, Digest>& after, Instant before, std::size_t limit) {
    Statement& statement = ask(reader_sql::kUnused);
    statement.integer(1, after.first.ms).digest(2, after.second).integer(3, before.ms);
    statement.integer(4, reader_sql::row_limit(limit));
    return all_rows<core::UnusedContent>(
        statement, [](const Statement& row) -> Result<core::UnusedContent> {
            auto digest = row.digest_at(0);
            if (!digest) return Failure(digest.error());
            return core::UnusedContent{*digest, row.number_at(1), row.integer_at(2) != 0,
                                       Instant{row.integer_at(3)}};
        });
}

Result<std::optional<Instant>> SqliteReader::unused_since(const Digest& digest) {
    Statement& statement = ask(reader_sql::kUnusedSince);
    statement.digest(1, digest);
    return first_row<Instant>(statement, instant_at);
}

Result<std::optional<Instant>> SqliteReader::condemned_at(const Digest& digest) {
    Statement& statement = ask(reader_sql::kCondemnedAt);
    statement.digest(1, digest);
    return first_row<Instant>(statement, instant_at);
}

Result<std::vector<std::pair<Seq, Digest>>> SqliteReader::condemned_after(Seq after,
                                                                          std::size_t limit) {
    using Row = std::pair<Seq, Digest>;
    Statement& statement = ask(reader_sql::kCondemnedAfter);
    statement.number(1, after).integer(2, reader_sql::row_limit(limit));
    return all_rows<Row>(statement, [](const Statement& row) -> Result<Row> {
        auto digest = row.digest_at(1);
        if (!digest) return Failure(digest.error());
        return Row{row.number_at(0), *digest};
    });
}

Result<Seq> SqliteReader::last_condemned() {
    auto seq = first_row<Seq>(ask(reader_sql::kLastCondemned),
                              [](const Statement& row) { return Result<Seq>(row.number_at(0)); });
    if (!seq) return Failure(seq.error());
    return seq->value_or(0);
}

Result<std::vector<core::Task>> SqliteReader::ended_tasks(const RoleKey& role, TaskState state,
                                                          Seq after, std::size_t limit) {
    Statement& statement = ask(reader_sql::kEnded);
    statement.text(1, role.ns.text).text(2, role.role.text).text(3, to_string(state));
    statement.number(4, after).integer(5, reader_sql::row_limit(limit));
    return all_rows<core::Task>(statement, task_at);
}

Result<std::vector<HeldTotal>> SqliteReader::held_totals() {
    return all_rows<HeldTotal>(
        ask(reader_sql::kHeldTotals), [](const Statement& row) -> Result<HeldTotal> {
            return HeldTotal{
                {Namespace(std::string(row.text_at(0))), RoleName(std::string(row.text_at(1)))},
                row.integer_at(2) != 0,
                row.number_at(3),
                row.number_at(4)};
        });
}

Result<std::vector<core::Task>> SqliteReader::holding_tasks(const RoleKey& role, bool dead,
                                                            Seq after, std::size_t limit) {
    Statement& statement = ask(reader_sql::kHolding);
    statement.text(1, role.ns.text).text(2, role.role.text).integer(3, dead ? 1 : 0);
    statement.number(4, after).integer(5, reader_sql::row_limit(limit));
    return all_rows<core::Task>(statement, task_at);
}

Result<std::vector<Removal>> SqliteReader::removals(Seq submitted_seq) {
    Statement& statement = ask(reader_sql::kRemovals);
    statement.number(1, submitted_seq);
    return all_rows<Removal>(statement, [](const Statement& row) -> Result<Removal> {
        Removal removal{{}, row.number_at(1), Instant{row.integer_at(2)}};
        if (from_text(row.text_at(0), removal.kind)) return removal;
        return fail(ErrorCode::IO, "a removal of an unknown kind");
    });
}

Result<std::vector<ChainedEvent>> SqliteReader::events(Seq after, std::size_t limit,
                                                       const std::optional<TaskKey>& task) {
    Statement& statement = ask(task ? reader_sql::kEventsOfTask : reader_sql::kEventsAfter);
    statement.number(1, after).integer(2, reader_sql::row_limit(limit));
    if (task) statement.text(3, task->ns.text).text(4, task->id.text);
    return all_rows<ChainedEvent>(statement, event_at);
}

Result<std::vector<ChainedEvent>> SqliteReader::events_of_kinds(Seq after, Seq upto,
                                                                std::uint64_t kinds,
                                                                std::size_t limit) {
    Statement& statement = ask(reader_sql::kEventsOfKinds);
    statement.number(1, after)
        .integer(2, reader_sql::row_limit(limit))
        .number(3, upto)
        .number(4, kinds);
    return all_rows<ChainedEvent>(statement, event_at);
}

Result<std::optional<ChainedEvent>> SqliteReader::envelope_event(const TaskKey& key, Seq upto) {
    while (true) {
        Statement& statement = ask(reader_sql::kEnvelopeEvent);
        statement.text(1, key.id.text).number(2, upto).text(3, key.ns.text);
        statement.number(4, envelope_kinds());
        auto found = first_row<ChainedEvent>(statement, event_at);
        if (!found || !*found || core::spec_in((*found)->event.body) != nullptr) return found;
        upto = (*found)->event.seq - 1;  // a replay that changed nothing of it
    }
}

Result<std::map<std::string, Rollup>> SqliteReader::rollups(const Namespace& ns, StatsBy by,
                                                            Millis span, Instant from) {
    Statement& statement = ask(reader_sql::kRollups);
    statement.text(1, ns.text).text(2, to_string(by)).integer(3, span.count).integer(4, from.ms);
    ResetAtEnd reset_at_end(statement);
    std::map<std::string, Rollup> sums;
    while (true) {
        auto row = statement.step();
        if (!row) return Failure(row.error());
        if (!*row) return sums;
        auto rollup = decode_rollup(statement.blob_at(1));
        if (!rollup) return Failure(rollup.error());
        sums[std::string(statement.text_at(0))].add(*rollup);
    }
}

Result<Seq> SqliteReader::last_seq() {
    auto seq = first_row<Seq>(ask(reader_sql::kLastSeq),
                              [](const Statement& row) { return Result<Seq>(row.number_at(0)); });
    if (!seq) return Failure(seq.error());
    return seq->value_or(0);
}

}  // namespace zq::store
