// The worker's side of the conversation with a coordinator, as a value: messages, times and news of
// the executor go in, actions come out. No socket, no clock, no file, no process, no log. Owns the
// handshake, credit, the leases' clocks and the reports until they are acknowledged.
//
// Every time is CLOCK_BOOTTIME. The caller carries actions out in order before its next call, and
// calls `tick` no later than `deadline` says.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "worker/session/action.h"
#include "worker/session/lease.h"

namespace zq::worker {

/// When a worker ends by itself.
enum class Lifetime : std::uint8_t { kForever, kOneTask };

struct SessionOptions {
    WorkerName name;
    StateId state_id;
    std::uint64_t incarnation = 0;
    std::vector<RoleName> roles;
    std::vector<std::string> labels;  // sorted, each once
    std::uint32_t slots = 1;
    std::string program;
    Lifetime lifetime = Lifetime::kForever;
    Millis idle_exit{};                        // 0: never
    Millis orphan_hold = limits::kOrphanHold;  // how long a frozen child is kept
    Millis unreachable = seconds(30);          // with kOneTask: nobody answers
    Millis fault_pause = minutes(1);           // after three worker faults in a row
};

/// What waits for an answer is said again after so long; where an error asks for more patience, so
/// long at most.
inline constexpr Millis kResend = seconds(5);
inline constexpr Millis kRetryMax = minutes(1);

/// A report that an earlier incarnation, or this one, has in its outbox.
struct StoredReport {
    wire::HeldLease held;
    wire::Body report;
};

/// What a running attempt has to say to the coordinator beside its report: PROGRESS, CHECKPOINT,
/// SPEND, ASK, SUBMIT.
struct Word {
    std::uint64_t number = 0;  // the caller's; 0: nobody waits for the answer
    wire::Body body;
    std::vector<ArtifactRef> contents;  // to be stored before it is said
};

class Session {
  public:
    /// `stored`: what earlier incarnations reported and was not acknowledged.
    Session(SessionOptions options, std::vector<StoredReport> stored);

    /// The first HELLO.
    Actions start(Millis now);
    /// A message from the coordinator.
    Actions receive(const wire::Message& message, Millis now);
    /// Time has passed.
    Actions tick(Millis now);
    /// A message could not be handed over: nobody is connected.
    void unsent(const wire::Message& message, Millis now);

    /// The attempt's child has ended: from here on its lease is never frozen and never given up.
    void child_ended(const LeaseToken& lease);
    /// The attempt's report is in the outbox: send it until it is acknowledged.
    Actions report(const LeaseToken& lease, wire::Body report, Millis now);
    /// Something of an attempt for the coordinator: said in order, each word until it is answered,
    /// all of them before the attempt's report.
    Actions tell(const LeaseToken& lease, Word word, Millis now);
    /// What StoreForWord asked for is stored; or, with an error, the word ends unsaid.
    Actions word_stored(const LeaseToken& lease, std::uint64_t word, const Result<void>& stored,
                        Millis now);
    /// Words of a lease that are not answered.
    std::size_t words_of(const LeaseToken& lease) const;
    /// What PutAgain asked for is stored.
    Actions put_again(const LeaseToken& lease, Millis now);
    /// What Kill asked for is done: the slot is free.
    Actions gone(const LeaseToken& lease, Millis now);
    /// The attempt's content was refused because the lease is not ours: nothing to report.
    Actions disown(const LeaseToken& lease);

    /// No new tasks; ends when everything is reported and acknowledged.
    Actions drain(Millis now);

    /// The next time at which `tick` has something to do.
    Millis deadline(Millis now) const;
    /// True between a WELCOME and the next silence.
    bool connected() const { return phase_ == Phase::kWelcomed || phase_ == Phase::kLeaving; }
    /// Leases and reports that are not settled.
    std::size_t held() const { return leases_.size(); }
    std::uint32_t free_slots(Millis now) const;
    const std::map<LeaseToken, Lease>& leases() const { return leases_; }

  private:
    enum class Phase : std::uint8_t { kGreeting, kWelcomed, kLeaving, kEnded };

    struct Pending {
        wire::Body body;
        std::uint64_t id = 0;  // of its message; the same for every sending of this report
        Millis next_send{};
        bool waits_for_content = false;
        bool replaced = false;  // refused once already, and mended
    };

