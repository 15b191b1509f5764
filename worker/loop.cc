#include "worker/loop.h"

#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>

#include "common/client/client.h"
#include "common/platform/clock.h"
#include "common/platform/log.h"
#include "worker/command.h"
#include "worker/service.h"
#include "worker/starting.h"
#include "worker/task_socket/desk.h"
#include "worker/task_socket/leftover_words.h"

namespace zq::worker {
namespace {

constexpr int kSendHighWater = 64;
constexpr std::size_t kMessagesPerPass = 256;
constexpr std::size_t kThreadsMax = 4;
constexpr Millis kOrphansEvery = seconds(10);
constexpr Millis kReleaseWait = seconds(10);
constexpr Millis kKillWait = seconds(12);

class Loop {
  public:
    Loop(WorkerParts parts, Started started, const sigset_t& signals)
        : parts_(std::move(parts)),
          outbox_(std::move(started.outbox)),
          uploader_(context_, uploader_options(parts_), outbox_),
          logs_(context_, parts_.curve),
          attempts_(parts_.options, parts_.handlers, parts_.state, uploader_, logs_),
          desk_(context_, std::move(started.sockets)),
          session_(session_options(parts_.options, parts_.state), started.stored),
          signals_(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK)),
          timer_(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)),
          service_(parts_.notifier, parts_.options) {
        for (const StoredReport& report : started.stored) tell_leftovers(report.held);
    }

    int run();

  private:
    static UploaderOptions uploader_options(const WorkerParts& parts);

    void tell_leftovers(const wire::HeldLease& held);
    const std::string& endpoint() const {
        return parts_.profile.endpoints[endpoint_ % parts_.profile.endpoints.size()];
    }
    bool open_socket();
    void wait();
    void receive();
    void take_signals();
    void take_attempt_news();
    void take_task_words();
    void release_everything();
    void check_release();
    void kill_everything();

    void perform(const Actions& actions);
    void perform(const Send& action);
    void perform(const Reopen& action);
    void perform(const Start& action);
    void perform(const Freeze& action) { attempts_.freeze(action.lease); }
    void perform(const Thaw& action);
    void perform(const Cancel& action);
    void perform(const EndForBudget& action);
    void perform(const Kill& action);
    void perform(const Settled& action);
    void perform(const Refused& action);
    void perform(const PutAgain& action);
    void perform(const Replace& action);
    void perform(const StoreForWord& action);
    void perform(const WordAnswered& action) { desk_.answered(action); }
    void perform(const QuestionNews& action) { desk_.told(action.asked); }
    void perform(const Note& action);
    void perform(const End& action);

    WorkerParts parts_;
    SocketContext context_;
    Outbox outbox_;
    Uploader uploader_;
    LogSender logs_;
    Attempts attempts_;
    TaskDesk desk_;
    Session session_;
    FileHandle signals_;
    FileHandle timer_;
    std::optional<Socket> socket_;
    std::size_t endpoint_ = 0;
    Service service_;
    std::uint32_t ending_signals_ = 0;
    Millis release_until_ = kNoTime;
    Millis next_orphans_{};
    std::optional<int> exit_code_;
};

UploaderOptions Loop::uploader_options(const WorkerParts& parts) {
    UploaderOptions options;
    options.worker = parts.state.name.text;
    options.curve = parts.curve;
    options.secrets_folder = parts.options.secrets_folder;
    options.threads = std::min<std::size_t>(parts.options.slots, kThreadsMax);
    if (!parts.options.command.empty()) {
        options.git_worktree = parts.options.git_worktree;
        options.command = digest_of_words(parts.options.command);
    }
    return options;
}

/// What an attempt of an earlier start said, and nobody heard: before its report.
void Loop::tell_leftovers(const wire::HeldLease& held) {
    for (Word& word : leftover_words(parts_.state, held)) {
        perform(session_.tell(held.lease, std::move(word), boottime()));
    }
}

bool Loop::open_socket() {
    SocketOptions options;
    options.kind = SocketKind::kDealer;
    options.curve = parts_.curve;
    options.immediate = true;  // nothing piles up for a coordinator that is away
    options.send_high_water = kSendHighWater;
    socket_.reset();
    auto opened = Socket::open(context_, options);
    auto connected = opened ? opened->connect(endpoint()) : Result<void>(Failure(opened.error()));
    if (!connected) {
        log_error("cannot connect",
                  {{"endpoint", endpoint()}, {"reason", connected.error().message}});
        return false;
    }
    socket_ = std::move(*opened);
    return true;
}

int Loop::run() {
    if (!open_socket()) return 1;
    perform(session_.start(boottime()));
    while (!exit_code_) {
        wait();
        receive();
        take_signals();
        // Before anything is started: after a sleep of the machine its lease may be over.
        perform(session_.tick(boottime()));
        for (News& news : uploader_.take_news()) attempts_.take(std::move(news));
        take_task_words();
        take_attempt_news();
        check_release();
    }
    kill_everything();
    return *exit_code_;
}

