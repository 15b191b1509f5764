// What the golden vectors (tests/vectors) do not say of the codec: bounds of frames, the header of
// messages that cannot be read, the grammar of type names.
#include "common/wire/codec.h"

#include <gtest/gtest.h>

#include <set>

namespace zq::wire {
namespace {

Message ping(std::uint64_t id) {
    Message message{{}, Ping{}, {}};
    message.header.id = id;
    return message;
}

template <std::size_t... I>
std::vector<std::string_view> type_names(std::index_sequence<I...>) {
    return {std::variant_alternative_t<I, AnyBody>::kType...};
}

TEST(MessageTypes, AreDistinctAndUpperCase) {
    const auto names = type_names(std::make_index_sequence<std::variant_size_v<AnyBody>>());
    EXPECT_EQ(std::set<std::string_view>(names.begin(), names.end()).size(), names.size());
    for (std::string_view name : names) {
        EXPECT_EQ(name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_"), std::string_view::npos)
            << name;
    }
}

TEST(Codec, CarriesTheLargestRequestId) {
    EXPECT_EQ(decode(encode(ping(UINT64_MAX)))->header.id, UINT64_MAX);
}

TEST(Codec, TakesAFrameOfExactlyTheBoundAndNoByteMore) {
    Chunk chunk;
    chunk.size = limits::kMessageBytes;
    Message message{{}, chunk, std::string(limits::kMessageBytes, 'x')};
    EXPECT_EQ(decode(encode(message)), message);
    message.payload += 'x';
    auto refused = decode(encode(message));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::TOO_LARGE);
}

TEST(Codec, LetsTheBodyFrameBeAnyBytesIncludingNone) {
    for (const std::string& bytes :
         {std::string(), std::string("\0\xff", 2), std::string("zq/1")}) {
        Message message{{}, Chunk{}, bytes};
        EXPECT_EQ(decode(encode(message)), message);
    }
}

TEST(PeekedHeaders, GiveTheIdOfAMessageWhoseFieldsCannotBeRead) {
    Frames frames = encode(ping(77));
    frames[1] = "NO_SUCH_TYPE";
    EXPECT_EQ(peek_header(frames).id, 77U);
    frames[0] = "zq/9";
    EXPECT_EQ(peek_header(frames).id, 77U);
}

TEST(PeekedHeaders, AreEmptyWhereNothingCanBeRead) {
    const Frames unreadable[] = {{},
                                 {"zq/1"},
                                 {"zq/1", "PING"},
                                 {"zq/1", "PING", ""},
                                 {"zq/1", "PING", "\xc1"},
                                 {"zq/1", "PING", std::string(1, '\x93')},
                                 {"zq/1", "PING", std::string(limits::kMessageBytes + 1, '\x80')}};
    for (const Frames& frames : unreadable) EXPECT_EQ(peek_header(frames), Header{});
}

}  // namespace
}  // namespace zq::wire
