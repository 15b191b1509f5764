// Artifacts under hostile peers: uploads chunk by chunk into a real folder, reads at any place and
// range, frames of any bytes, restarts in between, and names that would like to be paths. Every
// message is answered once; only content with its digest is ever called stored; what is read are
// the content's bytes; no file appears but under a digest; no valid name leaves its folder. Live
// logs go the same way: pieces come back in order, and each once.
#include <algorithm>
#include <filesystem>
#include <map>

#include "cli/contents.h"
#include "common/platform/clock.h"
#include "coordinator/artifact_desk.h"
#include "coordinator/store/folder_artifact_store.h"
#include "coordinator/store/memory_journal.h"
#include "tests/fuzz/field_filler.h"
#include "tests/fuzz/scratch_folder.h"
#include "tests/fuzz/target.h"
#include "worker/workspace/collect.h"

namespace zq::fuzz {
namespace {

namespace fs = std::filesystem;

enum Step : std::uint8_t {
    kPut,
    kChunk,
    kFetch,
    kAny,
    kFrames,
    kSettle,
    kRestart,
    kName,
    kLog,
    kReadLog,
    kSteps
};

constexpr std::size_t kMostSteps = 100;
constexpr LeaseToken kLease{1, 7};
constexpr auto kFetched =
    std::to_array<std::string_view>({"inline.md", "out/file", "missing", "../inline.md"});

const ScratchFolder& scratch() {
    static const ScratchFolder folder;
    return folder;
}

/// What is uploaded and read; the first and the second are stored from the beginning on.
const std::vector<std::string>& contents() {
    static const std::vector<std::string> all = {"inlined", std::string(300, 's'), "", "short",
                                                 std::string(700, 'x') + "end"};
    return all;
}

class Conversation : private edge::Sender {
  public:
    Conversation() : reader_(store::open_memory_reader(disk_)) {
        const TaskKey key{kDefaultNamespace, TaskId("t-1")};
        core::Attempt attempt;
        attempt.task = key;
        attempt.attempt = 1;
        attempt.artifacts = {ref("inline.md", contents()[0]), ref("out/file", contents()[1])};
        disk_.attempts[{key, 1}] = attempt;
        core::TaskSubmitted submitted;
        submitted.spec.edit().inputs = attempt.artifacts;
        disk_.events.push_back({{1, Instant{1}, 1, key, kLocalIdentity, submitted}, {}, {}});
        core::Task& task = disk_.tasks[key];
        task.submitted_seq = 1;
        task.attempts = 1;
        task.lease.emplace();
        task.lease->token = kLease;
        task.lease->attempt = 1;
        task.lease->holder.identity = kLocalIdentity;
        record(contents()[0], true);
        restart();
        ZQ_CHECK(store_->begin(sha256(contents()[1]), contents()[1].size()));
        ZQ_CHECK(store_->append(sha256(contents()[1]), 0, contents()[1]));
        record(contents()[1], false);
    }

    void restart() {
        desk_.reset();
        store_.reset();
        requests_.take();
        store::FolderArtifactOptions options;
        options.folder = scratch().path() + "/store";
        options.keep_free = 0;
        store_ = std::move(*store::FolderArtifactStore::open(options));
        desk_ = std::make_unique<coordinator::ArtifactDesk>(
            coordinator::ArtifactParts{*this,
                                       *store_,
                                       *reader_,
                                       *reader_,
                                       requests_,
                                       counters_,
                                       {edge::Trust::kLocal},
                                       keys_,
                                       shown_,
                                       {"fuzz", 1},
                                       1});
    }

