#include "coordinator/edge/return_envelope.h"

#include <algorithm>
#include <iterator>

#include "common/base/check.h"
#include "common/base/limits.h"

namespace zq::edge {
namespace {

bool begins_message(const std::string& frame) {
    return frame.rfind("zq/", 0) == 0;
}

/// Index of the protocol frame; `frames.size()` if there is none. The frame behind the first empty
/// one goes first: what a REQ puts before its empty frame may be any four bytes, `zq/1` included.
std::size_t message_start(const Frames& frames) {
    const auto begin = frames.begin() + 1;
    const auto empty =
        std::find_if(begin, frames.end(), [](const std::string& f) { return f.empty(); });
    if (empty != frames.end() && empty + 1 != frames.end() && begins_message(*(empty + 1))) {
        return static_cast<std::size_t>(empty + 1 - frames.begin());
    }
    return static_cast<std::size_t>(std::find_if(begin, frames.end(), begins_message) -
                                    frames.begin());
}

/// Envelopes are kept as long as an answer may take: what is too large for one is not kept.
bool is_oversized(const Frames& envelope) {
    std::size_t bytes = 0;
    for (std::size_t i = 1; i < envelope.size(); ++i) bytes += envelope[i].size();
    return bytes > limits::kEnvelopeBytes;
}

/// Where nothing looks like a message: up to the first empty frame, else the routing id alone.
std::size_t fallback_envelope(const Frames& frames) {
    for (std::size_t i = 1; i < frames.size(); ++i) {
        if (frames[i].empty()) return i + 1;
    }
    return 1;
}

}  // namespace

SplitFrames split_frames(Frames frames) {
    ZQ_CHECK(!frames.empty());
    const std::size_t start = message_start(frames);
    SplitFrames split;
    if (start == frames.size()) {
        frames.resize(fallback_envelope(frames));
        if (is_oversized(frames)) frames.resize(1);
        split.envelope = std::move(frames);
        return split;
    }
    const auto middle = frames.begin() + static_cast<std::ptrdiff_t>(start);
    split.message.assign(std::make_move_iterator(middle), std::make_move_iterator(frames.end()));
    frames.resize(start);
    if (is_oversized(frames)) {
        frames.resize(1);
        split.message.clear();
    }
    split.envelope = std::move(frames);
    return split;
}

Frames join_frames(const Frames& envelope, Frames message) {
    Frames frames;
    frames.reserve(envelope.size() + message.size());
    frames = envelope;
    std::move(message.begin(), message.end(), std::back_inserter(frames));
    return frames;
}

}  // namespace zq::edge
