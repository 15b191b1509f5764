// The records of the projections as bytes, and one hash over everything durable. Fields are named
// in record_fields.h.
#pragma once

#include <string>
#include <string_view>

#include "common/platform/digest.h"
#include "coordinator/core/state.h"

namespace zq::store {

std::string encode_task(const core::Task& task);
std::string encode_attempt(const core::Attempt& attempt);

std::string encode_access(const KeyAccess& access);
std::string encode_control(const core::Control& control);

/// Errors: pack::decode's.
Result<core::Task> decode_task(std::string_view bytes);
/// The same into a new one.
Result<void> decode_task(std::string_view bytes, core::Task& out);
Result<core::Attempt> decode_attempt(std::string_view bytes);
Result<KeyAccess> decode_access(std::string_view bytes);
Result<core::Control> decode_control(std::string_view bytes);

/// SHA-256 over the durable part in one canonical order: two states with the same hash go on alike.
/// The volatile part and the indexes are not in it. Anchors keep it for good: what later formats
/// add to the state must hash to nothing while it is empty.
Digest state_hash(const core::State& state);

/// The same, where the open tasks come as stored records and not from memory.
class StateHash {
  public:
    /// `rest` is the durable part but for its tasks.
    StateHash(const core::Durable& rest, std::uint64_t open_tasks);
    /// The open tasks, in the order of their keys.
    void add_task(std::string_view record);
    /// After the last task.
    Digest finish();

  private:
    const core::Durable& rest_;
    Sha256 hash_;
};

}  // namespace zq::store