/// Sleeps until something has to be done. The timer counts on through a suspend of the machine, so
/// that a lease that ended meanwhile freezes its child at once.
void Loop::wait() {
    const Millis now = boottime();
    Millis next =
        std::min({session_.deadline(now), attempts_.deadline(), desk_.deadline(), release_until_});
    if (attempts_.running() > 0) next = std::min(next, next_orphans_);
    itimerspec when{};
    if (next != kNoTime) {
        const Millis at = std::max(next, millis(1));
        when.it_value.tv_sec = at.count / 1000;
        when.it_value.tv_nsec = (at.count % 1000) * 1'000'000;
    }
    ::timerfd_settime(timer_.fd(), TFD_TIMER_ABSTIME, &when, nullptr);
    std::vector<PollItem> items = {
        {nullptr, signals_.fd()}, {nullptr, timer_.fd()}, {nullptr, uploader_.wake_fd()}};
    if (socket_) items.push_back({socket_->raw(), -1});
    desk_.add_poll_items(items);
    for (int fd : attempts_.wake_fds()) items.push_back({nullptr, fd});
    service_.poll(items, minutes(1));
    std::uint64_t fired = 0;
    (void)!::read(timer_.fd(), &fired, sizeof fired);
}

void Loop::receive() {
    for (std::size_t i = 0; socket_ && i < kMessagesPerPass; ++i) {
        auto received = socket_->receive();
        if (!received) return;
        Frames& frames = received->frames;
        if (frames.empty() || !frames.front().empty() || received->too_many) continue;
        frames.erase(frames.begin());
        auto message = wire::decode(frames);
        if (!message) {
            log_warn("a message cannot be read",
                     {{"reason", message.error().message}, {"field", message.error().field}});
            continue;
        }
        const wire::Header& header = message->header;
        if (header.artifacts_port != 0 || !header.artifacts_endpoint.empty()) {
            const std::string artifacts = resolve_artifacts_endpoint(endpoint(), header);
            uploader_.set_endpoint(artifacts);
            logs_.set_endpoint(artifacts);
        }
        perform(session_.receive(*message, boottime()));
        if (session_.connected()) service_.welcomed(endpoint());
    }
}

void Loop::take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.fd(), &info, sizeof info) == sizeof info) {
        if (service_.read_again_on(info.ssi_signo)) continue;
        ++ending_signals_;
        if (ending_signals_ == 1) {
            service_.draining();
            perform(session_.drain(boottime()));
        } else if (ending_signals_ == 2) {
            release_everything();
        } else {
            log_warn("killing what still runs", {{"running", std::to_string(attempts_.running())}});
            exit_code_ = 1;
        }
    }
}

void Loop::release_everything() {
    log_info("releasing", {{"running", std::to_string(attempts_.running())}});
    attempts_.stop_all(StopCause::kDrained, boottime());
    release_until_ = boottime() + parts_.options.grace + kReleaseWait;
}

/// After a second signal: what could not be delivered in time is in the outbox, for the next start.
void Loop::check_release() {
    if (boottime() < release_until_) return;
    release_until_ = kNoTime;
    log_warn("ending with reports that are not acknowledged: the next start sends them",
             {{"left", std::to_string(session_.held())}});
    exit_code_ = 0;
}

void Loop::take_task_words() {
    const Millis now = boottime();
    for (TaskWord& said : desk_.take(session_.leases(), now))
        perform(session_.tell(said.lease, std::move(said.word), now));
    for (FetchPreviousJob& fetch : desk_.take_fetches()) uploader_.add(std::move(fetch));
    desk_.tick(now);
}

void Loop::take_attempt_news() {
    const Millis now = boottime();
    if (attempts_.running() > 0 && now >= next_orphans_) {
        next_orphans_ = now + kOrphansEvery;
        attempts_.reap();
    }
    for (AttemptNews& news : attempts_.step(now)) {
        if (auto* ended = std::get_if<ChildEnded>(&news)) {
            session_.child_ended(ended->lease);
            desk_.close(ended->lease);
        } else if (auto* used = std::get_if<Used>(&news)) {
            const wire::HeldLease& held = used->held;
            const Word word{0, wire::Spend{held.task, held.lease, used->usage}, {}};
            perform(session_.tell(held.lease, word, now));
        } else if (auto* reported = std::get_if<Reported>(&news)) {
            perform(session_.report(reported->lease, std::move(reported->report), now));
        } else if (auto* gone = std::get_if<Gone>(&news)) {
            desk_.forget(gone->lease);
            perform(session_.gone(gone->lease, now));
        } else if (auto* stored = std::get_if<ContentStored>(&news)) {
            perform(session_.put_again(stored->lease, now));
        } else if (auto* word = std::get_if<WordStored>(&news)) {
            perform(session_.word_stored(word->lease, word->word, word->stored, now));
        } else if (auto* fetched = std::get_if<PreviousFetched>(&news)) {
            desk_.fetched(*fetched);
        } else if (auto* hidden = std::get_if<Hidden>(&news)) {
            desk_.hide(hidden->lease, std::move(hidden->secrets));
        } else if (auto* refused = std::get_if<Disowned>(&news)) {
            log_warn("content was refused: lease lost", {{"lease", to_string(refused->lease)}});
            perform(session_.disown(refused->lease));
        }
    }
}

