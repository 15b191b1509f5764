// What comes in at the artifacts socket: announced by PUT, taken in chunks, and said to be stored
// when its event is durable. Large content gets a file of the store, small content goes into the
// journal.
#include "common/base/secret_scan.h"
#include "common/platform/digest.h"
#include "coordinator/artifact_desk.h"
#include "coordinator/content_scan.h"
#include "coordinator/core/content_time.h"

namespace zq::coordinator {
namespace {

constexpr std::size_t kStoring = 4'096;            // contents whose event is under way
constexpr std::size_t kStoringBytes = 16UL << 20;  // of the small ones among them

/// All of it is in this chunk, and the journal may keep it.
bool is_small_and_whole(const wire::Chunk& chunk, std::string_view bytes) {
    return chunk.offset == 0 && chunk.size == bytes.size() && chunk.size <= limits::kInlineBytes;
}

}  // namespace

void ArtifactDesk::put(const Caller& caller, const wire::Put& put, Instant now) {
    const Identity& identity = caller.peer.identity;
    if (!caller.peer.rights().may_put()) {
        auto held = check_holder(caller, put.task, put.lease);
        if (!held) return refuse(caller.route, held.error());
    }
    if (edge::may_read_all(caller.peer) || parts_.shown.has(identity, put.digest)) {
        return take_put(caller, put, now);
    }
    const std::uint64_t have = proofs_.begin(identity, put.digest, put.size);
    if (put.size == 0) return take_proof(caller, {put.digest, 0, 0}, {}, now);
    const auto credit = static_cast<std::uint32_t>(limits::kChunkCredit);
    reply(caller.route, wire::Pull{put.digest, have, credit});
}

void ArtifactDesk::take_put(const Caller& caller, const wire::Put& put, Instant now) {
    auto place = stored_place(put.digest);
    if (!place) return refuse(caller.route, place.error());
    if (*place) {
        if ((*place)->size == put.size) {
            auto answered = put_again(caller, **place, now);
            return answered ? void() : refuse(caller.route, answered.error());
        }
        return refuse(
            caller.route,
            {ErrorCode::DIGEST_MISMATCH, "content of this digest has another size", "size", {}});
    }
    if (put.size == 0) return take_small(caller, put.digest, {});
    // Small content comes whole, most often: then there is nothing to begin.
    const bool small = put.size <= limits::kInlineBytes && !parts_.store.has_part(put.digest);
    auto have =
        small ? Result<std::uint64_t>(announced_.begin(connection_of(caller), put.digest, put.size))
              : begin(caller, put);
    if (!have) return refuse(caller.route, have.error());
    go_on(caller, put.digest, put.size, *have);
}

/// Content that the tables lack yet is sent in vain at worst; what they still have may be
/// condemned.
Result<std::optional<store::ContentPlace>> ArtifactDesk::stored_place(const Digest& digest) {
    auto place = parts_.trailing.content(digest);
    return place && *place ? parts_.reader.content(digest) : place;
}

/// As if it were one peer's: others with its key may put the same content at the same time.
Identity ArtifactDesk::connection_of(const Caller& caller) {
    const edge::Connection& connection = caller.route.connection;
    return Identity(std::to_string(connection.door) + "/" + connection.routing_id);
}

Result<std::uint64_t> ArtifactDesk::begin(const Caller& caller, const wire::Put& put) {
    // Peers without keys are told apart by their connections.
    const bool keyed = caller.peer.kind != edge::PeerKind::kLocal;
    return parts_.store.begin(
        put.digest, put.size,
        keyed ? caller.peer.identity.text : caller.route.connection.routing_id);
}

/// Nothing refers to it yet, or any more: whoever puts it now has its full time to do so.
Result<void> ArtifactDesk::put_again(const Caller& caller, const store::ContentPlace& place,
                                     Instant now) {
    auto since = parts_.reader.unused_since(place.digest);
    if (!since) return Failure(since.error());
    if (!*since || now - **since < core::kept_without_renewal(parts_.unreferenced)) {
        reply(caller.route, wire::Stored{place.digest, place.size});
        return {};
    }
    StoreRequest request{0, place.digest, place.size, caller.peer.identity};
    request.inlined = place.inlined;
    request.renewed = true;
    ask_to_store(caller, std::move(request));
    return {};
}

void ArtifactDesk::chunk(const Caller& caller, const wire::Chunk& chunk, const std::string& bytes,
                         Instant now) {
    if (bytes.empty() && chunk.offset < chunk.size) {
        return refuse(caller.route, {ErrorCode::INVALID, "a chunk without bytes", "body", {}});
    }
    const bool sent = parts_.shown.has(caller.peer.identity, chunk.digest);
    if (!edge::may_read_all(caller.peer) && !sent) return take_proof(caller, chunk, bytes, now);
    if (announced_.forget(connection_of(caller), chunk.digest)) {
        if (is_small_and_whole(chunk, bytes)) return take_small(caller, chunk.digest, bytes);
        auto begun = begin(caller, {chunk.digest, chunk.size, {}, {}});
        if (!begun) return refuse(caller.route, begun.error());
    }
    auto have = parts_.store.append(chunk.digest, chunk.offset, bytes);
    if (!have && have.error().code == ErrorCode::NOT_FOUND) {
        // The last chunk may come again, or come though PUT found it stored.
        auto place = parts_.reader.content(chunk.digest);
        if (place && *place) return reply(caller.route, wire::Stored{chunk.digest, (*place)->size});
    }
    if (!have) return refuse(caller.route, have.error());
    go_on(caller, chunk.digest, chunk.size, *have);
}

/// Bytes of a peer that may not know of content that is there already: all of them are its own.
void ArtifactDesk::take_proof(const Caller& caller, const wire::Chunk& chunk,
                              const std::string& bytes, Instant now) {
    const Identity& identity = caller.peer.identity;
    auto proof = proofs_.take(identity, chunk.digest, chunk.offset, bytes);
    if (!proof) return refuse(caller.route, proof.error());
    auto place = stored_place(chunk.digest);
    if (!place) return refuse(caller.route, place.error());
    if (proof->complete && !*place && is_small_and_whole(chunk, bytes)) {
        parts_.shown.add(identity, chunk.digest);
        return take_small(caller, chunk.digest, bytes);
    }
    const bool taken = proof->offset == chunk.offset + bytes.size();
    if (!*place && taken) {
        auto kept = keep_chunk({chunk.digest, chunk.offset, proof->size}, bytes);
        if (!kept) return refuse(caller.route, kept.error());
        // What was kept of it went meanwhile, for room: it begins anew.
        if (*kept < proof->offset) {
            proofs_.forget(identity, chunk.digest);
            proofs_.begin(identity, chunk.digest, proof->size);
            *proof = {0, proof->size, false};
        }
    }
    if (!proof->complete) {
        const auto credit = static_cast<std::uint32_t>(limits::kChunkCredit);
        return reply(caller.route, wire::Pull{chunk.digest, proof->offset, credit});
    }
    parts_.shown.add(identity, chunk.digest);
    take_put(caller, {chunk.digest, proof->size, {}, {}}, now);
}

/// Gives how many bytes of the content are there, whoever sent them.
Result<std::uint64_t> ArtifactDesk::keep_chunk(const wire::Chunk& chunk, const std::string& bytes) {
    auto begun = parts_.store.begin(chunk.digest, chunk.size);
    if (!begun) return begun;
    const std::uint64_t end = chunk.offset + bytes.size();
    if (*begun < chunk.offset || *begun >= end) return begun;
    return parts_.store.append(chunk.digest, *begun,
                               std::string_view(bytes).substr(*begun - chunk.offset));
}

/// Small content goes into the journal with the next batch: it has no file, and no sync of its own.
void ArtifactDesk::take_small(const Caller& caller, const Digest& digest, std::string bytes) {
    if (sha256(bytes) != digest) {
        return refuse(
            caller.route,
            {ErrorCode::DIGEST_MISMATCH, "the bytes are not those of " + to_hex(digest), {}, {}});
    }
    if (auto room = parts_.store.check_room(bytes.size()); !room) {
        return refuse(caller.route, room.error());
    }
    StoreRequest request{0, digest, bytes.size(), caller.peer.identity};
    if (!is_binary(bytes)) request.secrets = secret_kinds(bytes);
    request.data = std::move(bytes);
    ask_to_store(caller, std::move(request));
}

/// Asks for more, or, where all is there, for its event.
void ArtifactDesk::go_on(const Caller& caller, const Digest& digest, std::uint64_t size,
                         std::uint64_t have) {
    if (have < size) {
        return reply(caller.route,
                     wire::Pull{digest, have, static_cast<std::uint32_t>(limits::kChunkCredit)});
    }
    // What a chunk calls the whole size is its sender's word; the store knows.
    auto whole = parts_.store.size(digest);
    if (!whole) return refuse(caller.route, whole.error());
    auto secrets = scan_content(parts_.store, digest);
    if (!secrets) return refuse(caller.route, secrets.error());
    StoreRequest request{0, digest, *whole, caller.peer.identity};
    request.secrets = std::move(*secrets);
    ask_to_store(caller, std::move(request));
}

void ArtifactDesk::ask_to_store(const Caller& caller, StoreRequest request) {
    const std::size_t bytes = request.data ? request.data->size() : 0;
    if (storing_.size() >= kStoring || storing_bytes_ + bytes > kStoringBytes) {
        return refuse(caller.route,
                      {ErrorCode::BUSY, "too many uploads end at once", {}, seconds(1)});
    }
    request.ticket = ++last_ticket_;
    storing_bytes_ += bytes;
    storing_.emplace(request.ticket,
                     Storing{caller.route, wire::Stored{request.digest, request.size}, bytes});
    parts_.requests.put(std::move(request));
}

void ArtifactDesk::handle(const StoreResult& result) {
    auto at = storing_.find(result.ticket);
    if (at == storing_.end()) return;
    const Storing done = std::move(at->second);
    storing_.erase(at);
    storing_bytes_ -= done.bytes;
    if (result.error) return refuse(done.route, *result.error);
    reply(done.route, done.stored);
}

}  // namespace zq::coordinator
