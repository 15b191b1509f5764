#include "coordinator/store/commit_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>

#include "common/base/check.h"
#include "common/platform/digest.h"

namespace zq::store {
namespace {

constexpr std::string_view kFileMark = "zq commit log 1\n";
constexpr std::string_view kAnyFileMark = "zq commit log ";
constexpr std::string_view kRecordMark = "zqcl";
constexpr std::size_t kBlock = 4'096;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHeadBytes = 72;
constexpr std::uint64_t kLargestFile = 1ULL << 30;  // far beyond what may be unsettled

Failure os_error(const std::string& what, const std::string& path) {
    const ErrorCode code =
        errno == ENOSPC || errno == EDQUOT ? ErrorCode::STORAGE_FULL : ErrorCode::IO;
    return fail(code, what + " " + path + ": " + std::strerror(errno));
}

void put_number(std::string& out, std::uint64_t value, int size) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
        out += static_cast<char>(value >> shift & 0xff);
    }
}

void put_digest(std::string& out, const Digest& digest) {
    out.append(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size());
}

void pad(std::string& out) {
    out.resize((out.size() + kBlock - 1) / kBlock * kBlock, '\0');
}

/// Takes what `put_…` wrote; after the first that is not there nothing is.
class Taker {
  public:
    explicit Taker(std::string_view bytes) : bytes_(bytes) {}

    std::string_view bytes(std::uint64_t size) {
        if (size > bytes_.size()) {
            whole_ = false;
            bytes_ = {};
            return {};
        }
        const std::string_view taken = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return taken;
    }
    std::uint64_t number(std::size_t size) {
        std::uint64_t value = 0;
        for (const char byte : bytes(size)) value = value << 8 | static_cast<unsigned char>(byte);
        return value;
    }
    Digest digest() {
        Digest digest;
        const std::string_view taken = bytes(digest.bytes.size());
        std::copy(taken.begin(), taken.end(), reinterpret_cast<char*>(digest.bytes.data()));
        return digest;
    }
    /// All was there, and nothing is left.
    bool is_done() const { return whole_ && bytes_.empty(); }
    bool is_whole() const { return whole_; }

  private:
    std::string_view bytes_;
    bool whole_ = true;
};

/// A record whose first bytes are in order.
struct Record {
    Seq first = 0;
    std::uint64_t events = 0;
    std::uint64_t contents = 0;
    Digest head;
    std::string_view payload;
};

std::optional<Record> record_at(std::string_view file, std::size_t at, std::string_view salt) {
    Taker head(file.substr(std::min(at, file.size())));
    const bool marked = head.bytes(kRecordMark.size()) == kRecordMark;
    const bool salted = head.bytes(kSaltBytes) == salt;
    const std::uint64_t size = head.number(4);
    Record record;
    record.first = head.number(8);
    record.events = head.number(4);
    record.contents = head.number(4);
    record.head = head.digest();
    if (!marked || !salted || size < kHeadBytes || !head.is_whole()) return std::nullopt;
    record.payload = head.bytes(size - kHeadBytes);
    if (!head.is_whole()) return std::nullopt;
    return record;
}

/// Records from the file's begin to the first that is none, and the first events of those of the
/// same turn that lie behind it: nothing is written behind one that was not written whole.
struct Records {
    std::vector<Record> whole;
    std::vector<Seq> behind;
};
Result<Records> records_of(std::string_view file, const std::string& path) {
    Records records;
    const std::string_view mark = file.substr(0, kFileMark.size());
    if (mark != kFileMark) {
        if (mark.substr(0, kAnyFileMark.size()) != kAnyFileMark) return records;
        return fail(ErrorCode::UNSUPPORTED_VERSION,
                    path + " was written by a newer program: use that one");
    }
    if (file.size() < kBlock) return records;
    const std::string_view salt = file.substr(kFileMark.size(), kSaltBytes);
    std::size_t at = kBlock;
    while (auto record = record_at(file, at, salt)) {
        const std::size_t size = kHeadBytes + record->payload.size();
        at += (size + kBlock - 1) / kBlock * kBlock;
        records.whole.push_back(*record);
    }
    for (at += kBlock; at < file.size(); at += kBlock) {
        if (auto record = record_at(file, at, salt)) records.behind.push_back(record->first);
    }
    return records;
}

/// The batch, if it follows the chain's `head` and is whole.
std::optional<LoggedBatch> decode(const Record& record, const Digest& head) {
    LoggedBatch batch;
    Taker payload(record.payload);
    Digest chain = head;
    for (std::uint64_t i = 0; i < record.events && payload.is_whole(); ++i) {
        EventRow row;
        row.header = payload.bytes(payload.number(4));
        row.body = payload.bytes(payload.number(4));
        row.body_digest = sha256(row.body);
        row.hash = chain = chain_hash(chain, row.header, row.body_digest);
        auto event = decode_event(row.header, row.body);
        if (!payload.is_whole() || !event || event->seq != record.first + i) return std::nullopt;
        batch.events.push_back(std::move(*event));
        batch.rows.push_back(std::move(row));
    }
    for (std::uint64_t i = 0; i < record.contents && payload.is_whole(); ++i) {
        InlineContent content;
        content.digest = payload.digest();
        content.data = payload.bytes(payload.number(8));
        if (sha256(content.data) != content.digest) return std::nullopt;
        batch.contents.push_back(std::move(content));
    }
    if (!payload.is_done() || batch.events.empty() || chain != record.head) return std::nullopt;
    return batch;
}

}  // namespace

