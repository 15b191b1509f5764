#include "coordinator/edge/polls.h"

namespace zq::edge {
namespace {

std::pair<Identity, ClientId> client_of(const PollKey& key) {
    return {key.identity, key.client};
}

Failure busy(const std::string& message) {
    return Failure(Error{ErrorCode::BUSY, message, {}, seconds(1)});
}

}  // namespace

Result<core::ReturnPath> Polls::park(Poll poll) {
    core::ReturnPath replaced = 0;
    const bool named = !poll.key.client.empty();
    if (named) {
        auto same = by_key_.find(poll.key);
        if (same != by_key_.end()) replaced = take(same->second).reply;
        auto mine = per_client_.find(client_of(poll.key));
        if (mine != per_client_.end() && mine->second >= limits::kPollsPerClient) {
            return busy("this client waits for too much at once");
        }
    }
    // Peers without keys are all one identity: among them there is none to be fair to.
    auto of_key = per_key_.find(poll.key.identity);
    if (poll.key.identity != kLocalIdentity && of_key != per_key_.end() &&
        of_key->second >= limits::kPollsPerKey) {
        return busy("this key waits for too much at once");
    }
    if (polls_.size() >= limits::kPolls) return busy("too many clients wait at once");
    const PollId id = ++last_;
    if (named) {
        by_key_.emplace(poll.key, id);
        ++per_client_[client_of(poll.key)];
    }
    ++per_key_[poll.key.identity];
    by_time_.emplace(poll.until, id);
    for (const Topic& topic : poll.topics) by_topic_[topic].insert(id);
    polls_.emplace_hint(polls_.end(), id, std::move(poll));
    return replaced;
}

std::vector<PollId> Polls::woken_by(const std::vector<Topic>& topics) const {
    std::set<PollId> woken;
    if (polls_.empty()) return {};
    for (const Topic& topic : topics) {
        auto at = by_topic_.find(topic);
        if (at != by_topic_.end()) woken.insert(at->second.begin(), at->second.end());
    }
    return {woken.begin(), woken.end()};
}

std::vector<PollId> Polls::due(Instant now) const {
    std::vector<PollId> ids;
    for (const auto& [until, id] : by_time_) {
        if (until > now) break;
        ids.push_back(id);
    }
    return ids;
}

std::vector<PollId> Polls::all() const {
    std::vector<PollId> ids;
    for (const auto& [id, poll] : polls_) ids.push_back(id);
    return ids;
}

std::vector<Topic> Polls::topics_of(Topic::Kind kind) const {
    std::vector<Topic> topics;
    for (auto at = by_topic_.lower_bound({kind, {}}); at != by_topic_.end(); ++at) {
        if (at->first.kind != kind) break;
        topics.push_back(at->first);
    }
    return topics;
}

Poll Polls::take(PollId id) {
    auto at = polls_.find(id);
    Poll poll = std::move(at->second);
    polls_.erase(at);
    by_time_.erase({poll.until, id});
    for (const Topic& topic : poll.topics) {
        auto waiting = by_topic_.find(topic);
        if (waiting == by_topic_.end()) continue;
        waiting->second.erase(id);
        if (waiting->second.empty()) by_topic_.erase(waiting);
    }
    auto of_key = per_key_.find(poll.key.identity);
    if (--of_key->second == 0) per_key_.erase(of_key);
    if (!poll.key.client.empty()) {
        by_key_.erase(poll.key);
        auto mine = per_client_.find(client_of(poll.key));
        if (--mine->second == 0) per_client_.erase(mine);
    }
    return poll;
}

Instant Polls::next_deadline() const {
    return by_time_.empty() ? kNever : by_time_.begin()->first;
}

}  // namespace zq::edge
