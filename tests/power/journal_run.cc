#include "tests/power/journal_run.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/platform/socket.h"
#include "coordinator/core/redact.h"
#include "coordinator/retention_desk.h"
#include "coordinator/store/folder_artifact_store.h"
#include "coordinator/store/record_codec.h"
#include "coordinator/store/verify.h"

namespace zq::power {
namespace {

constexpr const char* kProgram = "zq-power";

store::SqliteJournalOptions options_of(const std::string& folder, bool with_files, Random& random) {
    store::SqliteJournalOptions options;
    options.folder = folder;
    options.storage = {.reserve_bytes = 4'096, .low_water_bytes = 4'096};
    if (chance(random, 50))
        options.page_bytes = 4'096;  // as in a folder that has been there for long
    // With files on the loop's thread, the commit thread does nothing after it has answered;
    // without them, it copies the log back at a fixed length, whatever waits. So calls keep their
    // order.
    const int pages = with_files ? 1 << 20 : static_cast<int>(8 + below(random, 200));
    options.log = {.checkpoint_pages = pages,
                   .most_pages = pages,
                   .rest_after = hours(1),
                   .project_every = 1 + below(random, 5),
                   .turn_bytes = static_cast<std::size_t>(16 + below(random, 100)) << 10};
    return options;
}

/// Ages that come to pass within a run.
core::Policy policy_of_runs() {
    core::Policy policy;
    policy.unreferenced = seconds(16);
    policy.retention.logs = seconds(10);
    policy.retention.artifacts = seconds(20);
    policy.retention.finished = minutes(2);
    policy.retention.dead = minutes(2);
    policy.retention.finished_bytes = 8'000;
    policy.retention.dead_bytes = 8'000;
    return policy;
}

/// The state that events lead to.
Digest folded(const std::vector<core::Event>& events, Seq upto) {
    core::State state;
    for (Seq seq = 1; seq <= upto; ++seq) core::apply(state, events[seq - 1]);
    return store::state_hash(state);
}

}  // namespace

/// One process: its journal, its core, its store.
struct JournalRun::Life {
    Life(const store::SqliteJournalOptions& options, History& history)
        : sqlite(options), journal(sqlite, history), pipeline(journal, policy_of_runs()) {}

