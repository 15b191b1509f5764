// A peer that says what no good peer says: frames that cannot be read, names that are taken, leases
// that are stale, content that is not there. Every answer must be the refusal that protocol.md
// names. Reaches the error codes that well-behaved hosts do not.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "tests/simulator/stage.h"

namespace zq::sim {

class OddPeer : public PeerEnd {
  public:
    /// `victims`: names of real workers, which it claims to be.
    OddPeer(Stage stage, std::vector<std::string> victims);
    void start() { plan(); }

    void receive(LinkId link, Frames frames) override;
    void broken(LinkId link) override;

  private:
    using Codes = std::set<ErrorCode>;

    void plan();
    void act();
    LinkId connect(bool known);
    /// `expected`: the refusals it may be answered with; empty: it may be carried out.
    void say(LinkId link, wire::Body body, Codes expected);
    void say_frames(LinkId link, Frames frames, std::uint64_t id, Codes expected);
    void say_nonsense(LinkId link);
    void say_unsound(LinkId link);
    void say_stale(LinkId link);
    void say_unknown(LinkId link);
    void say_too_much(LinkId link);
    void pose_as_worker();
    void end_unclaimed(LinkId link);

    Stage stage_;
    std::vector<std::string> victims_;
    Rng rng_;
    ClientId client_;
    std::uint64_t last_ = 0;
    std::uint32_t turn_ = 0;
    std::map<std::uint64_t, Codes> expected_;
    std::vector<LinkId> links_;
};

}  // namespace zq::sim
