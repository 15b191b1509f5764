// The database's format: its tables, its version, and the way from each older version to this one.
// The tables are drawn in schema.cc.
#pragma once

#include <string>
#include <vector>

#include "coordinator/store/sqlite.h"

namespace zq::store {

/// The format this program writes; it stands in PRAGMA user_version.
inline constexpr int kFormatVersion = 8;
/// The oldest one that it still reads and migrates.
inline constexpr int kOldestFormat = 1;

/// Pages of a new database: of twice SQLite's usual size, since rows come to the ends of its
/// tables, several kilobytes for each task, and each page is written twice.
inline constexpr int kPageBytes = 8'192;

/// The database's file in a data folder.
std::string journal_path(const std::string& folder);

/// Settings of a connection that writes; must come before anything else on a new database, whose
/// pages will have this size.
Result<void> configure_writer(Database& database, int page_bytes = kPageBytes);
/// Settings of a connection that only reads.
Result<void> configure_reader(Database& database);

/// 0: a new database. Errors: UNSUPPORTED_VERSION (newer or older than is known, or not a journal;
/// with what to do), IO.
Result<int> format_version(Database& database);

/// Brings the database to kFormatVersion; a new one gets its tables and `fresh` as its journal id.
/// Each step is one transaction. Errors as above.
Result<void> migrate(Database& database, JournalId fresh);

/// In which tables and indexes the database differs from what this version has: sentences.
Result<std::vector<std::string>> schema_problems(Database& database, int version);

}  // namespace zq::store
