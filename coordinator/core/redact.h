// What is left of an event when the texts of its task are erased: who, when, which names, states,
// numbers and digests; no word that a person, an agent or a command wrote. A replay of redacted
// events leads to the same states of all other tasks, and to the same task without its texts.
//
// Names stay, as they are what everything is found and counted by: ids, roles, types, groups, keys,
// labels, names of artifacts.
#pragma once

#include "coordinator/core/event.h"

namespace zq::core {

/// Stands where a text was.
inline constexpr std::string_view kErasedText = "[erased]";

/// Redacting twice is redacting once; an event without texts is itself.
EventBody redacted(EventBody body);
Task redacted(Task task);
Attempt redacted(Attempt attempt);

}  // namespace zq::core
