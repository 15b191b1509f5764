#include "worker/uploader.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <filesystem>

#include "common/platform/digest.h"
#include "common/platform/log.h"
#include "worker/ending.h"
#include "worker/scrub.h"

namespace zq::worker {
namespace {

constexpr Millis kRetry = seconds(2);
constexpr Millis kDiskRetry = seconds(5);
constexpr Millis kSilence = seconds(10);
constexpr Millis kGiveUp = seconds(30);  // of one try: the endpoint may have changed meanwhile

const LeaseToken& lease_of(const Job& job) {
    return std::visit(
        [](const auto& j) -> const LeaseToken& {
            if constexpr (requires { j.assign; }) {
                return j.assign.lease;
            } else if constexpr (requires { j.held; }) {
                return j.held.lease;
            } else {
                return j.lease;
            }
        },
        job);
}

}  // namespace

Uploader::Uploader(SocketContext& context, UploaderOptions options, const Outbox& outbox)
    : context_(context),
      options_(std::move(options)),
      outbox_(outbox),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    for (std::size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { run(); });
}

Uploader::~Uploader() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void Uploader::set_endpoint(const std::string& endpoint) {
    const std::lock_guard lock(mutex_);
    if (endpoint_ == endpoint) return;
    endpoint_ = endpoint;
    changed_.notify_all();
}

void Uploader::add(Job job) {
    const std::lock_guard lock(mutex_);
    if (!std::holds_alternative<RemoveJob>(job)) busy_.insert(lease_of(job));
    jobs_.push_back(std::move(job));
    changed_.notify_all();
}

void Uploader::abandon(const LeaseToken& lease) {
    const std::lock_guard lock(mutex_);
    if (!busy_.contains(lease)) return;
    abandoned_.insert(lease);
    changed_.notify_all();
}

std::vector<News> Uploader::take_news() {
    std::uint64_t count = 0;
    (void)!::read(wake_.fd(), &count, sizeof count);
    const std::lock_guard lock(mutex_);
    return std::exchange(news_, {});
}

void Uploader::run() {
    Lane lane;
    while (true) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
        if (stopping_) return;
        const Job job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        if (const auto* settled = std::get_if<RemoveJob>(&job)) {
            remove(*settled);
            continue;
        }
        lane.lease = lease_of(job);
        News news = std::visit(
            [&](const auto& j) -> News {
                using T = std::decay_t<decltype(j)>;
                if constexpr (std::is_same_v<T, PrepareJob>) return prepare(lane, j);
                if constexpr (std::is_same_v<T, ConcludeJob>) return conclude(lane, j);
                if constexpr (std::is_same_v<T, ReplaceJob>) return replace(lane, j);
                if constexpr (std::is_same_v<T, PutAgainJob>) return put_again(lane, j);
                if constexpr (std::is_same_v<T, StoreWordJob>) return store_word(lane, j);
                if constexpr (std::is_same_v<T, FetchPreviousJob>) return fetch_previous(lane, j);
                return Abandoned{lane.lease};
            },
            job);
        lock.lock();
        busy_.erase(busy_.find(lane.lease));
        if (!busy_.contains(lane.lease)) abandoned_.erase(lane.lease);
        news_.push_back(std::move(news));
        const std::uint64_t one = 1;
        (void)!::write(wake_.fd(), &one, sizeof one);
    }
}

News Uploader::replace(Lane& lane, const ReplaceJob& job) {
    if (!write_outbox(lane, job.held.lease, job.report)) return Abandoned{job.held.lease};
    return Concluded{job.held.lease, job.report};
}

News Uploader::put_again(Lane& lane, const PutAgainJob& job) {
    for (const ArtifactRef& artifact : job.artifacts) {
        auto put = transfer(lane, [&](Transfer& t) {
            return t.put_file({artifact.digest, artifact.size, job.held.task, job.held.lease},
                              job.workspace.artifact_file(artifact.name));
        });
        if (put) continue;
        if (is_abandoned(lane)) return Abandoned{job.held.lease};
        log_error("missing content cannot be put again", {{"task", job.held.task.text},
                                                          {"artifact", artifact.name},
                                                          {"reason", put.error().message}});
        wire::Fail lost;
        lost.report.task = job.held.task;
        lost.report.attempt = job.held.attempt;
        lost.report.lease = job.held.lease;
        lost.report.from = options_.worker;
        lost.reason =
            bounded_text(artifact.name + " was lost before it was stored: " + put.error().message,
                         limits::kReasonBytes);
        return replace(lane, {job.held, std::move(lost)});
    }
    return ContentStored{job.held.lease};
}

