#include "tests/power/coordinator_load.h"

#include <algorithm>
#include <array>

#include "common/platform/digest.h"
#include "coordinator/edge/facts.h"

namespace zq::power {
namespace {

constexpr std::size_t kWorkers = 3;
constexpr std::array kRoles = {"review", "research", "implement"};
constexpr std::size_t kTokens = 12;  // of the last leases, that heartbeats list

Digest digest_of(Random& random) {
    Digest digest;
    for (auto& byte : digest.bytes) byte = static_cast<std::uint8_t>(random());
    return digest;
}

}  // namespace

CoordinatorLoad::CoordinatorLoad(coordinator::Pipeline& pipeline,
                                 const std::vector<core::Event>& history, Random& random)
    : pipeline_(pipeline),
      random_(random),
      now_(std::max(Instant{1'700'000'000'000}, pipeline.state().durable.last_at)),
      request_(pipeline.state().durable.last_seq * 1'000) {
    for (const core::Event& event : history) {
        if (const auto* stored = std::get_if<core::ContentStored>(&event.body)) {
            stored_[stored->digest] = stored->size;
        }
        if (const auto* condemned = std::get_if<core::ContentsCondemned>(&event.body)) {
            for (const core::CondemnedContent& gone : condemned->contents) {
                stored_.erase(gone.digest);
            }
        }
        if (const auto* assigned = std::get_if<core::TaskAssigned>(&event.body)) {
            given_.push_back(assigned->lease.token);
        }
    }
}

void CoordinatorLoad::forget_condemned() {
    for (const auto& [digest, seq] : pipeline_.state().index.condemned) stored_.erase(digest);
}

void CoordinatorLoad::run(core::CommandBody body, std::vector<store::InlineContent> contents,
                          core::Facts facts) {
    core::Command command;
    command.now = now_;
    command.identity = kLocalIdentity;
    command.client = ClientId("c" + std::to_string(below(random_, 3)));
    command.request = ++request_;
    command.reply = request_;
    command.seed = random_();
    command.facts = std::move(facts);
    command.body = std::move(body);
    core::Decision decision = pipeline_.decide(command);
    for (const core::Event& event : decision.events) {
        if (const auto* stored = std::get_if<core::ContentStored>(&event.body)) {
            stored_[stored->digest] = stored->size;
        }
        if (const auto* assigned = std::get_if<core::TaskAssigned>(&event.body)) {
            given_.push_back(assigned->lease.token);
        }
    }
    pipeline_.accept(std::move(decision), command, std::move(contents));
}

void CoordinatorLoad::begin_service() {
    run(core::BeginService{});
    for (std::size_t worker = 0; worker < kWorkers; ++worker) open_session(worker);
    decide_due();
}

void CoordinatorLoad::decide_some() {
    // Now and then long enough for leases, ttls and retries to run out.
    now_ = now_ + millis(static_cast<std::int64_t>(below(random_, 3'000)));
    if (chance(random_, 4)) now_ = now_ + seconds(90);
    std::size_t count = 1;
    if (chance(random_, 50)) count += below(random_, 6);
    if (chance(random_, 4)) count += below(random_, 100);
    for (std::size_t i = 0; i < count; ++i) decide_one();
    decide_due();
}

void CoordinatorLoad::decide_one() {
    const std::uint64_t dice = below(random_, 100);
    if (dice < 35) return submit();
    if (dice < 55) return end_attempt();
    if (dice < 75) return heartbeat();
    if (dice < 78) return note_progress();
    if (dice < 80) return note_usage();
    if (dice < 83) return save_checkpoint();
    if (dice < 85) return ask_person();
    if (dice < 87) return answer_person();
    if (dice < 91) return claim();
    if (dice < 96) return cancel();
    if (dice < 98) return set_control();
    if (dice < 99) return note_access();
    open_session(below(random_, kWorkers));
}

void CoordinatorLoad::decide_due() {
    const core::State& state = pipeline_.state();
    for (int i = 0; i < 8 && core::next_deadline(state, pipeline_.policy()) <= now_; ++i) {
        run(core::Tick{});
    }
    for (int i = 0; i < 8 && !state.now.to_match.empty(); ++i) run(core::Match{});
}

std::string CoordinatorLoad::text(std::size_t most) {
    std::string made(below(random_, most), ' ');
    for (char& c : made) c = static_cast<char>('a' + random_() % 26);
    return made;
}

std::vector<LeaseToken> CoordinatorLoad::tokens_of(std::size_t worker) {
    std::vector<LeaseToken> tokens;
    const core::State& state = pipeline_.state();
    auto held = state.index.by_holder.find(StateId("folder-" + std::to_string(worker)));
    if (held != state.index.by_holder.end()) {
        for (const std::uint64_t number : held->second) {
            tokens.push_back({state.durable.journal, number});
        }
    }
    // And some that it has held: a lost one may be had back.
    for (std::size_t i = given_.size() - std::min(given_.size(), kTokens); i < given_.size(); ++i) {
        if (chance(random_, 70)) tokens.push_back(given_[i]);
    }
    return tokens;
}

void CoordinatorLoad::open_session(std::size_t worker) {
    core::OpenSession open;
    open.session = ++request_;
    open.worker = WorkerName("host-" + std::to_string(worker));
    open.state_id = StateId("folder-" + std::to_string(worker));
    open.incarnation = pipeline_.state().durable.epoch;
    open.roles = {RoleName(kRoles.at(worker)), RoleName("any")};
    if (chance(random_, 10)) open.roles.emplace_back("role-" + std::to_string(request_));
    open.slots = 8;
    open.leases = tokens_of(worker);
    run(std::move(open));
}

void CoordinatorLoad::heartbeat() {
    const auto& sessions = pipeline_.state().now.sessions;
    if (sessions.empty()) return;
    const auto at =
        std::next(sessions.begin(), static_cast<std::ptrdiff_t>(below(random_, sessions.size())));
    const std::string folder = at->second.state_id.text;
    core::Renew renew;
    renew.session = at->first;
    renew.free = static_cast<std::uint32_t>(below(random_, 4));
    renew.lists_leases = chance(random_, 70);
    if (renew.lists_leases) renew.leases = tokens_of(static_cast<std::size_t>(folder.back() - '0'));
    run(std::move(renew));
}

ArtifactRef CoordinatorLoad::reference(const std::string& name, std::vector<ArtifactRef>& fresh,
                                       std::vector<store::InlineContent>& contents) {
    if (!stored_.empty() && chance(random_, 40)) {
        const auto at =
            std::next(stored_.begin(), static_cast<std::ptrdiff_t>(below(random_, stored_.size())));
        return {name, at->first, at->second, "text/plain", ""};
    }
    const std::string data = text(chance(random_, 15) ? limits::kInlineBytes : 600);
    ArtifactRef made{name, sha256(data), data.size(), "text/plain", ""};
    const bool known = stored_.contains(made.digest) ||
                       std::any_of(contents.begin(), contents.end(),
                                   [&](const auto& c) { return c.digest == made.digest; });
    if (!known) {
        fresh.push_back(made);
        contents.push_back({made.digest, data});
    }
    return made;
}

void CoordinatorLoad::submit() {
    core::SubmitTask submit;
    TaskSpec& spec = submit.spec.edit();
    spec.id = TaskId("t" + std::to_string(++request_));
    spec.role = RoleName(kRoles.at(below(random_, kRoles.size())));
    spec.from = "planner";
    spec.reply_to = "planner";
    spec.instructions = text(chance(random_, 10) ? 20'000 : 300);
    spec.priority = static_cast<int>(below(random_, 10));
    if (chance(random_, 20)) spec.delay = millis(static_cast<std::int64_t>(below(random_, 9'000)));
    if (chance(random_, 20)) spec.ttl = seconds(20);
    if (chance(random_, 20)) spec.group = GroupName("night");
    if (chance(random_, 20)) spec.idempotency_key = spec.id.text;
    spec.backoff = {Backoff::Kind::kFixed, seconds(2), seconds(2)};
    if (chance(random_, 20)) {
        spec.budget.tokens = 500;
        if (chance(random_, 50)) spec.budget.on = OnBudget::kDead;
    }
    if (const core::Task* before = chance(random_, 20) ? any_task(false) : nullptr) {
        spec.after.tasks = {before->key.id};
        if (chance(random_, 40)) spec.after.mode = AfterMode::kAllDone;
    }
    submit.request = digest_of(random_);
    std::vector<store::InlineContent> contents;
    for (std::uint64_t i = below(random_, 3); i > 0; --i) {
        spec.inputs.push_back(reference("in-" + std::to_string(i), submit.contents, contents));
    }
    run(std::move(submit), std::move(contents));
}

const core::Task* CoordinatorLoad::any_task(bool running) {
    const auto& open = pipeline_.state().durable.open;
    if (open.empty()) return nullptr;
    std::uint64_t before = below(random_, open.size());
    std::optional<TaskKey> found;
    open.for_each([&](const core::Task& task) {
        if (before > 0) {
            --before;
        } else if (!found && (!running || task.lease)) {
            found = task.key;
        }
    });
    return found ? open.find(*found) : nullptr;
}

void CoordinatorLoad::claim() {
    core::ClaimTask claim;
    claim.role = RoleName(kRoles.at(below(random_, kRoles.size())));
    claim.from = "hand";
    claim.lease = seconds(60);
    run(std::move(claim));
}

void CoordinatorLoad::end_attempt() {
    const core::Task* task = any_task(true);
    if (task == nullptr) return;
    using Kind = core::EndAttempt::Kind;
    constexpr std::array kKinds = {Kind::kComplete, Kind::kComplete, Kind::kComplete, Kind::kFail,
                                   Kind::kFail,     Kind::kRelease,  Kind::kSkip};
    core::EndAttempt end;
    end.kind = kKinds.at(below(random_, kKinds.size()));
    end.task = task->key.id;
    end.token = task->lease->token;
    end.from = task->lease->holder.worker.text;
    end.summary = text(80);
    end.reason = text(80);
    end.output = {{"verdict", text(200)}, {"input_tokens", std::to_string(below(random_, 900))}};
    end.report = digest_of(random_);
    std::vector<store::InlineContent> contents;
    for (std::uint64_t i = below(random_, 4); i > 0; --i) {
        const std::string name = i == 1 ? "stdout.log" : "out-" + std::to_string(i);
        end.artifacts.push_back(reference(name, end.contents, contents));
    }
    run(std::move(end), std::move(contents));
}

void CoordinatorLoad::note_progress() {
    const core::Task* task = any_task(true);
    if (task == nullptr) return;
    run(core::NoteProgress{task->key.id, task->lease->token,
                           static_cast<std::uint32_t>(below(random_, 101)), "step", text(100)});
}

void CoordinatorLoad::note_usage() {
    const core::Task* task = any_task(true);
    if (task == nullptr) return;
    run(core::NoteUsage{task->key.id, task->lease->token, {7, below(random_, 900), 0, "m"}});
}

/// What is said is soon taken back: the load is to go on.
void CoordinatorLoad::set_control() {
    core::SetControl set;
    set.kind = chance(random_, 50) ? ControlKind::kRole : ControlKind::kLimitKey;
    set.name = kRoles.at(below(random_, kRoles.size()));
    set.paused = chance(random_, 20);
    if (chance(random_, 50)) set.limits.rate = Rate{30, minutes(1), 2};
    set.reset = chance(random_, 60);
    set.reason = text(40);
    run(std::move(set));
}

void CoordinatorLoad::note_access() {
    core::NoteAccess note;
    note.keys.push_back({"key-" + std::to_string(below(random_, 5)), std::nullopt});
    if (chance(random_, 70)) {
        note.keys.back().access =
            KeyAccess{Identity("ann@1"), KeyKind::kClient, {text(20)}, {}, {}};
    }
    run(std::move(note));
}

void CoordinatorLoad::save_checkpoint() {
    const core::Task* task = any_task(true);
    if (task == nullptr) return;
    core::SaveCheckpoint save{task->key.id, task->lease->token, {}, {}};
    std::vector<store::InlineContent> contents;
    save.ref = reference("step-" + std::to_string(below(random_, 3)), save.contents, contents);
    run(std::move(save), std::move(contents));
}

void CoordinatorLoad::ask_person() {
    const core::Task* task = any_task(true);
    if (task == nullptr) return;
    core::AskPerson ask{task->key.id, task->lease->token, {}};
    ask.question.id = "q" + std::to_string(++request_);
    ask.question.text = "Go on?";
    if (chance(random_, 50)) ask.question.timeout = seconds(20);
    run(std::move(ask));
}

void CoordinatorLoad::answer_person() {
    const auto& asking = pipeline_.state().index.asking;
    if (asking.empty()) return;
    const TaskKey& key = asking.begin()->second;
    const Question& open = pipeline_.state().durable.open.at(key).questions.back();
    const bool stops = !open.choices.empty() && chance(random_, 30);
    std::string said = open.choices.empty() ? text(60) : open.choices.at(stops ? 1 : 0);
    run(core::AnswerPerson{key.id, "", "", std::move(said)});
}

void CoordinatorLoad::cancel() {
    const core::Task* task = any_task(chance(random_, 50));
    if (task != nullptr) run(core::CancelTask{task->key.id, "not wanted"});
}

Result<void> CoordinatorLoad::change_ended(store::Reader& reader) {
    store::TaskFilter filter;
    filter.states = {TaskState::kDead, TaskState::kExpired};
    if (chance(random_, 50)) filter.states = {TaskState::kCompleted, TaskState::kCancelled};
    filter.limit = 16;
    auto page = reader.tasks(filter);
    if (!page) return Failure(page.error());
    if (page->tasks.empty()) return {};
    const core::Task& task = page->tasks[below(random_, page->tasks.size())];
    edge::FactFinder finder(pipeline_.state(), reader, reader, pipeline_.pending_contents());
    wire::Changes changes;
    const bool edits = chance(random_, 40);
    if (edits) changes.instructions = "mended: " + text(400);
    core::Facts facts;
    auto ended = finder.ended_task(task.key);
    if (!ended) return Failure(ended.error());
    facts.task = std::move(*ended);
    if (auto ok = finder.add_ended(task.key, changes, facts); !ok) return ok;
    if (edits && chance(random_, 40)) {
        run(core::EditTask{task.key.id, "a mistake"}, {}, std::move(facts));
    } else if (!edits && chance(random_, 15)) {
        if (auto ok = finder.add_erasable(task.key, facts); !ok) return ok;
        run(core::EraseTask{task.key.id, "a key was in it"}, {}, std::move(facts));
    } else if (!edits && chance(random_, 40)) {
        run(core::RemoveTask{task.key.id, "not wanted"}, {}, std::move(facts));
    } else {
        run(core::ReplayTask{task.key.id, chance(random_, 50), false, false, "again"}, {},
            std::move(facts));
    }
    return {};
}

void CoordinatorLoad::knock_off() {
    while (!pipeline_.state().now.sessions.empty()) {
        run(core::CloseSession{pipeline_.state().now.sessions.begin()->first,
                               core::CloseCause::kGoodbye});
    }
    std::vector<TaskKey> tasks;
    pipeline_.state().durable.open.for_each([&](const core::Task& task) {
        if (task.lease || task.lost_lease) tasks.push_back(task.key);
    });
    for (const TaskKey& key : tasks) {
        const core::Task* task = core::find_task(pipeline_.state(), key);
        if (!task->lease) {
            run(core::CancelTask{key.id, "closing time"});
            continue;
        }
        core::EndAttempt end;
        end.task = key.id;
        end.token = task->lease->token;
        end.from = task->lease->holder.worker.text;
        end.report = digest_of(random_);
        run(std::move(end));
    }
    now_ = now_ + minutes(1);
}

Result<void> CoordinatorLoad::put_artifact(store::ArtifactStore& artifacts) {
    const std::string data = text(40'000);
    const Digest digest = sha256(data);
    auto offset = artifacts.begin(digest, data.size());
    while (offset && *offset < data.size()) {
        const std::size_t size = 1 + below(random_, 20'000);
        offset = artifacts.append(digest, *offset, std::string_view(data).substr(*offset, size));
    }
    if (!offset) return Failure(offset.error());
    if (!stored_.contains(digest)) run(core::StoreContent{digest, data.size()});
    return {};
}

}  // namespace zq::power
