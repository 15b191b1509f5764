// Finds where a message begins among the frames of a ROUTER, and keeps what stands before it: the
// opaque return envelope, which goes back in front of every answer as it came.
#pragma once

#include "common/platform/socket.h"

namespace zq::edge {

/// A received message, split. `message` is empty where no protocol frame was found, or the envelope
/// has more than limits::kEnvelopeBytes beside the routing id (then it is the routing id alone);
/// `envelope` still leads back to the sender.
struct SplitFrames {
    Frames envelope;  // routing id first; never empty
    Frames message;   // from the frame that begins with `zq/`
};

/// Frames of a ROUTER: at least the routing id. A REQ's envelope ends with its empty frame, also
/// where CORRELATE adds another before it; a DEALER may send one or none.
SplitFrames split_frames(Frames frames);

/// The envelope with a message behind it.
Frames join_frames(const Frames& envelope, Frames message);

}  // namespace zq::edge
