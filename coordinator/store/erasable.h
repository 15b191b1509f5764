// What there is to erase of a task, as it is stored: what the event that erases it says (erase.h).
#pragma once

#include "coordinator/store/reader.h"

namespace zq::store {

/// What erasing the task's texts would change: its events so far that have any, and the contents
/// that its events refer to. Errors: IO.
struct Erasable {
    bool known = false;  // there are events of it, of whatever life of the id
    std::vector<core::ErasedBody> bodies;
    std::vector<Digest> contents;
};
Result<Erasable> erasable(Reader& reader, const TaskKey& key);

}  // namespace zq::store
