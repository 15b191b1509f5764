// The part of apply about keys.
#include "coordinator/core/apply_parts.h"

namespace zq::core {

void apply_body(State& state, const Event&, const AccessChanged& body) {
    if (body.access) {
        state.durable.access.insert_or_assign(body.fingerprint, *body.access);
    } else {
        state.durable.access.erase(body.fingerprint);
    }
}

}  // namespace zq::core