    /// Any message: answered at once, or by a request for its event.
    void ask(wire::Body body, const std::string& payload = {}) {
        Received received;
        received.frames = {"peer", ""};
        const bool is_chunk = std::holds_alternative<wire::Chunk>(body);
        for (std::string& frame :
             wire::encode({{7, {}, 0, 0, 0, ""}, std::move(body), is_chunk ? payload : ""})) {
            received.frames.push_back(std::move(frame));
        }
        say(std::move(received));
    }
    void say(Received received) {
        answers_ = 0;
        last_ = wire::Goodbye{};
        const std::size_t before = waiting_.size();
        desk_->handle(0, std::move(received), Instant{1});
        desk_->serve_logs(boottime() + hours(1));  // nobody waits on
        for (const coordinator::StoreRequest& request : requests_.take()) {
            const auto bytes = request.data ? Result<std::string>(*request.data)
                                            : store_->read(request.digest, 0, request.size + 1);
            ZQ_CHECK(bytes.value().size() == request.size && sha256(*bytes) == request.digest);
            waiting_.push_back(request);
        }
        ZQ_CHECK(answers_ + waiting_.size() - before == 1);
    }

    /// The loop has journaled what waits, or refused it.
    void settle(bool refused) {
        for (const coordinator::StoreRequest& request : std::exchange(waiting_, {})) {
            answers_ = 0;
            const Error full{ErrorCode::STORAGE_FULL, "full", {}, {}};
            const auto error = refused ? std::optional(full) : std::nullopt;
            if (!refused) {
                disk_.contents[request.digest] = {
                    {request.digest, request.size, request.data.has_value()},
                    request.data.value_or("")};
            }
            desk_->handle(coordinator::StoreResult{request.ticket, error});
            ZQ_CHECK(answers_ == 1);
            ZQ_CHECK(refused == std::holds_alternative<wire::ErrorReply>(last_));
        }
    }
    void forget_waiting() { waiting_.clear(); }

    void fetch(const wire::Fetch& fetch) {
        ask(fetch);
        const auto* chunk = std::get_if<wire::Chunk>(&last_);
        if (chunk == nullptr) return;
        auto content = std::find_if(contents().begin(), contents().end(), [&](const auto& bytes) {
            return sha256(bytes) == chunk->digest;
        });
        ZQ_CHECK(content != contents().end());
        ZQ_CHECK(chunk->offset == fetch.offset && chunk->size == content->size());
        ZQ_CHECK(fetch.offset <= content->size());
        ZQ_CHECK(payload_ == content->substr(fetch.offset, fetch.length));
    }

    void read_log(const wire::ReadLog& query) {
        ask(query);
        const auto* page = std::get_if<wire::LogPage>(&last_);
        if (page == nullptr) return;
        std::uint64_t before = query.after;
        for (const wire::LogPiece& piece : page->pieces) {
            ZQ_CHECK(piece.seq > before && !piece.data.data.empty());
            before = piece.seq;
        }
    }

  private:
    static ArtifactRef ref(const std::string& name, const std::string& content) {
        return {name, sha256(content), content.size(), "", ""};
    }
    void record(const std::string& content, bool inlined) {
        const Digest digest = sha256(content);
        disk_.contents[digest] = {{digest, content.size(), inlined}, inlined ? content : ""};
    }
    SendStatus send(std::size_t, const Frames& frames) override {
        auto message = wire::decode(edge::split_frames(frames).message);
        ZQ_CHECK(message.has_value());
        last_ = std::move(message->body);
        payload_ = std::move(message->payload);
        ++answers_;
        return SendStatus::kSent;
    }

