#include "coordinator/store/reference_count.h"

#include "coordinator/store/base.h"
#include "coordinator/store/event_codec.h"
#include "coordinator/store/record_codec.h"
#include "coordinator/store/references.h"
#include "coordinator/store/row_sum.h"

namespace zq::store {
namespace {

/// Runs over a statement's rows.
template <class Each>
Result<void> for_each(Statement& rows, Each each) {
    ResetAtEnd reset_at_end(rows);
    while (true) {
        auto row = rows.step();
        if (!row) return Failure(row.error());
        if (!*row) return {};
        if (Result<void> ok = each(rows); !ok) return ok;
    }
}

Result<core::EventBody> body_at(const Statement& row, int column) {
    return decode_body(static_cast<std::uint16_t>(row.number_at(column)),
                       static_cast<std::uint16_t>(row.number_at(column + 1)),
                       row.blob_at(column + 2));
}

class Counter {
  public:
    static Result<Counter> open(Database& database) {
        auto submit = database.prepare(
            "SELECT kind, version, body FROM journal j JOIN bodies b ON b.seq = j.seq"
            " WHERE j.seq = ?1");
        auto attempts = database.prepare("SELECT record FROM attempts WHERE ns = ?1 AND task = ?2");
        auto removals =
            database.prepare("SELECT kind, seq, at FROM removals WHERE submitted_seq = ?1");
        auto gained = database.prepare(
            "INSERT INTO content_use SELECT ?1, 1, last_at FROM meta WHERE true"
            " ON CONFLICT (digest) DO UPDATE SET refs = refs + 1");
        for (auto* statement : {&submit, &attempts, &removals, &gained}) {
            if (!*statement) return Failure(statement->error());
        }
        return Counter(std::move(*submit), std::move(*attempts), std::move(*removals),
                       std::move(*gained));
    }

    Result<void> count(const core::Task& task) {
        std::vector<ArtifactRef> inputs;
        auto ok = for_each(submit_.number(1, task.submitted_seq), [&](Statement& row) {
            auto body = body_at(row, 0);
            if (!body) return Result<void>(Failure(body.error()));
            const auto* submitted = std::get_if<core::TaskSubmitted>(&*body);
            if (submitted != nullptr) inputs = submitted->spec->inputs;
            return Result<void>();
        });
        if (!ok) return ok;
        std::vector<core::Attempt> attempts;
        attempts_.text(1, task.key.ns.text).text(2, task.key.id.text);
        ok = for_each(attempts_, [&](Statement& row) {
            auto attempt = decode_attempt(row.blob_at(0));
            if (!attempt) return Result<void>(Failure(attempt.error()));
            attempts.push_back(std::move(*attempt));
            return Result<void>();
        });
        if (!ok) return ok;
        std::vector<Removal> removals;
        ok = for_each(removals_.number(1, task.submitted_seq), [&](Statement& row) {
            Removal removal{{}, row.number_at(1), Instant{row.integer_at(2)}};
            from_text(row.text_at(0), removal.kind);
            removals.push_back(removal);
            return Result<void>();
        });
        if (!ok) return ok;
        const HeldContents held = held_by(task, inputs, attempts, removals);
        for (const auto* list : {&held.inputs, &held.logs, &held.artifacts}) {
            for (const Digest& digest : *list) {
                if (ok = gained_.digest(1, digest).run(); !ok) return ok;
            }
        }
        return {};
    }

  private:
    Counter(Statement submit, Statement attempts, Statement removals, Statement gained)
        : submit_(std::move(submit)),
          attempts_(std::move(attempts)),
          removals_(std::move(removals)),
          gained_(std::move(gained)) {}

    Statement submit_;
    Statement attempts_;
    Statement removals_;
    Statement gained_;
};

/// A base's head, if there is a base.
Result<std::optional<BaseHead>> read_head(Database& database) {
    auto rows = database.prepare("SELECT record FROM base WHERE place = 0");
    if (!rows) return Failure(rows.error());
    std::optional<BaseHead> found;
    auto ok = for_each(*rows, [&](Statement& row) {
        auto head = decode_base_head(row.blob_at(0));
        if (!head) return Result<void>(Failure(head.error()));
        found = *head;
        return Result<void>();
    });
    if (!ok) return Failure(ok.error());
    return found;
}

}  // namespace

Result<void> count_references(Database& database) {
    auto ok = database.run(
        "DELETE FROM content_use WHERE digest NOT IN (SELECT digest FROM contents);"
        "INSERT INTO content_use SELECT digest, 0, last_at FROM contents, meta WHERE true"
        " ON CONFLICT (digest) DO NOTHING;"
        "UPDATE content_use SET refs = 0 WHERE refs <> 0");
    if (!ok) return ok;
    auto counter = Counter::open(database);
    if (!counter) return Failure(counter.error());
    auto tasks = database.prepare("SELECT record FROM tasks");
    if (!tasks) return Failure(tasks.error());
    ok = for_each(*tasks, [&](Statement& row) {
        auto task = decode_task(row.blob_at(0));
        return task ? counter->count(*task) : Result<void>(Failure(task.error()));
    });
    if (!ok) return ok;
    return set_base_references(database);
}

Result<Digest> sum_references(Database& database) {
    auto rows = database.prepare("SELECT digest, refs FROM content_use WHERE refs <> 0");
    if (!rows) return Failure(rows.error());
    RowSum sum;
    auto ok = for_each(*rows, [&](Statement& row) {
        auto digest = row.digest_at(0);
        if (!digest) return Result<void>(Failure(digest.error()));
        const std::int64_t refs = row.integer_at(1);
        if (refs < 0 || refs > UINT32_MAX) {
            return Result<void>(fail(ErrorCode::IO, "content " + to_hex(*digest) + " has " +
                                                        std::to_string(refs) + " references"));
        }
        sum.add(*digest, static_cast<std::uint64_t>(refs));
        return Result<void>();
    });
    if (!ok) return Failure(ok.error());
    return sum.value();
}

Result<void> set_base_references(Database& database) {
    auto head = read_head(database);
    if (!head) return Failure(head.error());
    if (!*head) return {};
    auto total = sum_references(database);
    if (!total) return Failure(total.error());
    RowSum sum(*total);
    auto rows = database.prepare(
        "SELECT kind, version, body FROM journal j JOIN bodies b ON b.seq = j.seq"
        " WHERE j.seq > ?1");
    if (!rows) return Failure(rows.error());
    auto ok = for_each(rows->number(1, (*head)->last_seq), [&](Statement& row) {
        auto body = body_at(row, 0);
        if (!body) return Result<void>(Failure(body.error()));
        const ReferenceChange change = references_of(*body);
        for (const Digest& digest : change.gained) sum.subtract(digest);
        for (const Digest& digest : change.released) sum.add(digest);
        return Result<void>();
    });
    if (!ok) return ok;
    (*head)->references = sum.value();
    auto update = database.prepare("UPDATE base SET record = ?1 WHERE place = 0");
    if (!update) return Failure(update.error());
    const std::string record = encode_base_head(**head);
    return update->blob(1, record).run();
}

}  // namespace zq::store
