#include "common/base/usage.h"

#include <gtest/gtest.h>

namespace zq {
namespace {

TEST(Money, IsReadToTheMillionthWithoutFloatingPoint) {
    EXPECT_EQ(micros_of("0"), 0U);
    EXPECT_EQ(micros_of("0.1"), 100'000U);
    EXPECT_EQ(micros_of("0.29"), 290'000U);
    EXPECT_EQ(micros_of("12"), 12'000'000U);
    EXPECT_EQ(micros_of("0.0912345"), 91'235U);
    EXPECT_EQ(micros_of("0.00000049999"), 0U);
    EXPECT_EQ(micros_of("0.0000005"), 1U);
    EXPECT_EQ(micros_of("9.99999951"), 10'000'000U);
    EXPECT_EQ(micros_of("1.5e-05"), 15U);
    EXPECT_EQ(micros_of("2.5E+2"), 250'000'000U);
    EXPECT_EQ(micros_of("1e-400"), 0U);
    EXPECT_EQ(micros_of("999999999999.999999"), 999'999'999'999'999'999U);
    for (const char* bad : {"", "-1", "+1", ".5", "1.", "1,5", "1e", "e5", "0x1", "nan", "1 ",
                            "1000000000000", "1e400"}) {
        EXPECT_FALSE(micros_of(bad).has_value()) << bad;
    }
}

TEST(Usage, MoneyIsExactInBothDirections) {
    for (const auto& [text, micros] : std::map<std::string, std::uint64_t>{
             {"0", 0}, {"0.09", 90'000}, {"12", 12'000'000}, {"1.000001", 1'000'001}}) {
        EXPECT_EQ(parse_usd(text, "f").value(), micros) << text;
        EXPECT_EQ(usd_text(micros), text);
    }
    EXPECT_EQ(parse_usd("0.10", "f").value(), 100'000U);
}

TEST(Usage, WhatIsNoMoneyIsRefused) {
    for (const char* text : {"", ".", "1.", ".5", "-1", "+1", "1,5", "$1", "99999999999999999999",
                             "18446744073709551615"}) {
        auto parsed = parse_usd(text, "--cost-usd");
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().field, "--cost-usd");
    }
}

TEST(Usage, AddsUpAndTheLastModelCounts) {
    const Usage all = Usage{10, 1, 2, "small"} + Usage{5, 3, 4, ""} + Usage{0, 0, 0, "large"};
    EXPECT_EQ(all, (Usage{15, 4, 6, "large"}));
    const Usage huge{UINT64_MAX / 2, 0, 0, ""};
    EXPECT_EQ((huge + huge).cost_usd_micros, UINT64_MAX / 2);
}

TEST(Usage, IsSummedOverTheLinesOfAFile) {
    const std::string text = usage_line({90'000, 1000, 20, "m"}) + "\n" +
                             usage_line({10'000, 5, 0, ""}) + "\nnonsense\n";
    EXPECT_EQ(read_usage_lines(text), (Usage{100'000, 1005, 20, "m"}));
    EXPECT_EQ(read_usage_lines(""), Usage{});
}

TEST(Usage, StandsInTheOutputOfAnAttempt) {
    std::map<std::string, std::string> output = {
        {"cost_usd", "0.5"}, {"input_tokens", "100"}, {"output_tokens", "many"}, {"other", "x"}};
    put_usage(output, usage_in(output) + Usage{250'000, 5, 7, "m"});
    const std::map<std::string, std::string> sum = {{"cost_usd_micros", "750000"},
                                                    {"input_tokens", "105"},
                                                    {"output_tokens", "7"},
                                                    {"other", "x"},
                                                    {"model", "m"}};
    EXPECT_EQ(output, sum);
}

}  // namespace
}  // namespace zq
