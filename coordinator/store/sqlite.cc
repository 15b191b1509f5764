#include "coordinator/store/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

#include "common/base/check.h"
#include "common/platform/files.h"

namespace zq::store {
namespace {

constexpr int kBusyWaitMs = 5'000;
constexpr int kLookEvery = 10'000;  // virtual machine steps between two looks at a stop flag

Failure failure(sqlite3* connection, int code) {
    ErrorCode kind = ErrorCode::IO;
    if ((code & 0xff) == SQLITE_FULL) kind = ErrorCode::STORAGE_FULL;
    if ((code & 0xff) == SQLITE_BUSY) kind = ErrorCode::CONFLICT;
    std::string message = "journal database: ";
    message += connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
    message += " (SQLite code " + std::to_string(code) + ")";
    return fail(kind, std::move(message));
}

/// The file as one that nobody writes: read without locks, its log not looked at.
std::string immutable_uri(const std::string& path) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string uri = "file:";
    for (const char c : path) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' || c == '.') {
            uri += c;
        } else {
            uri += '%';
            uri += kHex[static_cast<unsigned char>(c) >> 4];
            uri += kHex[static_cast<unsigned char>(c) & 15];
        }
    }
    return uri + "?immutable=1";
}

int note_log_pages(void* pages, sqlite3*, const char*, int count) {
    *static_cast<int*>(pages) = count;
    return SQLITE_OK;
}

}  // namespace

Statement& Statement::operator=(Statement&& other) noexcept {
    if (this != &other) {
        sqlite3_finalize(statement_);
        statement_ = std::exchange(other.statement_, nullptr);
    }
    return *this;
}

Statement::~Statement() {
    sqlite3_finalize(statement_);
}

// A bind fails only on a wrong number or on something over SQLite's 1 GB limit: a bug of ours.
Statement& Statement::integer(int parameter, std::int64_t value) {
    ZQ_CHECK(sqlite3_bind_int64(statement_, parameter, value) == SQLITE_OK);
    return *this;
}

Statement& Statement::number(int parameter, std::uint64_t value) {
    return integer(parameter, static_cast<std::int64_t>(value));
}

Statement& Statement::text(int parameter, std::string_view value) {
    // A null pointer would bind NULL instead of the empty text.
    const char* data = value.data() != nullptr ? value.data() : "";
    ZQ_CHECK(sqlite3_bind_text64(statement_, parameter, data, value.size(), SQLITE_STATIC,
                                 SQLITE_UTF8) == SQLITE_OK);
    return *this;
}

Statement& Statement::blob(int parameter, std::string_view value) {
    const char* data = value.data() != nullptr ? value.data() : "";
    ZQ_CHECK(sqlite3_bind_blob64(statement_, parameter, data, value.size(), SQLITE_STATIC) ==
             SQLITE_OK);
    return *this;
}

Statement& Statement::digest(int parameter, const Digest& value) {
    return blob(parameter, {reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()});
}

Statement& Statement::null(int parameter) {
    ZQ_CHECK(sqlite3_bind_null(statement_, parameter) == SQLITE_OK);
    return *this;
}

Result<bool> Statement::step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return failure(sqlite3_db_handle(statement_),
                   sqlite3_extended_errcode(sqlite3_db_handle(statement_)));
}

Result<void> Statement::run() {
    ResetAtEnd reset_at_end(*this);
    while (true) {
        auto row = step();
        if (!row) return Failure(row.error());
        if (!*row) return {};
    }
}

void Statement::reset() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

std::int64_t Statement::integer_at(int column) const {
    return sqlite3_column_int64(statement_, column);
}

std::uint64_t Statement::number_at(int column) const {
    return static_cast<std::uint64_t>(integer_at(column));
}

