#include "coordinator/store/event_codec.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/check.h"
#include "common/platform/digest.h"
#include "coordinator/store/record_fields.h"

namespace zq::store {
namespace {

using DecodeFunction = Result<core::EventBody> (*)(std::string_view);

template <class T>
Result<core::EventBody> decode_as(std::string_view bytes) {
    auto body = pack::decode<T>(bytes);
    if (!body) return Failure(body.error());
    return core::EventBody(std::move(*body));
}

template <std::size_t... I>
constexpr auto make_decoders(std::index_sequence<I...>) {
    return std::array<DecodeFunction, sizeof...(I)>{
        &decode_as<std::variant_alternative_t<I, core::EventBody>>...};
}

constexpr auto kDecoders =
    make_decoders(std::make_index_sequence<std::variant_size_v<core::EventBody>>());

void put_integer(std::string& out, std::uint64_t value, int size) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
        out += static_cast<char>(value >> shift & 0xff);
    }
}

void put_text(std::string& out, std::string_view text, int length_size) {
    ZQ_CHECK(text.size() < (1ULL << (8 * length_size)));
    put_integer(out, text.size(), length_size);
    out += text;
}

std::uint64_t take_integer(std::string_view& from, std::size_t size) {
    std::uint64_t value = 0;
    for (const char byte : from.substr(0, size)) {
        value = value << 8 | static_cast<unsigned char>(byte);
    }
    from.remove_prefix(std::min(size, from.size()));
    return value;
}

std::string_view take_text(std::string_view& from, std::size_t length_size) {
    const std::string_view text = from.substr(0, 0);
    const std::uint64_t size = take_integer(from, length_size);
    if (size > from.size()) return text;
    const std::string_view taken = from.substr(0, size);
    from.remove_prefix(size);
    return taken;
}

std::string_view view(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}

}  // namespace

std::uint16_t kind_number(const core::EventBody& body) {
    return static_cast<std::uint16_t>(body.index());
}

std::uint64_t envelope_kinds() {
    return 1ULL << kind_number(core::TaskSubmitted{}) | 1ULL << kind_number(core::TaskReplayed{}) |
           1ULL << kind_number(core::TaskEdited{});
}

std::string encode_body(const core::EventBody& body) {
    return std::visit([](const auto& fields) { return pack::encode(fields); }, body);
}

Result<core::EventBody> decode_body(std::uint16_t kind, std::uint16_t version,
                                    std::string_view bytes) {
    if (version == 0 || version > kBodyVersion || kind >= kDecoders.size()) {
        return fail(ErrorCode::UNSUPPORTED_VERSION, "event kind " + std::to_string(kind) +
                                                        " in format " + std::to_string(version) +
                                                        " is not known to this program");
    }
    return kDecoders[kind](bytes);
}

std::string header_bytes(const core::Event& event, std::uint16_t kind, std::uint16_t version) {
    std::string out;
    out.reserve(29 + event.task.ns.text.size() + event.task.id.text.size() +
                event.identity.text.size());
    put_integer(out, event.seq, 8);
    put_integer(out, static_cast<std::uint64_t>(event.at.ms), 8);
    put_integer(out, event.epoch, 4);
    put_integer(out, kind, 2);
    put_integer(out, version, 2);
    put_text(out, event.task.ns.text, 1);
    put_text(out, event.task.id.text, 2);
    put_text(out, event.identity.text, 2);
    return out;
}

Result<core::Event> decode_event(std::string_view header, std::string_view body) {
    std::string_view rest = header;
    core::Event event;
    event.seq = take_integer(rest, 8);
    event.at = Instant{static_cast<std::int64_t>(take_integer(rest, 8))};
    event.epoch = static_cast<Epoch>(take_integer(rest, 4));
    const auto kind = static_cast<std::uint16_t>(take_integer(rest, 2));
    const auto version = static_cast<std::uint16_t>(take_integer(rest, 2));
    event.task.ns = Namespace(take_text(rest, 1));
    event.task.id = TaskId(take_text(rest, 2));
    event.identity = Identity(take_text(rest, 2));
    auto decoded = decode_body(kind, version, body);
    if (!decoded) return Failure(decoded.error());
    event.body = std::move(*decoded);
    if (header_bytes(event, kind, version) != header) {
        return fail(ErrorCode::IO, "what should be an event's header is none");
    }
    return event;
}

Digest chain_hash(const Digest& before, std::string_view header, const Digest& body_digest) {
    std::string bytes;
    bytes.reserve(64 + header.size());
    bytes += view(before);
    bytes += header;
    bytes += view(body_digest);
    return sha256(bytes);
}

}  // namespace zq::store
