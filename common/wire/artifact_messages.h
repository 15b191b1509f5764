// The conversation on the artifacts socket (protocol.md, "Artifacts"), between any peer and the
// coordinator. The receiver of the bytes says what to send next, so neither side is ever flooded.
#pragma once

#include "common/wire/envelope.h"

namespace zq::wire {

/// Announces content. Answered by PULL (send from `offset`) or STORED (it is there already and this
/// peer may know so), or ERROR.
struct Put {
    static constexpr std::string_view kType = "PUT";
    Digest digest;
    std::uint64_t size = 0;
    TaskId task;  // of an attempt's output: with `lease`; empty: an input of a later SUBMIT
    LeaseToken lease;
    friend bool operator==(const Put&, const Put&) = default;
};
template <class V, Of<Put> T>
void describe(V& v, T& m) {
    v("digest", m.digest);
    v("size", m.size);
    v.optional("task_id", m.task);
    v.optional("lease", m.lease);
}

/// The coordinator has everything before `offset`; up to `chunks` CHUNKs may be on their way.
struct Pull {
    static constexpr std::string_view kType = "PULL";
    Digest digest;
    std::uint64_t offset = 0;
    std::uint32_t chunks = 0;
    friend bool operator==(const Pull&, const Pull&) = default;
};
template <class V, Of<Pull> T>
void describe(V& v, T& m) {
    v("digest", m.digest);
    v("offset", m.offset);
    v("chunks", m.chunks);
}

/// Bytes, in the message's body frame: at most kChunkBytes, in order. As a request it is answered
/// by PULL, and the last one by STORED; as an answer to FETCH it carries the content's whole
/// `size`.
struct Chunk {
    static constexpr std::string_view kType = "CHUNK";
    Digest digest;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;  // of the whole content
    friend bool operator==(const Chunk&, const Chunk&) = default;
};
template <class V, Of<Chunk> T>
void describe(V& v, T& m) {
    v("digest", m.digest);
    v("offset", m.offset);
    v("size", m.size);
}

/// The content is durable under its digest.
struct Stored {
    static constexpr std::string_view kType = "STORED";
    Digest digest;
    std::uint64_t size = 0;
    friend bool operator==(const Stored&, const Stored&) = default;
};
template <class V, Of<Stored> T>
void describe(V& v, T& m) {
    v("digest", m.digest);
    v("size", m.size);
}

/// Asks for bytes of an artifact by its place, never by digest alone: `attempt` 0 names an input of
/// the task. Answered by CHUNK with up to `length` bytes (fewer only at the end), or ERROR. A
/// reader keeps up to kChunkCredit requests under way and resumes at any offset.
struct Fetch {
    static constexpr std::string_view kType = "FETCH";
    TaskId task;
    std::uint32_t attempt = 0;
    std::string name;
    std::uint64_t offset = 0;
    std::uint32_t length = 0;
    std::uint32_t checkpoint = 0;  // its number, where it is one that `attempt` saved
    TaskId for_task;               // whose holder asks, since it waited for `task`; or empty
    LeaseToken lease;              // of its holder
    friend bool operator==(const Fetch&, const Fetch&) = default;
};
template <class V, Of<Fetch> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v("attempt", m.attempt);
    v("name", m.name);
    v("offset", m.offset);
    v("length", m.length);
    v.optional("checkpoint", m.checkpoint);
    v.optional("for_task", m.for_task);
    v.optional("lease", m.lease);
}

}  // namespace zq::wire
