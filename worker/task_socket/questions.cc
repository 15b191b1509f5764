// The questions of an attempt: asked of the coordinator until they are closed, however often it is
// away. Whoever asks is answered when that is so, or after a while that the question is open still;
// it asks again then, and shows by it that it lives.
#include <algorithm>

#include "worker/task_socket/desk.h"

namespace zq::worker {
namespace {

constexpr Millis kHeldBack = seconds(10);    // protocol.md, "Inside a task"
constexpr Millis kAskedAgain = seconds(15);  // where the push that tells of the answer was lost
constexpr std::size_t kQuestions = 16;       // of one attempt

/// As far as the worker knows it.
Question still_open(const wire::Ask& ask, std::uint32_t attempt) {
    Question question;
    question.id = ask.question.id;
    question.text = ask.question.text;
    question.choices = ask.question.choices;
    question.attempt = attempt;
    return question;
}

}  // namespace

void TaskDesk::ask(Desk& desk, Waiting from, AskWord word, Millis now) {
    const std::string id = word.word.question.id;
    auto found = desk.asking.find(id);
    if (found != desk.asking.end() && found->second.word != word.word) {
        return answer(desk, from,
                      {{},
                       wire::ErrorReply{ErrorCode::CONFLICT,
                                        "something else was asked under this id",
                                        "question_id",
                                        {},
                                        {}},
                       {}});
    }
    if (found == desk.asking.end()) {
        std::erase_if(desk.asking, [&](const auto& entry) {
            return desk.asking.size() >= kQuestions && entry.second.outcome.has_value();
        });
        if (desk.asking.size() >= kQuestions) {
            return answer(
                desk, from,
                {{},
                 wire::ErrorReply{ErrorCode::BUSY, "too many questions are open", {}, {}, {}},
                 {}});
        }
        found = desk.asking.emplace(id, Asking{std::move(word.word), {}, false, 0, now, {}}).first;
    }
    Asking& asking = found->second;
    from.until = now + kHeldBack;
    asking.asker = std::move(from);
    asking.has_asker = true;
    if (asking.outcome) answer_asker(desk, asking);
}

/// Asks the coordinator what is due, and tells those who have waited long enough that it is open.
void TaskDesk::ask_again(Desk& desk, Millis now, std::vector<TaskWord>& words) {
    for (auto& [id, asking] : desk.asking) {
        if (!asking.has_asker || asking.outcome) continue;
        if (now >= asking.asker.until) {
            answer_asker(desk, asking);
        } else if (asking.said == 0 && now >= asking.again) {
            asking.said = ++last_word_;
            asking.again = now + kAskedAgain;
            words.push_back({desk.own.held.lease, {asking.said, asking.word, {}}});
        }
    }
}

/// A request that is repeated waits on, at the newer return path.
bool TaskDesk::heard_asking(Desk& desk, const Asked& asked) {
    const wire::Header& header = asked.message->header;
    for (auto& [id, asking] : desk.asking) {
        const bool same = asking.has_asker && asking.asker.client == header.client &&
                          asking.asker.request == header.id;
        if (!same) continue;
        asking.asker.envelope = asked.envelope;
        return true;
    }
    return false;
}

/// The coordinator's answer to a question that was asked of it: open, closed, or refused.
bool TaskDesk::answered_asking(Desk& desk, const WordAnswered& news) {
    const auto found = std::find_if(desk.asking.begin(), desk.asking.end(), [&](const auto& entry) {
        return news.word != 0 && entry.second.said == news.word;
    });
    if (found == desk.asking.end()) return false;
    Asking& asking = found->second;
    asking.said = 0;
    if (const auto* asked = std::get_if<wire::Asked>(&news.answer.body)) {
        told(*asked);
        return true;
    }
    if (asking.has_asker) answer(desk, asking.asker, news.answer);
    desk.asking.erase(found);
    return true;
}

void TaskDesk::told(const wire::Asked& asked) {
    auto desk = desks_.find(asked.lease);
    if (desk == desks_.end() || asked.question.state == QuestionState::kOpen) return;
    auto found = desk->second.asking.find(asked.question.id);
    if (found == desk->second.asking.end()) return;
    found->second.outcome = asked;
    if (found->second.has_asker) answer_asker(desk->second, found->second);
}

void TaskDesk::answer_asker(Desk& desk, Asking& asking) {
    const wire::HeldLease& held = desk.own.held;
    wire::Asked asked{held.task, held.lease, still_open(asking.word, held.attempt)};
    if (asking.outcome) asked = *asking.outcome;
    asking.has_asker = false;
    answer(desk, asking.asker, {{}, std::move(asked), {}});
}

Millis TaskDesk::next_asking(const Desk& desk) {
    Millis next = kNoTime;
    for (const auto& [id, asking] : desk.asking) {
        if (!asking.has_asker || asking.outcome) continue;
        next = std::min(next, asking.asker.until);
        if (asking.said == 0) next = std::min(next, asking.again);
    }
    return next;
}

}  // namespace zq::worker
