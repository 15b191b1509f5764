// The message decoder under any bytes: it refuses with a code that a peer's bytes can earn, names
// the field of every INVALID, and what it takes, it writes back so that it reads as the same
// message. The first byte picks the type (or none that exists), the rest is the map frame, for
// CHUNK followed by a body.
#include "common/base/check.h"
#include "common/wire/codec.h"
#include "tests/fuzz/target.h"
#include "tests/vectors/vector_file.h"

namespace zq::fuzz {
namespace {

constexpr std::size_t kLargestSeed = 4096;

template <std::size_t... I>
constexpr auto type_names(std::index_sequence<I...>) {
    return std::array<std::string_view, sizeof...(I)>{
        std::variant_alternative_t<I, wire::AnyBody>::kType...};
}
constexpr auto kTypes = type_names(std::make_index_sequence<std::variant_size_v<wire::AnyBody>>());

wire::Frames frames_of(std::string_view bytes) {
    if (bytes.empty()) return {};
    const std::size_t pick = static_cast<unsigned char>(bytes[0]) % (kTypes.size() + 1);
    wire::Frames frames{std::string(wire::kProtocol)};
    frames.emplace_back(pick < kTypes.size() ? kTypes[pick] : "NO_SUCH_TYPE");
    frames.emplace_back(bytes.substr(1));
    if (pick < kTypes.size() && kTypes[pick] == wire::Chunk::kType) frames.emplace_back("body");
    return frames;
}

bool may_come_from_bytes(ErrorCode code) {
    return code == ErrorCode::MALFORMED || code == ErrorCode::UNKNOWN_TYPE ||
           code == ErrorCode::INVALID || code == ErrorCode::TOO_LARGE;
}

}  // namespace

void run(std::string_view input) {
    const wire::Frames frames = frames_of(input);
    static_cast<void>(wire::peek_header(frames));
    auto message = wire::decode(frames);
    if (!message) {
        ZQ_CHECK(may_come_from_bytes(message.error().code));
        ZQ_CHECK(!message.error().message.empty());
        ZQ_CHECK((message.error().code == ErrorCode::INVALID) == !message.error().field.empty());
        return;
    }
    const wire::Frames written = wire::encode(*message);
    auto again = wire::decode(written);
    ZQ_CHECK(again.has_value());
    ZQ_CHECK(*again == *message);
    ZQ_CHECK(wire::encode(*again) == written);
    ZQ_CHECK(wire::peek_header(written).id == message->header.id);
}

/// Every map frame of the golden vectors under its own type, and under one that differs each time.
std::vector<std::string> seeds() {
    std::vector<std::string> found;
    for (const char* file :
         {"worker", "client", "reading", "control", "artifacts", "malformed", "odd"}) {
        auto blocks =
            vectors::read_blocks(std::string(ZQ_SOURCE_DIR) + "/tests/vectors/" + file + ".txt");
        ZQ_CHECK(blocks.has_value());
        for (const auto& block : *blocks) {
            auto frames = vectors::parse_frames(block.fields.at("frames"));
            if (!frames || frames->size() < 3 || frames->at(2).size() > kLargestSeed) continue;
            const std::size_t other = found.size() % kTypes.size();
            for (std::size_t type = 0; type < kTypes.size(); ++type) {
                if (frames->at(1) != kTypes[type] && type != other) continue;
                found.push_back(std::string(1, static_cast<char>(type)) + frames->at(2));
            }
        }
    }
    ZQ_CHECK(found.size() > 100);
    return found;
}

}  // namespace zq::fuzz
