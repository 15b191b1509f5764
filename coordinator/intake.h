// Messages that were read and wait for their turn, so that no peer gets more of the coordinator
// than its share. A principal is the authenticated key, or the connection where there are no keys;
// one with more than a few messages waiting is busy. Passes for the others and for the busy ones
// take turns, a busy one's pass is short, and after a long one they rest while there is somebody
// else. Keeps the order within a
// principal. Knows no sockets and no clock: it is told the time.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "common/platform/socket.h"

namespace zq::coordinator {

/// Microseconds of a clock that never steps.
struct Micros {
    std::int64_t count = 0;
    friend auto operator<=>(const Micros&, const Micros&) = default;
};

struct Incoming {
    std::size_t door = 0;
    Received received;
};

/// Whether one more answer may be looked up for a busy one. While a commit is under way lookups
/// wait for it, and would all be made at its end.
enum class Lookups : std::uint8_t { kGiven, kHeld };

class Intake {
  public:
    /// Lets it wait. Where its sender, or all of them together, have too much waiting, it comes
    /// back: to be refused.
    std::optional<Incoming> put(Incoming incoming);

    /// One turn of the loop: begin; begin a pass, and next until it gives nothing, or no pass; end,
    /// when everything is done and answers have left.
    void begin_turn(Micros now) { begun_ = now; }
    void begin_pass(Micros now, Lookups lookups);
    std::optional<Incoming> next(Micros now);
    void end_turn(Micros now);
    /// The pass has given a busy one something to be looked up.
    bool has_given_lookup() const { return closed_; }

    /// Nobody is there any more to be told what this peer wants to be looked up.
    void forget_lookups(std::size_t door, const std::string& routing_id,
                        const std::string& user_id);

    bool is_empty() const { return waiting_.empty(); }
    /// How long until a pass has something to give: 0: at once; kNever: nothing but what may come.
    Micros next_pass(Micros now, Lookups lookups) const;
    static constexpr Micros kNever{INT64_MAX};

  private:
    using Principal = std::tuple<std::size_t, std::string, std::string>;
    struct Queue {
        std::deque<Incoming> messages;
        std::size_t bytes = 0;
    };
    using Queues = std::map<Principal, Queue>;

    static Principal principal_of(std::size_t door, const std::string& routing_id,
                                  const std::string& user_id);
    std::optional<Incoming> next_of_busy(Micros now);
    Incoming pop(Queues::iterator at);

    Queues waiting_;
    std::size_t bytes_ = 0;
    std::vector<Principal> calm_;  // to be served in this pass, the last one first
    std::vector<Principal> busy_;  // likewise, in order
    std::size_t next_busy_ = 0;
    Principal served_;      // the busy one that was served last
    bool for_busy_ = true;  // the last pass was theirs
    bool closed_ = false;   // this pass gives nothing more
    bool owed_ = false;     // what was looked up may be answered in a later turn
    Lookups lookups_ = Lookups::kGiven;
    Micros begun_;
    Micros pass_begun_;
    Micros rest_until_;
    Micros calm_at_{INT64_MIN / 2};  // one who is not busy was served last
};

}  // namespace zq::coordinator