std::array<std::string, 2> commit_log_paths(const std::string& folder) {
    return {folder + "/commit-log.0", folder + "/commit-log.1"};
}

Result<CommitLog> CommitLog::open(const std::string& folder, std::size_t turn_bytes) {
    std::array<File, 2> files;
    const auto paths = commit_log_paths(folder);
    for (std::size_t i = 0; i < files.size(); ++i) {
        files.at(i).path = paths.at(i);
        files.at(i).handle = FileHandle(
            ::open(paths.at(i).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!files.at(i).handle.is_open()) return os_error("cannot make", paths.at(i));
    }
    return CommitLog(std::move(files), turn_bytes);
}

Result<void> CommitLog::read(Seq last, Digest head,
                             const std::function<Result<void>(LoggedBatch)>& take) const {
    std::array<std::string, 2> bytes;
    std::multimap<Seq, Record> records;
    std::vector<Seq> behind;
    for (std::size_t i = 0; i < files_.size(); ++i) {
        auto file = read_file(files_.at(i).path, kLargestFile);
        if (!file) return Failure(file.error());
        bytes.at(i) = std::move(*file);
        auto found = records_of(bytes.at(i), files_.at(i).path);
        if (!found) return Failure(found.error());
        for (Record& record : found->whole) records.emplace(record.first, record);
        behind.insert(behind.end(), found->behind.begin(), found->behind.end());
    }
    bool more = true;
    while (more) {
        more = false;
        const auto [first, end] = records.equal_range(last + 1);
        for (auto at = first; at != end && !more; ++at) {
            auto batch = decode(at->second, head);
            if (!batch) continue;
            last = batch->events.back().seq;
            head = batch->rows.back().hash;
            if (auto ok = take(std::move(*batch)); !ok) return ok;
            more = true;
        }
    }
    const bool has_later =
        records.upper_bound(last + 1) != records.end() ||
        std::any_of(behind.begin(), behind.end(), [&](Seq first) { return first > last + 1; });
    if (!has_later) return {};
    return fail(
        ErrorCode::IO,
        "the commit log has events after " + std::to_string(last + 1) +
            ", but not that one: journal.db is not the one that it belongs to, or the disk"
            " has lost what was synced; restore a backup, or put the right journal.db back");
}

Result<void> CommitLog::append(const std::vector<EventRow>& rows,
                               const std::vector<InlineContent>& contents, Seq first) {
    const bool changes = at_ >= turn_bytes_ && files_.at(1 - turn_).last <= settled_;
    const std::size_t turn = changes ? 1 - turn_ : turn_;
    const bool anew = at_ == 0 || changes;
    std::size_t size = kHeadBytes;
    for (const EventRow& row : rows) size += 8 + row.header.size() + row.body.size();
    for (const InlineContent& content : contents) size += 40 + content.data.size();
    ZQ_CHECK(size <= UINT32_MAX);

    const std::string salt = anew ? random_bytes(kSaltBytes) : salt_;
    std::string bytes;
    bytes.reserve(size + 2 * kBlock);
    if (anew) {
        bytes += kFileMark;
        bytes += salt;
        pad(bytes);
    }
    bytes += kRecordMark;
    bytes += salt;
    put_number(bytes, size, 4);
    put_number(bytes, first, 8);
    put_number(bytes, rows.size(), 4);
    put_number(bytes, contents.size(), 4);
    put_digest(bytes, rows.back().hash);
    for (const EventRow& row : rows) {
        put_number(bytes, row.header.size(), 4);
        bytes += row.header;
        put_number(bytes, row.body.size(), 4);
        bytes += row.body;
    }
    for (const InlineContent& content : contents) {
        put_digest(bytes, content.digest);
        put_number(bytes, content.data.size(), 8);
        bytes += content.data;
    }
    pad(bytes);

    File& file = files_.at(turn);
    if (anew && file.scrub && ::ftruncate(file.handle.fd(), 0) != 0) {
        return os_error("cannot empty", file.path);
    }
    const std::size_t begin = anew ? 0 : at_;
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t put = ::pwrite(file.handle.fd(), bytes.data() + done, bytes.size() - done,
                                     static_cast<off_t>(begin + done));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return os_error("cannot write", file.path);
        done += static_cast<std::size_t>(put);
    }
    // After a failed sync nobody knows what is on the disk: also where it was for want of room.
    if (::fdatasync(file.handle.fd()) != 0) {
        return fail(ErrorCode::IO, "cannot sync " + file.path + ": " + std::strerror(errno));
    }
    turn_ = turn;
    salt_ = salt;
    at_ = begin + bytes.size();
    file.last = first + rows.size() - 1;
    file.scrub = file.scrub && !anew;
    return {};
}

void CommitLog::scrub() {
    for (File& file : files_) file.scrub = true;
}

bool CommitLog::is_settled() const {
    return std::all_of(files_.begin(), files_.end(),
                       [&](const File& file) { return file.last <= settled_; });
}

Result<void> CommitLog::wipe() {
    ZQ_CHECK(is_settled());
    for (File& file : files_) {
        const bool done = ::ftruncate(file.handle.fd(), 0) == 0 && ::fsync(file.handle.fd()) == 0;
        if (!done)
            return fail(ErrorCode::IO, "cannot empty " + file.path + ": " + std::strerror(errno));
        file.scrub = false;
    }
    at_ = 0;
    return {};
}

void CommitLog::remove() {
    ZQ_CHECK(is_settled());
    for (const File& file : files_) ::unlink(file.path.c_str());
}

}  // namespace zq::store
