#include "tests/fuzz/control_conversation.h"

#include "common/base/check.h"
#include "common/base/one_of.h"
#include "coordinator/core/invariants.h"
#include "coordinator/store/record_codec.h"

namespace zq::fuzz {
namespace {

constexpr int kRounds = 8;  // of Tick or Match in one pass, as in the loop

/// The kind of answer that each kind of request has, ERROR apart.
bool is_answer(const wire::Body& request, const wire::Body& answer) {
    return std::visit(
        [](const auto& asked, const auto& said) {
            using Q = std::decay_t<decltype(asked)>;
            using A = std::decay_t<decltype(said)>;
            if constexpr (std::is_same_v<A, wire::ErrorReply>) return true;
            if constexpr (std::is_same_v<Q, wire::Hello>) return std::is_same_v<A, wire::Welcome>;
            if constexpr (kIsOneOf<Q, wire::Ready, wire::Heartbeat>)
                return std::is_same_v<A, wire::Beat>;
            if constexpr (kIsOneOf<Q, wire::Complete, wire::Skip, wire::Fail, wire::Release,
                                   wire::Progress, wire::Checkpoint, wire::Cancel,
                                   wire::AnswerQuestion, wire::Spend>)
                return std::is_same_v<A, wire::Accepted>;
            if constexpr (kIsOneOf<Q, wire::Replay, wire::Edit, wire::Remove>)
                return std::is_same_v<A, wire::Changed>;
            if constexpr (std::is_same_v<Q, wire::Goodbye>) return std::is_same_v<A, wire::Goodbye>;
            if constexpr (std::is_same_v<Q, wire::Ping>) return std::is_same_v<A, wire::Pong>;
            if constexpr (std::is_same_v<Q, wire::Submit>)
                return std::is_same_v<A, wire::Submitted>;
            if constexpr (std::is_same_v<Q, wire::Batch>) return std::is_same_v<A, wire::Batched>;
            if constexpr (std::is_same_v<Q, wire::Get>) return std::is_same_v<A, wire::TaskReply>;
            if constexpr (kIsOneOf<Q, wire::List, wire::Answers>)
                return std::is_same_v<A, wire::Tasks>;
            if constexpr (std::is_same_v<Q, wire::Wait>) return std::is_same_v<A, wire::Ended>;
            if constexpr (std::is_same_v<Q, wire::Events>)
                return std::is_same_v<A, wire::EventRows>;
            if constexpr (std::is_same_v<Q, wire::Claim>) return std::is_same_v<A, wire::Claimed>;
            if constexpr (std::is_same_v<Q, wire::Workers>)
                return std::is_same_v<A, wire::WorkerRows>;
            if constexpr (std::is_same_v<Q, wire::Leases>)
                return std::is_same_v<A, wire::LeaseRows>;
            if constexpr (std::is_same_v<Q, wire::Status>)
                return std::is_same_v<A, wire::StatusReply>;
            if constexpr (std::is_same_v<Q, wire::Stats>)
                return std::is_same_v<A, wire::StatsReply>;
            if constexpr (std::is_same_v<Q, wire::Backup>)
                return std::is_same_v<A, wire::BackupReply>;
            if constexpr (std::is_same_v<Q, wire::Ask>) return std::is_same_v<A, wire::Asked>;
            if constexpr (std::is_same_v<Q, wire::Questions>)
                return std::is_same_v<A, wire::QuestionRows>;
            if constexpr (std::is_same_v<Q, wire::UsageQuery>)
                return std::is_same_v<A, wire::UsageRows>;
            if constexpr (std::is_same_v<Q, wire::Gc>) return std::is_same_v<A, wire::GcReply>;
            if constexpr (std::is_same_v<Q, wire::SetControl>)
                return std::is_same_v<A, wire::ControlSet>;
            if constexpr (std::is_same_v<Q, wire::Controls>)
                return std::is_same_v<A, wire::ControlRows>;
            if constexpr (std::is_same_v<Q, wire::Join> || std::is_same_v<Q, wire::Rotate>)
                return std::is_same_v<A, wire::Joined>;
            if constexpr (std::is_same_v<Q, wire::Access> || std::is_same_v<Q, wire::SetAccess>)
                return std::is_same_v<A, wire::AccessRows>;
            return false;  // no request of this socket
        },
        request, answer);
}

TaskKey key_of(const TaskId& id) {
    return {kDefaultNamespace, id};
}

}  // namespace

ControlConversation::ControlConversation() {
    start();
}

ControlConversation::~ControlConversation() = default;

void ControlConversation::start() {
    journal_ = std::make_unique<store::MemoryJournal>(disk_, store::MemorySync::kByHand);
    pipeline_ = std::make_unique<coordinator::Pipeline>(*journal_, core::Policy{});
    ZQ_CHECK(pipeline_->acquire());
    run(core::StartEpoch{disk_.journal, pipeline_->state().durable.epoch + 1, "fuzz"});
    pipeline_->append();
    journal_->sync();
    ZQ_CHECK(pipeline_->collect());
    reader_ = *journal_->open_reader();
    keys_.put(std::string(kAnn), {KeyKind::kClient,
                                  Identity("ann@" + std::string(kAnn)),
                                  *parse_permissions({"submit:*", "work:*", "read:own", "put"}, ""),
                                  {}});
    control_ = std::make_unique<coordinator::Control>(coordinator::ControlParts{
        *pipeline_,
        *reader_,
        *this,
        counters_,
        store_results_,
        {{edge::Trust::kLocal, {5571, ""}}, {edge::Trust::kAuthenticated, {5571, ""}}},
        {"fuzz", disk_.journal},
        keys_,
        shown_,
        now_});
    run(core::BeginService{});
}

void ControlConversation::run(core::CommandBody body) {
    core::Command command;
    command.now = now_;
    command.identity = kSystemIdentity;
    command.body = std::move(body);
    pipeline_->run(command);
}

void ControlConversation::ask(std::size_t door, const std::string& peer, wire::Message message) {
    message.header.id = ++last_id_;
    Received received;
    received.frames = {peer, ""};
    if (door == 1) received.user_id = kAnn;
    for (std::string& frame : wire::encode(message)) received.frames.push_back(std::move(frame));
    auto reading = reading_.find(peer);
    if (reading == reading_.end() || reading->second == Reading::kTakes) {
        open_.emplace(last_id_, Open{peer, std::move(message.body)});
    } else {
        others_.insert(last_id_);
    }
    control_->handle(door, std::move(received), now_);
}

void ControlConversation::say(std::size_t door, Received received) {
    const std::uint64_t id = wire::peek_header(edge::split_frames(received.frames).message).id;
    others_.insert(id);
    shared_.insert(id);
    control_->handle(door, std::move(received), now_);
}

void ControlConversation::store(const Digest& digest, std::uint64_t size) {
    control_->handle(coordinator::StoreRequest{++asked_of_store_, digest, size, kLocalIdentity},
                     now_);
}

void ControlConversation::turn() {
    const core::State& state = pipeline_->state();
    for (int i = 0; i < kRounds && core::next_deadline(state, pipeline_->policy()) <= now_; ++i) {
        run(core::Tick{});
    }
    for (int i = 0; i < kRounds && !state.now.to_match.empty(); ++i) run(core::Match{});
    control_->serve_claims(now_);
    control_->expire(now_);
    pipeline_->append();
    control_->flush(now_);
    check_state();
}

void ControlConversation::sync() {
    journal_->sync();
    auto committed = pipeline_->collect();
    ZQ_CHECK(committed.has_value());
    control_->wake(*committed, now_);
    control_->flush(now_);
    answered_to_store_ += store_results_.take().size();
    ZQ_CHECK(answered_to_store_ <= asked_of_store_);
}

void ControlConversation::pass(Millis time) {
    now_ = now_ + time;
}

void ControlConversation::set_reading(const std::string& peer, Reading reading) {
    reading_[peer] = reading;
    if (reading == Reading::kTakes) return;
    // What it misses it will not be told again: it asks again.
    std::erase_if(open_, [&](const auto& entry) {
        if (entry.second.peer != peer) return false;
        others_.insert(entry.first);
        return true;
    });
}

void ControlConversation::crash() {
    std::optional<Digest> expected;
    if (!pipeline_->has_uncommitted()) expected = store::state_hash(pipeline_->state());
    control_.reset();
    reader_.reset();
    pipeline_.reset();
    journal_.reset();
    open_.clear();
    others_.clear();
    store_results_.take();
    asked_of_store_ = answered_to_store_ = 0;
    if (expected) {
        store::MemoryJournal journal(disk_, store::MemorySync::kByHand);
        core::State state;
        ZQ_CHECK(journal.acquire(state));
        ZQ_CHECK(store::state_hash(state) == *expected);
    }
    start();
    check_state();
    check_facts();
}

void ControlConversation::finish() {
    reading_.clear();
    turn();
    sync();
    pass(limits::kPollMax + seconds(1));
    for (int i = 0; i < 3; ++i) {
        turn();
        sync();
    }
    // A poll ends unanswered where its client asks again under the same id.
    std::erase_if(open_, [&](const auto& entry) { return shared_.contains(entry.first); });
    ZQ_CHECK(open_.empty());
    ZQ_CHECK(answered_to_store_ == asked_of_store_);
    check_facts();
    crash();
}

SendStatus ControlConversation::send(std::size_t, const Frames& frames) {
    auto reading = reading_.find(frames.at(0));
    if (reading != reading_.end() && reading->second == Reading::kIsGone) return SendStatus::kGone;
    if (reading != reading_.end() && reading->second == Reading::kIsFull) return SendStatus::kFull;
    const edge::SplitFrames split = edge::split_frames(frames);
    auto message = wire::decode(split.message);
    ZQ_CHECK(message.has_value());
    ZQ_CHECK(edge::join_frames(split.envelope, wire::encode(*message)) == frames);
    if (const auto* assign = std::get_if<wire::Assign>(&message->body)) {
        ZQ_CHECK(assign->lease.number > last_pushed_);
        last_pushed_ = assign->lease.number;
        note_token(assign->lease);
    }
    if (message->header.id != 0) check_answer(*message);
    return SendStatus::kSent;
}

void ControlConversation::check_answer(const wire::Message& message) {
    auto at = open_.find(message.header.id);
    if (at != open_.end() && is_answer(at->second.request, message.body)) {
        note_facts(at->second.request, message.body);
        open_.erase(at);
        return;
    }
    // A second answer, one to nobody, or of the wrong kind: unless it is another message's.
    auto other = others_.find(message.header.id);
    ZQ_CHECK(other != others_.end());
    others_.erase(other);
}

/// What a peer may rely on from now on.
void ControlConversation::note_facts(const wire::Body& asked, const wire::Body& answer) {
    if (const auto* submitted = std::get_if<wire::Submitted>(&answer)) {
        const auto* submit = std::get_if<wire::Submit>(&asked);
        if (submit != nullptr && !submit->dry_run) submitted_.insert(submitted->task);
    }
    if (const auto* batched = std::get_if<wire::Batched>(&answer)) {
        const auto* batch = std::get_if<wire::Batch>(&asked);
        ZQ_CHECK(batch != nullptr && batched->items.size() == batch->tasks.size());
        for (const wire::BatchItem& item : batched->items) {
            if (item.state && !batch->dry_run) submitted_.insert(item.task);
        }
    }
    if (const auto* accepted = std::get_if<wire::Accepted>(&answer)) {
        if (is_final(accepted->state)) ended_.emplace(accepted->task, accepted->state);
    }
    if (const auto* claimed = std::get_if<wire::Claimed>(&answer)) note_token(claimed->lease);
}

void ControlConversation::note_token(const LeaseToken& token) {
    if (tokens_.empty() || tokens_.back() < token) tokens_.push_back(token);
}

void ControlConversation::check_facts() {
    const auto state_of = [&](const TaskId& id) -> std::optional<TaskState> {
        const core::Task* open = pipeline_->state().durable.open.find(key_of(id));
        if (open != nullptr) return open->state;
        auto task = reader_->task(key_of(id));
        ZQ_CHECK(task.has_value());
        if (!*task) return std::nullopt;
        return (*task)->state;
    };
    for (const TaskId& id : submitted_) ZQ_CHECK(state_of(id).has_value());
    for (const auto& [id, state] : ended_) ZQ_CHECK(state_of(id) == state);
}

void ControlConversation::check_state() const {
    const std::vector<std::string> broken = core::broken_invariants(pipeline_->state());
    for (const std::string& sentence : broken) std::fprintf(stderr, "%s\n", sentence.c_str());
    ZQ_CHECK(broken.empty());
}

}  // namespace zq::fuzz
