// Long polls that wait: for tasks to end, for events, for answers, for something to claim. Each is
// woken by topics and ends at a time. Knows nothing of what the answer is. One thread uses it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "common/wire/codec.h"
#include "coordinator/core/command.h"
#include "coordinator/edge/access.h"

namespace zq::edge {

/// What a poll can wait for.
struct Topic {
    enum class Kind : std::uint8_t { kAnything, kTask, kGroup, kReplyTo, kRole };
    Kind kind = Kind::kAnything;
    std::string name;
    friend auto operator<=>(const Topic&, const Topic&) = default;
};

/// Who asked, so that asking again takes the place of the first: only where the client names
/// itself.
struct PollKey {
    Identity identity;
    ClientId client;
    std::uint64_t request = 0;
    friend auto operator<=>(const PollKey&, const PollKey&) = default;
};

struct Poll {
    PollKey key;
    Asker asker;  // whose rights are looked at again with every answer
    core::ReturnPath reply = 0;
    Instant until;
    wire::Body request;
    std::vector<Topic> topics;
};

using PollId = std::uint64_t;

class Polls {
  public:
    /// Parks a poll. A poll that its client had sent before is replaced; gives its return path, to
    /// be forgotten (0: none). Errors: BUSY (a bound is reached).
    Result<core::ReturnPath> park(Poll poll);

    /// Polls that wait for any of these, in the order they came. They stay parked.
    std::vector<PollId> woken_by(const std::vector<Topic>& topics) const;
    /// Polls whose time is over, in order of their times. They stay parked.
    std::vector<PollId> due(Instant now) const;
    std::vector<PollId> all() const;
    /// What is waited for, of one kind.
    std::vector<Topic> topics_of(Topic::Kind kind) const;

    const Poll& get(PollId id) const { return polls_.at(id); }
    /// It goes on waiting for the same, and asks for less when it is woken.
    void narrow(PollId id, wire::Body request) { polls_.at(id).request = std::move(request); }
    bool contains(PollId id) const { return polls_.contains(id); }
    /// Ends it and gives it out.
    Poll take(PollId id);

    /// When the next one's time is over; kNever if none waits.
    Instant next_deadline() const;
    std::size_t size() const { return polls_.size(); }

  private:
    PollId last_ = 0;
    std::map<PollId, Poll> polls_;
    std::map<PollKey, PollId> by_key_;
    std::map<std::pair<Identity, ClientId>, std::size_t> per_client_;
    std::map<Identity, std::size_t> per_key_;
    std::set<std::pair<Instant, PollId>> by_time_;
    std::map<Topic, std::set<PollId>> by_topic_;
};

}  // namespace zq::edge
