// What there is to do: which tasks are submitted, and what becomes of each attempt. To add a kind
// of task, add it here; who carries it out are the hosts.
#pragma once

#include <string>

#include "common/base/task_spec.h"
#include "coordinator/core/command.h"
#include "tests/simulator/rng.h"

namespace zq::sim {

inline const RoleName kReview{"review"};
inline const RoleName kWrite{"write"};
inline const RoleName kSolo{"solo"};       // served by one worker: what it loses waits for it
inline const RoleName kByHand{"by-hand"};  // claimed by clients
inline const RoleName kNobody{"nobodys"};  // served by none: these tasks expire

/// How an attempt goes at a worker, unless somebody ends it before.
enum class Fate : std::uint8_t {
    kSucceed,
    kSkip,
    kFail,
    kFailForGood,
    kCrash,
    kTryLater,
    kNotStarted,    // the worker's fault
    kHang,          // until its run timeout, else for long
    kDeaf,          // hangs at a worker that keeps no time: the coordinator must
    kBusyService,   // a service is busy, and says until when
    kRefuse,        // the model would not
    kUnmetUnseen,   // says it is done without what was expected: the coordinator must notice
    kWrongText,     // its result's text is not what was expected: so too
    kTooLong,       // its report breaks a bound: refused, and mended
    kLargeResult,   // content that is put before the report
    kPark,          // ends with a question, and goes on with the answer
    kForgottenPut,  // the report names content that was never put
};

struct Work {
    Fate fate = Fate::kSucceed;
    Millis prepare;   // fetching inputs
    Millis run;       // unfrozen
    Millis conclude;  // hashing, putting, writing the outbox
    Usage used;       // as its report says
};

/// What is found of keys at a start; some have changed meanwhile.
core::Command some_key_changes(Rng& rng, Instant now);

/// What an attempt hands over as its result; `right`: as a contract that asks for a heading wants
/// it.
enum class Text : std::uint8_t { kRight, kWrong };
std::string result_text(const TaskId& task, std::uint32_t attempt, Text text);
std::string text_by_hand(const TaskId& task, Text text);

class Workload {
  public:
    explicit Workload(Rng rng) : rng_(rng) {}

    /// The n-th task of a client.
    TaskSpec task(const std::string& client, std::uint32_t n) const;
    Work work(const TaskSpec& task, std::uint32_t attempt) const;

  private:
    Rng rng_;
};

}  // namespace zq::sim
