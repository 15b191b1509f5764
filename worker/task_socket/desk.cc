#include "worker/task_socket/desk.h"

#include <unistd.h>

#include <algorithm>

#include "common/platform/clock.h"
#include "common/platform/files.h"
#include "common/platform/log.h"
#include "worker/scrub.h"
#include "worker/task_socket/kept.h"
#include "worker/task_socket/socket_folder.h"

namespace zq::worker {
namespace {

constexpr Millis kPatience = seconds(2);  // less than a client gives one try
constexpr std::size_t kMessagesPerTurn = 64;
constexpr std::size_t kWaiting = 64;  // words of one attempt that have no answer yet
constexpr std::size_t kRemembered = 64;

wire::Message error(ErrorCode code, std::string message) {
    return {{}, wire::ErrorReply{code, std::move(message), {}, {}, {}}, {}};
}

std::vector<std::string> files_of(const std::vector<ArtifactRef>& contents,
                                  const Workspace& workspace) {
    std::vector<std::string> files;
    files.reserve(contents.size());
    for (const ArtifactRef& ref : contents) files.push_back(workspace.spool_file(ref.digest));
    return files;
}

/// Contents of a submit that do not travel along: they lie in the spool.
std::vector<ArtifactRef> spooled(const wire::Submit& submit) {
    std::vector<ArtifactRef> refs;
    for (const ArtifactRef& input : submit.task.inputs) {
        if (input.by_reference) continue;
        const bool inlined =
            std::any_of(submit.contents.begin(), submit.contents.end(),
                        [&](const auto& content) { return content.digest == input.digest; });
        if (!inlined) refs.push_back(input);
    }
    return refs;
}

/// The name of a secret whose value stands in a content that is said with it; empty: none.
std::string secret_in_contents(const wire::Body& body, const std::vector<SecretValue>& secrets,
                               const Workspace& workspace) {
    const auto look = [&](const std::string* data, const Digest& digest) {
        return data != nullptr ? value_in(secrets, *data)
                               : value_in_file(secrets, workspace.spool_file(digest));
    };
    if (const auto* m = std::get_if<wire::Checkpoint>(&body)) {
        return look(m->artifact.data ? &m->artifact.data->data : nullptr, m->artifact.ref.digest);
    }
    const auto* m = std::get_if<wire::Submit>(&body);
    if (m == nullptr) return {};
    for (const wire::InlineContent& content : m->contents) {
        if (std::string name = value_in(secrets, content.data.data); !name.empty()) return name;
    }
    for (const ArtifactRef& ref : spooled(*m)) {
        if (std::string name = look(nullptr, ref.digest); !name.empty()) return name;
    }
    return {};
}

Verdict verdict_of(const Lease& lease) {
    if (lease.cancelling) return Verdict::kCancel;
    return lease.over_budget ? Verdict::kBudget : Verdict::kOk;
}

}  // namespace

TaskDesk::TaskDesk(SocketContext& context, std::string folder)
    : context_(context), folder_(std::move(folder)) {}
TaskDesk::~TaskDesk() = default;

std::string TaskDesk::open(const wire::Assign& assign, const Workspace& workspace) {
    auto door = TaskDoor::open(context_, socket_path(folder_, assign.lease.number));
    if (!door) {
        log_warn("an attempt has no socket",
                 {{"task", assign.task.id.text}, {"reason", door.error().message}});
        return {};
    }
    Desk& desk = desks_[assign.lease];
    desk.own.held = {assign.task.id, assign.attempt, assign.lease};
    desk.own.group = assign.task.group;
    desk.own.trace_id = assign.task.trace_id;
    desk.workspace = workspace;
    desk.door.emplace(std::move(*door));
    return desk.door->path();
}

void TaskDesk::close(const LeaseToken& lease) {
    auto found = desks_.find(lease);
    if (found == desks_.end()) return;
    found->second.door.reset();
}

void TaskDesk::hide(const LeaseToken& lease, std::vector<SecretValue> secrets) {
    auto found = desks_.find(lease);
    if (found != desks_.end()) found->second.secrets = std::move(secrets);
}

void TaskDesk::forget(const LeaseToken& lease) {
    desks_.erase(lease);
}

std::vector<TaskWord> TaskDesk::take(const std::map<LeaseToken, Lease>& leases, Millis now) {
    std::vector<TaskWord> words;
    for (auto& [token, desk] : desks_) {
        auto lease = leases.find(token);
        const bool live = lease != leases.end() && lease->second.stage != LeaseStage::kDying;
        desk.own.verdict = live ? verdict_of(lease->second) : Verdict::kStale;
        desk.own.now = wall_time();
        for (std::size_t i = 0; desk.door && i < kMessagesPerTurn; ++i) {
            auto asked = desk.door->receive();
            if (!asked) break;
            hear(desk, std::move(*asked), now, words);
        }
        ask_again(desk, now, words);
    }
    return words;
}

void TaskDesk::hear(Desk& desk, Asked asked, Millis now, std::vector<TaskWord>& words) {
    (void)write_file(desk.workspace.life_file(), "", 0600, Durability::kNone);
    Waiting from{asked.envelope, asked.request, {}, kNoTime, false, {}};
    if (!asked.message) {
        const Error& why = asked.message.error();
        return answer(desk, from,
                      {{}, wire::ErrorReply{why.code, why.message, why.field, {}, {}}, {}});
    }
    from.client = asked.message->header.client;
    if (heard_before(desk, asked)) return;
    if (!desk.secrets.empty()) {
        const std::string named =
            secret_in_contents(asked.message->body, desk.secrets, desk.workspace);
        if (!named.empty()) {
            return answer(desk, from,
                          error(ErrorCode::SECRET_FOUND, "the content has the value of secret://" +
                                                             named + ", which stays here"));
        }
        worker::hide(desk.secrets, asked.message->body);
    }
    Judgement judged = judge(std::move(asked.message->body), desk.own);
    if (auto* question = std::get_if<AskWord>(&judged)) {
        ask(desk, std::move(from), std::move(*question), now);
    } else if (auto* now_said = std::get_if<AnswerNow>(&judged)) {
        answer(desk, from, {{}, std::move(now_said->body), {}});
    } else if (auto* word = std::get_if<EndWord>(&judged)) {
        end(desk, from, *word);
    } else if (desk.waiting.size() >= kWaiting) {
        answer(desk, from, error(ErrorCode::BUSY, "too much waits for the coordinator"));
    } else if (auto* progress = std::get_if<PassOn>(&judged)) {
        say(desk, from, *progress, words);
    } else if (auto* checkpoint = std::get_if<KeepAndPassOn>(&judged)) {
        say(desk, std::move(from), std::move(*checkpoint), now, words);
    } else if (auto* submit = std::get_if<Forward>(&judged)) {
        say(desk, std::move(from), std::move(*submit), words);
    } else if (auto* look = std::get_if<LookUp>(&judged)) {
        say(desk, std::move(from), std::move(*look), words);
    }
}

/// A request that is repeated gets the same answer, or waits on, at the newer return path.
bool TaskDesk::heard_before(Desk& desk, const Asked& asked) {
    const wire::Header& header = asked.message->header;
    if (header.client.empty()) return false;
    if (heard_asking(desk, asked)) return true;
    for (auto& [number, waiting] : desk.waiting) {
        if (waiting.client != header.client || waiting.request != header.id) continue;
        waiting.envelope = asked.envelope;
        return true;
    }
    for (const Remembered& old : desk.remembered) {
        if (old.client != header.client || old.request != header.id) continue;
        if (desk.door) desk.door->answer(asked.envelope, old.answer);
        return true;
    }
    return false;
}

void TaskDesk::answer(Desk& desk, const Waiting& to, wire::Message message) {
    message.header.id = to.request;
    message.header.client = {};
    message.header.artifacts_port = 0;
    message.header.artifacts_endpoint.clear();
    if (desk.door) desk.door->answer(to.envelope, message);
    if (to.client.empty()) return;
    desk.remembered.push_back({to.client, to.request, std::move(message)});
    if (desk.remembered.size() > kRemembered) desk.remembered.pop_front();
}

/// Without a sequence number: the worker has it, the coordinator not yet.
void TaskDesk::accept(Desk& desk, const Waiting& to) {
    const TaskState state =
        desk.own.verdict == Verdict::kCancel ? TaskState::kCancelling : TaskState::kRunning;
    answer(desk, to, {{}, wire::Accepted{desk.own.held.task, state, desk.own.held.attempt}, {}});
}

void TaskDesk::say(Desk& desk, const Waiting& from, const PassOn& word,
                   std::vector<TaskWord>& words) {
    words.push_back({desk.own.held.lease, {0, word.word, {}}});
    accept(desk, from);
}

void TaskDesk::say(Desk& desk, Waiting from, KeepAndPassOn word, Millis now,
                   std::vector<TaskWord>& words) {
    const std::uint64_t number = ++last_word_;
    if (auto ok = keep_word(desk.workspace, number, word.word); !ok) {
        return answer(desk, from, error(ok.error().code, ok.error().message));
    }
    std::vector<ArtifactRef> contents;
    if (!word.word.artifact.data) contents.push_back(word.word.artifact.ref);
    from.until = now + kPatience;
    from.spooled = files_of(contents, desk.workspace);
    desk.waiting.emplace(number, std::move(from));
    words.push_back({desk.own.held.lease, {number, std::move(word.word), std::move(contents)}});
}

void TaskDesk::say(Desk& desk, Waiting from, Forward word, std::vector<TaskWord>& words) {
    const std::uint64_t number = ++last_word_;
    std::vector<ArtifactRef> contents = spooled(word.word);
    from.spooled = files_of(contents, desk.workspace);
    desk.waiting.emplace(number, std::move(from));
    words.push_back({desk.own.held.lease, {number, std::move(word.word), std::move(contents)}});
}

void TaskDesk::say(Desk& desk, Waiting from, LookUp word, std::vector<TaskWord>& words) {
    const std::uint64_t number = ++last_word_;
    desk.waiting.emplace(number, std::move(from));
    if (const auto* fetch = std::get_if<wire::Fetch>(&word.word)) {
        fetches_.push_back({desk.own.held, desk.workspace, number, *fetch});
    } else {
        words.push_back({desk.own.held.lease, {number, std::move(word.word), {}}});
    }
}

void TaskDesk::end(Desk& desk, const Waiting& from, const EndWord& word) {
    if (auto ok = keep_final_word(desk.workspace, word.report); !ok) {
        return answer(desk, from, error(ok.error().code, ok.error().message));
    }
    log_info("final word", {{"task", desk.own.held.task.text},
                            {"said", std::string(wire::type_of(word.report))}});
    accept(desk, from);
}

void TaskDesk::answered(const WordAnswered& news) {
    auto found = desks_.find(news.lease);
    if (found == desks_.end()) return;
    Desk& desk = found->second;
    if (answered_asking(desk, news)) return;
    if (const auto* refused = std::get_if<wire::ErrorReply>(&news.answer.body)) {
        log_warn("what an attempt said was refused",
                 {{"task", desk.own.held.task.text},
                  {"code", std::string(to_string(refused->code))},
                  {"reason", refused->message}});
    }
    forget_word(desk.workspace, news.word);
    auto waiting = desk.waiting.find(news.word);
    if (waiting == desk.waiting.end()) return;
    const Waiting done = std::move(waiting->second);
    desk.waiting.erase(waiting);
    if (!done.kept) answer(desk, done, news.answer);
    remove_spooled(desk, done);
}

void TaskDesk::fetched(const PreviousFetched& previous) {
    wire::Message message;
    if (previous.content) {
        message.body = *previous.content;
    } else {
        const Error& why = previous.content.error();
        message.body = wire::ErrorReply{why.code, why.message, why.field, {}, {}};
    }
    answered({previous.lease, previous.word, std::move(message)});
}

/// What no other word names any more is stored, or was refused.
void TaskDesk::remove_spooled(const Desk& desk, const Waiting& done) {
    for (const std::string& file : done.spooled) {
        const bool named =
            std::any_of(desk.waiting.begin(), desk.waiting.end(), [&](const auto& entry) {
                const auto& files = entry.second.spooled;
                return std::find(files.begin(), files.end(), file) != files.end();
            });
        if (!named) ::unlink(file.c_str());
    }
}

void TaskDesk::tick(Millis now) {
    for (auto& [token, desk] : desks_) {
        for (auto& [number, waiting] : desk.waiting) {
            if (waiting.kept || now < waiting.until) continue;
            waiting.kept = true;
            accept(desk, waiting);
            waiting.client = {};  // from here on its repetitions find the answer
        }
    }
}

Millis TaskDesk::deadline() const {
    Millis next = kNoTime;
    for (const auto& [token, desk] : desks_) {
        next = std::min(next, next_asking(desk));
        for (const auto& [number, waiting] : desk.waiting) {
            if (!waiting.kept) next = std::min(next, waiting.until);
        }
    }
    return next;
}

void TaskDesk::add_poll_items(std::vector<PollItem>& items) const {
    for (const auto& [token, desk] : desks_) {
        if (desk.door) items.push_back({desk.door->raw(), -1});
    }
}

}  // namespace zq::worker
