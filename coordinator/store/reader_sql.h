// The reader's statements. Each names the index it needs, so that a query which would scan fails
// when it is prepared and not when the journal has grown.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace zq::store::reader_sql {

/// As SQLite takes a LIMIT.
inline std::int64_t row_limit(std::size_t limit) {
    return static_cast<std::int64_t>(std::min<std::size_t>(limit, INT32_MAX));
}

enum Id : std::size_t {
    kTask,
    kTaskByKey,
    kTaskBySeq,
    kIdsWithPrefix,
    kListAll,
    kListRoleState,
    kListGroup,
    kListSender,
    kFirstRole,
    kNextRole,
    kAnswers,
    kGroup,
    kDeadCounts,
    kAttempts,
    kAttempt,
    kContent,
    kInlineContent,
    kUnused,
    kUnusedSince,
    kCondemnedAt,
    kCondemnedAfter,
    kLastCondemned,
    kEnded,
    kHeldTotals,
    kHolding,
    kRemovals,
    kEvent,
    kEventsAfter,
    kEventsOfTask,
    kEventsOfKinds,
    kEnvelopeEvent,
    kLastSeq,
    kRollups,
    kStatements,
};

inline constexpr std::array<std::string_view, kStatements> kSql = {
    "SELECT record FROM tasks INDEXED BY tasks_id WHERE ns = ?1 AND id = ?2",
    "SELECT record FROM tasks INDEXED BY tasks_key WHERE ns = ?1 AND idempotency_key = ?2"
    " AND idempotency_key <> '' ORDER BY submitted_seq DESC LIMIT 1",
    "SELECT record FROM tasks WHERE submitted_seq = ?1",
    "SELECT id FROM tasks INDEXED BY tasks_id WHERE ns = ?1 AND id >= ?2 AND id < ?3"
    " ORDER BY id LIMIT ?4",

    // Listings give places, newest first: ?1 namespace, ?2 before, ?3 limit.
    "SELECT submitted_seq, state FROM tasks NOT INDEXED WHERE ns = ?1 AND submitted_seq < ?2"
    " ORDER BY submitted_seq DESC LIMIT ?3",
    "SELECT submitted_seq FROM tasks INDEXED BY tasks_role WHERE ns = ?1 AND submitted_seq < ?2"
    " AND role = ?4 AND state = ?5 AND submitted_seq > ?6 AND (?7 = '' OR sender = ?7)"
    " ORDER BY submitted_seq DESC LIMIT ?3",
    "SELECT submitted_seq, state FROM tasks INDEXED BY tasks_group WHERE ns = ?1"
    " AND submitted_seq < ?2 AND grp = ?4 AND grp <> '' AND (?5 = '' OR role = ?5)"
    " AND (?6 = '' OR sender = ?6) ORDER BY submitted_seq DESC",
    "SELECT submitted_seq, state FROM tasks INDEXED BY tasks_sender WHERE ns = ?1"
    " AND submitted_seq < ?2 AND sender = ?4 AND sender <> '' AND (?5 = '' OR role = ?5)"
    " ORDER BY submitted_seq DESC",
    "SELECT role FROM tasks INDEXED BY tasks_role WHERE ns = ?1 ORDER BY role LIMIT 1",
    "SELECT role FROM tasks INDEXED BY tasks_role WHERE ns = ?1 AND role > ?2 ORDER BY role LIMIT "
    "1",

    "SELECT record FROM tasks INDEXED BY tasks_answers WHERE ended = 1 AND reply_to <> ''"
    " AND ns = ?1 AND reply_to = ?2 AND changed_seq > ?3 ORDER BY changed_seq LIMIT ?4",
    "SELECT record FROM tasks INDEXED BY tasks_group WHERE ns = ?1 AND grp = ?2 AND grp <> ''"
    " ORDER BY submitted_seq LIMIT ?3",
    "SELECT ns, role, count(*) FROM tasks INDEXED BY tasks_dead"
    " WHERE state IN ('dead', 'expired') GROUP BY ns, role",

    "SELECT record FROM attempts WHERE ns = ?1 AND task = ?2 ORDER BY attempt",
    "SELECT record FROM attempts WHERE ns = ?1 AND task = ?2 AND attempt = ?3",

    "SELECT size, inlined, secrets FROM contents WHERE digest = ?1",
    "SELECT substr(data, ?2, ?3) FROM contents WHERE digest = ?1 AND inlined = 1",

    "SELECT u.digest, size, inlined, since FROM content_use u INDEXED BY content_unused"
    " CROSS JOIN contents c ON c.digest = u.digest WHERE refs = 0"
    " AND (since, u.digest) > (?1, ?2) AND since < ?3 ORDER BY since, u.digest LIMIT ?4",
    "SELECT since FROM content_use WHERE digest = ?1 AND refs = 0",
    "SELECT at FROM condemned WHERE digest = ?1",
    "SELECT seq, digest FROM condemned g INDEXED BY condemned_seq WHERE seq > ?1 AND NOT EXISTS"
    " (SELECT 1 FROM contents c WHERE c.digest = g.digest) ORDER BY seq, digest LIMIT ?2",
    "SELECT seq FROM condemned INDEXED BY condemned_seq ORDER BY seq DESC LIMIT 1",
    "SELECT record FROM tasks INDEXED BY tasks_ended WHERE ended = 1 AND ns = ?1 AND role = ?2"
    " AND state = ?3 AND changed_seq > ?4 ORDER BY changed_seq LIMIT ?5",
    "SELECT ns, role, dead, tasks, bytes FROM held_totals",
    "SELECT record FROM held h INDEXED BY held_oldest CROSS JOIN tasks t"
    " ON t.submitted_seq = h.submitted_seq WHERE bytes > 0 AND h.ns = ?1 AND h.role = ?2"
    " AND dead = ?3 AND ended_seq > ?4 ORDER BY ended_seq LIMIT ?5",
    "SELECT kind, seq, at FROM removals WHERE submitted_seq = ?1",

    "SELECT j.seq, at, epoch, ns, task, kind, version, identity, body_digest, hash, body"
    " FROM journal j JOIN bodies b ON b.seq = j.seq WHERE j.seq = ?1",
    "SELECT j.seq, at, epoch, ns, task, kind, version, identity, body_digest, hash, body"
    " FROM journal j CROSS JOIN bodies b ON b.seq = j.seq WHERE j.seq > ?1 ORDER BY j.seq LIMIT ?2",
    "SELECT j.seq, at, epoch, ns, task, kind, version, identity, body_digest, hash, body"
    " FROM journal j INDEXED BY journal_task CROSS JOIN bodies b ON b.seq = j.seq"
    " WHERE j.task = ?4 AND j.task <> '' AND j.seq > ?1 AND j.ns = ?3 ORDER BY j.seq LIMIT ?2",
    "SELECT j.seq, at, epoch, ns, task, kind, version, identity, body_digest, hash, body"
    " FROM journal j NOT INDEXED CROSS JOIN bodies b ON b.seq = j.seq WHERE j.seq > ?1"
    " AND j.seq <= ?3 AND (?4 >> kind) & 1 ORDER BY j.seq LIMIT ?2",
    "SELECT j.seq, at, epoch, ns, task, kind, version, identity, body_digest, hash, body"
    " FROM journal j INDEXED BY journal_task CROSS JOIN bodies b ON b.seq = j.seq"
    " WHERE j.task = ?1 AND j.task <> '' AND j.seq <= ?2 AND j.ns = ?3 AND (?4 >> kind) & 1"
    " ORDER BY j.seq DESC LIMIT 1",
    "SELECT seq FROM journal ORDER BY seq DESC LIMIT 1",

    "SELECT name, record FROM rollups WHERE ns = ?1 AND dimension = ?2 AND span = ?3"
    " AND start >= ?4",
};

}  // namespace zq::store::reader_sql
