// Everything of an attempt that may take long and needs no answer at once: fetching inputs,
// hashing, putting artifacts, writing the outbox, removing folders. Runs on threads of its own, so
// that no heartbeat ever waits for it. The loop adds jobs and takes news; each job gives one piece
// of news, but for RemoveJob.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "common/client/transfer.h"
#include "common/platform/files.h"
#include "worker/attempt_end.h"
#include "worker/executor/redactor.h"
#include "worker/outbox.h"
#include "worker/workspace/workspace.h"

namespace zq::worker {

/// Makes the folder, fetches the inputs, writes task.json and prompt.md. -> Prepared
struct PrepareJob {
    wire::Assign assign;
    Workspace workspace;
};
/// Collects, checks, stores what the attempt left, and puts its report into the outbox. ->
/// Concluded
struct ConcludeJob {
    wire::HeldLease held;
    ExpectedOutput expected;
    Workspace workspace;
    AttemptEnd end;
    std::vector<SecretValue> secrets = {};  // taken out of all that the attempt left
};
/// Puts another report into the outbox. -> Concluded
struct ReplaceJob {
    wire::HeldLease held;
    wire::Body report;
};
/// Puts contents of a report that the coordinator misses. -> ContentStored; or, where they are not
/// here any more, Concluded with a failure that says so
struct PutAgainJob {
    wire::HeldLease held;
    Workspace workspace;
    std::vector<ArtifactRef> artifacts;
};
/// Puts contents, from the attempt's spool, that something it says names. -> WordStored
struct StoreWordJob {
    wire::HeldLease held;
    Workspace workspace;
    std::uint64_t word = 0;
    std::vector<ArtifactRef> contents;
};
/// Fetches what an earlier attempt left into the attempt's folder. -> PreviousFetched
struct FetchPreviousJob {
    wire::HeldLease held;
    Workspace workspace;
    std::uint64_t word = 0;
    wire::Fetch what;
};
/// Removes what is left of a settled attempt. No news.
struct RemoveJob {
    LeaseToken lease;
    Workspace workspace;
    Keep keep = Keep::kUntilSettled;
    std::string refusal;  // of a refused report: written into the folder, which then stays
    std::vector<SecretValue> secrets = {};  // taken out of a folder that stays
};
using Job = std::variant<PrepareJob, ConcludeJob, ReplaceJob, PutAgainJob, StoreWordJob,
                         FetchPreviousJob, RemoveJob>;

struct Prepared {
    LeaseToken lease;
    std::string not_started;  // the machine's fault, or empty
    std::string not_fetched;  // the task's fault, or empty
    std::string drifted{};    // an input by reference that is not what was submitted, or empty
    std::vector<SecretValue> secrets = {};  // what is to be taken out of all that leaves
};
struct Concluded {
    LeaseToken lease;
    wire::Body report;
};
struct ContentStored {
    LeaseToken lease;
};
/// The job ended early: it was abandoned.
struct Abandoned {
    LeaseToken lease;
};
/// The coordinator refused content because the lease is not ours any more.
struct Disowned {
    LeaseToken lease;
};
/// What a word names is stored; or, with an error, never will be.
struct WordStored {
    LeaseToken lease;
    std::uint64_t word = 0;
    Result<void> stored;
};
/// What an earlier attempt left lies in the folder; or the error why not. For who asked.
struct PreviousFetched {
    LeaseToken lease;
    std::uint64_t word = 0;
    Result<wire::Stored> content;
};
using News = std::variant<Prepared, Concluded, ContentStored, WordStored, PreviousFetched,
                          Abandoned, Disowned>;

struct UploaderOptions {
    std::string worker;  // the name that reports carry
    std::optional<CurveKeys> curve;
    std::size_t threads = 1;
    std::string git_worktree;  // the repository of which each attempt gets a working tree; or empty
    std::string secrets_folder = {};  // of what tasks name as secret://NAME; or empty
    Digest command = {};              // of the words that are run; zero: handlers
};

class Uploader {
  public:
    Uploader(SocketContext& context, UploaderOptions options, const Outbox& outbox);
    /// Abandons everything and waits for the threads.
    ~Uploader();
    Uploader(const Uploader&) = delete;
    Uploader& operator=(const Uploader&) = delete;

    /// Where the artifacts are; transfers wait until it is known.
    void set_endpoint(const std::string& endpoint);
    void add(Job job);
    /// Ends the lease's job soon, if it has one that is under way or waits.
    void abandon(const LeaseToken& lease);
    std::vector<News> take_news();
    /// Readable while there is news.
    int wake_fd() const { return wake_.fd(); }

  private:
    /// One thread with its transfer.
    struct Lane {
        LeaseToken lease;  // of the job under way
        std::string endpoint;
        std::unique_ptr<Transfer> transfer;
    };
    using Put = std::function<Result<void>(Transfer&)>;

    void run();
    News prepare(Lane& lane, const PrepareJob& job);
    News fill(Lane& lane, const PrepareJob& job);
    News conclude(Lane& lane, const ConcludeJob& job);
    News replace(Lane& lane, const ReplaceJob& job);
    News put_again(Lane& lane, const PutAgainJob& job);
    News store_word(Lane& lane, const StoreWordJob& job);
    Result<void> fetch_upstream(Lane& lane, const PrepareJob& job,
                                std::vector<wire::UpstreamRow>& upstream);
    News fetch_previous(Lane& lane, const FetchPreviousJob& job);
    void remove(const RemoveJob& job);

    Result<void> fetch_checkpoints(Lane& lane, const PrepareJob& job);
    Result<void> fetch_inputs(Lane& lane, const PrepareJob& job);
    Result<void> fetch_input(Lane& lane, const TaskId& task, const ArtifactRef& input,
                             const std::string& path);
    Result<void> add_artifacts(Lane& lane, const ConcludeJob& job,
                               const std::vector<struct FoundFile>& files, wire::Report& report);
    Result<wire::ReportArtifact> store(Lane& lane, const ConcludeJob& job, const FoundFile& file,
                                       std::set<Digest>& stored, std::size_t& inline_bytes);
    Result<void> write_outbox(Lane& lane, const LeaseToken& lease, const wire::Body& report);
    /// Repeats until it is done, refused for good, or abandoned (SHUTTING_DOWN).
    Result<void> transfer(Lane& lane, const Put& work);
    Result<Transfer*> open(Lane& lane);
    bool is_abandoned(const Lane& lane);
    void wait(const Lane& lane, Millis time);

    SocketContext& context_;
    UploaderOptions options_;
    const Outbox& outbox_;
    FileHandle wake_;

    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    std::deque<Job> jobs_;
    std::multiset<LeaseToken> busy_;  // leases of the jobs that wait or are under way
    std::set<LeaseToken> abandoned_;
    std::vector<News> news_;
    std::string endpoint_;
    bool stopping_ = false;

    std::vector<std::thread> threads_;
};

}  // namespace zq::worker
