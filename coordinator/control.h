// The control socket's conversation: what comes in becomes commands and queries, what the pipeline
// lets out becomes messages. Owns the edge's memory (peers, parked polls, recent envelopes). It is
// told what came and what time it is; waiting and committing are the loop's.
#pragma once

#include <map>
#include <random>
#include <utility>

#include "common/platform/mailbox.h"
#include "coordinator/access_desk.h"
#include "coordinator/backup_desk.h"
#include "coordinator/doors.h"
#include "coordinator/edge/counters.h"
#include "coordinator/edge/facts.h"
#include "coordinator/edge/in.h"
#include "coordinator/edge/outlet.h"
#include "coordinator/edge/peers.h"
#include "coordinator/edge/polls.h"
#include "coordinator/edge/queries.h"
#include "coordinator/pipeline.h"
#include "coordinator/retention_desk.h"

namespace zq::coordinator {

/// The artifacts thread has content, and wants its event.
struct StoreRequest {
    std::uint64_t ticket = 0;
    Digest digest;
    std::uint64_t size = 0;
    Identity identity;
    bool inlined = false;  // it lies in the journal, and only its time is to begin anew
    bool renewed = false;  // it was stored when it was put: its time begins anew
    std::vector<std::string> secrets = {};  // kinds of those that were found in its text
    std::optional<std::string> data = {};   // for the journal to keep; none: it is on disk
    std::vector<Digest> removed = {};  // not content: these files are gone, as a RemoveOrder said
};
/// The event is durable, or was refused.
struct StoreResult {
    std::uint64_t ticket = 0;
    std::optional<Error> error;
};

/// How a door's peers are seen and what they are told.
struct DoorPlace {
    edge::Trust trust = edge::Trust::kLocal;
    ArtifactsPlace artifacts;
};

struct ControlParts {
    Pipeline& pipeline;
    store::Reader& reader;
    edge::Sender& sender;
    edge::Counters& counters;
    Mailbox<StoreResult>& store_results;
    std::vector<DoorPlace> doors;
    edge::Self self;
    edge::KeyBook& keys;
    edge::Possession& shown;
    Instant started_at;
    std::uint64_t seed = 0;                    // of the jitter in waits: its own for every start
    BackupDesk* backups = nullptr;             // none: the journal is no file
    store::ArtifactStore* contents = nullptr;  // to read results from, or none
    const edge::PayloadSchemas* payload_schemas = nullptr;  // none: every payload is taken
    RetentionDesk* retention = nullptr;
    AccessDesk* access = nullptr;  // none: nobody needs a key
    edge::ArtifactSecrets artifact_secrets = edge::ArtifactSecrets::kFlag;
    /// For what memory knows the newest of; none: `reader`.
    store::Reader* trailing_reader = nullptr;
};

class Control {
  public:
    explicit Control(ControlParts parts);

    /// One message from a door.
    void handle(std::size_t door, Received received, Instant now);
    /// One message that is refused with BUSY: its sender has too many others waiting.
    void turn_away(std::size_t door, Received received);
    /// One request of the artifacts thread.
    void handle(StoreRequest request, Instant now);
    /// One slice of retention, where one is due.
    void retain(Instant now);
    /// Takes over what has changed in the keys' files; `all`: whatever was said of them. Sessions
    /// of keys that may not work any more end.
    void follow_keys(Instant now, bool all = false);
    /// Lets parked claims take what has become ready.
    void serve_claims(Instant now);
    /// Somebody waits for what a commit has changed.
    bool wakes(const Committed& committed) const;
    /// Answers the polls that commits have woken.
    void wake(const std::vector<Committed>& committed, Instant now);
    /// Answers the polls whose time is over.
    void expire(Instant now);
    /// Sends what may leave; ends the sessions of peers that are gone.
    void flush(Instant now);

    /// Connections that were found gone, or lost, since the last call.
    std::vector<edge::Connection> take_gone() { return std::exchange(gone_, {}); }

    /// From now on everything is refused with SHUTTING_DOWN, parked polls first.
    void shut_down();
    void note_storage(bool full) { storage_full_ = full; }

    /// When `expire` is to be called next.
    Instant next_deadline() const {
        const Instant polls = polls_.next_deadline();
        return parts_.retention ? std::min(polls, parts_.retention->next_deadline()) : polls;
    }
    /// Something waits for a peer to take it: call `flush` again soon.
    bool has_backlog() const { return !outlet_.is_empty(); }

  private:
    store::Reader& trailing() {
        return parts_.trailing_reader == nullptr ? parts_.reader : *parts_.trailing_reader;
    }
    edge::Specs specs();
    /// A message's sender and the way back.
    struct Caller {
        edge::Asker asker;
        edge::Peer peer;
        edge::Route route;
    };
    /// What leaves, or is looked up, once it may.
    struct Query {
        wire::Body request;
        edge::PollKey key;
        edge::Asker asker;
        Instant until;
    };
    struct Pending {
        core::ReturnPath to = 0;
        std::variant<wire::Body, Query> what;
    };

    void dispatch(Caller caller, wire::Message&& message, Instant now);
    void run_command(Caller caller, wire::Message&& message, Instant now);
    void run_hello(Caller caller, wire::Message&& message, Instant now);
    /// False: there was nothing to claim, and it waits.
    bool run_claim(core::ReturnPath reply, const edge::PollKey& key, const edge::Asker& asker,
                   const wire::Claim& claim, Instant now, Instant until);
    void ask(Caller caller, wire::Message message, Instant now, Millis wait);
    void answer_query(core::ReturnPath to, Query query, Instant now);
    bool answer_poll(edge::PollId id, Instant now);
    wire::Body status(Instant now);
    wire::Body collect(const wire::Gc& gc, const ClientId& client, Instant now);
    wire::Body back_up(const wire::Backup& backup, const ClientId& client);
    wire::Body keys(const edge::Peer& peer, const wire::Body& request, Instant now);
    /// Whether the sender may do that to those tasks. Errors: DENIED, NOT_FOUND, IO.
    Result<void> check_tasks(const edge::Peer& peer, const wire::Body& body);
    Result<void> check_upstream(const edge::Peer& peer, const TaskSpec& task);
    Result<std::optional<core::Task>> find_task(const TaskId& id);
    void end_unwanted_sessions(Instant now);

    edge::Origin origin_of(const Caller& caller, core::ReturnPath reply, Instant now);
    edge::View view(const edge::Asker& asker, Instant now);
    void say(core::ReturnPath to, wire::Body body);
    void refuse(const edge::Route& route, const Error& error);
    void send(core::ReturnPath to, wire::Body body, Seq seq);
    void count_stale(const wire::Body& answer);
    void push(const core::Push& push);
    void release(Outgoing outgoing, Instant now);
    void close_lost(Instant now);
    void forget_closed_sessions();

    ControlParts parts_;
    edge::Peers peers_;
    edge::Polls polls_;
    edge::Outlet outlet_;
    edge::SpecCache spec_cache_;
    Seq erased_seq_ = 0;  // of the last event that erased texts, since the start
    std::vector<edge::Connection> gone_;
    std::map<std::uint64_t, Pending> pending_;
    std::uint64_t last_ticket_ = 0;
    std::mt19937_64 seeds_;
    bool storage_full_ = false;
    bool shutting_down_ = false;
};

}  // namespace zq::coordinator
