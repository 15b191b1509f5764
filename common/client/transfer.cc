#include "common/client/transfer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <thread>

#include "common/platform/clock.h"
#include "common/platform/digest.h"
#include "common/platform/files.h"

namespace zq {
namespace {

constexpr Millis kSlice = millis(200);      // between two looks at `stop`
constexpr Millis kBusyPause = millis(500);  // where a refusal may pass and says not when

/// Refusals that are gone by themselves: the conversation starts again instead of ending.
bool passes(ErrorCode code) {
    return code == ErrorCode::BUSY || code == ErrorCode::SHUTTING_DOWN;
}

Failure io_error(const std::string& what, const std::string& path) {
    return fail(ErrorCode::IO, what + " " + path + ": " + std::strerror(errno));
}

Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t size,
                            const std::string& path) {
    std::string bytes(size, '\0');
    std::size_t have = 0;
    while (have < size) {
        const ssize_t got =
            ::pread(fd, bytes.data() + have, size - have, static_cast<off_t>(offset + have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_error("cannot read", path);
        if (got == 0) {
            return fail(ErrorCode::DIGEST_MISMATCH, path + " became shorter while it was sent");
        }
        have += static_cast<std::size_t>(got);
    }
    return bytes;
}

Result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(fd, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0 && (errno == ENOSPC || errno == EDQUOT)) {
            return fail(ErrorCode::STORAGE_FULL, "no space left for " + path);
        }
        if (put < 0) return io_error("cannot write", path);
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
}

/// The content on its way out: what was sent, and what the other side says it has.
struct Upload {
    const wire::Put& put;
    int fd;
    const std::string& path;
    std::uint64_t announced = 0;  // request id of the last PUT
    bool sent_along = false;      // small content, all of it, behind that PUT
    std::uint64_t sent = 0;
    std::uint64_t acknowledged = 0;
};

/// The content on its way in.
struct Download {
    wire::Fetch fetch;  // the place
    Digest expected;    // zero: not known before the first bytes
    const std::function<Result<void>(std::string_view)>& sink;
    std::optional<std::uint64_t> size;               // known from the first CHUNK on
    std::uint64_t next = 0;                          // offset of the next byte for the sink
    std::uint64_t asked = 0;                         // everything before it was asked for
    std::map<std::uint64_t, wire::Message> early{};  // chunks that came before their turn
    Sha256 hash{};

    bool is_done() const { return size && next == *size; }
};

}  // namespace

struct Transfer::Body {
    SocketContext& context;
    TransferOptions options;
    ClientId id;
    std::optional<Socket> socket;
    std::uint64_t last_request = 0;
    std::uint64_t first_request =
        0;              // of the conversation under way; older answers are passed over
    Millis heard{};     // boottime of the last answer
    Millis advanced{};  // and of the last one that brought the content on

    Result<void> connect();
    std::uint64_t send(wire::Body body, std::string payload);
    Result<std::optional<wire::Message>> receive();
    Result<void> pause(Millis length);
    Result<void> again(const wire::ErrorReply& refusal);

    Result<void> announce(Upload& upload);
    Result<void> send_chunks(Upload& upload, std::uint64_t until);
    Result<bool> take_answer(Upload& upload, const wire::Message& answer);

    Result<void> ask(Download& download);
    Result<void> take_chunk(Download& download, wire::Message answer);
    Result<void> take_bytes(Download& download, const wire::Message& chunk);