    store::SqliteJournal sqlite;
    RecordedJournal journal;
    coordinator::Pipeline pipeline;
    std::unique_ptr<store::Reader> reader;  // also of the commit thread (watch_syncs)
    std::unique_ptr<store::FolderArtifactStore> artifacts;
    std::optional<CoordinatorLoad> load;
    std::unique_ptr<store::Reader> loops_reader;
    edge::Counters counters;
    Mailbox<coordinator::RemoveOrder> orders;
    std::optional<coordinator::RetentionDesk> retention;
};

JournalRun::JournalRun(std::uint64_t seed, JournalFault fault)
    : fault_(fault),
      random_(seed),
      disk_(scratch_.path()),
      mounted_(disk_, seed + 1),
      folder_(scratch_.path() + "/data") {
    install_power_vfs();
    force_synchronous(fault == JournalFault::kNormalSync ? Synchronous::kNormal
                                                         : Synchronous::kAsShipped);
    const bool no_rewrite = fault == JournalFault::kSaysAtOnce ||
                            fault == JournalFault::kNoCheckpoint ||
                            fault == JournalFault::kNoRewrite;
    disk_.lie({.folder_syncs = fault == JournalFault::kNoFolderSync, .log_rewrites = no_rewrite});
}

RunReport JournalRun::run() {
    const std::uint64_t lives = 3 + below(random_, 4);
    for (std::uint64_t i = 0; i < lives && report_.violations.empty(); ++i) {
        // A life or two end in order: what they tidied up is at risk too.
        const bool orderly = chance(random_, 10);
        if (orderly) {
            disk_.plan_no_stop();
        } else {
            plan_stop(i + 1 == lives);
        }
        live(orderly ? 1 + below(random_, 20) : 5'000);
        if (disk_.stopped()) after_stop();
    }
    disk_.plan_no_stop();
    if (report_.violations.empty()) live(10);
    if (report_.violations.empty()) check_offline();
    report_.acknowledged = history_.batches;
    report_.calls = disk_.calls();
    report_.trace = disk_.trace_hash();
    return report_;
}

void JournalRun::plan_stop(bool last) {
    Stop stop = last || chance(random_, 65) ? Stop::kCut : Stop::kKill;
    // Soon after a failed sync, when what it left behind may have been built upon.
    if (std::exchange(sync_failed_, false) && chance(random_, 80)) {
        return disk_.plan_stop(Stop::kCut, 1 + below(random_, 8), StopAt::kFileSync);
    }
    // A commit's last moment, before its sync or as it fails; a start's first calls; anywhere.
    if (chance(random_, 30)) {
        if (stop == Stop::kKill) stop = Stop::kFailedSync;
        sync_failed_ = stop == Stop::kFailedSync;
        return disk_.plan_stop(stop, 1 + below(random_, 60), StopAt::kFileSync);
    }
    disk_.plan_stop(stop, 1 + below(random_, chance(random_, 50) ? 40 : 900));
}

void JournalRun::live(std::uint64_t steps) {
    with_files_ = chance(random_, 30);
    work_random_ = Random(random_());
    Life life(options_of(folder_, with_files_, random_), history_);
    if (fault_ == JournalFault::kNoCheckpoint || fault_ == JournalFault::kSaysAtOnce) {
        life.journal.forget_to_settle();
    }
    const bool again = !history_.events.empty();
    report_.recoveries += again ? 1 : 0;
    if (!start(life)) {
        report_.interrupted += again ? 1 : 0;
        return;
    }
    const bool done = work(life, steps);
    end(life, done && chance(random_, 70));
}

/// False: the life is over.
bool JournalRun::start(Life& life) {
    auto recovery = life.pipeline.acquire();
    if (!recovery) {
        if (!disk_.stopped()) violation("the journal does not open: " + recovery.error().message);
        return false;
    }
    check_recovered(life, *recovery);
    if (!report_.violations.empty()) return false;
    if (fault_ == JournalFault::kSaysAtOnce) say(recovery->last_seq);
    const Instant now = std::max(Instant{1'700'000'000'000}, recovery->last_at) + millis(5);
    if (auto ok = life.pipeline.open_epoch(now, kProgram); !ok) {
        if (!disk_.stopped()) violation("the start fails: " + ok.error().message);
        return false;
    }
    auto reader = life.journal.open_trailing_reader();
    auto loops_reader = life.journal.open_reader();
    auto artifacts = store::FolderArtifactStore::open({.folder = folder_ + "/artifacts"});
    if (disk_.stopped()) return false;
    if (!reader || !loops_reader || !artifacts) {
        violation("what was recovered can't be read");
        return false;
    }
    life.reader = std::move(*reader);
    life.loops_reader = std::move(*loops_reader);
    life.artifacts = std::move(*artifacts);
    if (fault_ == JournalFault::kNone) check_settled();
    check_events(*life.reader);
    say(life.pipeline.durable_seq());
    return report_.violations.empty();
}

/// Whatever the start finds, it holds all that was said, and is what its events lead to.
void JournalRun::check_recovered(const Life& life, const store::Recovery& recovery) {
    if (recovery.last_seq < history_.said) {
        violation("lost: events " + std::to_string(recovery.last_seq + 1) + " to " +
                  std::to_string(history_.said) + " had been acknowledged");
        return;
    }
    if (recovery.last_seq > history_.events.size()) {
        violation("the journal holds events that nobody wrote");
        return;
    }
    auto head = history_.heads.find(recovery.last_seq);
    if (head != history_.heads.end() && recovery.last_seq == history_.said &&
        head->second != recovery.chain_head) {
        violation("the chain's head is not what was acknowledged");
    }
    if (recovery.last_seq > 0 &&
        store::state_hash(life.pipeline.state()) != folded(history_.events, recovery.last_seq)) {
        violation("the recovered state is not what the events lead to");
    }
    history_.events.resize(recovery.last_seq);
}

/// After the first checkpoint nothing of the journal waits for a sync.
void JournalRun::check_settled() {
    for (const std::string& path : disk_.unsynced()) {
        if (path.find("/journal.db") != std::string::npos) violation("not settled: " + path);
    }
}

/// What was told, without the texts that were erased since.
std::vector<core::Event> JournalRun::as_left() const {
    std::vector<core::Event> events = history_.events;
    for (const core::Event& event : history_.events) {
        const auto* body = std::get_if<core::TextsErased>(&event.body);
        if (body == nullptr) continue;
        for (const core::ErasedBody& erased : body->bodies) {
            core::EventBody& left = events.at(erased.seq - 1).body;
            left = core::redacted(std::move(left));
        }
    }
    return events;
}

void JournalRun::check_events(store::Reader& reader) {
    const std::vector<core::Event> told = as_left();
    Seq after = 0;
    while (after < told.size()) {
        auto events = reader.events(after, 1'000, std::nullopt);
        if (!events || events->empty()) {
            return violation("event " + std::to_string(after + 1) + " can't be read");
        }
        for (const store::ChainedEvent& chained : *events) {
            const bool same = after < told.size() && chained.event == told[after];
            if (!same) return violation("event " + std::to_string(after + 1) + " is another one");
            ++after;
        }
    }
}

/// False: the process stopped.
bool JournalRun::work(Life& life, std::uint64_t steps) {
    life.load.emplace(life.pipeline, history_.events, work_random_);
    shown_ = history_.said;
    disk_.watch_syncs([&] {
        auto seq = life.reader->last_seq();
        if (seq) shown_ = std::max<Seq>(shown_, *seq);
    });
    life.load->begin_service();
    life.retention.emplace(coordinator::RetentionParts{life.pipeline, *life.loops_reader,
                                                       life.counters, life.orders, nullptr});
    if (!life.retention->start(life.load->now())) {
        if (!disk_.stopped()) violation("retention can't go on");
        return false;
    }
    bool alive = true;
    for (std::uint64_t i = 0; i < steps && alive; ++i) alive = step(life);
    // The commit thread may still be busy behind its last answer: this waits for it.
    if (alive) alive = life.sqlite.settle().has_value();
    disk_.watch_syncs({});
    say(shown_);
    return alive && report_.violations.empty();
}

bool JournalRun::step(Life& life) {
    if (with_files_ && chance(work_random_, 30)) {
        auto put = life.load->put_artifact(*life.artifacts);
        if (!put && !disk_.stopped()) violation("an artifact is refused: " + put.error().message);
        if (!put) return false;
    }
    if (with_files_ && chance(work_random_, 5) && !life.journal.settle()) return false;
    if (chance(work_random_, 10)) {
        // Beside a commit thread at rest, so that calls keep their order.
        if (!life.journal.settle()) return false;
        auto changed = life.load->change_ended(*life.loops_reader);
        const bool busy = !changed && changed.error().code == ErrorCode::BUSY;
        if (!changed && !busy && !disk_.stopped()) {
            violation("what has ended can't be read: " + changed.error().message);
        }
        if (!changed && !busy) return false;
    }
    life.load->decide_some();
    if (with_files_ && chance(work_random_, 10)) {
        life.load->knock_off();
        if (!retain(life)) return false;
    }
    if (with_files_ && chance(work_random_, 30) && !retain(life)) return false;
    life.pipeline.append();
    if (chance(work_random_, 30)) {
        life.load->decide_some();  // while the first batch is being committed
        life.pipeline.append();
    }
    return await_commits(life);
}

/// What the loop and the artifacts thread do of retention. Beside a commit thread at rest, so that
/// calls keep their order. False: the process stopped.
bool JournalRun::retain(Life& life) {
    if (!life.journal.settle()) return false;
    for (int i = 0; i < 24; ++i) life.retention->step(life.load->now());
    if (fault_ == JournalFault::kRemovesAtOnce) {
        std::vector<Digest> files;
        for (const auto& [digest, seq] : life.pipeline.state().index.condemned) {
            files.push_back(digest);
        }
        if (!life.artifacts->remove(files)) return !disk_.stopped();
        // The order matters where the process ends between the two.
        if (!files.empty()) disk_.plan_stop(Stop::kKill, 1 + below(work_random_, 3));
    }
    life.load->forget_condemned();
    for (const coordinator::RemoveOrder& order : life.orders.take()) {
        if (order.digests.empty()) continue;
        auto removed = life.artifacts->remove(order.digests);
        if (!removed && !disk_.stopped()) violation("a file stays: " + removed.error().message);
        if (removed) life.retention->removed(order.digests);
    }
    return !disk_.stopped();
}

bool JournalRun::await_commits(Life& life) {
    while (life.pipeline.has_uncommitted()) {
        auto committed = life.pipeline.collect();
        if (!committed) {
            if (!disk_.stopped()) violation("a commit fails: " + committed.error().message);
            return false;
        }
        if (!life.pipeline.has_uncommitted()) break;
        std::vector<PollItem> items{{nullptr, life.journal.results_fd(), false}};
        poll(items, seconds(1));
    }
    for (const coordinator::Outgoing& out : life.pipeline.release()) {
        // An answer that leaves is a promise, whether or not the journal has spoken.
        say(out.seq);
    }
    return true;
}

void JournalRun::end(Life& life, bool clean) {
    life.retention.reset();
    life.loops_reader.reset();
    life.reader.reset();
    if (!clean) return;  // the destructor closes it, with nobody to tell
    auto closed = life.journal.close();
    if (!closed && !disk_.stopped()) violation("it does not close: " + closed.error().message);
}

void JournalRun::after_stop() {
    report_.story += "after " + std::to_string(disk_.calls()) + " calls, event " +
                     std::to_string(history_.said) + " said";
    report_.story += ": " + std::string(to_string(disk_.stop_kind())) + "\n";
    report_.story += disk_.calls_since_sync();
    if (disk_.stop_kind() != Stop::kCut) {
        ++(disk_.stop_kind() == Stop::kKill ? report_.kills : report_.failed_syncs);
        return disk_.go_on(random_);
    }
    ++report_.cuts;
    disk_.lose_power(random_);
    check_offline();
}

/// What `zq-coordinator --check` would say.
void JournalRun::check_offline() {
    auto checked = store::verify(folder_, store::VerifyDepth::kContents);
    if (!checked) {
        const ErrorCode code = checked.error().code;
        // A cut before the first format was there leaves nothing, or a database without it.
        const bool unborn = code == ErrorCode::NOT_FOUND || code == ErrorCode::UNSUPPORTED_VERSION;
        if (!unborn || history_.said > 0) violation("verify: " + checked.error().message);
        return;
    }
    for (const std::string& problem : checked->problems) violation("verify: " + problem);
    if (checked->last_seq < history_.said) {
        violation("lost: events " + std::to_string(checked->last_seq + 1) + " to " +
                  std::to_string(history_.said) + " had been acknowledged");
    }
}

void JournalRun::violation(const std::string& sentence) {
    report_.violations.push_back(sentence);
}

}  // namespace zq::power
