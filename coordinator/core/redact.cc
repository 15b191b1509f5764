#include "coordinator/core/redact.h"

#include <algorithm>
#include <array>

#include "common/base/one_of.h"

namespace zq::core {
namespace {

void erase(std::string& text) {
    if (!text.empty()) text = kErasedText;
}

/// A JSON text stays one.
void erase_json(std::string& text) {
    if (!text.empty()) text = '"' + std::string(kErasedText) + '"';
}

void erase(ArtifactRef& ref) {
    erase(ref.uri);
}

void erase(CheckpointRef& checkpoint);
void erase(Question& question);
void erase(Attempt& attempt);

template <class T>
void erase(std::vector<T>& all) {
    for (T& one : all) erase(one);
}

void erase(CheckpointRef& checkpoint) {
    erase(checkpoint.ref);
}

/// The coordinator's own words are not the task's.
bool is_own_choice(const std::string& choice) {
    constexpr std::array kOwn = {kContinueChoice, kRetryChoice, kStopChoice, kApproveChoice,
                                 kRejectChoice};
    return std::find(kOwn.begin(), kOwn.end(), choice) != kOwn.end();
}

void erase_choice(std::string& choice) {
    if (!is_own_choice(choice)) erase(choice);
}

void erase(Question& question) {
    erase(question.text);
    for (std::string& choice : question.choices) erase_choice(choice);
    erase_choice(question.choice);
    erase(question.answer);
}

void erase(TaskSpec& spec) {
    erase(spec.instructions);
    erase_json(spec.payload);
    erase_json(spec.expected.schema);
    erase(spec.expected.headings);
    erase(spec.inputs);
}

void erase(Task& task) {
    erase(task.checkpoints);
    erase(task.questions);
    erase(task.feedback.text);
    erase(task.summary);
    erase(task.reason);
}

void erase(Attempt& attempt) {
    erase(attempt.summary);
    erase(attempt.reason);
    attempt.output.clear();  // its keys are the command's words too
    erase(attempt.artifacts);
}

void erase(Revision& revision) {
    erase(revision.before);
    erase(revision.after);
    erase(revision.attempts);
    if (revision.spec) erase(*revision.spec);
    erase(revision.reason);
}

/// Kinds that bring no text of a task. A new kind of event must be named here, or redacted.
template <class T>
inline constexpr bool kBringsNoText =
    kIsOneOf<T, EpochStarted, TaskReady, TaskAssigned, LeaseResumed, TaskExpired, RoleServed,
             ContentStored, RequestRecorded, ContentsCondemned, ArtifactsRemoved, UsageNoted,
             UpstreamEnded, ControlChanged, AccessChanged, TextsErased>;

struct Erase {
    void operator()(TaskSubmitted& body) const { erase(body.spec.edit()); }
    void operator()(ProgressNoted& body) const {
        erase(body.step);
        erase(body.message);
    }
    void operator()(AttemptEnded& body) const { erase(body.attempt); }
    void operator()(CancelRequested& body) const { erase(body.reason); }
    void operator()(TaskCancelled& body) const { erase(body.reason); }
    void operator()(CheckpointSaved& body) const { erase(body.checkpoint); }
    void operator()(QuestionAsked& body) const { erase(body.question); }
    void operator()(QuestionClosed& body) const {
        erase_choice(body.choice);
        erase(body.answer);
    }
    void operator()(BudgetReached& body) const {
        if (body.question) erase(*body.question);
    }
    void operator()(TaskRemoved& body) const { erase(body.reason); }
    void operator()(TaskReplayed& body) const { erase(body.revision.edit()); }
    void operator()(TaskEdited& body) const { erase(body.revision.edit()); }
    template <class T>
    requires kBringsNoText<T>
    void operator()(const T&) const {}
};

}  // namespace

EventBody redacted(EventBody body) {
    std::visit(Erase{}, body);
    return body;
}

Task redacted(Task task) {
    erase(task);
    return task;
}

Attempt redacted(Attempt attempt) {
    erase(attempt);
    return attempt;
}

}  // namespace zq::core
