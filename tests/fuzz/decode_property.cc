#include "tests/fuzz/decode_property.h"

#include "common/base/check.h"
#include "common/wire/codec.h"

namespace zq::fuzz {
namespace {

template <std::size_t... I>
constexpr auto type_names(std::index_sequence<I...>) {
    return std::array<std::string_view, sizeof...(I)>{
        std::variant_alternative_t<I, wire::Body>::kType...};
}
constexpr auto kTypes = type_names(std::make_index_sequence<std::variant_size_v<wire::Body>>());

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

std::size_t type_count() {
    return kTypes.size() + 1;
}

void check_decode(std::string_view bytes) {
    const wire::Frames frames = frames_of(bytes);
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

}  // namespace zq::fuzz
