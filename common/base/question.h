// What an attempt asks of a person, and what became of it. A task has one open question at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/base/ids.h"
#include "common/base/time.h"

namespace zq {

/// A question as its asker puts it.
struct NewQuestion {
    std::string id;                    // a name the asker makes: asked again, it is the same one
    std::string text;                  // UTF-8, not empty
    std::vector<std::string> choices;  // where not empty, the answer is one of them
    Millis timeout{};                  // then it ends without an answer; 0: it waits

    friend bool operator==(const NewQuestion&, const NewQuestion&) = default;
};

/// Bounds and spelling; the error names `question_id`, `question`, `choices` or `timeout_ms`.
Result<void> validate(const NewQuestion& question);

/// What is asked about.
enum class QuestionKind : std::uint8_t {
    kQuestion,  // whatever the attempt wants to know
    kBudget,    // whether the task may use its budget once more; asked by the coordinator
    kHold,      // whether a task with such a rule gets another attempt; likewise
    kApproval,  // whether it may start, or its result counts; likewise
};
/// `question`, `budget`, `hold`, `approval`.
std::string_view to_string(QuestionKind kind);
bool from_text(std::string_view text, QuestionKind& out);

/// The choices of a question about a budget, and of one about a task that is held.
inline constexpr std::string_view kContinueChoice = "continue";
inline constexpr std::string_view kRetryChoice = "retry";
inline constexpr std::string_view kStopChoice = "stop";

enum class QuestionState : std::uint8_t {
    kOpen,
    kAnswered,
    kNoAnswer,   // its time passed
    kWithdrawn,  // its attempt ended, or its task was cancelled
};
/// `open`, `answered`, `no_answer`, `withdrawn`.
std::string_view to_string(QuestionState state);
bool from_text(std::string_view text, QuestionState& out);

/// A question as the coordinator keeps it.
struct Question {
    std::string id;
    std::string text;
    std::vector<std::string> choices;
    QuestionKind kind = QuestionKind::kQuestion;
    std::uint32_t attempt = 0;  // that asked
    Instant asked_at;
    Instant until;  // 0: it waits
    bool parked =
        false;  // its attempt ended with it: the task is `input_required` while it is open
    QuestionState state = QuestionState::kOpen;
    std::string choice;  // answered: one of `choices`; or empty
    std::string answer;  // answered: free text; or empty
    Identity answered_by;
    Instant closed_at;
    Digest digest;  // of what is to be approved; zero: it is no approval

    friend bool operator==(const Question&, const Question&) = default;
};

/// True for what a later attempt is told of: answered, or without an answer in its time.
constexpr bool has_outcome(QuestionState state) {
    return state == QuestionState::kAnswered || state == QuestionState::kNoAnswer;
}

}  // namespace zq