    store::MemoryDisk disk_;
    std::unique_ptr<store::Reader> reader_;
    std::unique_ptr<store::FolderArtifactStore> store_;
    Mailbox<coordinator::StoreRequest> requests_;
    edge::KeyBook keys_;
    edge::Possession shown_;
    edge::Counters counters_;
    std::unique_ptr<coordinator::ArtifactDesk> desk_;
    std::vector<coordinator::StoreRequest> waiting_;
    std::size_t answers_ = 0;
    wire::Body last_;
    std::string payload_;
};

/// Only digests' names lie in the store: `incoming/DIGEST` and `XX/DIGEST`.
void check_folder() {
    const fs::path root = scratch().path() + "/store";
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        if (entry.is_directory()) continue;
        const std::string name = entry.path().filename().string();
        const std::string folder = entry.path().parent_path().filename().string();
        ZQ_CHECK(parse_digest(name).has_value());
        ZQ_CHECK(folder == "incoming" || folder == name.substr(0, 2));
        ZQ_CHECK(entry.path().parent_path().parent_path() == root);
    }
}

bool is_inside(const std::string& path, const std::string& folder) {
    return fs::path(path).lexically_normal().string().rfind(folder + "/", 0) == 0;
}

void check_name(const std::string& name) {
    ZQ_CHECK(is_valid_artifact_name(cli::named_like("context", name)));
    if (!is_valid_artifact_name(name)) return;
    ZQ_CHECK(!name.empty() && name.size() <= limits::kArtifactNameBytes);
    const worker::Workspace workspace{scratch().path() + "/attempt"};
    ZQ_CHECK(is_inside(workspace.context_file(name), workspace.context_folder()));
    const std::string file = workspace.out_folder() + "/" + name;
    ZQ_CHECK(is_inside(file, workspace.out_folder()));
    fs::remove_all(workspace.folder);
    fs::create_directories(fs::path(file).parent_path());
    ZQ_CHECK(write_file(file, "content", 0600, Durability::kNone));
    const worker::Collected found = worker::collect(workspace, {}, {});
    if (name == "stdout.log" || name == "stderr.log") {
        ZQ_CHECK(found.files.empty() && found.notes.size() == 1);
        return;
    }
    ZQ_CHECK(found.files.size() == 1 && found.files[0].name == name);
    ZQ_CHECK(workspace.artifact_file(name) == file);
}

void put(Conversation& conversation, InputReader& input) {
    const std::string& content = input.pick(contents());
    const std::uint8_t lie = input.byte();
    wire::Put put{sha256(content), content.size(), {}, {}};
    if (lie > 200) put.size = input.number(lie % 9);
    if (lie == 255) put.digest.bytes[0] ^= 1;
    conversation.ask(put);
}

void chunk(Conversation& conversation, InputReader& input) {
    const std::string& content = input.pick(contents());
    wire::Chunk chunk{sha256(content), input.number(2) % (content.size() + 2), content.size()};
    std::string bytes =
        content.substr(std::min<std::size_t>(chunk.offset, content.size()), input.number(2));
    const std::uint8_t lie = input.byte();
    if (lie > 200) chunk.size = input.number(lie % 9);
    if (lie % 16 == 1) chunk.offset = input.number(8);
    if (lie % 16 == 2) bytes += input.text();
    if (lie % 16 == 3 && !bytes.empty()) bytes[0] = static_cast<char>(bytes[0] ^ 1);
    conversation.ask(chunk, bytes);
}

void fetch(Conversation& conversation, InputReader& input) {
    wire::Fetch fetch;
    fetch.task = TaskId(input.byte() < 250 ? "t-1" : "t-2");
    fetch.attempt = static_cast<std::uint32_t>(input.below(3));
    fetch.name = input.pick(kFetched);
    fetch.offset = input.byte() < 200 ? input.number(2) % 400 : input.number(8);
    fetch.length = static_cast<std::uint32_t>(input.number(input.byte() < 200 ? 2 : 4));
    conversation.fetch(fetch);
}

void log(Conversation& conversation, InputReader& input) {
    wire::Log log;
    log.task = TaskId("t-1");
    log.attempt = 1;
    log.lease = kLease;
    log.last = input.byte() > 200;
    for (std::size_t left = input.below(5); left > 0; --left) {
        wire::LogPiece piece;
        piece.seq = input.number(1) + (log.pieces.empty() ? 0 : log.pieces.back().seq);
        piece.stream = input.byte() < 128 ? LogStream::kStdout : LogStream::kStderr;
        piece.offset = input.number(input.byte() % 9);
        piece.data.data = input.text();
        log.pieces.push_back(std::move(piece));
    }
    conversation.ask(log);
}

void read_log(Conversation& conversation, InputReader& input) {
    wire::ReadLog query;
    query.task = TaskId("t-1");
    query.attempt = static_cast<std::uint32_t>(input.below(3));
    query.after = input.number(input.byte() % 9);
    query.wait = millis(static_cast<std::int64_t>(input.number(2)));
    conversation.read_log(query);
}

void say_any(Conversation& conversation, InputReader& input) {
    static const std::vector<LeaseToken> kTokens{kLease};
    FieldFiller filler(input, kTokens);
    wire::Put put;
    wire::Chunk chunk;
    wire::Fetch fetch;
    wire::Log log;
    switch (input.below(4)) {
        case 0:
            filler.fill(put);
            return conversation.ask(put);
        case 2:
            filler.fill(log);
            return conversation.ask(log);
        case 1:
            filler.fill(chunk);
            return conversation.ask(chunk, input.text());
        default:
            filler.fill(fetch);
            return conversation.ask(fetch);
    }
}

void say_frames(Conversation& conversation, InputReader& input) {
    Received received;
    received.frames = {"peer"};
    for (std::size_t left = input.below(6); left > 0; --left) {
        received.frames.push_back(input.long_text());
    }
    conversation.say(std::move(received));
}

void take_step(Conversation& conversation, InputReader& input) {
    switch (static_cast<Step>(input.below(kSteps))) {
        case kPut:
            return put(conversation, input);
        case kChunk:
            return chunk(conversation, input);
        case kFetch:
            return fetch(conversation, input);
        case kAny:
            return say_any(conversation, input);
        case kFrames:
            return say_frames(conversation, input);
        case kSettle:
            return conversation.settle(input.byte() > 200);
        case kRestart:
            conversation.forget_waiting();
            return conversation.restart();
        case kName:
            return check_name(input.text());
        case kLog:
            return log(conversation, input);
        case kReadLog:
            return read_log(conversation, input);
        case kSteps:
            break;
    }
}

std::string name_step(const std::string& name) {
    return std::string{kName, static_cast<char>(name.size())} + name;
}

/// Upload of the content at `index` in two chunks, with a restart between them.
std::string upload(char index) {
    const std::size_t half = contents()[static_cast<std::size_t>(index)].size() / 2;
    const auto high = static_cast<char>(half >> 8);
    const auto low = static_cast<char>(half & 0xff);
    std::string steps{kPut, index, 0, kChunk, index, 0, 0, high, low, 0, kRestart};
    steps += std::string{kPut, index, 0, kChunk, index, high, low, '\x7f', 0, 0};
    return steps + std::string{kSettle, 0, kPut, index, 0};
}

}  // namespace

void run(std::string_view bytes) {
    scratch().clear();
    InputReader input(bytes);
    Conversation conversation;
    for (std::size_t i = 0; i < kMostSteps && !input.is_empty(); ++i) {
        take_step(conversation, input);
    }
    conversation.settle(false);
    check_folder();
}

std::vector<std::string> seeds() {
    std::vector<std::string> found = {upload(2), upload(3), upload(4)};
    for (char name = 0; name < 4; ++name) {
        found.push_back({kFetch, 0, 1, name, 0, 0, 0, 0, 1, 0});
        found.push_back({kFetch, 0, 0, name, 0, 0, 5, 0, 0, 2});
    }
    for (const char* name : {"result.md", "out/a.b/c", "../x", "a/../b", "/etc/passwd", "a//b",
                             ".hidden", "stdout.log", "a/", "nul\0x", "result"}) {
        found.push_back(name_step(name));
    }
    found.push_back({kLog, 0, 1, 1, 0, 0, 2, 'h', 'i', kReadLog, 1, 0, 0, 1});
    found.push_back(name_step(std::string(limits::kArtifactNameBytes, 'n')));
    return found;
}

}  // namespace zq::fuzz
