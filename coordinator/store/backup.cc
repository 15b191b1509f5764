#include "coordinator/store/backup.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "common/platform/clock.h"
#include "common/platform/files.h"
#include "common/platform/json.h"
#include "coordinator/store/artifact_files.h"
#include "coordinator/store/batch_writer.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/storage_reserve.h"

namespace zq::store {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSpareBytes = 64ULL << 20;  // a running coordinator's disk is not filled up

std::string mark_path(const std::string& folder) {
    return folder + "/backup.json";
}
/// There from the first moment on, until the mark is.
std::string unfinished_path(const std::string& folder) {
    return folder + "/backup.unfinished";
}
std::string artifacts_path(const std::string& folder) {
    return folder + "/artifacts";
}

bool exists(const std::string& path) {
    std::error_code none;
    return fs::exists(path, none);
}

Failure unfinished(const std::string& folder) {
    return fail(ErrorCode::CONFLICT,
                folder + " is an unfinished backup: remove it, and make another one", "folder");
}

/// True if `inner` is `outer`, or lies in it.
bool lies_in(const fs::path& inner, const fs::path& outer) {
    const auto [a, b] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
    return a == outer.end();
}

Result<std::string> resolve(const std::string& path) {
    std::error_code failed;
    std::string resolved = fs::weakly_canonical(fs::absolute(path, failed), failed).string();
    if (failed) return fail(ErrorCode::INVALID, path + ": " + failed.message(), "folder");
    while (resolved.size() > 1 && resolved.back() == '/') resolved.pop_back();
    return resolved;
}

std::string to_text(const BackupMark& mark) {
    Json json = Json::object();
    json.set("schema", Json::text("zq/backup-mark/v1"));
    json.set("version", to_json(kBackupVersion));
    json.set("journal", Json::text(to_hex(mark.journal)));
    json.set("format", to_json(mark.format));
    json.set("last_seq", to_json(mark.last_seq));
    json.set("chain_head", to_json(mark.chain_head));
    json.set("artifacts", to_json(mark.artifacts));
    json.set("bytes", to_json(mark.bytes));
    json.set("at_ms", Json::number(mark.at.ms));
    json.set("program", Json::text(mark.program));
    return json.dump(2) + "\n";
}

/// The number under a key; nothing where it is none that a mark may have.
std::optional<std::uint64_t> number_in(const Json& json, const char* key) {
    const auto found = json.find(key);
    const auto number = found ? found->as_integer() : std::nullopt;
    if (!number || *number < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*number);
}
std::optional<JournalId> journal_id_in(const std::string& hex) {
    JournalId id = 0;
    const char* end = hex.data() + hex.size();
    const auto read = std::from_chars(hex.data(), end, id, 16);
    if (hex.size() != 16 || read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return id;
}
std::string text_in(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found ? found->as_text().value_or("") : "";
}

Result<BackupMark> parse_mark(const std::string& text, const std::string& path) {
    Failure damaged = fail(ErrorCode::IO, path + " is damaged", "folder");
    auto json = Json::parse(text, path);
    if (!json || !json->is_object()) return damaged;
    const auto version = number_in(*json, "version");
    if (!version) return damaged;
    if (*version != kBackupVersion) {
        return fail(ErrorCode::UNSUPPORTED_VERSION,
                    "the backup has version " + std::to_string(*version) +
                        ", this program knows version " + std::to_string(kBackupVersion) +
                        ": use the program that made it");
    }
    const auto journal = journal_id_in(text_in(*json, "journal"));
    const auto head = parse_digest(text_in(*json, "chain_head"));
    const auto format = number_in(*json, "format");
    const auto seq = number_in(*json, "last_seq");
    const auto artifacts = number_in(*json, "artifacts");
    const auto bytes = number_in(*json, "bytes");
    const auto at = number_in(*json, "at_ms");
    if (!journal || !head || !format || !seq || !artifacts || !bytes || !at) return damaged;
    BackupMark mark;
    mark.journal = *journal;
    mark.format = static_cast<int>(*format);
    mark.last_seq = static_cast<Seq>(*seq);
    mark.chain_head = *head;
    mark.artifacts = *artifacts;
    mark.bytes = *bytes;
    mark.at = Instant{static_cast<std::int64_t>(*at)};
    mark.program = text_in(*json, "program");
    return mark;
}

/// The database as of one commit. A reader's VACUUM INTO sees one snapshot and hinders no commit
/// (the write-ahead log grows for as long as it reads); the backup API would begin anew at every
/// write.
Result<void> copy_journal(const BackupOrder& order, const std::atomic<bool>& stop) {
    auto source = Database::open(journal_path(order.data), OpenMode::kReadOnly);
    if (!source) return Failure(source.error());
    source->stop_when(stop);
    if (auto ok = source->run("PRAGMA trusted_schema = OFF"); !ok) return ok;
    auto bytes =
        source->number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
    if (!bytes) return Failure(bytes.error());
    auto room = free_bytes(order.into);
    if (!room) return Failure(room.error());
    if (*room < static_cast<std::uint64_t>(*bytes) + kSpareBytes) {
        return fail(ErrorCode::STORAGE_FULL, "no room for the journal in " + order.into);
    }
    return source->copy_to(journal_path(order.into));
}

Result<BackupMark> write_all(const BackupOrder& order, const std::atomic<bool>& stop) {
    if (auto ok = copy_journal(order, stop); !ok) return Failure(ok.error());
    auto copy = Database::open(journal_path(order.into), OpenMode::kUnchanging);
    if (!copy) return Failure(copy.error());
    auto meta = read_meta(*copy);
    if (!meta) return Failure(meta.error());
    auto format = format_version(*copy);
    if (!format) return Failure(format.error());
    // Content is on disk before its event, and while a backup is under way no file is removed
    // (retention_desk.h): whatever the copy names is there.
    auto taken = take_artifacts(*copy, artifacts_path(order.data), artifacts_path(order.into),
                                Proof::kDigest, &stop);
    if (!taken) return Failure(taken.error());
    std::error_code none;
    BackupMark mark;
    mark.journal = meta->journal;
    mark.format = *format;
    mark.last_seq = meta->last_seq;
    mark.chain_head = meta->chain_head;
    mark.artifacts = taken->count;
    mark.bytes = taken->bytes + fs::file_size(journal_path(order.into), none);
    mark.at = wall_time();
    mark.program = order.program;
    if (auto ok = sync_folder(order.into); !ok) return Failure(ok.error());
    auto ok = write_file(mark_path(order.into), to_text(mark), 0600, Durability::kSynced);
    if (!ok) return Failure(ok.error());
    fs::remove(unfinished_path(order.into), none);
    return mark;
}

}  // namespace

Result<std::string> take_backup_folder(const std::string& folder, const std::string& data) {
    auto into = resolve(folder);
    if (!into) return into;
    auto own = resolve(data);
    if (!own) return own;
    if (lies_in(*into, *own)) {
        return fail(ErrorCode::INVALID, *into + " lies in the coordinator's own data folder",
                    "folder");
    }
    std::error_code failed;
    const bool there = fs::exists(*into, failed);
    if (there && !fs::is_directory(*into, failed)) {
        return fail(ErrorCode::INVALID, *into + " is no folder", "folder");
    }
    if (there && !fs::is_empty(*into, failed)) {
        if (exists(unfinished_path(*into))) return unfinished(*into);
        return fail(ErrorCode::CONFLICT, *into + " is not empty: name a new folder", "folder");
    }
    if (failed) return fail(ErrorCode::INVALID, *into + ": " + failed.message(), "folder");
    auto made = make_folders(*into, 0700, Durability::kSynced);
    if (!made) return fail(ErrorCode::INVALID, made.error().message, "folder");
    return into;
}

Result<BackupMark> write_backup(const BackupOrder& order, const std::atomic<bool>& stop) {
    auto begun = write_file(unfinished_path(order.into), "zq backup create has not finished\n",
                            0600, Durability::kSynced);
    if (!begun) return Failure(begun.error());
    auto mark = write_all(order, stop);
    if (mark) return mark;
    std::error_code ignored;
    for (const std::string& made : {mark_path(order.into), journal_path(order.into),
                                    artifacts_path(order.into), unfinished_path(order.into)}) {
        fs::remove_all(made, ignored);
    }
    if (!stop) return mark;
    return fail(ErrorCode::SHUTTING_DOWN, "the coordinator closed before the backup was finished");
}

bool is_backup(const std::string& folder) {
    return exists(mark_path(folder)) || exists(unfinished_path(folder));
}

Result<BackupMark> read_backup_mark(const std::string& folder) {
    const std::string path = mark_path(folder);
    auto text = read_file(path);
    if (text) return parse_mark(*text, path);
    if (text.error().code != ErrorCode::NOT_FOUND) return Failure(text.error());
    if (exists(unfinished_path(folder))) return unfinished(folder);
    return fail(ErrorCode::NOT_FOUND, "there is no backup in " + folder);
}

Result<VerifyReport> verify_backup(const std::string& folder) {
    auto mark = read_backup_mark(folder);
    if (!mark) return Failure(mark.error());
    auto report = verify(folder, VerifyDepth::kContents);
    if (!report || !report->problems.empty()) return report;
    if (report->journal != mark->journal || report->last_seq != mark->last_seq ||
        report->head != mark->chain_head) {
        report->problems.push_back(
            "the journal is not the one that backup.json speaks of: it ends"
            " with event " +
            std::to_string(report->last_seq) + ", not " + std::to_string(mark->last_seq));
    }
    return report;
}

Result<RestoreReport> restore_backup(const std::string& folder, const RestoreOrder& order) {
    auto report = verify_backup(folder);
    if (!report) return Failure(report.error());
    if (!report->problems.empty()) {
        return fail(ErrorCode::IO, folder + " is damaged: " + report->problems.front(), "folder");
    }
    auto journal = OfflineJournal::open(folder);
    if (!journal) return Failure(journal.error());
    return restore(*journal, order);
}

}  // namespace zq::store
