#include "common/base/error.h"

#include <array>

namespace zq {
namespace {

struct Row {
    std::string_view name;
    bool retryable;
    std::string_view meaning;
};

constexpr auto kRows = std::to_array<Row>({
#define ZQ_CODE(name, retryable, meaning) {#name, retryable, meaning},
    ZQ_ERROR_CODES(ZQ_CODE)
#undef ZQ_CODE
});

const Row& row(ErrorCode code) {
    return kRows.at(static_cast<std::size_t>(code));
}

}  // namespace

std::string_view to_string(ErrorCode code) {
    return row(code).name;
}
std::string_view meaning(ErrorCode code) {
    return row(code).meaning;
}
bool retryable(ErrorCode code) {
    return row(code).retryable;
}

std::optional<ErrorCode> parse_error_code(std::string_view name) {
    for (std::size_t i = 0; i < kRows.size(); ++i) {
        if (kRows[i].name == name) return static_cast<ErrorCode>(i);
    }
    return std::nullopt;
}

bool from_text(std::string_view text, ErrorCode& out) {
    auto code = parse_error_code(text);
    if (code) out = *code;
    return code.has_value();
}

}  // namespace zq