    template <class Start, class Take>
    Result<void> converse(Start start, Take take);
};

Result<void> Transfer::Body::connect() {
    first_request = last_request + 1;
    heard = boottime();
    if (socket) return {};
    SocketOptions socket_options;
    socket_options.kind = SocketKind::kDealer;
    socket_options.curve = options.curve;
    auto opened = Socket::open(context, socket_options);
    if (!opened) return Failure(opened.error());
    if (auto ok = opened->connect(options.endpoint); !ok) return ok;
    socket.emplace(std::move(*opened));
    return {};
}

std::uint64_t Transfer::Body::send(wire::Body body, std::string payload) {
    wire::Message message{{}, std::move(body), std::move(payload)};
    message.header.id = ++last_request;
    message.header.client = id;
    Frames frames = wire::encode(message);
    frames.insert(frames.begin(), std::string{});  // DEALER: the empty frame that REQ would add
    // A full socket is a silent peer: what is lost here is sent again after the silence.
    socket->send(frames);
    return last_request;
}

/// The next answer, or nullopt after a slice without one. Errors: SHUTTING_DOWN (stop),
/// UNREACHABLE.
Result<std::optional<wire::Message>> Transfer::Body::receive() {
    if (options.stop && options.stop()) {
        return fail(ErrorCode::SHUTTING_DOWN, "the transfer was stopped");
    }
    if (boottime() - advanced > options.give_up) {
        return fail(ErrorCode::UNREACHABLE,
                    "no progress with the artifacts socket " + options.endpoint);
    }
    auto received = socket->receive();
    if (!received) {
        std::vector<PollItem> items{{socket->raw(), -1, false}};
        poll(items, std::min(kSlice, options.silence));
        received = socket->receive();
    }
    if (!received) return std::optional<wire::Message>{};
    Frames& frames = received->frames;
    if (!frames.empty() && frames.front().empty()) frames.erase(frames.begin());
    auto message = wire::decode(frames);
    if (!message) return Failure(message.error());
    heard = boottime();
    if (message->header.id < first_request) return std::optional<wire::Message>{};
    return std::optional(std::move(*message));
}

Result<void> Transfer::Body::pause(Millis length) {
    const Millis until = boottime() + length;
    while (boottime() < until) {
        if (options.stop && options.stop()) {
            return fail(ErrorCode::SHUTTING_DOWN, "the transfer was stopped");
        }
        const Millis left = std::min(kSlice, until - boottime());
        std::this_thread::sleep_for(
            std::chrono::milliseconds(std::max<std::int64_t>(left.count, 1)));
    }
    return {};
}

/// Waits a refusal out that passes by itself; any other one is the result.
Result<void> Transfer::Body::again(const wire::ErrorReply& refusal) {
    if (!passes(refusal.code)) {
        return Failure(Error{refusal.code, refusal.message, refusal.field, refusal.retry_after});
    }
    return pause(refusal.retry_after.count > 0 ? refusal.retry_after : kBusyPause);
}

/// Begun anew by `start` after every silence; `take` gets each answer: was it the last?
template <class Start, class Take>
Result<void> Transfer::Body::converse(Start start, Take take) {
    advanced = boottime();
    if (auto ok = connect(); !ok) return ok;
    if (auto ok = start(); !ok) return Failure(ok.error());
    while (true) {
        auto answer = receive();
        if (!answer) return Failure(answer.error());
        bool anew = boottime() - heard > options.silence;
        if (*answer) {
            if (const auto* refusal = std::get_if<wire::ErrorReply>(&(*answer)->body)) {
                if (auto ok = again(*refusal); !ok) return ok;
                anew = true;
            } else {
                auto done = take(std::move(**answer));
                if (!done) return Failure(done.error());
                if (*done) return {};
            }
        }
        if (!anew) continue;
        // Whatever was on its way is repeated on a new socket: the old one drops it.
        socket.reset();
        if (auto ok = connect(); !ok) return ok;
        if (auto ok = start(); !ok) return Failure(ok.error());
    }
}

Result<void> Transfer::Body::announce(Upload& upload) {
    upload.announced = send(upload.put, {});
    upload.sent_along = upload.put.size > 0 && upload.put.size <= limits::kInlineBytes;
    upload.sent = 0;
    return upload.sent_along ? send_chunks(upload, upload.put.size) : Result<void>{};
}

Result<void> Transfer::Body::send_chunks(Upload& upload, std::uint64_t until) {
    do {
        const std::size_t size =
            std::min<std::uint64_t>(upload.put.size - upload.sent, limits::kChunkBytes);
        auto bytes = read_at(upload.fd, upload.sent, size, upload.path);
        if (!bytes) return Failure(bytes.error());
        wire::Chunk chunk{upload.put.digest, upload.sent, upload.put.size};
        send(chunk, std::move(*bytes));
        upload.sent += size;
    } while (upload.sent < until);
    return {};
}

/// True once the content is stored.
Result<bool> Transfer::Body::take_answer(Upload& upload, const wire::Message& answer) {
    if (const auto* stored = std::get_if<wire::Stored>(&answer.body)) {
        return stored->digest == upload.put.digest;
    }
    const auto* pull = std::get_if<wire::Pull>(&answer.body);
    if (pull == nullptr || pull->digest != upload.put.digest) return false;
    if (pull->offset > upload.put.size) {
        return fail(ErrorCode::MALFORMED, "PULL beyond the end of the content");
    }
    if (pull->offset > upload.acknowledged) {
        upload.acknowledged = pull->offset;
        advanced = boottime();
    }
    // The answer to PUT says where to begin; later ones only widen the window.
    const bool first = answer.header.id == upload.announced;
    if (first && upload.sent_along && pull->offset == 0) return false;
    if (first) upload.sent = pull->offset;
    upload.sent = std::max(upload.sent, pull->offset);
    const std::uint64_t credit =
        std::min<std::uint64_t>(pull->chunks, limits::kChunkCredit) * limits::kChunkBytes;
    const std::uint64_t until = std::min(pull->offset + credit, upload.put.size);
    if (upload.sent >= until && !(first && upload.put.size == 0)) return false;
    if (auto ok = send_chunks(upload, until); !ok) return Failure(ok.error());
    return false;
}

Result<void> Transfer::put_file(const wire::Put& put, const std::string& path) {
    FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) return io_error("cannot open", path);
    Upload upload{put, file.fd(), path};
    return body_->converse(
        [&] { return body_->announce(upload); },
        [&](const wire::Message& answer) { return body_->take_answer(upload, answer); });
}