    struct PendingWord {
        Word word;
        std::uint64_t id = 0;  // of its message; the same for every sending
        Millis next_send{};
        std::uint32_t stores = 0;  // how often its contents were to be stored
        bool storing = false;
    };
    using Words = std::map<LeaseToken, std::deque<PendingWord>>;

    // session.cc: handshake, heartbeats, the worker's life.
    void begin_drain(Millis now, Actions& out);
    void say_hello(Millis now, Actions& out);
    void say_heartbeat(Millis now, Actions& out);
    void say_ready(Millis now, Actions& out);
    void lose_contact(Millis now, Actions& out);
    void tick_contact(Millis now, Actions& out);
    void tick_life(Millis now, Actions& out);
    void welcome(const wire::Header& header, const wire::Welcome& message, Millis now,
                 Actions& out);
    void refuse_session(const wire::ErrorReply& error, Millis now, Actions& out);
    void end(int exit_code, std::string reason, Actions& out);
    std::uint64_t send(wire::Body body, Millis now, Actions& out);
    bool is_old(const wire::Message& message) const;
    Millis silence() const;
    Millis heartbeat_interval() const;
    void list(std::vector<wire::HeldLease>& leases, std::vector<wire::HeldLease>& reports) const;

    // session_leases.cc: the leases' clocks and verdicts.
    void assign(const wire::Assign& message, Millis now, Actions& out);
    void judge(const wire::LeaseVerdict& verdict, std::optional<Millis> sent, Millis now,
               Actions& out);
    void tick_leases(Millis now, Actions& out);
    std::optional<Millis> sent_time(std::uint64_t id) const;

    // session_reports.cc: reports until they are acknowledged.
    bool may_send(const LeaseToken& token, const Pending& pending) const;
    void send_report(Pending& pending, Millis now, Actions& out);
    void send_reports(Millis now, Actions& out);
    void tick_reports(Millis now, Actions& out);
    void accept(const wire::Message& message, const wire::Accepted& accepted, Millis now,
                Actions& out);
    void refuse_report(LeaseToken lease, const wire::ErrorReply& error, Millis now, Actions& out);
    void replace(LeaseToken lease, const wire::ErrorReply& error, FailureClass failure,
                 Actions& out);
    void drop_report(LeaseToken lease, const wire::ErrorReply& error, Actions& out);
    std::map<LeaseToken, Pending>::iterator report_with(std::uint64_t id);
    void count_faults(const wire::Body& report, Millis now, Actions& out);

    // session_words.cc: what attempts say while they run, in order, until it is answered.
    void send_word(const LeaseToken& lease, Millis now, Actions& out);
    void send_words(Millis now, Actions& out);
    void tick_words(Millis now, Actions& out);
    bool answer_word(const wire::Message& message, Millis now, Actions& out);
    bool retry_word(const LeaseToken& lease, const wire::ErrorReply& error, Millis now,
                    Actions& out);
    void end_word(const LeaseToken& lease, wire::Message answer, Millis now, Actions& out);
    void drop_words(const LeaseToken& lease, Actions& out);
    Words::iterator words_with(std::uint64_t id);

    SessionOptions options_;
    Phase phase_ = Phase::kGreeting;
    std::uint64_t next_id_ = 1;
    std::map<std::uint64_t, Millis>
        sent_;  // when HELLO, READY and HEARTBEAT of this session were sent
    std::map<LeaseToken, Lease> leases_;
    std::map<LeaseToken, Pending> reports_;
    Words words_;
    LeaseToken seen_;  // the last assignment that arrived

    std::string journal_;
    Epoch epoch_ = 0;
    Millis lease_ = limits::kLeaseDefault;
    Millis heartbeat_ = limits::kHeartbeatDefault;

    Millis heard_{};       // when anything came last
    Millis next_hello_{};  // while greeting
    Millis hello_wait_{};  // grows while nobody answers
    Millis next_beat_{};   // while welcomed
    Millis idle_since_{};
    Millis silent_since_{};  // of the whole worker, for kOneTask
    Millis leave_by_{};
    Millis paused_until_{};
    std::uint32_t faults_ = 0;
    bool draining_ = false;
};

/// Later than every deadline.
inline constexpr Millis kNoTime{INT64_MAX};

}  // namespace zq::worker
