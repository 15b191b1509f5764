#include "coordinator/store/schema.h"

#include <array>
#include <map>

#include "coordinator/store/held_count.h"
#include "coordinator/store/reference_count.h"

namespace zq::store {
namespace {

// "zqj1" as a number, in PRAGMA application_id: says whose database it is.
constexpr std::int64_t kApplicationId = 0x7a716a31;

// The truth is `journal` with `bodies`; they are only ever appended to. Everything else follows
// from them and is written in the same transaction. 64-bit unsigned numbers are stored as the
// signed ones of the same bits. Records are MessagePack (record_fields.h); the columns beside a
// record repeat those of its fields that are searched for. Every index serves a query of
// sqlite_reader.cc.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE journal(
  seq INTEGER PRIMARY KEY,      -- consecutive from 1
  at INTEGER NOT NULL,          -- ms since 1970
  epoch INTEGER NOT NULL,
  ns TEXT NOT NULL,
  task TEXT NOT NULL,           -- '': not about one task
  kind INTEGER NOT NULL,        -- place in core::EventBody
  version INTEGER NOT NULL,     -- of the body's format
  identity TEXT NOT NULL,
  body_digest BLOB NOT NULL,
  hash BLOB NOT NULL            -- the chain: event_codec.h
) STRICT;
CREATE INDEX journal_task ON journal(task) WHERE task <> '';

CREATE TABLE bodies(            -- apart, so that a secret can be erased without breaking the chain
  seq INTEGER PRIMARY KEY,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE tasks(             -- in the order of submits: new rows go to the end
  submitted_seq INTEGER PRIMARY KEY,
  changed_seq INTEGER NOT NULL,
  ns TEXT NOT NULL,
  id TEXT NOT NULL,
  role TEXT NOT NULL,
  state TEXT NOT NULL,
  ended INTEGER NOT NULL,       -- 1: in a final state
  grp TEXT NOT NULL,
  sender TEXT NOT NULL,
  reply_to TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  record BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX tasks_id ON tasks(ns, id);
CREATE INDEX tasks_role ON tasks(ns, role, state, submitted_seq);
CREATE INDEX tasks_group ON tasks(ns, grp, submitted_seq) WHERE grp <> '';
CREATE INDEX tasks_sender ON tasks(ns, sender, submitted_seq) WHERE sender <> '';
CREATE INDEX tasks_key ON tasks(ns, idempotency_key) WHERE idempotency_key <> '';
CREATE INDEX tasks_answers ON tasks(ns, reply_to, changed_seq) WHERE ended = 1 AND reply_to <> '';
CREATE INDEX tasks_dead ON tasks(ns, role) WHERE state IN ('dead', 'expired');

CREATE TABLE attempts(
  ns TEXT NOT NULL,
  task TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  ended_seq INTEGER NOT NULL,
  record BLOB NOT NULL,
  PRIMARY KEY (ns, task, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE contents(
  digest BLOB NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL,
  inlined INTEGER NOT NULL,     -- 1: `data` is the content; 0: the artifact store has it
  stored_seq INTEGER NOT NULL,  -- of the event that first said so
  data BLOB
) STRICT;

CREATE TABLE roles_served(
  ns TEXT NOT NULL,
  role TEXT NOT NULL,
  PRIMARY KEY (ns, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE requests(          -- pruned by the rule of core/apply.cc
  identity TEXT NOT NULL,
  client TEXT NOT NULL,
  request INTEGER NOT NULL,
  ns TEXT NOT NULL,
  task TEXT NOT NULL,
  token_journal INTEGER NOT NULL,
  token_number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (identity, client, request)
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_at ON requests(at);

CREATE TABLE meta(              -- one row: the rest of the durable state
  one INTEGER PRIMARY KEY CHECK (one = 1),
  journal_id INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  last_token INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  chain_head BLOB NOT NULL
) STRICT;
)sql";

// Evidence: what the state was at places of the chain, and, where older rows were dropped, the
// state that the remaining ones start from.
constexpr const char* kVersion2 = R"sql(
CREATE TABLE anchors(
  seq INTEGER PRIMARY KEY,      -- of the last event it speaks of
  at INTEGER NOT NULL,          -- ms since 1970: the latest time of any event up to it
  state BLOB NOT NULL,          -- state_hash after it
  chain_head BLOB NOT NULL      -- its hash
) STRICT;

CREATE TABLE base(              -- empty, or as base.h draws it: rows up to its anchor were dropped
  place INTEGER PRIMARY KEY,    -- consecutive from 0
  kind INTEGER NOT NULL,
  record BLOB NOT NULL
) STRICT;
)sql";

// Retention: how many references each content has, and what has been removed.
constexpr const char* kVersion3 = R"sql(
CREATE TABLE content_use(
  digest BLOB NOT NULL PRIMARY KEY,
  refs INTEGER NOT NULL,        -- inputs, artifacts and checkpoints that name it
  since INTEGER NOT NULL        -- ms since 1970: when it was stored last, or released last
) STRICT, WITHOUT ROWID;
CREATE INDEX content_unused ON content_use(since) WHERE refs = 0;

CREATE TABLE condemned(         -- contents that were removed
  digest BLOB NOT NULL PRIMARY KEY,
  seq INTEGER NOT NULL,         -- of the last event that says so
  at INTEGER NOT NULL,
  lost INTEGER NOT NULL         -- 1: said by no event here; it was gone when `seq` was restored
) STRICT, WITHOUT ROWID;
CREATE INDEX condemned_seq ON condemned(seq);

CREATE TABLE removals(          -- what was removed of ended tasks that still have a row
  submitted_seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (submitted_seq, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX tasks_ended ON tasks(ns, role, state, changed_seq) WHERE ended = 1;
)sql";

// Dead letters: a task that is run again may lose parts of the same kind again.
constexpr const char* kVersion4 = R"sql(
CREATE TABLE removals_again(    -- what was removed of tasks that still have a row
  submitted_seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (submitted_seq, kind, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO removals_again SELECT submitted_seq, kind, seq, at FROM removals;
DROP TABLE removals;
ALTER TABLE removals_again RENAME TO removals;

-- Retention by bytes: what each ended task holds, and the sums by role.
CREATE TABLE held(              -- a row for each ended task
  submitted_seq INTEGER PRIMARY KEY,
  ns TEXT NOT NULL,
  role TEXT NOT NULL,
  dead INTEGER NOT NULL,        -- 1: dead or expired
  ended_seq INTEGER NOT NULL,   -- its changed_seq
  bytes INTEGER NOT NULL        -- of logs, artifacts and checkpoints, all references
) STRICT;
CREATE INDEX held_oldest ON held(ns, role, dead, ended_seq) WHERE bytes > 0;

CREATE TABLE held_totals(       -- sums over `held`; no row: no such task
  ns TEXT NOT NULL,
  role TEXT NOT NULL,
  dead INTEGER NOT NULL,
  tasks INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (ns, role, dead)
) STRICT, WITHOUT ROWID;
)sql";

// Statistics: sums by role, type, worker and model over buckets of time (rollup.h).
constexpr const char* kVersion5 = R"sql(
CREATE TABLE rollups(           -- they begin with this format; what is too old is deleted
  ns TEXT NOT NULL,
  dimension TEXT NOT NULL,      -- role, type, worker, model
  span INTEGER NOT NULL,        -- ms that the bucket is long
  start INTEGER NOT NULL,       -- ms since 1970: its begin
  name TEXT NOT NULL,           -- '': those without one; '*': all beyond the bound
  record BLOB NOT NULL,         -- rollup_codec.cc
  PRIMARY KEY (ns, dimension, span, start, name)
) STRICT, WITHOUT ROWID;
)sql";

// Controls: what was said of roles, limit keys and workers.
constexpr const char* kVersion6 = R"sql(
CREATE TABLE controls(
  ns TEXT NOT NULL,
  kind TEXT NOT NULL,           -- role, limit_key, worker
  name TEXT NOT NULL,
  held_until INTEGER NOT NULL,  -- ms since 1970: it goes by the next event after that; 0: it stays
  record BLOB NOT NULL,
  PRIMARY KEY (ns, kind, name)
) STRICT, WITHOUT ROWID;
)sql";

// Keys: what each that is known may do, as it was journaled. Kinds of secrets that were found in a
// content's text, with commas between; NULL: none, or it was stored before anybody looked. What was
// erased of the journal is found without a look at all of it.
constexpr const char* kVersion7 = R"sql(
CREATE TABLE access(
  fingerprint TEXT PRIMARY KEY,
  record BLOB NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE contents ADD COLUMN secrets TEXT;
CREATE INDEX journal_erasing ON journal(seq) WHERE kind = 26;  -- texts_erased
)sql";

// The commit log (commit_log.h) stands before the database: a program that does not know it would
// serve without what a killed one had made durable there. Requests are looked for in memory alone:
// rows in the order of their events, at the end of the table.
constexpr const char* kVersion8 = R"sql(
CREATE TABLE requests_in_order( -- pruned by the rule of core/apply.cc
  identity TEXT NOT NULL,
  client TEXT NOT NULL,
  request INTEGER NOT NULL,
  ns TEXT NOT NULL,
  task TEXT NOT NULL,
  token_journal INTEGER NOT NULL,
  token_number INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT;
INSERT INTO requests_in_order SELECT * FROM requests ORDER BY at;
DROP TABLE requests;
ALTER TABLE requests_in_order RENAME TO requests;
CREATE INDEX requests_at ON requests(at);
)sql";

// Step i leads from version i to version i + 1. A released one is never edited; FORMAT.md says how
// to add one.
constexpr std::array<const char*, kFormatVersion> kSteps = {
    kVersion1, kVersion2, kVersion3, kVersion4, kVersion5, kVersion6, kVersion7, kVersion8};

Result<void> insert_meta(Database& database, JournalId fresh) {
    auto statement = database.prepare("INSERT INTO meta VALUES (1, ?1, 0, 0, 0, 0, ?2)");
    if (!statement) return Failure(statement.error());
    const Digest head;
    return statement->number(1, fresh).digest(2, head).run();
}

Result<void> take_step(Database& database, int from, JournalId fresh) {
    if (auto ok = database.run("BEGIN IMMEDIATE"); !ok) return ok;
    if (auto ok = database.run(kSteps.at(static_cast<std::size_t>(from))); !ok) return ok;
    if (from == 0) {
        if (auto ok = insert_meta(database, fresh); !ok) return ok;
    }
    if (from == 2) {
        if (auto ok = count_references(database); !ok) return ok;
    }
    if (from == 3) {
        if (auto ok = count_held(database); !ok) return ok;
    }
    const std::string marks = "PRAGMA application_id = " + std::to_string(kApplicationId) +
                              "; PRAGMA user_version = " + std::to_string(from + 1) + "; COMMIT";
    return database.run(marks);
}

}  // namespace

std::string journal_path(const std::string& folder) {
    return folder + "/journal.db";
}

Result<void> configure_writer(Database& database, int page_bytes) {
    const std::string pages = "PRAGMA page_size = " + std::to_string(page_bytes);
    if (auto ok = database.run(pages); !ok) return ok;
    auto mode = database.text("PRAGMA journal_mode = WAL");
    if (!mode) return Failure(mode.error());
    if (*mode != "wal") return fail(ErrorCode::IO, "journal database: no write-ahead log here");
    // FULL: one sync per transaction. The projector takes NORMAL where the commit log still has it.
    return database.run(
        "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA mmap_size = 0;"
        "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -16384");
}

Result<void> configure_reader(Database& database) {
    return database.run(
        "PRAGMA query_only = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
        "PRAGMA trusted_schema = OFF; PRAGMA cache_size = -2048");
}

Result<int> format_version(Database& database) {
    auto version = database.number("PRAGMA user_version");
    if (!version) return Failure(version.error());
    auto owner = database.number("PRAGMA application_id");
    if (!owner) return Failure(owner.error());
    auto tables = database.number("SELECT count(*) FROM sqlite_schema");
    if (!tables) return Failure(tables.error());
    const bool is_new = *version == 0 && *owner == 0 && *tables == 0;
    if (!is_new && *owner != kApplicationId) {
        return fail(ErrorCode::UNSUPPORTED_VERSION, "the database is not a zq journal");
    }
    if (*version > kFormatVersion) {
        return fail(ErrorCode::UNSUPPORTED_VERSION,
                    "the journal has format " + std::to_string(*version) +
                        ", this program knows formats up to " + std::to_string(kFormatVersion) +
                        ": use the newer program that wrote it");
    }
    if (!is_new && *version < kOldestFormat) {
        return fail(ErrorCode::UNSUPPORTED_VERSION,
                    "the journal has format " + std::to_string(*version) +
                        ", this program knows formats from " + std::to_string(kOldestFormat) +
                        " on: start a release between the two on it first (CHANGELOG.md names them)"
                        ", or restore a backup if no release ever wrote that format");
    }
    return static_cast<int>(*version);
}

Result<void> migrate(Database& database, JournalId fresh) {
    auto version = format_version(database);
    if (!version) return Failure(version.error());
    for (int from = *version; from < kFormatVersion; ++from) {
        if (auto ok = take_step(database, from, fresh); !ok) return ok;
    }
    return {};
}

namespace {

/// Name and text of everything in the schema but SQLite's own.
Result<std::map<std::string, std::string>> read_schema(Database& database) {
    auto rows = database.prepare(
        "SELECT type || ' ' || name || ' on ' || tbl_name, sql FROM sqlite_schema"
        " WHERE name NOT LIKE 'sqlite_%'");
    if (!rows) return Failure(rows.error());
    std::map<std::string, std::string> schema;
    while (true) {
        auto row = rows->step();
        if (!row) return Failure(row.error());
        if (!*row) return schema;
        schema.emplace(rows->text_at(0), rows->text_at(1));
    }
}

}  // namespace

Result<std::vector<std::string>> schema_problems(Database& database, int version) {
    auto fresh = Database::open(":memory:", OpenMode::kCreate);
    if (!fresh) return Failure(fresh.error());
    for (int from = 0; from < version; ++from) {
        if (auto ok = take_step(*fresh, from, 1); !ok) return Failure(ok.error());
    }
    auto expected = read_schema(*fresh);
    if (!expected) return Failure(expected.error());
    auto found = read_schema(database);
    if (!found) return Failure(found.error());
    std::vector<std::string> problems;
    for (const auto& [name, sql] : *expected) {
        auto at = found->find(name);
        if (at == found->end()) {
            problems.push_back("schema: " + name + " is missing");
        } else if (at->second != sql) {
            problems.push_back("schema: " + name + " is not what format " +
                               std::to_string(version) + " has");
        }
    }
    for (const auto& [name, sql] : *found) {
        if (!expected->contains(name)) {
            problems.push_back("schema: " + name + " is none of format " + std::to_string(version));
        }
    }
    return problems;
}

}  // namespace zq::store
