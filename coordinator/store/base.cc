#include "coordinator/store/base.h"

#include <algorithm>

#include "coordinator/core/apply.h"
#include "coordinator/core/redact.h"
#include "coordinator/store/record_codec.h"
#include "coordinator/store/record_fields.h"
#include "coordinator/store/row_sum.h"

namespace zq::store {

template <class V, Of<BaseHead> T>
void describe(V& v, T& h) {
    v("journal", h.journal);
    v("epoch", h.epoch);
    v("last_token", h.last_token);
    v("last_seq", h.last_seq);
    v("last_at", h.last_at);
    v("chain_head", h.chain_head);
    v("kept", h.kept);
    v.optional("references", h.references);
}

namespace {

enum Kind : std::uint8_t {
    kHead = 0,
    kTask = 1,
    kAttempt = 2,
    kRole = 3,
    kRequest = 4,
    kControl = 5,
    kAccess = 6
};

struct RoleRecord {
    RoleKey key;
};

template <class V, Of<RoleRecord> T>
void describe(V& v, T& r) {
    v("ns", r.key.ns);
    v("role", r.key.role);
}

struct Request {
    core::RequestKey key;
    core::RequestRecord record;
};

template <class V, Of<Request> T>
void describe(V& v, T& r) {
    v("identity", r.key.identity);
    v("client", r.key.client);
    v("request", r.key.request);
    v("ns", r.record.task.ns);
    v("task_id", r.record.task.id);
    v.optional("token", r.record.token);
    v("at", r.record.at);
}

struct ControlRecord {
    core::ControlKey key;
    core::Control control;
};

template <class V, Of<ControlRecord> T>
void describe(V& v, T& r) {
    v("ns", r.key.ns);
    v("kind", r.key.kind);
    v("name", r.key.name);
    v("control", r.control);
}

struct AccessRecord {
    std::string fingerprint;
    KeyAccess access;
};

template <class V, Of<AccessRecord> T>
void describe(V& v, T& r) {
    v("fingerprint", r.fingerprint);
    v("access", r.access);
}

Result<void> take(Base& base, const BaseHead& head) {
    core::restore(base.state, head.journal, head.epoch, head.last_token, head.last_seq,
                  head.last_at);
    base.place = {head.last_seq, head.chain_head};
    base.kept = head.kept;
    base.references = head.references;
    return {};
}
Result<void> take(Base& base, const core::Task& task) {
    if (is_final(task.state) || base.state.durable.open.contains(task.key)) {
        return fail(ErrorCode::IO, "a task of it is not open, or there twice");
    }
    core::restore(base.state, task);
    return {};
}
Result<void> take(Base& base, core::Attempt attempt) {
    base.attempts.push_back(std::move(attempt));
    return {};
}
Result<void> take(Base& base, RoleRecord role) {
    core::restore(base.state, std::move(role.key));
    return {};
}
Result<void> take(Base& base, Request request) {
    if (base.state.durable.requests.contains(request.key)) {
        return fail(ErrorCode::IO, "a request of it is there twice");
    }
    core::restore(base.state, std::move(request.key), std::move(request.record));
    return {};
}

Result<void> take(Base& base, AccessRecord record) {
    if (base.state.durable.access.contains(record.fingerprint)) {
        return fail(ErrorCode::IO, "a key of it is there twice");
    }
    core::restore(base.state, std::move(record.fingerprint), std::move(record.access));
    return {};
}

Result<void> take(Base& base, ControlRecord control) {
    if (base.state.durable.controls.contains(control.key)) {
        return fail(ErrorCode::IO, "a control of it is there twice");
    }
    core::restore(base.state, std::move(control.key), std::move(control.control));
    return {};
}

template <class T>
Result<void> take_as(Base& base, std::string_view bytes) {
    auto record = pack::decode<T>(bytes);
    if (!record) return Failure(record.error());
    return take(base, std::move(*record));
}

Result<void> take_row(Base& base, std::int64_t kind, std::string_view bytes) {
    switch (kind) {
        case kHead:
            return take_as<BaseHead>(base, bytes);
        case kTask:
            return take_as<core::Task>(base, bytes);
        case kAttempt:
            return take_as<core::Attempt>(base, bytes);
        case kRole:
            return take_as<RoleRecord>(base, bytes);
        case kRequest:
            return take_as<Request>(base, bytes);
        case kControl:
            return take_as<ControlRecord>(base, bytes);
        case kAccess:
            return take_as<AccessRecord>(base, bytes);
        default:
            return fail(ErrorCode::IO, "there is no kind " + std::to_string(kind));
    }
}

/// Appends rows to the table, one place after the other.
class BaseWriter {
  public:
    explicit BaseWriter(Statement insert) : insert_(std::move(insert)) {}

