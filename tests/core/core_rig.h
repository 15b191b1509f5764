// A coordinator without sockets or disk: the real decide and apply, a clock that the test turns,
// and every event kept. After each command the invariants are asked.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "coordinator/core/apply.h"
#include "coordinator/core/decide.h"

namespace zq::core {

class CoreRig {
  public:
    CoreRig();

    /// Runs one command and everything that follows at once (matches). Gives the effects, in order.
    std::vector<Effect> run(CommandBody body);
    /// Turns the clock and sends Tick as the loop would.
    std::vector<Effect> advance(Millis by);
    /// A new process on the same journal: the volatile part is gone, the epoch is one more.
    void restart();

    /// The one answer among effects.
    template <class A>
    static A answer(const std::vector<Effect>& effects) {
        for (const Effect& effect : effects) {
            const auto* answer = std::get_if<Answer>(&effect);
            if (answer == nullptr) continue;
            if (const auto* body = std::get_if<A>(&answer->body)) return *body;
            if (const auto* no = std::get_if<Rejected>(&answer->body)) {
                ADD_FAILURE() << "rejected: " << to_string(no->error.code) << " "
                              << no->error.message;
                return {};
            }
        }
        ADD_FAILURE() << "no such answer";
        return {};
    }
    /// The error of a refused command.
    static Error error(const std::vector<Effect>& effects) {
        return std::get<Rejected>(std::get<Answer>(effects.front()).body).error;
    }
    /// The error's code of a refused command.
    static std::string refusal(const std::vector<Effect>& effects);
    static std::vector<Assignment> assignments(const std::vector<Effect>& effects);

    // The usual commands.
    std::vector<Effect> submit(const std::string& id, const std::string& role = "review");
    std::vector<Effect> submit(const TaskSpec& spec);
    std::vector<Effect> hello(SessionId session, const std::string& worker,
                              std::uint64_t incarnation = 1, std::vector<LeaseToken> leases = {},
                              LeaseToken seen = {}, std::vector<LeaseToken> reports = {});
    std::vector<Effect> ready(SessionId session, std::uint32_t free, LeaseToken seen = {});
    std::vector<Effect> heartbeat(SessionId session, std::vector<LeaseToken> leases,
                                  std::uint32_t free = 0);
    std::vector<Effect> complete(const std::string& id, LeaseToken token);
    std::vector<Effect> fail_attempt(const std::string& id, LeaseToken token,
                                     FailureClass failure = FailureClass::kError);
    /// A worker of the role with one slot takes the task that is ready: its assignment.
    Assignment assign_to(SessionId session, const std::string& worker);

    const Task& task(const std::string& id) const;
    TaskState state_of(const std::string& id) const { return task(id).state; }
    static TaskSpec spec(const std::string& id, const std::string& role = "review");
    static Digest digest(std::uint8_t n);

    State state;
    Policy policy;
    Instant now{1'700'000'000'000};
    Identity identity = kLocalIdentity;
    std::vector<Event> journal;
    std::uint64_t request = 0;
    Facts facts;             // for the next command
    bool unchecked = false;  // many commands: the invariants are asked after the last one only

  private:
    void decide_and_apply(CommandBody body, std::vector<Effect>& effects);
};

}  // namespace zq::core