std::string_view Statement::text_at(int column) const {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    if (data == nullptr) return {};
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Statement::blob_at(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    if (data == nullptr) return {};
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Result<Digest> Statement::digest_at(int column) const {
    const std::string_view bytes = blob_at(column);
    Digest digest;
    if (bytes.size() != digest.bytes.size()) {
        return fail(ErrorCode::IO, "journal database: a digest has not 32 bytes");
    }
    std::copy(bytes.begin(), bytes.end(), digest.bytes.begin());
    return digest;
}

bool Statement::is_null(int column) const {
    return kind_at(column) == ColumnKind::kNull;
}

ColumnKind Statement::kind_at(int column) const {
    switch (sqlite3_column_type(statement_, column)) {
        case SQLITE_INTEGER:
            return ColumnKind::kInteger;
        case SQLITE_TEXT:
            return ColumnKind::kText;
        case SQLITE_NULL:
            return ColumnKind::kNull;
        default:
            return ColumnKind::kBlob;  // no column of ours is a float
    }
}

int Statement::columns() const {
    return sqlite3_column_count(statement_);
}

struct Database::Body {
    sqlite3* connection = nullptr;
    int log_pages = 0;
};

Result<Database> Database::open(const std::string& path, OpenMode mode) {
    // Nobody reads its statistics of memory, and each allocation would take a lock for them. Before
    // the library is used first; later calls change nothing.
    static const int configured = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    ZQ_CHECK(configured == SQLITE_OK || configured == SQLITE_MISUSE);
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    switch (mode) {
        case OpenMode::kCreate:
            flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
            break;
        case OpenMode::kExisting:
            flags |= SQLITE_OPEN_READWRITE;
            break;
        case OpenMode::kReadOnly:
            flags |= SQLITE_OPEN_READONLY;
            break;
        case OpenMode::kUnchanging:
            flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
            break;
    }
    const std::string name = mode == OpenMode::kUnchanging ? immutable_uri(path) : path;
    Database database(new Body);
    Body& body = *database.body_;
    const int code = sqlite3_open_v2(name.c_str(), &body.connection, flags, "unix-excl");
    if (code != SQLITE_OK) {
        Failure failed = failure(body.connection, code);
        failed.value().message += ": " + path;
        return failed;
    }
    sqlite3_busy_timeout(body.connection, kBusyWaitMs);
    // Nothing but our own checkpoints: a second checkpointing connection may lose commits
    // (sqlite.org/wal.html, "walresetbug").
    sqlite3_wal_autocheckpoint(body.connection, 0);
    sqlite3_wal_hook(body.connection, &note_log_pages, &body.log_pages);
    if (mode == OpenMode::kReadOnly) database.keep_log_on_close();
    return database;
}

Database::Database(Database&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}

Database& Database::operator=(Database&& other) noexcept {
    std::swap(body_, other.body_);
    return *this;
}

Database::~Database() {
    if (body_ == nullptr) return;
    sqlite3_close_v2(body_->connection);
    delete body_;
}

Result<Statement> Database::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(body_->connection, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return failure(body_->connection, code);
    return Statement(statement);
}

Result<void> Database::run(const std::string& sql) {
    const int code = sqlite3_exec(body_->connection, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return failure(body_->connection, code);
    return {};
}

// A statement that changes something (PRAGMA journal_mode) commits after its only row: it is
// stepped to its end, or a failure there would go unnoticed.
Result<std::int64_t> Database::number(std::string_view sql) {
    auto statement = prepare(sql);
    if (!statement) return Failure(statement.error());
    auto row = statement->step();
    if (!row) return Failure(row.error());
    if (!*row) return 0;
    const std::int64_t number = statement->integer_at(0);
    if (auto ok = statement->run(); !ok) return Failure(ok.error());
    return number;
}

Result<std::string> Database::text(std::string_view sql) {
    auto statement = prepare(sql);
    if (!statement) return Failure(statement.error());
    auto row = statement->step();
    if (!row) return Failure(row.error());
    if (!*row) return std::string();
    std::string text(statement->text_at(0));
    if (auto ok = statement->run(); !ok) return Failure(ok.error());
    return text;
}

Result<void> Database::copy_to(const std::string& path) {
    auto copy = prepare("VACUUM INTO ?1");
    if (!copy) return Failure(copy.error());
    if (auto ok = copy->text(1, path).run(); !ok) return ok;
    // SQLite does not sync what it vacuums into.
    const FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.is_open() && ::fchmod(file.fd(), 0600) == 0 && ::fsync(file.fd()) == 0) return {};
    return fail(ErrorCode::IO, "cannot sync " + path);
}

void Database::stop_when(const std::atomic<bool>& stop) {
    const auto look = [](void* flag) {
        return static_cast<std::atomic<bool>*>(flag)->load() ? 1 : 0;
    };
    sqlite3_progress_handler(body_->connection, kLookEvery, look,
                             const_cast<std::atomic<bool>*>(&stop));
}

bool Database::in_transaction() const {
    return sqlite3_get_autocommit(body_->connection) == 0;
}

Result<void> Database::checkpoint(Checkpoint kind) {
    const int mode =
        kind == Checkpoint::kPassive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE;
    // Only kTruncate waits for readers.
    if (kind == Checkpoint::kEmpty) sqlite3_busy_timeout(body_->connection, 0);
    const int code = sqlite3_wal_checkpoint_v2(body_->connection, "main", mode, nullptr, nullptr);
    if (kind == Checkpoint::kEmpty) sqlite3_busy_timeout(body_->connection, kBusyWaitMs);
    if (code == SQLITE_BUSY && kind != Checkpoint::kTruncate) return {};
    if (code != SQLITE_OK) return failure(body_->connection, code);
    if (kind != Checkpoint::kPassive) body_->log_pages = 0;
    return {};
}

int Database::log_pages() const {
    return body_->log_pages;
}

void Database::keep_log_on_close() {
    sqlite3_db_config(body_->connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

}  // namespace zq::store
