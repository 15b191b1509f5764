// The control conversation in one process, without sockets: frames in, frames out, a journal in
// memory that is synced by hand, so that what may leave and when can be seen.
#pragma once

#include <gtest/gtest.h>

#include <deque>

#include "coordinator/control.h"
#include "coordinator/store/memory_journal.h"

namespace zq::coordinator {

inline constexpr Instant kNoon{1'800'000'000'000};

/// What was sent to whom.
struct FakeSender : edge::Sender {
    std::map<std::string, std::deque<wire::Message>> inbox;
    std::set<std::string> gone;
    SendStatus send(std::size_t, const Frames& frames) override {
        if (gone.contains(frames[0])) return SendStatus::kGone;
        auto message = wire::decode(edge::split_frames(frames).message);
        EXPECT_TRUE(message) << message.error().message;
        inbox[frames[0]].push_back(std::move(*message));
        return SendStatus::kSent;
    }
};

class ControlTest : public testing::Test {
  protected:
    ControlTest() : journal_(disk_, store::MemorySync::kByHand), pipeline_(journal_, {}) {
        EXPECT_TRUE(pipeline_.acquire());
        core::Command start;
        start.now = kNoon;
        start.identity = kSystemIdentity;
        start.body = core::StartEpoch{disk_.journal, 1, "test"};
        pipeline_.run(start);
        pipeline_.append();
        journal_.sync();
        EXPECT_TRUE(pipeline_.collect());
        reader_ = *journal_.open_reader();
        control_ =
            std::make_unique<Control>(ControlParts{pipeline_,
                                                   *reader_,
                                                   sender_,
                                                   counters_,
                                                   store_results_,
                                                   {DoorPlace{edge::Trust::kLocal, {5571, ""}}},
                                                   {"test", disk_.journal},
                                                   keys_,
                                                   shown_,
                                                   kNoon});
    }

    /// A message of a client (named) or of a worker (not named) comes in.
    void tell(const std::string& peer, wire::Body body, std::uint64_t id = 1,
              const std::string& client = "") {
        tell_frames(peer, wire::encode({{id, ClientId(client), 0, 0, 0, ""}, std::move(body), ""}));
    }
    void tell_frames(const std::string& peer, const Frames& message) {
        Received received;
        received.frames = {peer, ""};
        received.frames.insert(received.frames.end(), message.begin(), message.end());
        control_->handle(0, std::move(received), now_);
    }
    /// What the loop does after it has read: assigns, appends, lets go what may leave.
    void turn() {
        for (int i = 0; i < 4 && !pipeline_.state().now.to_match.empty(); ++i) {
            core::Command match;
            match.now = now_;
            match.identity = kSystemIdentity;
            match.body = core::Match{};
            pipeline_.run(match);
        }
        control_->serve_claims(now_);
        control_->expire(now_);
        pipeline_.append();
        control_->flush(now_);
    }
    /// The disk has it.
    void sync() {
        journal_.sync();
        auto committed = pipeline_.collect();
        ASSERT_TRUE(committed);
        control_->wake(*committed, now_);
        control_->flush(now_);
    }
    void turn_and_sync() {
        turn();
        sync();
    }
    std::optional<wire::Message> take(const std::string& peer) {
        auto& inbox = sender_.inbox[peer];
        if (inbox.empty()) return std::nullopt;
        wire::Message message = std::move(inbox.front());
        inbox.pop_front();
        return message;
    }
    template <class T>
    T expect(const std::string& peer) {
        auto message = take(peer);
        if (!message || !std::holds_alternative<T>(message->body)) {
            ADD_FAILURE() << peer << " got " << (message ? wire::type_of(message->body) : "nothing")
                          << ", not " << T::kType;
            return {};
        }
        return std::get<T>(message->body);
    }

    static wire::Submit submit(const std::string& id, const std::string& role = "r") {
        wire::Submit message;
        message.task.id = TaskId(id);
        message.task.role = RoleName(role);
        return message;
    }
    static wire::Hello hello(const std::string& worker) {
        wire::Hello message;
        message.worker = WorkerName(worker);
        message.state_id = StateId(std::string(32, 'a'));
        message.incarnation = 1;
        message.roles = {RoleName("r")};
        return message;
    }

    store::MemoryDisk disk_;
    store::MemoryJournal journal_;
    Pipeline pipeline_;
    FakeSender sender_;
    edge::Counters counters_;
    Mailbox<StoreResult> store_results_;
    edge::KeyBook keys_;
    edge::Possession shown_;
    std::unique_ptr<store::Reader> reader_;
    std::unique_ptr<Control> control_;
    Instant now_ = kNoon;
};

}  // namespace zq::coordinator
