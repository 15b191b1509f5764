#include "coordinator/store/erase.h"

#include <algorithm>

#include "common/base/check.h"
#include "common/platform/digest.h"
#include "coordinator/core/redact.h"
#include "coordinator/store/anchors.h"
#include "coordinator/store/base.h"
#include "coordinator/store/event_codec.h"
#include "coordinator/store/record_codec.h"

namespace zq::store {
namespace {

std::string erasing_kind() {
    return std::to_string(kind_number(core::TextsErased{}));
}

/// Runs through all rows.
template <class Each>
Result<void> for_each_row(Statement& rows, Each each) {
    const ResetAtEnd reset_at_end(rows);
    while (true) {
        auto row = rows.step();
        if (!row) return Failure(row.error());
        if (!*row) return {};
        if (auto ok = each(rows); !ok) return ok;
    }
}

/// The stored body without its texts; it must be what the event says.
Result<void> erase_body(Statement& read, Statement& write, const core::ErasedBody& erased) {
    std::string bytes;
    read.number(1, erased.seq);
    auto ok = for_each_row(read, [&](const Statement& row) -> Result<void> {
        auto body = decode_body(static_cast<std::uint16_t>(row.integer_at(0)),
                                static_cast<std::uint16_t>(row.integer_at(1)), row.blob_at(2));
        if (!body) return Failure(body.error());
        bytes = encode_body(core::redacted(std::move(*body)));
        return {};
    });
    if (!ok) return ok;
    if (bytes.empty()) return {};  // archived since the event was decided
    ZQ_CHECK(sha256(bytes) == erased.digest);
    return write.number(1, erased.seq).blob(2, bytes).run();
}

/// The last event of the task but those that say that it went.
Result<Seq> last_event_of(Database& database, const core::Event& event) {
    auto last = database.prepare(
        "SELECT coalesce(max(seq), 0) FROM journal"
        " WHERE task = ?1 AND ns = ?2 AND seq < ?3 AND kind NOT IN (?4, ?5)");
    if (!last) return Failure(last.error());
    last->text(1, event.task.id.text).text(2, event.task.ns.text).number(3, event.seq);
    last->integer(4, kind_number(core::TaskRemoved{}));
    last->integer(5, kind_number(core::TextsErased{}));
    auto row = last->step();
    if (!row) return Failure(row.error());
    return last->number_at(0);
}

/// Anchors of the time when it was open hash its texts. A replay is compared at the others; the
/// base's own is made anew.
Result<void> drop_anchors(Database& database, const core::Event& event, Seq first, Seq base) {
    auto last = last_event_of(database, event);
    if (!last) return Failure(last.error());
    auto drop = database.prepare("DELETE FROM anchors WHERE seq >= ?1 AND seq <= ?2 AND seq <> ?3");
    if (!drop) return Failure(drop.error());
    return drop->number(1, first).number(2, *last).number(3, base).run();
}

/// The base's record of the task, and the hash of the base's state. True if it had one: then the
/// state was another from the base on.
Result<bool> erase_in_base(Database& database, const TaskKey& key) {
    auto redacted = redact_in_base(database, key);
    if (!redacted || !*redacted) return redacted;
    auto base = read_base(database);
    if (!base) return Failure(base.error());
    auto anchor = database.prepare("UPDATE anchors SET state = ?2 WHERE seq = ?1");
    if (!anchor) return Failure(anchor.error());
    auto ok = anchor->number(1, base->place.seq).digest(2, state_hash(base->state)).run();
    if (!ok) return Failure(ok.error());
    return true;
}

/// Nothing has used them since long ago: the next look at what is unused takes them.
Result<void> make_old(Database& database, const std::vector<Digest>& contents) {
    auto old = database.prepare("UPDATE content_use SET since = 1 WHERE digest = ?1 AND refs = 0");
    if (!old) return Failure(old.error());
    for (const Digest& digest : contents) {
        if (auto ok = old->digest(1, digest).run(); !ok) return ok;
    }
    return {};
}

Result<void> erase_bodies(Database& database, const core::TextsErased& body) {
    auto read = database.prepare(
        "SELECT kind, version, body FROM journal j JOIN bodies b ON b.seq = j.seq"
        " WHERE j.seq = ?1");
    if (!read) return Failure(read.error());
    auto write = database.prepare("UPDATE bodies SET body = ?2 WHERE seq = ?1");
    if (!write) return Failure(write.error());
    for (const core::ErasedBody& erased : body.bodies) {
        if (auto ok = erase_body(*read, *write, erased); !ok) return ok;
    }
    return {};
}

/// What was made of a task's texts; `first`: of its erased bodies, 0 where there are none.
Result<void> erase_traces(Database& database, const core::Event& event, Seq first) {
    auto base = base_seq(database);
    if (!base) return Failure(base.error());
    if (*base != 0) {
        auto in_base = erase_in_base(database, event.task);
        if (!in_base) return Failure(in_base.error());
        if (*in_base) first = first == 0 ? *base + 1 : std::min(first, *base + 1);
    }
    return first == 0 ? Result<void>() : drop_anchors(database, event, first, *base);
}

}  // namespace

Result<ErasedBodies> erased_bodies(Database& database) {
    // One at or before the base is in no chain, and what it erased was dropped with it.
    auto base = base_seq(database);
    if (!base) return Failure(base.error());
    auto rows = database.prepare(
        "SELECT version, body, j.seq FROM journal j JOIN bodies b ON b.seq = j.seq WHERE kind = " +
        erasing_kind() + " AND j.seq > " + std::to_string(*base));
    if (!rows) return Failure(rows.error());
    ErasedBodies erased;
    auto ok = for_each_row(*rows, [&](const Statement& row) -> Result<void> {
        auto body = decode_body(kind_number(core::TextsErased{}),
                                static_cast<std::uint16_t>(row.integer_at(0)), row.blob_at(1));
        if (!body) return Failure(body.error());
        for (const core::ErasedBody& one : std::get<core::TextsErased>(*body).bodies) {
            if (one.seq < row.number_at(2)) erased[one.seq] = one.digest;
        }
        return {};
    });
    if (!ok) return Failure(ok.error());
    return erased;
}

bool is_body_of(const ErasedBodies& erased, Seq seq, const Digest& stored_with,
                std::string_view body) {
    const Digest digest = sha256(body);
    if (digest == stored_with) return true;
    const auto at = erased.find(seq);
    return at != erased.end() && digest == at->second;
}

bool erases_texts(std::span<const core::Event> events) {
    return std::any_of(events.begin(), events.end(), [](const core::Event& event) {
        return std::holds_alternative<core::TextsErased>(event.body);
    });
}

Result<void> erase_texts(Database& database, std::span<const core::Event> events) {
    std::map<TaskKey, std::pair<const core::Event*, Seq>> tasks;  // a part of each, and its first
    for (const core::Event& event : events) {
        const auto* body = std::get_if<core::TextsErased>(&event.body);
        if (body == nullptr) continue;
        if (auto ok = make_old(database, body->contents); !ok) return ok;
        if (auto ok = erase_bodies(database, *body); !ok) return ok;
        const Seq first = body->bodies.empty() ? 0 : body->bodies.front().seq;
        tasks.emplace(event.task, std::pair(&event, first));
    }
    for (const auto& [key, part] : tasks) {
        if (auto ok = erase_traces(database, *part.first, part.second); !ok) return ok;
    }
    return {};
}

}  // namespace zq::store