/// Keeps the window full. Before the size is known, one request alone.
Result<void> Transfer::Body::ask(Download& download) {
    constexpr std::uint64_t kWindow = limits::kChunkCredit * limits::kChunkBytes;
    const std::uint64_t until =
        download.size ? std::min(*download.size, download.next + kWindow) : download.next + 1;
    while (download.asked < until) {
        wire::Fetch fetch = download.fetch;
        fetch.offset = download.asked;
        fetch.length = static_cast<std::uint32_t>(limits::kChunkBytes);
        send(fetch, {});
        download.asked += limits::kChunkBytes;
    }
    return {};
}

Result<void> Transfer::Body::take_bytes(Download& download, const wire::Message& message) {
    const auto& chunk = std::get<wire::Chunk>(message.body);
    const std::uint64_t left = chunk.size - download.next;
    if (message.payload.size() != std::min<std::uint64_t>(left, limits::kChunkBytes)) {
        return fail(ErrorCode::MALFORMED, "CHUNK of another length than was asked for");
    }
    download.hash.update(message.payload);
    if (auto ok = download.sink(message.payload); !ok) return ok;
    download.next += message.payload.size();
    advanced = boottime();
    return {};
}

Result<void> Transfer::Body::take_chunk(Download& download, wire::Message answer) {
    const auto* chunk = std::get_if<wire::Chunk>(&answer.body);
    if (chunk == nullptr) return {};
    if (download.expected.is_zero()) download.expected = chunk->digest;
    if (chunk->digest != download.expected) {
        return fail(ErrorCode::DIGEST_MISMATCH,
                    "the coordinator holds other content: " + to_hex(chunk->digest) +
                        ", expected " + to_hex(download.expected));
    }
    if (!download.size) download.size = chunk->size;
    if (chunk->size != *download.size || chunk->offset > chunk->size) {
        return fail(ErrorCode::MALFORMED, "CHUNKs of one content disagree about its size");
    }
    // Answers to an earlier asking, from before a silence, may come twice.
    if (chunk->offset < download.next) return {};
    const std::uint64_t offset = chunk->offset;
    if (download.early.size() < limits::kChunkCredit)
        download.early.emplace(offset, std::move(answer));
    while (!download.early.empty() && download.early.begin()->first == download.next) {
        auto turn = download.early.extract(download.early.begin());
        if (auto ok = take_bytes(download, turn.mapped()); !ok) return ok;
        if (download.is_done()) return {};
    }
    return ask(download);
}

