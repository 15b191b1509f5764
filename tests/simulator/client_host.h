// A client's machine: a person or an agent with the command line. Submits its share of tasks, waits
// for their ends, cancels some, claims some by hand and reports on them, and looks around. One
// request at a time, repeated under one id over a new socket while nothing comes, as
// common/client/client.cc does; what stays unanswered for good is asked anew under a new id.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "tests/simulator/host_clock.h"
#include "tests/simulator/stage.h"

namespace zq::sim {

struct ClientSetup {
    std::string name;
    std::uint32_t tasks = 0;
    Millis pace = seconds(5);  // between requests, on average
};

class ClientHost : public PeerEnd {
  public:
    ClientHost(Stage stage, ClientSetup setup);

    void start();
    void die();
    /// No more trouble: submits what is left quickly.
    void hurry() { hurrying_ = true; }
    bool is_up() const { return up_; }
    /// Everything is submitted, answered, and seen to have ended.
    bool is_done() const { return left_.empty() && open_.empty() && held_.empty(); }
    const std::string& name() const { return setup_.name; }

    void receive(LinkId link, Frames frames) override;
    void broken(LinkId link) override;

  private:
    /// A lease that was claimed by hand.
    struct Held {
        TaskSpec task;
        std::uint32_t attempt = 0;
        LeaseToken lease;
        Millis term;
    };
    struct Call {
        wire::Message message;
        Millis wait;   // as a long poll
        Millis until;  // then it is given up
        Millis try_until;
        std::uint32_t tries = 0;
        bool again = false;  // asked once more, though it was answered
    };

    void plan(Millis wait, void (ClientHost::*what)());
    void think();
    void act();
    void ask(wire::Body request, Millis wait = {});
    void try_once();
    void look_at_clock();
    void hang_up();
    void retry_later(Millis asked);
    void finish(const wire::Body* reply);
    void learn(const wire::Body& request, const wire::Body& reply);
    void learn_refusal(const wire::Body& request, const wire::ErrorReply& refusal);
    void learn_submitted(const TaskId& id, TaskState state);
    void learn_batched(const wire::Batch& batch, const wire::Batched& reply);
    void expect_refusable(const TaskSpec& task, const wire::ErrorReply& refusal);

    wire::Body next_request(Millis& wait);
    wire::Body submit_next();
    wire::Body submit_several();
    wire::Body submit_again();
    wire::Body change_ended();
    wire::Body look_around(Millis& wait);
    wire::Body tend(Held& held);
    wire::Body wait_for_ends(Millis& wait);
    wire::Body checkpoint_of(const Held& held);
    wire::Body report(const Held& held);
    wire::Body answer_one();
    wire::Body set_control();
    wire::Body lift_one();
    void learn_controls(const wire::ControlRows& controls);
    std::optional<TaskId> some_open_task();

    Stage stage_;
    ClientSetup setup_;
    Rng rng_;
    Identity identity_;
    std::uint64_t generation_ = 0;
    bool up_ = false;
    bool hurrying_ = false;

    // What its user knows, and a new start is told.
    std::deque<TaskSpec> left_;  // to be submitted and acknowledged
    std::set<TaskId> open_;      // acknowledged, not seen to have ended
    std::vector<TaskId> ended_;  // seen to have ended; those that it removes are asked for no more
    std::map<LeaseToken, Held> held_;
    std::vector<std::pair<TaskId, Question>> asked_;  // seen to be open
    std::vector<wire::SetControl> to_lift_;           // what was said and is to be taken back
    std::vector<TaskSpec> keyed_;                     // acknowledged ones with an idempotency key

    // Of this process.
    ClientId id_;
    std::uint64_t last_request_ = 0;
    LinkId link_ = 0;
    std::string correlate_;
    std::optional<Call> call_;
};

}  // namespace zq::sim
