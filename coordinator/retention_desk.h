// Retention: looks in slices for what is past its age, and then for roles whose ended tasks hold
// more bytes than they may (committed rows, oldest first), asks the core whether it may go, and has
// the files of condemned contents removed once that is durable and in the tables. A pass runs by
// the clock, and when GC asks for one. What is due is found by indexes and kept sums, without a
// look at all ended tasks (but for the ages of logs and artifacts, once after a start).
//
// A file's removal and a new upload of the same content do not meet: from the event on until the
// artifacts thread has said that the file is gone, `keep` decides for the upload.
#pragma once

#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "common/platform/mailbox.h"
#include "common/wire/codec.h"
#include "coordinator/backup_desk.h"
#include "coordinator/edge/counters.h"
#include "coordinator/pipeline.h"
#include "coordinator/store/reader.h"

namespace zq::coordinator {

/// For the artifacts thread: remove these files, forget what was found where.
struct RemoveOrder {
    std::vector<Digest> digests;
};

struct RetentionParts {
    Pipeline& pipeline;
    store::Reader& reader;
    edge::Counters& counters;
    Mailbox<RemoveOrder>& orders;
    const BackupDesk* backups = nullptr;  // while it runs no file is removed
};

class RetentionDesk {
  public:
    explicit RetentionDesk(const RetentionParts& parts);

    /// Goes on with the files that an earlier run condemned. Errors: IO.
    Result<void> start(Instant now);
    /// At most one slice of work.
    void step(Instant now);
    Instant next_deadline() const;

    /// GC. Errors: BUSY (a pass of somebody else runs).
    Result<wire::GcReply> ask(const wire::Gc& gc, const ClientId& client, Instant now);

    /// Contents were made old: what nothing refers to goes as soon as what is decided is durable.
    void hurry();

    /// The policy has become another one: a pass that runs begins anew by it.
    void note_policy(Instant now);

    /// The artifacts thread has removed these files.
    void removed(const std::vector<Digest>& digests);
    /// A content that is whole on disk is to be stored: false if its file is just being removed.
    bool keep(const Digest& digest);

  private:
    /// Ended tasks of one role and state, and the age they are asked for.
    struct Source {
        RoleKey role;
        TaskState state = TaskState::kCompleted;
        core::RetentionDue due = core::RetentionDue::kTask;
        friend auto operator<=>(const Source&, const Source&) = default;
    };
    struct Count {
        std::uint64_t count = 0;
        std::uint64_t bytes = 0;
    };
    /// Ended tasks of a role that hold more than they may together.
    struct Excess {
        RoleKey role;
        bool dead = false;
        std::uint64_t held = 0;  // bytes, less what this pass lets go
        std::uint64_t bound = 0;
        Seq after = 0;
    };
    struct Pass {
        wire::Gc gc;
        ClientId client;  // empty: the clock's
        Instant begun;
        std::vector<Source> sources;
        std::size_t source = 0;
        Seq after = 0;                              // of the source
        std::optional<std::vector<Excess>> excess;  // once nothing more goes by age
        std::map<std::pair<RoleName, bool>, std::uint64_t>
            aged;  // a dry run's: bytes that would go
        std::pair<Instant, Digest> after_content;
        bool looked = false;  // all is decided
        std::map<std::tuple<std::string, RoleName, RetentionRule>, Count> counts;
    };

    Result<void> begin(const wire::Gc& gc, const ClientId& client, Instant now);
    Result<void> look(Instant now);
    Result<void> look_at_tasks(Instant now);
    Result<void> find_excess();
    Result<void> look_at_bytes(Instant now);
    Result<void> look_at_contents(Instant now);
    std::uint64_t carry_out(core::Retain retain, const RoleName& role, Instant now);
    std::uint64_t count(const core::Event& event, const RoleName& role);
    void add(const std::string& kind, const RoleName& role, RetentionRule rule, Count what);
    void end_pass(Instant now);
    void order_removals();
    bool is_settled() const;
    bool files_leave() const;
    bool is_behind() const;
    Seq removed_upto() const;
    Millis every() const;
    static wire::GcReply reply_of(const Pass& pass, wire::GcState state);

    RetentionParts parts_;
    Instant next_at_;
    bool hurried_ = false;  // a pass is to follow the one that runs
    std::optional<Pass> pass_;
    std::optional<std::pair<ClientId, wire::GcReply>> last_;
    std::map<Source, Seq> passed_;  // logs and artifacts up to it were removed in this run
    Seq last_event_ = 0;            // that a pass has made
    Seq last_condemned_ = 0;
    bool told_ = true;               // the artifacts thread knows what the last pass did
    std::map<Digest, Seq> waiting_;  // condemned; their files are there
    std::map<Digest, Seq> ordered_;  // their files are being removed
};

}  // namespace zq::coordinator
