// A coordinator without sockets or disk, and what its peers have a right to expect of it: every
// request is answered once and by its kind of answer, what was acknowledged is there after a crash,
// ends are final, tokens grow, and the core's invariants hold. A broken promise stops the process.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>

#include "coordinator/control.h"
#include "coordinator/store/memory_journal.h"

namespace zq::fuzz {

/// How a peer takes what it is sent.
enum class Reading : std::uint8_t { kTakes, kIsFull, kIsGone };

/// The fingerprint of the one key that is known.
inline constexpr std::string_view kAnn = "0123456789abcdef";

class ControlConversation : private edge::Sender {
  public:
    ControlConversation();
    ~ControlConversation() override;

    /// A message of a peer under a request id of its own, which must be answered.
    void ask(std::size_t door, const std::string& peer, wire::Message message);
    /// Any frames; an answer goes to whatever id is found in them.
    void say(std::size_t door, Received received);
    /// The artifacts thread has content on disk.
    void store(const Digest& digest, std::uint64_t size);

    /// What the loop does after it has read: decides what is due, appends, lets go what may leave.
    void turn();
    /// The disk has everything.
    void sync();
    void pass(Millis time);
    void set_reading(const std::string& peer, Reading reading);
    void set_storage_full(bool full) { control_->note_storage(full); }
    /// The process dies with what is not on disk, and a new one takes its place.
    void crash();
    /// Everybody reads again, all polls end: nobody may be left without an answer.
    void finish();

    /// Every lease that was given out, in order.
    const std::vector<LeaseToken>& tokens() const { return tokens_; }

  private:
    SendStatus send(std::size_t door, const Frames& frames) override;
    void start();
    void run(core::CommandBody body);
    void check_answer(const wire::Message& message);
    void note_facts(const wire::Body& asked, const wire::Body& answer);
    void note_token(const LeaseToken& token);
    void check_facts();
    void check_state() const;

    struct Open {
        std::string peer;
        wire::Body request;
    };

    Instant now_{1'800'000'000'000};
    store::MemoryDisk disk_;
    std::unique_ptr<store::MemoryJournal> journal_;
    std::unique_ptr<coordinator::Pipeline> pipeline_;
    std::unique_ptr<store::Reader> reader_;
    edge::Counters counters_;
    Mailbox<coordinator::StoreResult> store_results_;
    edge::KeyBook keys_;
    edge::Possession shown_;
    std::unique_ptr<coordinator::Control> control_;

    std::map<std::string, Reading> reading_;
    std::uint64_t last_id_ = 0;
    std::map<std::uint64_t, Open> open_;   // by request id
    std::multiset<std::uint64_t> others_;  // ids that may be answered, and need not
    std::set<std::uint64_t> shared_;       // ids that a message of any frames has had
    std::set<TaskId> submitted_;           // acknowledged
    std::map<TaskId, TaskState> ended_;    // acknowledged
    std::vector<LeaseToken> tokens_;
    std::uint64_t last_pushed_ = 0;  // token of the last assignment
    std::uint64_t asked_of_store_ = 0;
    std::uint64_t answered_to_store_ = 0;
};

}  // namespace zq::fuzz
