// The artifacts socket's conversation (protocol.md, "Artifacts"): takes uploads chunk by chunk,
// says STORED when the content's event is durable, reads by place, and carries live logs. Holds
// nothing for a slow or silent peer but the store's bounded uploads. Used by the artifacts thread
// alone.
#pragma once

#include <list>
#include <map>

#include "common/platform/mailbox.h"
#include "coordinator/control.h"
#include "coordinator/edge/upload_proofs.h"
#include "coordinator/log_desk.h"
#include "coordinator/store/artifact_store.h"
#include "coordinator/store/reader.h"

namespace zq::coordinator {

struct ArtifactParts {
    edge::Sender& sender;
    store::ArtifactStore& store;
    store::Reader& reader;
    store::Reader& trailing;          // looked at first for what the loop knows better
    Mailbox<StoreRequest>& requests;  // to the loop
    edge::Counters& counters;
    std::vector<edge::Trust> doors;
    edge::KeyBook& keys;
    edge::Possession& shown;
    edge::Self self;
    Epoch epoch = 0;
    Millis unreferenced = hours(24);  // that content nothing refers to lives
};

class ArtifactDesk {
  public:
    explicit ArtifactDesk(ArtifactParts parts) : parts_(std::move(parts)), logs_(parts_.reader) {}

    /// One message from a door.
    void handle(std::size_t door, Received received, Instant now);
    /// What the loop says about content that was handed to it.
    void handle(const StoreResult& result);
    /// Answers whoever waited for a log and has something to read, or waited long enough. `now`: of
    /// boottime().
    void serve_logs(Millis now);
    /// When `serve_logs` is to be called next, though nothing comes.
    std::optional<Millis> next_deadline() const { return logs_.next_deadline(); }
    /// Removes files, says so, and forgets where anything lay.
    void handle(const RemoveOrder& order);

  private:
    struct Caller {
        edge::Peer peer;
        edge::Route route;
    };
    /// Where an artifact's bytes are.
    struct Place {
        Digest digest;
        std::uint64_t size = 0;
        bool inlined = false;
    };
    /// Who waits for a content's event.
    struct Storing {
        edge::Route route;
        wire::Stored stored;
        std::size_t bytes = 0;  // that wait with it
    };
    using PlaceName = std::tuple<TaskId, std::uint32_t, std::string, std::uint32_t>;

    void serve(const Caller& caller, wire::Message message, Instant now);
    void put(const Caller& caller, const wire::Put& put, Instant now);
    Result<std::optional<store::ContentPlace>> stored_place(const Digest& digest);
    void take_put(const Caller& caller, const wire::Put& put, Instant now);
    void take_proof(const Caller& caller, const wire::Chunk& chunk, const std::string& bytes,
                    Instant now);
    Result<std::uint64_t> keep_chunk(const wire::Chunk& chunk, const std::string& bytes);
    /// Whether the caller holds this lease of the task. Errors: STALE_LEASE, NOT_FOUND, IO.
    Result<core::Task> check_holder(const Caller& caller, const TaskId& task,
                                    const LeaseToken& lease);
    Result<void> check_readable(const Caller& caller, const wire::Body& body);
    Result<void> check_fetch(const Caller& caller, const wire::Fetch& fetch);
    Result<void> put_again(const Caller& caller, const store::ContentPlace& place, Instant now);
    Result<void> check_kept(const wire::Fetch& fetch, const Digest& digest);
    Result<Seq> kept_since(const wire::Fetch& fetch, const core::Task& task);
    void chunk(const Caller& caller, const wire::Chunk& chunk, const std::string& bytes,
               Instant now);
    void fetch(const Caller& caller, const wire::Fetch& fetch);
    void tell_upstream(const Caller& caller, const wire::Upstream& query);
    Result<wire::UpstreamRows> read_upstream(const wire::Upstream& query);
    void ask_to_store(const Caller& caller, StoreRequest request);
    void write_log(const Caller& caller, wire::Log log);
    void read_log(const Caller& caller, const wire::ReadLog& query);
    static Identity connection_of(const Caller& caller);
    Result<std::uint64_t> begin(const Caller& caller, const wire::Put& put);
    void take_small(const Caller& caller, const Digest& digest, std::string bytes);
    void go_on(const Caller& caller, const Digest& digest, std::uint64_t size, std::uint64_t have);
    Result<Place> find_place(const wire::Fetch& fetch);
    Result<Place> look_up(const wire::Fetch& fetch);
    Result<ArtifactRef> input_ref(const wire::Fetch& fetch);
    Result<ArtifactRef> output_ref(const wire::Fetch& fetch);
    Result<ArtifactRef> checkpoint_ref(const wire::Fetch& fetch);
    void reply(const edge::Route& route, wire::Body body, std::string payload = {});
    void refuse(const edge::Route& route, Error error);

    ArtifactParts parts_;
    std::uint64_t last_ticket_ = 0;
    Millis told_full_{};                        // boottime, of the last line about a full disk
    std::map<std::uint64_t, Storing> storing_;  // by ticket
    std::size_t storing_bytes_ = 0;
    std::list<PlaceName> recent_;  // the last found first
    std::map<PlaceName, std::pair<Place, std::list<PlaceName>::iterator>> places_;
    edge::UploadProofs proofs_;
    /// Small contents of which nothing has come, by connection: one for each that there may be.
    edge::UploadProofs announced_{16'384};
    LogDesk logs_;
};

}  // namespace zq::coordinator
