#include "coordinator/store/event_rows.h"

#include "common/platform/digest.h"

namespace zq::store {

std::vector<EventRow> make_rows(const std::vector<core::Event>& events, Digest head) {
    std::vector<EventRow> rows;
    rows.reserve(events.size());
    for (const core::Event& event : events) {
        EventRow row;
        row.header = header_bytes(event, kind_number(event.body), kBodyVersion);
        row.body = encode_body(event.body);
        row.body_digest = sha256(row.body);
        row.hash = head = chain_hash(head, row.header, row.body_digest);
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace zq::store
