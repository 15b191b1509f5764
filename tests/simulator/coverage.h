// What the runs have reached: every command, event, effect and error code there is, with how often.
// What cannot be reached here stands in one table with the reason (coverage.cc), which must be
// true.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "coordinator/core/decide.h"
#include "worker/session/action.h"

namespace zq::sim {

class Coverage {
  public:
    void decided(const core::Command& command, const core::Decision& decision);
    void acted(const worker::Action& action);
    void refused(ErrorCode code);
    void faulted(std::string_view fault);
    void merge(const Coverage& other);

    /// Everything there is, with how often it was reached: `command.SubmitTask`, `error.CONFLICT`.
    std::map<std::string, std::uint64_t> table() const;
    /// What should have been reached and was not, or the other way round; one sentence each.
    std::vector<std::string> gaps() const;

  private:
    void count(std::string name) { ++counts_[std::move(name)]; }
    std::map<std::string, std::uint64_t> counts_;
};

}  // namespace zq::sim
