// Where a message begins among a ROUTER's frames: nothing is lost or made up, the envelope leads
// back to the sender and is bounded, and a message behind the same envelope is found again where it
// was. The input is the frames, each with its length before it in two bytes.
#include <algorithm>

#include "common/base/check.h"
#include "common/base/limits.h"
#include "common/wire/codec.h"
#include "coordinator/edge/return_envelope.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/target.h"
#include "tests/vectors/samples.h"

namespace zq::fuzz {
namespace {

Frames frames_of(std::string_view input) {
    InputReader reader(input);
    Frames frames{reader.text()};
    while (!reader.is_empty() && frames.size() < limits::kFrames) {
        frames.push_back(reader.long_text());
    }
    return frames;
}

std::string input_of(const Frames& frames) {
    std::string input;
    for (const std::string& frame : frames) {
        if (!input.empty()) input += static_cast<char>(frame.size() >> 8);
        input += static_cast<char>(frame.size() & 0xff);
        input += frame;
    }
    return input;
}

std::size_t bytes_behind_first(const Frames& frames) {
    std::size_t bytes = 0;
    for (std::size_t i = 1; i < frames.size(); ++i) bytes += frames[i].size();
    return bytes;
}

/// An answer's protocol frame must be found behind whatever envelope it goes back with.
void check_answer(const Frames& envelope) {
    const Frames answer = wire::encode({{7, {}, 0, 0, 0, ""}, wire::Ping{}, ""});
    const Frames sent = edge::join_frames(envelope, answer);
    ZQ_CHECK(sent.size() == envelope.size() + answer.size());
    ZQ_CHECK(std::equal(envelope.begin(), envelope.end(), sent.begin()));
    ZQ_CHECK(std::equal(answer.begin(), answer.end(), sent.end() - 3));
}

}  // namespace

void run(std::string_view input) {
    const Frames frames = frames_of(input);
    const edge::SplitFrames split = edge::split_frames(frames);
    ZQ_CHECK(!split.envelope.empty());
    ZQ_CHECK(split.envelope.size() <= frames.size());
    ZQ_CHECK(std::equal(split.envelope.begin(), split.envelope.end(), frames.begin()));
    ZQ_CHECK(bytes_behind_first(split.envelope) <= limits::kEnvelopeBytes);
    check_answer(split.envelope);
    if (split.message.empty()) return;
    ZQ_CHECK(split.message[0].rfind("zq/", 0) == 0);
    ZQ_CHECK(edge::join_frames(split.envelope, split.message) == frames);
    static_cast<void>(wire::decode(split.message));
    static_cast<void>(wire::peek_header(split.message));
}

std::vector<std::string> seeds() {
    const Frames ping = wire::encode({{7, {}, 0, 0, 0, ""}, wire::Ping{}, ""});
    const std::vector<Frames> envelopes = {
        {"peer", ""},                     // REQ
        {"peer", "abcd", ""},             // REQ with CORRELATE
        {"peer", "zq/1", ""},             // whose number looks like the protocol
        {"peer"},                         // DEALER
        {"peer", "hop", "hop", "", ""},   // proxies
        {std::string("\0x", 2), "", ""},  // a chosen routing id
        {"peer", std::string(limits::kEnvelopeBytes + 1, 'x'), ""},
    };
    std::vector<std::string> found;
    for (const Frames& envelope : envelopes) {
        found.push_back(input_of(envelope));
        found.push_back(input_of(edge::join_frames(envelope, ping)));
        found.push_back(input_of(edge::join_frames(envelope, {"zq/2", "PING"})));
    }
    for (const auto& sample : vectors::artifact_samples()) {
        found.push_back(input_of(edge::join_frames({"peer", ""}, wire::encode(sample.message))));
    }
    return found;
}

}  // namespace zq::fuzz