News Uploader::store_word(Lane& lane, const StoreWordJob& job) {
    for (const ArtifactRef& content : job.contents) {
        auto put = transfer(lane, [&](Transfer& t) {
            return t.put_file({content.digest, content.size, job.held.task, job.held.lease},
                              job.workspace.spool_file(content.digest));
        });
        if (!put) return WordStored{job.held.lease, job.word, put};
    }
    return WordStored{job.held.lease, job.word, {}};
}

News Uploader::fetch_previous(Lane& lane, const FetchPreviousJob& job) {
    const LeaseToken lease = job.held.lease;
    const std::string path = job.workspace.previous_file(job.what.attempt, job.what.name);
    const auto fetch = [&]() -> Result<wire::Stored> {
        // An attempt that has ended meanwhile needs nothing more.
        if (!std::filesystem::exists(job.workspace.folder)) {
            return fail(ErrorCode::STALE_LEASE, "the attempt has ended", "lease");
        }
        auto parent = std::filesystem::path(path).parent_path().string();
        if (auto ok = make_folders(parent, 0700); !ok) return Failure(ok.error());
        const ContentPlace place{job.what.task, job.what.attempt, job.what.name, 0};
        auto got = transfer(lane, [&](Transfer& t) { return t.fetch_file(place, {}, path); });
        if (!got) return Failure(got.error());
        auto digest = sha256_file(path);
        if (!digest) return Failure(digest.error());
        return wire::Stored{digest->digest, digest->size};
    };
    return PreviousFetched{lease, job.word, fetch()};
}

void Uploader::remove(const RemoveJob& job) {
    outbox_.remove(job.lease);
    if (!job.refusal.empty()) {
        (void)write_file(job.workspace.refusal_file(), job.refusal + "\n", 0600, Durability::kNone);
    }
    if (job.keep == Keep::kForever) return scrub_workspace(job.secrets, job.workspace);
    if (auto ok = remove_workspace(job.workspace); !ok) {
        log_warn("cannot remove an attempt's folder", {{"reason", ok.error().message}});
    }
}

Result<void> Uploader::write_outbox(Lane& lane, const LeaseToken& lease, const wire::Body& report) {
    while (true) {
        auto written = outbox_.put(lease, report);
        if (written) return {};
        log_error("cannot write the outbox; trying again", {{"reason", written.error().message}});
        wait(lane, kDiskRetry);
        if (is_abandoned(lane)) return fail(ErrorCode::SHUTTING_DOWN, "abandoned");
    }
}

Result<void> Uploader::transfer(Lane& lane, const Put& work) {
    while (true) {
        if (is_abandoned(lane)) return fail(ErrorCode::SHUTTING_DOWN, "abandoned");
        auto ready = open(lane);
        Result<void> done = ready ? work(**ready) : Result<void>(Failure(ready.error()));
        if (done || !retryable(done.error().code)) return done;
        lane.transfer.reset();
        wait(lane, std::max(kRetry, std::min(done.error().retry_after, seconds(30))));
    }
}

Result<Transfer*> Uploader::open(Lane& lane) {
    std::string endpoint;
    {
        const std::lock_guard lock(mutex_);
        endpoint = endpoint_;
    }
    if (endpoint.empty()) return fail(ErrorCode::UNREACHABLE, "not connected yet");
    if (lane.transfer && lane.endpoint == endpoint) return lane.transfer.get();
    TransferOptions options;
    options.endpoint = endpoint;
    options.curve = options_.curve;
    options.silence = kSilence;
    options.give_up = kGiveUp;
    options.stop = [this, &lane] { return is_abandoned(lane); };
    auto opened = Transfer::open(context_, std::move(options));
    if (!opened) return Failure(opened.error());
    lane.transfer = std::move(*opened);
    lane.endpoint = endpoint;
    return lane.transfer.get();
}

bool Uploader::is_abandoned(const Lane& lane) {
    const std::lock_guard lock(mutex_);
    return stopping_ || abandoned_.contains(lane.lease);
}

void Uploader::wait(const Lane& lane, Millis time) {
    std::unique_lock lock(mutex_);
    const std::string before = endpoint_;
    changed_.wait_for(lock, std::chrono::milliseconds(time.count), [&] {
        return stopping_ || abandoned_.contains(lane.lease) || endpoint_ != before;
    });
}

}  // namespace zq::worker
