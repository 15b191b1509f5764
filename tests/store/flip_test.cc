// No byte of a journal can change unseen: every column of every row, through SQL; and the bytes of
// the file itself, where a change must be found or leave everything that can be read as it was.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "common/platform/digest.h"
#include "common/platform/files.h"
#include "coordinator/store/archive.h"
#include "coordinator/store/folder_artifact_store.h"
#include "coordinator/store/row_sum.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/verify.h"
#include "tests/store/journal_bench.h"
#include "tests/store/story.h"

namespace zq::store {
namespace {

#if defined(ZQ_SANITIZED)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

struct Table {
    std::string name;
    std::vector<std::string> key;
};
const std::vector<Table> kTables = {
    {"journal", {"seq"}},
    {"bodies", {"seq"}},
    {"tasks", {"submitted_seq"}},
    {"attempts", {"ns", "task", "attempt"}},
    {"contents", {"digest"}},
    {"roles_served", {"ns", "role"}},
    {"requests", {"identity", "client", "request"}},
    {"meta", {"one"}},
    {"anchors", {"seq"}},
    {"base", {"place"}},
};

/// A value as SQLite has it.
struct Value {
    ColumnKind kind = ColumnKind::kNull;
    std::int64_t integer = 0;
    std::string bytes;
};

Value value_at(const Statement& row, int column) {
    switch (row.kind_at(column)) {
        case ColumnKind::kNull:
            return {};
        case ColumnKind::kInteger:
            return {ColumnKind::kInteger, row.integer_at(column), {}};
        case ColumnKind::kText:
            return {ColumnKind::kText, 0, std::string(row.text_at(column))};
        case ColumnKind::kBlob:
            return {ColumnKind::kBlob, 0, std::string(row.blob_at(column))};
    }
    return {};
}

void bind(Statement& statement, int parameter, const Value& value) {
    switch (value.kind) {
        case ColumnKind::kNull:
            statement.null(parameter);
            return;
        case ColumnKind::kInteger:
            statement.integer(parameter, value.integer);
            return;
        case ColumnKind::kText:
            statement.text(parameter, value.bytes);
            return;
        case ColumnKind::kBlob:
            statement.blob(parameter, value.bytes);
            return;
    }
}

/// The same value with one byte changed: at its beginning, its end, and a place between that
/// moves with `turn`, so that all of them are met over the rows. Every byte of a number.
std::vector<Value> flipped(const Value& value, std::size_t turn) {
    std::vector<Value> all;
    if (value.kind == ColumnKind::kInteger) {
        for (const int byte : {0, 4, 7, static_cast<int>(turn % 8)}) {
            Value other = value;
            other.integer ^= std::int64_t{1} << (8 * byte + static_cast<int>(turn % 8));
            all.push_back(other);
        }
        return all;
    }
    if (value.kind == ColumnKind::kNull) return {{ColumnKind::kBlob, 0, "x"}};
    if (value.bytes.empty()) return {{value.kind, 0, "x"}};
    const std::size_t size = value.bytes.size();
    for (const std::size_t at : {std::size_t{0}, turn * 31 % size, size - 1}) {
        Value other = value;
        other.bytes[at] = static_cast<char>(other.bytes[at] ^ 0x01);
        all.push_back(other);
    }
    return all;
}

struct Row {
    std::vector<std::string> columns;
    std::vector<Value> values;
    std::vector<Value> key;
};

class Flip : public testing::Test {
  protected:
    void SetUp() override {
        SqliteJournal journal(sqlite_options(folder.path()));
        Story story(acquire(journal));
        story.start(story.state().durable.journal);
        commit_all(journal, tell_everything(story, story.state().durable.journal, "a-"));
        ASSERT_TRUE(journal.close().has_value());
        artifacts = FolderArtifactStore::at(folder.path() + "/artifacts");
    }

    Database open() { return Database::open(path(), OpenMode::kExisting).value(); }
    std::string path() const { return journal_path(folder.path()); }

    std::vector<std::string> problems(Database& database) {
        return check_journal({database, kFormatVersion, *artifacts}).problems;
    }

    static std::vector<Row> rows_of(Database& database, const Table& table) {
        std::vector<std::string> columns;
        auto info = database.prepare("SELECT name FROM pragma_table_info(?1)").value();
        info.text(1, table.name);
        while (info.step().value()) columns.emplace_back(info.text_at(0));
        std::vector<Row> rows;
        auto all = database.prepare("SELECT * FROM " + table.name).value();
        while (all.step().value()) {
            Row row{columns, {}, {}};
            for (int i = 0; i < all.columns(); ++i) row.values.push_back(value_at(all, i));
            for (const std::string& key : table.key) {
                const auto at = std::find(columns.begin(), columns.end(), key) - columns.begin();
                row.key.push_back(row.values.at(static_cast<std::size_t>(at)));
            }
            rows.push_back(std::move(row));
        }
        return rows;
    }

