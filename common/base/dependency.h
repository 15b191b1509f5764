// What a task waits for: other tasks, and how many of them must have gone well.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/base/ids.h"

namespace zq {

/// When the wait is over.
enum class AfterMode : std::uint8_t {
    kAllOk,    // each has completed, or its worker skipped it
    kAllDone,  // each has ended, however
    kAnyOk,    // one has gone well
    kKOfN,     // `count` have gone well
};
/// `all_ok`, `all_done`, `any_ok`, `k_of_n`.
std::string_view to_string(AfterMode mode);
bool from_text(std::string_view text, AfterMode& out);

/// What becomes of a task whose wait can't come to a good end any more.
enum class OnUnmet : std::uint8_t {
    kSkip,  // it is skipped, and so are those that wait for it in vain
    kRun,   // it runs when all have ended, with what became of them as its input
    kDead,  // it is dead, with reason `dependency_failed`
};
/// `skip`, `run`, `dead`.
std::string_view to_string(OnUnmet on);
bool from_text(std::string_view text, OnUnmet& out);

struct After {
    std::vector<TaskId> tasks;  // each once; empty: it waits for none
    AfterMode mode = AfterMode::kAllOk;
    std::uint32_t count = 0;  // of kKOfN alone
    OnUnmet on_unmet = OnUnmet::kSkip;

    friend bool operator==(const After&, const After&) = default;
};

/// Bounds and spelling, and that a task does not wait for itself (`id`); the error names `field`.
Result<void> validate(const After& after, const TaskId& id, const std::string& field);

}  // namespace zq
