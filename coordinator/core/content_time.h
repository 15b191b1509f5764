// How long an unused content lives beyond its upload: the rule that the uploads' side
// (coordinator/artifact_desk.cc) and the removing side (decide_retain.cc) must read alike.
#pragma once

#include "common/base/time.h"

namespace zq::core {

/// A content that is uploaded again within this part of its time is not stored anew: its time goes
/// on from the first upload. So much older than the lease it was put under it may be.
constexpr Millis kept_without_renewal(Millis unreferenced) {
    constexpr std::int64_t kPart = 24;
    return Millis{unreferenced.count / kPart};
}

}  // namespace zq::core