    /// Puts another value into one column of one row. False: a constraint refuses it.
    static bool put(Database& database, const Table& table, const Row& row, std::size_t column,
                    const Value& value) {
        std::string sql = "UPDATE " + table.name + " SET " + row.columns[column] + " = ?1 WHERE ";
        for (std::size_t i = 0; i < table.key.size(); ++i) {
            sql += (i == 0 ? "" : " AND ") + table.key[i] + " = ?" + std::to_string(i + 2);
        }
        auto update = database.prepare(sql).value();
        bind(update, 1, value);
        for (std::size_t i = 0; i < row.key.size(); ++i) {
            bind(update, static_cast<int>(i) + 2, row.key[i]);
        }
        return update.run().has_value();
    }

    /// Everything that can be read of the journal, as one digest; empty where it cannot.
    static std::optional<Digest> dump(Database& database) {
        Sha256 hash;
        for (const Table& table : kTables) {
            auto all = database.prepare("SELECT * FROM " + table.name);
            if (!all) return std::nullopt;
            while (true) {
                auto row = all->step();
                if (!row) return std::nullopt;
                if (!*row) break;
                RowSum sum;
                sum.add(table.name, *all);
                hash.update(to_hex(sum.value()));
            }
        }
        return hash.finish();
    }

    /// A flip is a verify of the whole journal: under a sanitizer a part of them has to do.
    static constexpr std::size_t kEvery = kIsSanitized ? 7 : 1;

    void try_every_column() {
        Database database = open();
        ASSERT_EQ(problems(database), std::vector<std::string>{});
        int tried = 0;
        for (const Table& table : kTables) {
            const std::vector<Row> rows = rows_of(database, table);
            ASSERT_TRUE(!rows.empty() || table.name == "base") << table.name;
            for (std::size_t r = 0; r < rows.size(); ++r) {
                for (std::size_t c = 0; c < rows[r].columns.size(); ++c) {
                    if ((r * 31 + c) % kEvery != 0) continue;
                    for (const Value& value : flipped(rows[r].values[c], r + c)) {
                        ASSERT_TRUE(database.run("BEGIN").has_value());
                        if (put(database, table, rows[r], c, value)) {
                            ++tried;
                            EXPECT_NE(problems(database), std::vector<std::string>{})
                                << table.name << " row " << r << " " << rows[r].columns[c];
                        }
                        ASSERT_TRUE(database.run("ROLLBACK").has_value());
                    }
                }
            }
        }
        EXPECT_GT(tried, 1'000 / static_cast<int>(kEvery));
    }

    TemporaryFolder folder;
    std::unique_ptr<ArtifactStore> artifacts;
};

/// The same after older rows were dropped: then the table `base` has rows too.
class FlipAfterArchive : public Flip {
  protected:
    void SetUp() override {
        Flip::SetUp();
        Database database = open();
        auto cut_off = archive(database, {30, folder.path() + "/old", EndedTasks::kKeep});
        ASSERT_TRUE(cut_off.has_value()) << cut_off.error().message;
    }
};

TEST_F(Flip, OfAnyColumnOfAnyRowIsFound) {
    try_every_column();
}

TEST_F(FlipAfterArchive, OfAnyColumnOfAnyRowIsFound) {
    try_every_column();
}

/// Bytes between two that are tried; ZQ_FLIP_STRIDE=1 tries each (minutes).
std::size_t stride() {
    const char* text = std::getenv("ZQ_FLIP_STRIDE");
    return text == nullptr ? 127 : std::max<std::size_t>(1, std::strtoul(text, nullptr, 10));
}

TEST_F(Flip, OfAnyByteOfTheFileIsFoundOrChangesNothingThatCanBeRead) {
    std::optional<Digest> sound;
    {
        Database database = open();
        sound = dump(database);
        ASSERT_TRUE(sound.has_value());
    }
    const std::string bytes = read_file(path()).value();
    int found = 0;
    int harmless = 0;
    for (std::size_t at = 0; at < bytes.size(); at += stride()) {
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
        ASSERT_TRUE(write_file(path(), damaged, 0600, Durability::kNone).has_value());
        auto report = verify(folder.path(), VerifyDepth::kContents);
        if (!report || !report->problems.empty()) {
            ++found;
            continue;
        }
        Database database = open();
        database.keep_log_on_close();
        EXPECT_EQ(dump(database), sound) << "byte " << at << " was changed and nobody says so";
        ++harmless;
    }
    // The rest is room that no row uses.
    EXPECT_GT(found, 100) << harmless << " were harmless";
}

}  // namespace
}  // namespace zq::store
