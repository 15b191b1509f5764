#include "tests/simulator/odd_peer.h"

#include "common/platform/digest.h"
#include "tests/simulator/describe.h"

namespace zq::sim {
namespace {

constexpr std::string_view kName = "odd";

/// Any request may be refused so.
bool is_of_the_moment(ErrorCode code) {
    return code == ErrorCode::SHUTTING_DOWN || code == ErrorCode::STORAGE_FULL ||
           code == ErrorCode::QUEUE_FULL || code == ErrorCode::BUSY;
}

wire::Submit sound_submit(const std::string& id) {
    wire::Submit submit;
    submit.task.id = TaskId(id);
    submit.task.role = RoleName("odd");
    submit.task.ttl = seconds(60);
    return submit;
}

}  // namespace

OddPeer::OddPeer(Stage stage, std::vector<std::string> victims)
    : stage_(stage),
      victims_(std::move(victims)),
      rng_(stage.world.rng(kName)),
      client_(to_hex(rng_.next())) {
    const Permissions rights(
        {{Right::kSubmit, "*"}, {Right::kWork, "*"}, {Right::kRead, "all"}, {Right::kPut, {}}});
    stage_.keys.put("odd@0", {KeyKind::kClient, Identity("odd@0"), rights, {}});
}

void OddPeer::plan() {
    stage_.world.after(rng_.between(seconds(1), seconds(8)), [this] { act(); });
}

LinkId OddPeer::connect(bool known) {
    const LinkId link =
        stage_.network.connect(std::string(kName), *this, kKeyDoor, known ? "odd@0" : "");
    if (link != 0) links_.push_back(link);
    return link;
}

void OddPeer::say_frames(LinkId link, Frames frames, std::uint64_t id, Codes expected) {
    expected_[id] = std::move(expected);
    frames.insert(frames.begin(), std::string());
    stage_.network.send(link, std::move(frames), Repeat::kNever);
}

void OddPeer::say(LinkId link, wire::Body body, Codes expected) {
    wire::Message message;
    message.header.id = ++last_;
    const bool as_worker = std::holds_alternative<wire::Hello>(body) ||
                           std::holds_alternative<wire::Ready>(body) ||
                           std::holds_alternative<wire::Goodbye>(body);
    if (!as_worker) message.header.client = client_;
    message.body = std::move(body);
    stage_.world.note(kName, describe_message(message));
    say_frames(link, wire::encode(message), message.header.id, std::move(expected));
}

void OddPeer::receive(LinkId, Frames frames) {
    frames.erase(frames.begin());
    auto reply = wire::decode(frames);
    if (!reply) return stage_.world.violate("the odd peer cannot read a message");
    stage_.world.note(kName, "<- " + describe_message(*reply));
    auto at = expected_.find(reply->header.id);
    if (at == expected_.end()) return;
    const Codes expected = std::move(at->second);
    expected_.erase(at);
    const auto* refusal = std::get_if<wire::ErrorReply>(&reply->body);
    if (refusal != nullptr && is_of_the_moment(refusal->code)) return;
    const bool right = refusal == nullptr ? expected.empty() : expected.contains(refusal->code);
    const bool either = expected.contains(ErrorCode::IO);  // a refusal or none
    if (right || (refusal == nullptr && either)) return;
    stage_.world.violate("an odd request is answered " + describe_message(*reply));
}

void OddPeer::broken(LinkId link) {
    std::erase(links_, link);
}

void OddPeer::act() {
    for (const LinkId link : std::exchange(links_, {})) stage_.network.close(link);
    expected_.clear();
    plan();
    const LinkId link = connect(true);
    if (link == 0) return;
    switch (turn_++ % 7) {
        case 0:
            return say_nonsense(link);
        case 1:
            return say_unsound(link);
        case 2:
            return say_stale(link);
        case 3:
            return say_unknown(link);
        case 4:
            return pose_as_worker();
        case 5:
            return end_unclaimed(link);
        default:
            return say_too_much(link);
    }
}

void OddPeer::say_nonsense(LinkId link) {
    const std::string good = wire::encode({{0, client_, 0, 0, 0, ""}, wire::Ping{}, ""})[2];
    switch (rng_.below(4)) {
        case 0:
            return say_frames(link, {"zq/1", "PING"}, 0, {ErrorCode::MALFORMED});
        case 1:
            return say_frames(link, {"zq/2", "PING", good}, 0, {ErrorCode::UNSUPPORTED_VERSION});
        case 2:
            return say_frames(link, {"zq/1", "ping", good}, 0, {ErrorCode::UNKNOWN_TYPE});
        default:
            return say_frames(link, {"zq/1", "PING", std::string(40, '\x91')}, 0,
                              {ErrorCode::TOO_LARGE});
    }
}

void OddPeer::say_unsound(LinkId link) {
    wire::Submit submit = sound_submit("odd-unsound");
    switch (rng_.below(4)) {
        case 0:
            submit.task.role = RoleName("no good name");
            return say(link, submit, {ErrorCode::INVALID});
        case 3:
            submit.task.instructions =
                "log in with AKIA"
                "Z7Q2M4X6W8V3T5R9";
            return say(link, submit, {ErrorCode::SECRET_FOUND});
        case 1:
            submit.task.inputs = {{"context", sha256("nowhere"), 7, "", ""}};
            return say(link, submit, {ErrorCode::MISSING_CONTENT});
        default:
            submit.task.inputs = {{"context", sha256("this"), 4, "", ""}};
            submit.contents = {{sha256("this"), {"that"}}};
            return say(link, submit, {ErrorCode::DIGEST_MISMATCH});
    }
}

void OddPeer::say_stale(LinkId link) {
    wire::Submit submit = sound_submit("odd-known");
    say(link, submit, {});
    submit.task.instructions = "another body";
    say(link, submit, {ErrorCode::CONFLICT});
    wire::Complete complete;
    complete.report.task = submit.task.id;
    complete.report.lease = {1, 1};
    say(link, complete, {ErrorCode::STALE_LEASE, ErrorCode::NOT_FOUND});
}

void OddPeer::say_unknown(LinkId link) {
    say(link, wire::Get{TaskId("odd-unknown"), false}, {ErrorCode::NOT_FOUND});
    say(link, wire::Ready{1, {}}, {ErrorCode::HELLO_FIRST});
    wire::Claim claim;
    claim.role = RoleName("odd-and-empty");
    say(link, claim, {ErrorCode::NOTHING_TO_CLAIM});
    const LinkId stranger = connect(false);
    if (stranger != 0) say(stranger, wire::Ping{}, {ErrorCode::DENIED});
}

void OddPeer::say_too_much(LinkId link) {
    // One poll more than a client may park. They wait for what never comes.
    for (std::size_t i = 0; i <= limits::kPollsPerClient; ++i) {
        say(link, wire::Events{UINT32_MAX, 1, seconds(1), {}}, {});
    }
}

/// HELLO under the name of a real worker, and as two starts of one worker at once.
void OddPeer::pose_as_worker() {
    const LinkId first = links_.back();
    const LinkId second = connect(true);
    if (second == 0) return;
    wire::Hello hello;
    hello.worker =
        WorkerName(victims_.empty() ? "odd-worker" : victims_[rng_.below(victims_.size())]);
    hello.state_id = StateId(std::string(32, 'd'));
    hello.incarnation = 1;
    hello.roles = {RoleName("odd")};
    if (rng_.per_mille(300) && !victims_.empty()) {
        // Where the name is free at the moment, it gets it: IO stands for that here.
        say(first, hello, {ErrorCode::NAME_IN_USE, ErrorCode::SUPERSEDED, ErrorCode::IO});
        return say(first, wire::Goodbye{}, {});
    }
    hello.worker = WorkerName("odd-worker");
    hello.incarnation = 1 + turn_;
    say(first, hello, {});
    --hello.incarnation;
    say(second, hello, {ErrorCode::SUPERSEDED, ErrorCode::IO});
    say(first, wire::Goodbye{}, {});
}

/// Ends a task without claiming it first, and says so twice.
void OddPeer::end_unclaimed(LinkId link) {
    wire::Submit submit = sound_submit("odd-" + std::to_string(turn_));
    submit.task.expected.artifacts = {"result"};
    say(link, submit, {});
    wire::Complete complete;
    complete.report.task = submit.task.id;
    complete.report.from = "odd";
    say(link, complete, {ErrorCode::CONTRACT, ErrorCode::NOT_FOUND});
    const std::string result = "odd result";
    complete.report.artifacts = {
        {{"result.md", sha256(result), result.size(), "", ""}, Bytes{result}}};
    say(link, complete, {ErrorCode::NOT_FOUND, ErrorCode::IO});
    say(link, complete, {ErrorCode::NOT_FOUND, ErrorCode::IO});
}

}  // namespace zq::sim
