// MessagePack and structs: every kind of field both ways, and typed errors with the field's path
// for everything that does not fit. The messages themselves are in tests/vectors.
#include <gtest/gtest.h>

#include <random>

#include "common/base/limits.h"
#include "common/platform/pack.h"

namespace zq {
namespace {

enum class Colour : std::uint8_t { kRed, kBlue };
std::string_view to_string(Colour colour) {
    return colour == Colour::kRed ? "red" : "blue";
}
bool from_text(std::string_view text, Colour& out) {
    if (text != "red" && text != "blue") return false;
    out = text == "red" ? Colour::kRed : Colour::kBlue;
    return true;
}

struct Inner {
    std::uint32_t count = 0;
    std::vector<std::int64_t> numbers;
    friend bool operator==(const Inner&, const Inner&) = default;
};
template <class V, Of<Inner> T>
void describe(V& v, T& m) {
    v("count", m.count);
    v.optional("numbers", m.numbers);
}

struct Everything {
    bool flag = false;
    Colour colour = Colour::kRed;
    std::uint8_t tiny = 0;
    std::uint64_t large = 0;
    std::int64_t negative = 0;
    std::string text;
    TaskId id;
    Bytes bytes;
    Digest digest;
    LeaseToken lease;
    Millis wait{};
    Instant at;
    std::map<std::string, std::string> texts;
    std::vector<Inner> inners;
    std::optional<std::int64_t> maybe;
    std::optional<Bytes> content;
    friend bool operator==(const Everything&, const Everything&) = default;
};
template <class V, Of<Everything> T>
void describe(V& v, T& m) {
    v("flag", m.flag);
    v("colour", m.colour);
    v("tiny", m.tiny);
    v("large", m.large);
    v("negative", m.negative);
    v("text", m.text);
    v("id", m.id);
    v("bytes", m.bytes);
    v("digest", m.digest);
    v.optional("lease", m.lease);
    v("wait_ms", m.wait);
    v("at", m.at);
    v("texts", m.texts);
    v("inners", m.inners);
    v.optional("maybe", m.maybe);
    v.optional("content", m.content);
}

Everything full() {
    Everything e;
    e.flag = true;
    e.colour = Colour::kBlue;
    e.tiny = 255;
    e.large = UINT64_MAX;
    e.negative = INT64_MIN;
    e.text = std::string("z\0q ✓", 7);
    e.id = TaskId("task-1");
    e.bytes.data = std::string("\xff\x00\xc3", 3);
    e.digest.bytes.fill(7);
    e.lease = {1, 2};
    e.wait = Millis{INT64_MAX};
    e.at = Instant{INT64_MAX};
    e.texts = {{"", ""}, {"k", "v"}};
    e.inners = {{1, {}}, {2, {-1, 0, INT64_MAX}}};
    e.maybe = 0;
    e.content = Bytes{};
    return e;
}

TEST(Pack, GivesBackEveryKindOfField) {
    EXPECT_EQ(pack::decode<Everything>(pack::encode(full())), full());
    EXPECT_EQ(pack::decode<Everything>(pack::encode(Everything{})), Everything{});
}

TEST(Pack, KeepsAPresentEmptyOptionalApartFromAnAbsentOne) {
    Everything e = full();
    EXPECT_TRUE(pack::decode<Everything>(pack::encode(e))->content.has_value());
    e.content.reset();
    EXPECT_FALSE(pack::decode<Everything>(pack::encode(e))->content.has_value());
}

TEST(Pack, WritesIntegersInTheirShortestForm) {
    auto packed = [](std::int64_t value) {
        pack::Writer writer;
        writer.sint(value);
        return to_hex(std::string_view(writer.take()));
    };
    EXPECT_EQ(packed(0), "00");
    EXPECT_EQ(packed(127), "7f");
    EXPECT_EQ(packed(128), "cc80");
    EXPECT_EQ(packed(256), "cd0100");
    EXPECT_EQ(packed(65536), "ce00010000");
    EXPECT_EQ(packed(std::int64_t{1} << 32), "cf0000000100000000");
    EXPECT_EQ(packed(-1), "ff");
    EXPECT_EQ(packed(-33), "d0df");
    EXPECT_EQ(packed(-129), "d1ff7f");
}

/// The map of a valid struct with one value replaced (or, where `value` is empty, left out).
std::string with(const std::string& key, const std::string& value) {
    const std::string whole = pack::encode(full());
    auto document = pack::Document::parse(whole);
    const std::size_t pairs = *document->root().map_size();
    std::string out =
        "\xde" + std::string(1, '\0') + static_cast<char>(pairs - (value.empty() ? 1 : 0));
    // Encoded keys do not occur in values here, so the text of each pair can be cut out by its key.
    std::vector<std::size_t> starts;
    for (std::size_t i = 0; i < pairs; ++i) {
        pack::Writer writer;
        writer.text(*document->root().pair_at(i).first.text());
        starts.push_back(whole.find(writer.take(), starts.empty() ? 0 : starts.back() + 1));
    }
    starts.push_back(whole.size());
    for (std::size_t i = 0; i < pairs; ++i) {
        const std::string name(*document->root().pair_at(i).first.text());
        if (name != key) {
            out += whole.substr(starts[i], starts[i + 1] - starts[i]);
        } else if (!value.empty()) {
            pack::Writer writer;
            writer.text(name);
            out += writer.take() + value;
        }
    }
    return out;
}

struct Misfit {
    const char* what;
    const char* key;
    std::string value;
    const char* field;
};

TEST(Pack, NamesTheFieldThatIsMissingOrDoesNotFit) {
    using std::string_literals::operator""s;
    const Misfit misfits[] = {
        {"missing", "colour", "", "colour"},
        {"nil for a required one", "text", "\xc0", "text"},
        {"number for bool", "flag", "\x01", "flag"},
        {"unknown word", "colour", "\xa5green", "colour"},
        {"number for a word", "colour", "\x00"s, "colour"},
        {"256 in 8 bits", "tiny", "\xcd\x01\x00"s, "tiny"},
        {"negative for unsigned", "large", "\xff", "large"},
        {"float for unsigned", "large", "\xcb\x40\x00\x00\x00\x00\x00\x00\x00"s, "large"},
        {"float 32 for unsigned", "large", "\xca\x40\x00\x00\x00"s, "large"},
        {"float for signed", "negative", "\xcb\x40\x00\x00\x00\x00\x00\x00\x00"s, "negative"},
        {"2^63 for signed", "negative", "\xcf\x80\x00\x00\x00\x00\x00\x00\x00"s, "negative"},
        {"float for a duration", "wait_ms", "\xcb\x40\x00\x00\x00\x00\x00\x00\x00"s, "wait_ms"},
        {"negative duration", "wait_ms", "\xff", "wait_ms"},
        {"negative time", "at", "\xd0\x80", "at"},
        {"bin for text", "text", "\xc4\x01x", "text"},
        {"text for bin", "bytes", "\xa1x", "bytes"},
        {"31 bytes of digest", "digest", "\xc4\x1f" + std::string(31, 'x'), "digest"},
        {"no lease token", "lease", "\xa1x", "lease"},
        {"number in texts", "texts", "\x81\xa1k\x01", "texts"},
        {"number as key in texts", "texts", "\x81\x01\xa1v", "texts"},
        {"map for a list", "inners", "\x80", "inners"},
        {"list in a list", "inners", "\x91\x90", "inners[0]"},
        {"inner field missing", "inners",
         "\x92\x81\xa5"
         "count\x01\x80",
         "inners[1].count"},
        {"inner element mistyped", "inners",
         "\x91\x82\xa5"
         "count\x01\xa7numbers\x92\x01\xa1x",
         "inners[0].numbers[1]"},
        {"text for optional number", "maybe", "\xa1x", "maybe"},
    };
    for (const Misfit& misfit : misfits) {
        auto value = pack::decode<Everything>(with(misfit.key, misfit.value));
        ASSERT_FALSE(value) << misfit.what;
        EXPECT_EQ(value.error().code, ErrorCode::INVALID) << misfit.what;
        EXPECT_EQ(value.error().field, misfit.field) << misfit.what;
    }
    EXPECT_TRUE(pack::decode<Everything>(with("maybe", "\xc0")));
}

TEST(Pack, RefusesEveryTruncationWithoutReadingBeyondIt) {
    const std::string whole = pack::encode(full());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::string cut(whole.data(),
                              size);  // its own allocation: a sanitizer sees an overrun
        auto value = pack::decode<Everything>(cut);
        ASSERT_FALSE(value) << size;
        EXPECT_EQ(value.error().code, ErrorCode::MALFORMED) << size;
    }
    EXPECT_EQ(pack::decode<Everything>(whole + "\xc0").error().code, ErrorCode::MALFORMED);
}

ErrorCode code_of(const std::string& bytes) {
    auto document = pack::Document::parse(bytes);
    return document ? ErrorCode::IO : document.error().code;
}

TEST(Documents, AreBoundedInDepthAndCount) {
    const std::string bomb(100'000, '\x91');
    EXPECT_EQ(code_of(bomb), ErrorCode::TOO_LARGE);
    EXPECT_EQ(code_of(std::string(limits::kPackDepth + 1, '\x91') + "\xc0"), ErrorCode::TOO_LARGE);
    EXPECT_TRUE(pack::Document::parse(std::string(limits::kPackDepth, '\x91') + "\xc0"));
    std::string maps;
    for (std::size_t i = 0; i <= limits::kPackDepth; ++i) maps += "\x81\xa1k";
    EXPECT_EQ(code_of(maps + "\xc0"), ErrorCode::TOO_LARGE);

    auto array_of = [](std::size_t count) {
        pack::Writer writer;
        writer.array(count);
        for (std::size_t i = 0; i < count; ++i) writer.uint(1);
        return writer.take();
    };
    EXPECT_TRUE(pack::Document::parse(array_of(limits::kPackItems)));
    EXPECT_EQ(code_of(array_of(limits::kPackItems + 1)), ErrorCode::TOO_LARGE);
}

TEST(Documents, TakeNoExtensionTypesAndNoReservedByte) {
    EXPECT_NE(code_of(std::string("\xd4\x01x", 3)), ErrorCode::IO);
    EXPECT_NE(code_of(std::string("\xd6\xff\x00\x00\x00\x00", 6)), ErrorCode::IO);
    EXPECT_EQ(code_of("\xc1"), ErrorCode::MALFORMED);
}

TEST(Documents, TakeOnlyWellFormedUtf8InKeysAndTextsAtAnyDepth) {
    const char* bad[] = {
        "\x80",         "\xc2",         "\xc0\xaf",         "\xc1\xbf",         "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xff",         "a\xe2\x82",    "\xe2\x28\xa1"};
    for (const char* text : bad) {
        EXPECT_FALSE(pack::is_utf8(text));
        pack::Writer value;
        value.array(1);
        value.map(1);
        value.text("k");
        value.text(text);
        EXPECT_EQ(code_of(value.take()), ErrorCode::MALFORMED) << to_hex(std::string_view(text));
        pack::Writer key;
        key.map(1);
        key.text(text);
        key.nil();
        EXPECT_EQ(code_of(key.take()), ErrorCode::MALFORMED) << to_hex(std::string_view(text));
    }
    for (const char* text : {"", "a", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                             "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_TRUE(pack::is_utf8(text)) << to_hex(std::string_view(text));
    }
}

/// Without what only the slow way reads.
Everything usual() {
    Everything e = full();
    e.negative = 7;
    e.inners = {{1, {}}, {2, {1, 0, INT64_MAX}}};
    return e;
}

std::optional<Everything> read_slowly(std::string_view bytes) {
    auto document = pack::Document::parse(bytes);
    Everything read;
    if (!document || !pack::read(document->root(), read, pack::Path{})) return std::nullopt;
    return read;
}

TEST(QuickDecoder, ReadsWhatWeWriteAndLeavesOtherOrdersToTheOther) {
    Everything read;
    EXPECT_TRUE(pack::quick_decode(pack::encode(usual()), read));
    EXPECT_EQ(read, usual());
    EXPECT_FALSE(pack::quick_decode(pack::encode(full()), read)) << "numbers below zero";
    EXPECT_EQ(pack::decode<Everything>(pack::encode(full())), full());
    pack::Writer swapped;
    swapped.map(2);
    swapped.text("numbers");
    swapped.array(0);
    swapped.text("count");
    swapped.uint(3);
    const std::string bytes = swapped.take();
    Inner inner;
    EXPECT_FALSE(pack::quick_decode(bytes, inner));
    EXPECT_EQ(pack::decode<Inner>(bytes), (Inner{3, {}}));
}

TEST(QuickDecoder, AcceptsNothingThatTheOtherReadsOtherwise) {
    std::mt19937_64 random(7);
    const std::string whole = pack::encode(usual());
    std::size_t accepted = 0;
    for (int i = 0; i < 200'000; ++i) {
        std::string bytes = whole;
        for (std::uint64_t changes = random() % 3; changes > 0; --changes) {
            const std::size_t at = random() % bytes.size();
            const char byte = static_cast<char>(random());
            switch (random() % 3) {
                case 0:
                    bytes[at] = byte;
                    break;
                case 1:
                    bytes.insert(at, 1, byte);
                    break;
                default:
                    bytes.erase(at, 1);
            }
        }
        Everything read;
        if (!pack::quick_decode(bytes, read)) continue;
        ++accepted;
        ASSERT_EQ(read_slowly(bytes), read) << to_hex(std::string_view(bytes));
    }
    EXPECT_GT(accepted, 70'000U) << "most changes would be of no interest";
}

}  // namespace
}  // namespace zq
