#include "coordinator/store/erasable.h"

#include <set>

#include "common/platform/digest.h"
#include "coordinator/core/redact.h"
#include "coordinator/store/event_codec.h"

namespace zq::store {
namespace {

constexpr std::size_t kEventsAtOnce = 500;

}  // namespace

Result<Erasable> erasable(Reader& reader, const TaskKey& key) {
    Erasable found;
    std::set<Digest> contents;
    Seq after = 0;
    while (true) {
        auto events = reader.events(after, kEventsAtOnce, key);
        if (!events) return Failure(events.error());
        for (const ChainedEvent& chained : *events) {
            after = chained.event.seq;
            found.known = true;
            const ReferenceChange change = references_of(chained.event.body);
            contents.insert(change.gained.begin(), change.gained.end());
            const core::EventBody redacted = core::redacted(chained.event.body);
            if (redacted == chained.event.body) continue;
            found.bodies.push_back({after, sha256(encode_body(redacted))});
        }
        if (events->size() < kEventsAtOnce) break;
    }
    found.contents.assign(contents.begin(), contents.end());
    return found;
}

}  // namespace zq::store