Result<void> Transfer::fetch(const ContentPlace& place, const Digest& expected,
                             const std::function<Result<void>(std::string_view)>& sink) {
    Download download{{place.task, place.attempt, place.name, 0, 0, place.checkpoint},
                      expected,
                      sink,
                      std::nullopt};
    auto start = [&] {
        download.early.clear();
        download.asked = download.next;
        return body_->ask(download);
    };
    auto take = [&](wire::Message answer) -> Result<bool> {
        if (auto ok = body_->take_chunk(download, std::move(answer)); !ok)
            return Failure(ok.error());
        return download.is_done();
    };
    if (auto ok = body_->converse(start, take); !ok) return ok;
    if (download.hash.finish() == download.expected) return {};
    return fail(
        ErrorCode::DIGEST_MISMATCH,
        "what arrived of " + place.name + " does not have the digest " + to_hex(download.expected));
}

Result<void> Transfer::fetch_file(const ContentPlace& place, const Digest& expected,
                                  const std::string& path) {
    const std::string part = path + ".part-" + std::to_string(::getpid());
    Result<void> fetched;
    {
        FileHandle file(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
        if (!file.is_open()) return io_error("cannot make", part);
        fetched = fetch(place, expected,
                        [&](std::string_view bytes) { return write_all(file.fd(), bytes, part); });
    }
    if (fetched && ::rename(part.c_str(), path.c_str()) != 0) {
        fetched = io_error("cannot rename to", path);
    }
    if (!fetched) ::unlink(part.c_str());
    return fetched;
}

Transfer::Transfer(std::unique_ptr<Body> body) : body_(std::move(body)) {}
Transfer::~Transfer() = default;

Result<std::unique_ptr<Transfer>> Transfer::open(SocketContext& context, TransferOptions options) {
    if (options.endpoint.empty()) {
        return fail(ErrorCode::UNREACHABLE, "the coordinator names no artifacts socket");
    }
    auto body = std::make_unique<Body>(
        Body{context, std::move(options), ClientId(to_hex(random_u64())), std::nullopt, 0, {}, {}});
    return std::unique_ptr<Transfer>(new Transfer(std::move(body)));
}

Result<std::vector<wire::UpstreamRow>> Transfer::upstream(const TaskId& task) {
    std::vector<wire::UpstreamRow> rows;
    bool whole = false;
    const auto ask = [&] {
        const auto skip = static_cast<std::uint32_t>(rows.size());
        body_->send(wire::Upstream{task, skip, limits::kListRows}, {});
        return Result<void>{};
    };
    const auto take = [&](wire::Message answer) -> Result<bool> {
        auto* page = std::get_if<wire::UpstreamRows>(&answer.body);
        if (page == nullptr) return false;
        whole = page->rows.empty() || rows.size() + page->rows.size() >= page->total;
        for (wire::UpstreamRow& row : page->rows) rows.push_back(std::move(row));
        return true;
    };
    while (!whole) {
        if (auto ok = body_->converse(ask, take); !ok) return Failure(ok.error());
    }
    return rows;
}

}  // namespace zq
