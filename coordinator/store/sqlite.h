// SQLite as the store uses it: a connection, its statements, a transaction. The only header beside
// sqlite.cc that knows of the library; it knows no table. A connection and its statements belong to
// one thread at a time. Failures are `STORAGE_FULL` (the disk), `CONFLICT` (another process has the
// database), `IO` (everything else).
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.h"
#include "common/base/ids.h"

struct sqlite3;
struct sqlite3_stmt;

namespace zq::store {

enum class ColumnKind : std::uint8_t { kNull, kInteger, kText, kBlob };

/// A prepared statement, kept for the connection's life. Columns and parameters count from 0 and 1,
/// as in SQLite. What is bound is not copied: it must live until the statement is reset.
class Statement {
  public:
    Statement() = default;
    Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
    Statement& operator=(Statement&& other) noexcept;
    ~Statement();

    Statement& integer(int parameter, std::int64_t value);
    /// Unsigned 64-bit numbers are kept as the signed number of the same bits.
    Statement& number(int parameter, std::uint64_t value);
    Statement& text(int parameter, std::string_view value);
    Statement& blob(int parameter, std::string_view value);
    Statement& digest(int parameter, const Digest& value);
    Statement& null(int parameter);

    /// True: a row is there.
    Result<bool> step();
    /// Steps to the end and resets.
    Result<void> run();
    void reset();

    std::int64_t integer_at(int column) const;
    std::uint64_t number_at(int column) const;
    /// Valid until the next step or reset.
    std::string_view text_at(int column) const;
    std::string_view blob_at(int column) const;
    /// Errors: IO if the column has not 32 bytes.
    Result<Digest> digest_at(int column) const;
    bool is_null(int column) const;
    ColumnKind kind_at(int column) const;
    int columns() const;

  private:
    friend class Database;
    explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
    sqlite3_stmt* statement_ = nullptr;
};

/// Resets a statement when the scope ends, so that no read transaction stays open.
class ResetAtEnd {
  public:
    explicit ResetAtEnd(Statement& statement) : statement_(statement) {}
    ResetAtEnd(const ResetAtEnd&) = delete;
    ResetAtEnd& operator=(const ResetAtEnd&) = delete;
    ~ResetAtEnd() { statement_.reset(); }

  private:
    Statement& statement_;
};

enum class OpenMode : std::uint8_t {
    kCreate,      // read and write, made if missing
    kExisting,    // read and write; must be there
    kReadOnly,    // beside a writing connection of this process
    kUnchanging,  // read only, without locks and without a log: nobody can write it meanwhile
};

enum class Checkpoint : std::uint8_t {
    kPassive,   // as far as it goes without waiting
    kTruncate,  // all of it, synced, and the log emptied
    kEmpty,     // the same if no reader is in the way; else what kPassive does
};

class Database {
  public:
    /// Opens with vfs unix-excl: other processes are kept out, and readers in this one get in.
    static Result<Database> open(const std::string& path, OpenMode mode);

    Database(Database&& other) noexcept;
    Database& operator=(Database&& other) noexcept;
    ~Database();

    Result<Statement> prepare(std::string_view sql);
    /// Runs statements that give no rows (pragmas may give some; they are dropped).
    Result<void> run(const std::string& sql);
    /// The first column of the first row.
    Result<std::int64_t> number(std::string_view sql);
    Result<std::string> text(std::string_view sql);

    /// The whole database, as of its last commit, into a new file: synced, for this user alone, and
    /// without what its pages hold of deleted rows. Errors: IO, STORAGE_FULL.
    Result<void> copy_to(const std::string& path);
    /// What this connection does fails (IO) soon after `stop` becomes true; it must outlive it.
    void stop_when(const std::atomic<bool>& stop);

    bool in_transaction() const;
    Result<void> checkpoint(Checkpoint kind);
    /// Pages in the write-ahead log after the last commit on this connection.
    int log_pages() const;
    /// Leaves the log as it is when the last connection closes.
    void keep_log_on_close();

  private:
    struct Body;
    explicit Database(Body* body) : body_(body) {}
    Body* body_ = nullptr;
};

}  // namespace zq::store