void Loop::kill_everything() {
    const Millis until = boottime() + kKillWait;
    attempts_.kill_all();
    while (attempts_.running() > 0 && boottime() < until) {
        (void)attempts_.step(boottime());
        std::vector<PollItem> none;
        if (attempts_.running() > 0) poll(none, millis(5));
    }
}

void Loop::perform(const Actions& actions) {
    for (const Action& action : actions) {
        std::visit([this](const auto& a) { perform(a); }, action);
    }
}

void Loop::perform(const Send& action) {
    Frames frames = wire::encode(action.message);
    frames.insert(frames.begin(), std::string());
    if (!socket_ || socket_->send(frames) != SendStatus::kSent) {
        session_.unsent(action.message, boottime());
    }
}

void Loop::perform(const Reopen&) {
    ++endpoint_;
    open_socket();
}

void Loop::perform(const Start& action) {
    const wire::Assign& assign = action.assign;
    const wire::HeldLease held{assign.task.id, assign.attempt, assign.lease};
    log_info("assigned", {{"task", assign.task.id.text},
                          {"attempt", std::to_string(assign.attempt)},
                          {"role", assign.task.role.text}});
    attempts_.start(assign, desk_.open(assign, attempts_.workspace_of(held)));
}

void Loop::perform(const Thaw& action) {
    attempts_.thaw(action.lease, boottime());
}

void Loop::perform(const Cancel& action) {
    log_info("cancel asked", {{"lease", to_string(action.lease)}});
    attempts_.stop(action.lease, StopCause::kCancelled, boottime());
}

void Loop::perform(const EndForBudget& action) {
    log_warn("the budget of its task is used up: stopped", {{"lease", to_string(action.lease)}});
    attempts_.stop(action.lease, StopCause::kOverBudget, boottime());
}

void Loop::perform(const Kill& action) {
    log_warn("lease is not ours any more: killed", {{"lease", to_string(action.lease)}});
    attempts_.kill(action.lease);
}

void Loop::perform(const Settled& action) {
    desk_.forget(action.held.lease);
    log_info("reported", {{"task", action.held.task.text},
                          {"attempt", std::to_string(action.held.attempt)},
                          {"state", std::string(to_string(action.state))}});
    attempts_.settled(action.held, action.state);
    uploader_.add(
        RemoveJob{action.held.lease, attempts_.workspace_of(action.held), parts_.options.keep, {}});
}

void Loop::perform(const Refused& action) {
    desk_.forget(action.held.lease);
    log_error("report refused; the folder is kept",
              {{"task", action.held.task.text},
               {"code", std::string(to_string(action.error.code))},
               {"reason", action.error.message},
               {"folder", attempts_.workspace_of(action.held).folder}});
    uploader_.add(
        RemoveJob{action.held.lease, attempts_.workspace_of(action.held), Keep::kForever,
                  std::string(to_string(action.error.code)) + ": " + action.error.message});
}

void Loop::perform(const PutAgain& action) {
    log_info("content is missing: putting it again", {{"task", action.held.task.text}});
    uploader_.add(PutAgainJob{action.held, attempts_.workspace_of(action.held), action.artifacts});
}

void Loop::perform(const StoreForWord& action) {
    uploader_.add(StoreWordJob{action.held, attempts_.workspace_of(action.held), action.word,
                               action.contents});
}

void Loop::perform(const Replace& action) {
    log_warn("report refused; another one follows", {{"task", action.held.task.text}});
    uploader_.add(ReplaceJob{action.held, action.report});
}

void Loop::perform(const Note& action) {
    if (action.detail.empty()) return log_info(action.fact);
    log_info(action.fact, {{"detail", action.detail}});
}

void Loop::perform(const End& action) {
    exit_code_ = action.exit_code;
    if (action.exit_code == 0) return log_info("ending", {{"why", action.reason}});
    log_error("ending", {{"why", action.reason}});
}

}  // namespace

int run_loop(WorkerParts parts, const sigset_t& signals) {
    ::signal(SIGPIPE, SIG_IGN);  // a log that nobody reads any more ends no task
    // Orphans of commands come to this process, to be found and reaped.
    if (!parts.options.command.empty()) ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    auto started = start_from(parts.state, parts.options.keep);
    if (!started) {
        log_error("cannot start", {{"reason", started.error().message}});
        return 1;
    }
    return Loop(std::move(parts), std::move(*started), signals).run();
}

}  // namespace zq::worker
