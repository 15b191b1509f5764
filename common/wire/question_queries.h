// Reading the questions that wait for a person (protocol.md, "Reading"). Structs and field names
// only; bytes are codec.h's.
#pragma once

#include "common/base/task_state.h"
#include "common/wire/envelope.h"

namespace zq::wire {

/// Lists the open questions, the longest waiting first.
struct Questions {
    static constexpr std::string_view kType = "QUESTIONS";
    RoleName role;    // empty: any
    GroupName group;  // empty: any
    std::uint32_t limit = 100;
    friend bool operator==(const Questions&, const Questions&) = default;
};
template <class V, Of<Questions> T>
void describe(V& v, T& m) {
    v.optional("to", m.role);
    v.optional("group", m.group);
    v.optional("limit", m.limit, 100);
}

/// An open question and its task. `state` is input_required, or running where its attempt waits.
struct QuestionRow {
    TaskId task;
    TaskState state = TaskState::kInputRequired;
    RoleName role;
    std::string type;
    std::string from;
    GroupName group;
    WorkerName worker;  // of the attempt that asked
    Question question;
    friend bool operator==(const QuestionRow&, const QuestionRow&) = default;
};
template <class V, Of<QuestionRow> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v("state", m.state);
    v("to", m.role);
    v.optional("type", m.type);
    v.optional("from", m.from);
    v.optional("group", m.group);
    v.optional("worker", m.worker);
    v("question", m.question);
}

/// Answers QUESTIONS.
struct QuestionRows {
    static constexpr std::string_view kType = "QUESTION_ROWS";
    std::vector<QuestionRow> rows;
    bool more = false;
    friend bool operator==(const QuestionRows&, const QuestionRows&) = default;
};
template <class V, Of<QuestionRows> T>
void describe(V& v, T& m) {
    v("rows", m.rows);
    v.optional("more", m.more);
}

}  // namespace zq::wire
