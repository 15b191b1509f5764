#include "common/base/question.h"

#include <algorithm>

#include "common/base/limits.h"
#include "common/base/task_spec.h"
#include "common/base/words.h"

namespace zq {
namespace {

constexpr auto kKinds = std::to_array<std::string_view>({"question", "budget", "hold", "approval"});
constexpr auto kStates =
    std::to_array<std::string_view>({"open", "answered", "no_answer", "withdrawn"});

Result<void> validate_choices(const std::vector<std::string>& choices) {
    if (choices.size() > limits::kChoices) {
        return fail(ErrorCode::TOO_LARGE, "at most " + std::to_string(limits::kChoices), "choices");
    }
    for (auto at = choices.begin(); at != choices.end(); ++at) {
        if (at->empty()) return fail(ErrorCode::INVALID, "a choice is not empty", "choices");
        if (at->size() > limits::kChoiceBytes) {
            return fail(ErrorCode::TOO_LARGE,
                        "a choice has at most " + std::to_string(limits::kChoiceBytes) + " bytes",
                        "choices");
        }
        if (std::find(choices.begin(), at, *at) != at) {
            return fail(ErrorCode::INVALID, "'" + *at + "' stands twice", "choices");
        }
    }
    return {};
}

}  // namespace

std::string_view to_string(QuestionKind kind) {
    return word_of(kKinds, kind);
}
bool from_text(std::string_view text, QuestionKind& out) {
    return value_of(kKinds, text, out);
}
std::string_view to_string(QuestionState state) {
    return word_of(kStates, state);
}
bool from_text(std::string_view text, QuestionState& out) {
    return value_of(kStates, text, out);
}

Result<void> validate(const NewQuestion& question) {
    if (auto name = parse_name(question.id, "question_id"); !name) return Failure(name.error());
    if (question.text.empty()) {
        return fail(ErrorCode::INVALID, "a question is not empty", "question");
    }
    if (question.text.size() > limits::kQuestionBytes) {
        return fail(ErrorCode::TOO_LARGE,
                    "at most " + std::to_string(limits::kQuestionBytes) + " bytes", "question");
    }
    if (question.timeout.count < 0 || question.timeout > limits::kLongest) {
        return fail(ErrorCode::INVALID, "a duration is 0 to " + to_string(limits::kLongest),
                    "timeout_ms");
    }
    return validate_choices(question.choices);
}

}  // namespace zq
