// The golden vectors against the codec, both ways: what the files say in bytes is what the samples
// encode to, byte for byte, and what they decode to, field for field. And what must be refused is.
#include <gtest/gtest.h>

#include <set>

#include "tests/vectors/samples.h"
#include "tests/vectors/vector_file.h"

namespace zq::vectors {
namespace {

std::string path_of(const std::string& file) {
    return std::string(ZQ_SOURCE_DIR) + "/tests/vectors/" + file + ".txt";
}

struct VectorSet {
    const char* file;
    std::vector<Sample> (*samples)();
};
const VectorSet kFiles[] = {{"worker", worker_samples},
                            {"client", client_samples},
                            {"reading", reading_samples},
                            {"control", control_samples},
                            {"artifacts", artifact_samples}};

class GoldenVectors : public testing::TestWithParam<VectorSet> {};

TEST_P(GoldenVectors, AreWhatTheSamplesEncodeToAndDecodeToThem) {
    auto blocks = read_blocks(path_of(GetParam().file));
    ASSERT_TRUE(blocks) << blocks.error().message;
    const auto samples = GetParam().samples();
    ASSERT_EQ(blocks->size(), samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const Block& block = (*blocks)[i];
        SCOPED_TRACE(block.name());
        ASSERT_EQ(block.name(), samples[i].name);
        auto frames = parse_frames(block.fields.at("frames"));
        ASSERT_TRUE(frames) << frames.error().message;
        EXPECT_EQ(print_frames(wire::encode(samples[i].message)), block.fields.at("frames"));
        auto message = wire::decode(*frames);
        ASSERT_TRUE(message) << message.error().field << ": " << message.error().message;
        EXPECT_EQ(*message, samples[i].message);
        EXPECT_EQ(to_json((*frames)[2]), block.fields.at("json"));
        EXPECT_EQ((*frames)[1], block.fields.at("type"));
    }
}

std::string file_name(const testing::TestParamInfo<VectorSet>& tested) {
    return tested.param.file;
}
INSTANTIATE_TEST_SUITE_P(All, GoldenVectors, testing::ValuesIn(kFiles), file_name);

TEST(GoldenVectorFiles, HaveEveryMessageTypeAndEveryNameOnce) {
    std::set<std::size_t> types;
    std::set<std::string> names;
    for (const VectorSet& file : kFiles) {
        for (const Sample& sample : file.samples()) {
            types.insert(sample.message.body.index());
            EXPECT_TRUE(names.insert(sample.name).second) << sample.name;
        }
    }
    EXPECT_EQ(types.size(), std::variant_size_v<wire::AnyBody>);
}

TEST(MalformedVectors, AreRefusedWithTheCodeAndFieldTheyName) {
    auto blocks = read_blocks(path_of("malformed"));
    ASSERT_TRUE(blocks) << blocks.error().message;
    EXPECT_GT(blocks->size(), 40U);
    for (const Block& block : *blocks) {
        SCOPED_TRACE(block.name());
        auto frames = parse_frames(block.fields.at("frames"));
        ASSERT_TRUE(frames) << frames.error().message;
        auto message = wire::decode(*frames);
        ASSERT_FALSE(message) << "was accepted";
        EXPECT_EQ(to_string(message.error().code), block.fields.at("error"));
        auto field = block.fields.find("field");
        EXPECT_EQ(message.error().field, field == block.fields.end() ? "" : field->second);
        EXPECT_FALSE(message.error().message.empty());
    }
}

TEST(OddVectors, AreAcceptedAndReadAsTheSampleTheyName) {
    std::map<std::string, wire::Message> samples;
    for (const VectorSet& file : kFiles) {
        for (const Sample& sample : file.samples()) samples[sample.name] = sample.message;
    }
    auto blocks = read_blocks(path_of("odd"));
    ASSERT_TRUE(blocks) << blocks.error().message;
    for (const Block& block : *blocks) {
        SCOPED_TRACE(block.name());
        auto frames = parse_frames(block.fields.at("frames"));
        ASSERT_TRUE(frames) << frames.error().message;
        auto message = wire::decode(*frames);
        ASSERT_TRUE(message) << message.error().field << ": " << message.error().message;
        EXPECT_EQ(*message, samples.at(block.fields.at("reads_as")));
    }
}

TEST(ErrorReplies, KeepTheRequestIdOfAMessageThatCannotBeRead) {
    auto blocks = read_blocks(path_of("malformed"));
    ASSERT_TRUE(blocks) << blocks.error().message;
    for (const Block& block : *blocks) {
        auto id = block.fields.find("id");
        if (id == block.fields.end()) continue;
        SCOPED_TRACE(block.name());
        auto frames = parse_frames(block.fields.at("frames"));
        ASSERT_TRUE(frames);
        EXPECT_EQ(std::to_string(wire::peek_header(*frames).id), id->second);
    }
}

}  // namespace
}  // namespace zq::vectors