    template <class T>
    Result<void> add(Kind kind, const T& value) {
        const std::string record = pack::encode(value);
        return insert_.number(1, next_++).integer(2, kind).blob(3, record).run();
    }

  private:
    Statement insert_;
    std::uint64_t next_ = 0;
};

Result<void> write_rows(BaseWriter& writer, const Base& base, const Digest& kept) {
    const core::Durable& durable = base.state.durable;
    const BaseHead head{
        durable.journal, durable.epoch, durable.last_token, durable.last_seq, durable.last_at,
        base.place.head, kept,          base.references};
    if (auto ok = writer.add(kHead, head); !ok) return ok;
    Result<void> added;
    durable.open.for_each([&](const core::Task& task) {
        if (added) added = writer.add(kTask, task);
    });
    if (!added) return added;
    for (const core::Attempt& attempt : base.attempts) {
        if (auto ok = writer.add(kAttempt, attempt); !ok) return ok;
    }
    for (const RoleKey& key : durable.roles_served) {
        if (auto ok = writer.add(kRole, RoleRecord{key}); !ok) return ok;
    }
    for (const auto& [key, record] : durable.requests) {
        if (auto ok = writer.add(kRequest, Request{key, record}); !ok) return ok;
    }
    for (const auto& [key, control] : durable.controls) {
        if (auto ok = writer.add(kControl, ControlRecord{key, control}); !ok) return ok;
    }
    for (const auto& [fingerprint, access] : durable.access) {
        if (auto ok = writer.add(kAccess, AccessRecord{fingerprint, access}); !ok) return ok;
    }
    return {};
}

Result<void> replace_rows(Database& database, const Base& base, const Digest& kept) {
    if (auto ok = database.run("DELETE FROM base"); !ok) return ok;
    auto insert = database.prepare("INSERT INTO base VALUES (?1, ?2, ?3)");
    if (!insert) return Failure(insert.error());
    BaseWriter writer(std::move(*insert));
    return write_rows(writer, base, kept);
}

/// Adds what a query gives to the sum; its one parameter is `upto`.
Result<std::uint64_t> add_rows(Database& database, std::string_view table, std::string_view sql,
                               Seq upto, RowSum& sum) {
    auto rows = database.prepare(sql);
    if (!rows) return Failure(rows.error());
    rows->number(1, upto);
    std::uint64_t count = 0;
    while (true) {
        auto row = rows->step();
        if (!row) return Failure(row.error());
        if (!*row) return count;
        sum.add(table, *rows);
        ++count;
    }
}

}  // namespace

std::string encode_base_head(const BaseHead& head) {
    return pack::encode(head);
}
Result<BaseHead> decode_base_head(std::string_view bytes) {
    return pack::decode<BaseHead>(bytes);
}

Result<Base> read_base(Database& database) {
    auto rows = database.prepare("SELECT place, kind, record FROM base ORDER BY place");
    if (!rows) return Failure(rows.error());
    Base base;
    for (std::uint64_t place = 0;; ++place) {
        auto row = rows->step();
        if (!row) return Failure(row.error());
        if (!*row) return base;
        Result<void> taken = fail(ErrorCode::IO, "it is out of its place");
        if (rows->number_at(0) == place && (rows->integer_at(1) == kHead) == (place == 0)) {
            taken = take_row(base, rows->integer_at(1), rows->blob_at(2));
        }
        if (!taken) {
            taken.error().message = "row " + std::to_string(rows->integer_at(0)) +
                                    " of the base: " + taken.error().message;
            return Failure(taken.error());
        }
    }
}

Result<Seq> base_seq(Database& database) {
    auto known = database.number("SELECT count(*) FROM sqlite_schema WHERE name = 'base'");
    if (!known) return Failure(known.error());
    if (*known == 0) return 0;  // format 1
    auto head = database.prepare("SELECT record FROM base WHERE place = 0");
    if (!head) return Failure(head.error());
    auto row = head->step();
    if (!row) return Failure(row.error());
    if (!*row) return 0;
    auto decoded = decode_base_head(head->blob_at(0));
    if (!decoded) return Failure(decoded.error());
    return decoded->last_seq;
}

Result<bool> redact_in_base(Database& database, const TaskKey& key) {
    auto base = read_base(database);
    if (!base) return Failure(base.error());
    const auto is_its = [&](const core::Attempt& attempt) { return attempt.task == key; };
    auto& open = base->state.durable.open;
    const bool has_task = open.contains(key);
    if (!has_task && std::none_of(base->attempts.begin(), base->attempts.end(), is_its)) {
        return false;
    }
    if (has_task) {
        core::Task& task = open.change(key);
        task = core::redacted(std::move(task));
    }
    RowSum kept(base->kept);
    for (core::Attempt& attempt : base->attempts) {
        if (!is_its(attempt)) continue;
        kept.subtract("base", encode_attempt(attempt));
        attempt = core::redacted(std::move(attempt));
        kept.add("base", encode_attempt(attempt));
    }
    if (auto ok = replace_rows(database, *base, kept.value()); !ok) return Failure(ok.error());
    return true;
}

Result<void> write_base(Database& database, const Base& base) {
    auto kept = sum_kept(database, base);
    if (!kept) return Failure(kept.error());
    return replace_rows(database, base, kept->sum);
}

Result<Kept> sum_kept(Database& database, const Base& base) {
    Kept kept;
    RowSum sum;
    struct Part {
        std::string_view table;
        std::string_view sql;
        std::uint64_t& count;
    };
    const Part parts[] = {
        {"journal", "SELECT * FROM journal WHERE seq <= ?1", kept.events},
        {"tasks", "SELECT * FROM tasks WHERE ended <> 0 AND changed_seq <= ?1", kept.tasks},
        {"attempts",
         "SELECT a.* FROM tasks t JOIN attempts a ON a.ns = t.ns AND a.task = t.id"
         " WHERE t.ended <> 0 AND t.changed_seq <= ?1",
         kept.attempts},
        {"contents",
         "SELECT digest, size, inlined, stored_seq, data IS NULL FROM contents"
         " WHERE stored_seq <= ?1",
         kept.contents},
        {"removals", "SELECT * FROM removals WHERE seq <= ?1", kept.removals},
    };
    auto removing = database.number("SELECT count(*) FROM sqlite_schema WHERE name = 'removals'");
    if (!removing) return Failure(removing.error());
    for (const Part& part : parts) {
        if (part.table == "removals" && *removing == 0) continue;  // an older format
        auto count = add_rows(database, part.table, part.sql, base.place.seq, sum);
        if (!count) return Failure(count.error());
        part.count = *count;
    }
    for (const core::Attempt& attempt : base.attempts) sum.add("base", encode_attempt(attempt));
    kept.sum = sum.value();
    return kept;
}

}  // namespace zq::store
