// Events as their rows have them: encoded once, written to the commit log and to the table alike.
#pragma once

#include <string>
#include <vector>

#include "coordinator/core/event.h"
#include "coordinator/store/event_codec.h"

namespace zq::store {

struct EventRow {
    std::string header;  // as it stands in the hash chain
    std::string body;
    Digest body_digest;
    Digest hash;  // of the chain, after it
};

/// The rows of events that follow the chain's `head`.
std::vector<EventRow> make_rows(const std::vector<core::Event>& events, Digest head);

}  // namespace zq::store
