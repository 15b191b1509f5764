// One worker's machine: the real session, carried out as worker/loop.cc does, over simulated
// attempts. What is on its disk (state folder, incarnation, outbox) outlives the process.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>

#include "tests/simulator/attempt.h"
#include "tests/simulator/coordinator_host.h"
#include "worker/session/session.h"

namespace zq::sim {

struct WorkerSetup {
    std::string name;
    std::vector<RoleName> roles;
    std::vector<std::string> labels;  // sorted
    std::uint32_t slots = 2;
    Millis orphan_hold = minutes(30);
};

class WorkerHost : public PeerEnd {
  public:
    WorkerHost(Stage stage, CoordinatorHost& coordinator, WorkerSetup setup);
    ~WorkerHost() override;

    void start();
    /// kKill: the supervisor alone; its children go on until the next start sweeps them up.
    void die(Death death);
    /// SIGSTOP of the supervisor; its children go on.
    void pause(Millis length);
    /// The whole machine sleeps.
    void suspend(Millis length);
    /// The same as soon as it has said something, so that the answer finds it asleep.
    void suspend_after_speaking(Millis length) { sleep_after_speaking_ = length; }
    /// SIGTERM; `twice`: what runs is given back at once.
    void drain(bool twice);
    void step_wall(Millis by) { clock_.step_wall(by); }

    const std::string& name() const { return setup_.name; }
    bool is_up() const { return process_ != nullptr; }
    /// Reports that are on its disk and not settled.
    std::size_t unsettled() const { return outbox_.size(); }

    void receive(LinkId link, Frames frames) override;
    void broken(LinkId link) override;

  private:
    struct Process;

    Millis boot() const { return clock_.boot(stage_.world.now()); }
    void plan(Millis wait, void (WorkerHost::*what)());
    void plan_pass(Millis when);
    void pass();
    void pass_on_time();
    void open_socket();
    void reconnect();
    void take_input();
    void step_attempts();
    void conclude(Attempt& attempt);
    void speak_later(const LeaseToken& lease);
    void speak(const LeaseToken& lease);
    wire::Ask some_question(const TaskId& task, const LeaseToken& lease);
    void put_content(const ArtifactRef& content, const std::function<void()>& stored);
    void watch(const Attempt& attempt);
    void leave_children();
    void end();
    void fall_asleep();
    void wake_up();
    void start_later();
    void second_signal();
    void give_up_releasing();
    void check_credit(const wire::Message& message);

    void perform(const worker::Actions& actions);
    void perform(const worker::Send& action);
    void perform(const worker::Reopen& action);
    void perform(const worker::Start& action);
    void perform(const worker::Freeze& action);
    void perform(const worker::Thaw& action);
    void perform(const worker::Cancel& action);
    void perform(const worker::EndForBudget& action);
    void perform(const worker::Kill& action);
    void perform(const worker::Settled& action);
    void perform(const worker::Refused& action);
    void perform(const worker::PutAgain& action);
    void perform(const worker::Replace& action);
    void perform(const worker::StoreForWord& action);
    void perform(const worker::WordAnswered& action);
    void perform(const worker::QuestionNews& action);
    void perform(const worker::Note& action);
    void perform(const worker::End& action);
    Attempt* find(const LeaseToken& lease);

    Stage stage_;
    CoordinatorHost& coordinator_;
    WorkerSetup setup_;
    Rng rng_;
    Rng speech_;
    HostClock clock_;

    // On its disk.
    StateId state_id_;
    Identity identity_;
    std::uint64_t incarnation_ = 0;
    std::map<LeaseToken, wire::Body> outbox_;

    std::unique_ptr<Process> process_;
    std::uint64_t generation_ = 0;
    Millis paused_until_{};
    std::optional<Millis> sleep_after_speaking_;
    Millis sleep_for_{};
};

}  // namespace zq::sim
