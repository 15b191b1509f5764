#include "common/wire/codec.h"

#include <algorithm>
#include <array>
#include <utility>

namespace zq::wire {

namespace {

/// Header and body as one map.
template <class T>
struct Merged {
    Header& header;
    T& body;
};

template <class V, class T>
void describe(V& v, const Merged<T>& m) {
    describe(v, m.header);
    describe(v, m.body);
}

template <class T>
std::string encode_map(const Header& header, const T& body) {
    pack::Writer writer;
    pack::write(writer, Merged<const T>{const_cast<Header&>(header), body});
    return writer.take();
}

/// Tells what is wrong with it, if something is.
template <class T>
Result<void> read_map(const std::string& frame, Header& header, T& body) {
    auto document = pack::Document::parse(frame);
    if (!document) return Failure(document.error());
    if (!document->root().is_map()) return fail(ErrorCode::MALFORMED, "the third frame is no map");
    const pack::Path whole;
    pack::Decoder decoder(document->root(), whole);
    describe(decoder, Merged<T>{header, body});
    if (decoder.error()) return Failure(*decoder.error());
    return {};
}

template <class T>
Result<Message> decode_as(const Frames& frames) {
    Result<Message> decoded{Message{}};  // filled where it stays: a message is large
    Message& message = *decoded;
    T& body = message.body.template emplace<T>();
    if (!pack::quick_decode(frames[2], Merged<T>{message.header, body})) {
        message.header = {};
        body = {};
        if (auto ok = read_map(frames[2], message.header, body); !ok) return Failure(ok.error());
    }
    if constexpr (std::is_same_v<T, Chunk>) {
        if (frames.size() != 4) return fail(ErrorCode::MALFORMED, "CHUNK has 4 frames");
        message.payload = frames[3];
    } else if (frames.size() != 3) {
        return fail(ErrorCode::MALFORMED, std::string(T::kType) + " has 3 frames");
    }
    return decoded;
}

using DecodeFunction = Result<Message> (*)(const Frames&);

struct TypeRow {
    std::string_view type;
    DecodeFunction decode;
};

template <std::size_t... I>
constexpr auto make_table(std::index_sequence<I...>) {
    return std::array<TypeRow, sizeof...(I)>{
        TypeRow{std::variant_alternative_t<I, AnyBody>::kType,
                &decode_as<std::variant_alternative_t<I, AnyBody>>}...};
}

constexpr auto kTypes = make_table(std::make_index_sequence<std::variant_size_v<AnyBody>>());

Result<void> check_frames(const Frames& frames) {
    if (frames.size() < 3 || frames.size() > 4) {
        return fail(ErrorCode::MALFORMED, "a message has 3 or 4 frames after the return envelope");
    }
    for (const std::string& frame : frames) {
        if (frame.size() > limits::kMessageBytes) {
            return fail(ErrorCode::TOO_LARGE, "a frame has at most 1 MiB");
        }
    }
    if (frames[0] == kProtocol) return {};
    if (frames[0].substr(0, 3) != "zq/") return fail(ErrorCode::MALFORMED, "not a zq message");
    return fail(ErrorCode::UNSUPPORTED_VERSION, "this coordinator speaks zq/1");
}

}  // namespace

Body::Body() = default;
Body::Body(const Body& other) = default;
Body::Body(Body&& other) noexcept = default;
Body& Body::operator=(const Body& other) = default;
Body& Body::operator=(Body&& other) noexcept = default;
Body::~Body() = default;

bool operator==(const Body& a, const Body& b) {
    return static_cast<const AnyBody&>(a) == static_cast<const AnyBody&>(b);
}

Frames encode(const Message& message) {
    Frames frames;
    frames.reserve(4);
    frames.emplace_back(kProtocol);
    frames.emplace_back(type_of(message.body));
    frames.push_back(std::visit([&](const auto& body) { return encode_map(message.header, body); },
                                message.body));
    if (std::holds_alternative<Chunk>(message.body)) frames.push_back(message.payload);
    return frames;
}

Result<Message> decode(const Frames& frames) {
    if (auto ok = check_frames(frames); !ok) return Failure(ok.error());
    const auto* row = std::find_if(kTypes.begin(), kTypes.end(),
                                   [&](const TypeRow& r) { return r.type == frames[1]; });
    if (row == kTypes.end()) return fail(ErrorCode::UNKNOWN_TYPE, "no such message type");
    return row->decode(frames);
}

Header peek_header(const Frames& frames) {
    if (frames.size() < 3 || frames[2].size() > limits::kMessageBytes) return {};
    auto document = pack::Document::parse(frames[2]);
    if (!document || !document->root().is_map()) return {};
    Header header;
    if (auto id = document->root().find("id")) header.id = id->uint().value_or(0);
    return header;
}

std::string_view type_of(const Body& body) {
    return kTypes.at(body.index()).type;
}

}  // namespace zq::wire
