#include "coordinator/store/archive_file.h"

#include <unistd.h>

#include "common/platform/files.h"
#include "coordinator/store/schema.h"

namespace zq::store {
namespace {

// "zqa1" as a number, in PRAGMA application_id.
constexpr std::int64_t kApplicationId = 0x7a716131;

// The two tables are those of format 1 (schema.cc); a later body format changes neither.
constexpr const char* kSchema = R"sql(
CREATE TABLE journal(
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  ns TEXT NOT NULL,
  task TEXT NOT NULL,
  kind INTEGER NOT NULL,
  version INTEGER NOT NULL,
  identity TEXT NOT NULL,
  body_digest BLOB NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE TABLE bodies(
  seq INTEGER PRIMARY KEY,
  body BLOB NOT NULL
) STRICT;
CREATE TABLE erased(            -- bodies that are not what they first were
  seq INTEGER PRIMARY KEY,
  digest BLOB NOT NULL          -- of what is left; a later event, here or in the journal, says so
) STRICT;
CREATE TABLE archive(           -- one row
  one INTEGER PRIMARY KEY CHECK (one = 1),
  journal_id INTEGER NOT NULL,
  before_seq INTEGER NOT NULL,  -- of the event before the first one
  before_head BLOB NOT NULL,
  last_seq INTEGER NOT NULL,
  last_head BLOB NOT NULL,
  events INTEGER NOT NULL
) STRICT;
)sql";

Result<ArchiveReport> read_report(Database& database) {
    auto row = database.prepare(
        "SELECT journal_id, before_seq, before_head, last_seq, last_head, events FROM archive");
    if (!row) return Failure(row.error());
    auto there = row->step();
    if (!there) return Failure(there.error());
    if (!*there) return fail(ErrorCode::IO, "the archive does not say what it holds");
    auto before = row->digest_at(2);
    if (!before) return Failure(before.error());
    auto last = row->digest_at(4);
    if (!last) return Failure(last.error());
    return ArchiveReport{row->number_at(0),
                         {row->number_at(1), *before},
                         {row->number_at(3), *last},
                         row->number_at(5)};
}

constexpr int kErasedSince = 7;  // the format whose archives have that table

Result<ErasedBodies> read_erased(Database& database) {
    ErasedBodies erased;
    auto version = database.number("PRAGMA user_version");
    if (!version) return Failure(version.error());
    if (*version < kErasedSince) return erased;
    auto rows = database.prepare("SELECT seq, digest FROM erased");
    if (!rows) return Failure(rows.error());
    while (true) {
        auto row = rows->step();
        if (!row) return Failure(row.error());
        if (!*row) return erased;
        auto digest = rows->digest_at(1);
        if (!digest) return Failure(digest.error());
        erased[rows->number_at(0)] = *digest;
    }
}

Result<void> check_owner(Database& database) {
    auto owner = database.number("PRAGMA application_id");
    if (!owner) return Failure(owner.error());
    if (*owner != kApplicationId) {
        return fail(ErrorCode::UNSUPPORTED_VERSION, "the file is not an archive of a zq journal");
    }
    auto version = database.number("PRAGMA user_version");
    if (!version) return Failure(version.error());
    if (*version < 1 || *version > kFormatVersion) {
        return fail(ErrorCode::UNSUPPORTED_VERSION, "the archive has format " +
                                                        std::to_string(*version) +
                                                        ": use the newer program that wrote it");
    }
    return {};
}

}  // namespace

Result<ArchiveFile> ArchiveFile::create(const std::string& path) {
    if (::access(path.c_str(), F_OK) == 0) {
        return fail(ErrorCode::CONFLICT, path + " exists: name a file that does not");
    }
    auto database = Database::open(path, OpenMode::kCreate);
    if (!database) return Failure(database.error());
    const std::string marks = "PRAGMA application_id = " + std::to_string(kApplicationId) +
                              "; PRAGMA user_version = " + std::to_string(kFormatVersion) +
                              "; PRAGMA synchronous = FULL; BEGIN IMMEDIATE;";
    if (auto ok = database->run(marks + kSchema); !ok) return Failure(ok.error());
    auto event =
        database->prepare("INSERT INTO journal VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
    if (!event) return Failure(event.error());
    auto body = database->prepare("INSERT INTO bodies VALUES (?1, ?2)");
    if (!body) return Failure(body.error());
    auto erased = database->prepare("INSERT INTO erased VALUES (?1, ?2)");
    if (!erased) return Failure(erased.error());
    return ArchiveFile(std::move(*database), std::move(*event), std::move(*body),
                       std::move(*erased));
}

Result<void> ArchiveFile::add(const ChainWalk& walk) {
    const core::Event& event = walk.event().event;
    auto ok = event_.number(1, event.seq)
                  .integer(2, event.at.ms)
                  .integer(3, event.epoch)
                  .text(4, event.task.ns.text)
                  .text(5, event.task.id.text)
                  .integer(6, walk.kind())
                  .integer(7, walk.version())
                  .text(8, event.identity.text)
                  .digest(9, walk.event().body_digest)
                  .digest(10, walk.event().hash)
                  .run();
    if (!ok) return ok;
    if (const auto digest = walk.erased()) {
        ok = erased_.number(1, event.seq).digest(2, *digest).run();
        if (!ok) return ok;
    }
    return body_.number(1, event.seq).blob(2, walk.body()).run();
}

Result<void> ArchiveFile::finish(const ArchiveReport& report) {
    auto row = database_.prepare("INSERT INTO archive VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)");
    if (!row) return Failure(row.error());
    auto ok = row->number(1, report.journal)
                  .number(2, report.before.seq)
                  .digest(3, report.before.head)
                  .number(4, report.last.seq)
                  .digest(5, report.last.head)
                  .number(6, report.events)
                  .run();
    if (!ok) return ok;
    return database_.run("COMMIT");
}

Result<ArchiveReport> verify_archive(const std::string& file) {
    if (::access(file.c_str(), F_OK) != 0) {
        return fail(ErrorCode::NOT_FOUND, "there is no archive " + file);
    }
    auto database = Database::open(file, OpenMode::kUnchanging);
    if (!database) return Failure(database.error());
    if (auto ok = check_owner(*database); !ok) return Failure(ok.error());
    auto sound = database->text("PRAGMA integrity_check(1)");
    if (!sound) return Failure(sound.error());
    if (*sound != "ok") return fail(ErrorCode::IO, "the archive's database: " + *sound);
    auto report = read_report(*database);
    if (!report) return report;
    auto erased = read_erased(*database);
    if (!erased) return Failure(erased.error());
    auto walk = ChainWalk::open(*database, std::move(*erased), report->before);
    if (!walk) return Failure(walk.error());
    std::uint64_t events = 0;
    while (true) {
        auto more = walk->next();
        if (!more) return Failure(more.error());
        if (!*more) break;
        ++events;
    }
    if (!walk->broken().empty()) return fail(ErrorCode::IO, walk->broken());
    if (walk->place() == report->last && events == report->events) return report;
    return fail(ErrorCode::IO, "the archive ends at event " + std::to_string(walk->place().seq) +
                                   ", not where it says it does");
}

}  // namespace zq::store
