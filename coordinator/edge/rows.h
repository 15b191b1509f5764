// Records as readers see them: tasks, attempts, events. Pure. Long texts can be cut so that many
// rows fit one message.
#pragma once

#include "common/wire/codec.h"
#include "coordinator/core/state.h"
#include "coordinator/store/reader.h"

namespace zq::edge {

wire::TaskRow task_row(const core::Task& task);
wire::AttemptRow attempt_row(const core::Attempt& attempt);
/// The attempt that runs under a lease.
wire::AttemptRow running_row(const core::Lease& lease);
wire::EventRow event_row(const store::ChainedEvent& event);

/// The first bytes of a UTF-8 text, whole characters only, marked where something is cut off.
std::string cut_text(const std::string& text, std::size_t most_bytes);

/// Counts the bytes that a reply's rows take, and says when the next would not fit its message.
class RowBudget {
  public:
    explicit RowBudget(std::size_t bytes) : left_(bytes) {}
    template <class Row>
    bool take(const Row& row) {
        const std::size_t bytes = pack::encode(row).size();
        if (bytes > left_) return false;
        left_ -= bytes;
        return true;
    }

  private:
    std::size_t left_;
};

/// What rows may take of one message: the rest is for its header and single fields.
inline constexpr std::size_t kRowBytes = limits::kMessageBytes - 64UL * 1024;

}  // namespace zq::edge
