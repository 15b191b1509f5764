// What lies between the coordinator's ROUTER and its peers' sockets, as TCP and ZeroMQ would let it
// be: links that keep their order, lose what is under way when they break, and need not tell both
// ends that they did. Beside it single messages may be dropped, and a repetition may be made where
// a peer may repeat itself. Knows frames, never messages.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>

#include "common/platform/socket.h"
#include "tests/simulator/world.h"

namespace zq::sim {

using LinkId = std::uint64_t;  // 0: none
using Machine = std::string;   // a peer's; the coordinator has one of its own

/// A peer's end of its links.
class PeerEnd {
  public:
    virtual ~PeerEnd() = default;
    virtual void receive(LinkId link, Frames frames) = 0;
    /// The link is known to be gone.
    virtual void broken(LinkId link) = 0;
};

/// The coordinator's end of all links.
class ServerEnd {
  public:
    virtual ~ServerEnd() = default;
    /// As a ROUTER gives it: `frames` begin with the routing id.
    virtual void receive(std::size_t door, Received received) = 0;
};

/// May the network make a second one of it?
enum class Repeat : std::uint8_t { kNever, kMaybe };

/// What the network does to messages at the moment.
struct Weather {
    Millis delay_min = millis(1);
    Millis delay_max = millis(5);
    std::uint64_t drop_per_mille = 0;
    std::uint64_t repeat_per_mille = 0;
};

class Network {
  public:
    explicit Network(World& world) : world_(world), rng_(world.rng("network")) {}

    /// The coordinator's sockets are bound.
    void bind(ServerEnd& server) { server_ = &server; }
    /// Its process is gone; `told`: its machine says so to the peers.
    void unbind(bool told);

    /// A new link, or 0: nobody answers there.
    LinkId connect(const Machine& machine, PeerEnd& end, std::size_t door, std::string user_id);
    void close(LinkId link);
    /// The peer's machine is gone, and tells nobody.
    void vanish(LinkId link);
    /// False: the link is known to be gone.
    bool send(LinkId link, Frames frames, Repeat repeat);
    /// From the coordinator: as a ROUTER does, `frames` begin with the routing id.
    SendStatus answer(Frames frames);

    enum class Way : std::uint8_t { kUp, kDown };  // to the coordinator, from it
    /// Nothing passes this way, until it is unblocked: then what was held back arrives after all,
    /// or went down with its link.
    void block(const Machine& machine, Way way);
    void unblock(const Machine& machine);
    void unblock_all();
    /// All links of the machine break; either end may not hear of it.
    void cut(const Machine& machine);

    void set_weather(Weather weather) { weather_ = weather; }
    /// Of one machine, in place of the general one.
    void set_weather(const Machine& machine, Weather weather) { local_[machine] = weather; }
    void clear_local_weather() { local_.clear(); }

    std::uint64_t messages() const { return messages_; }

  private:
    struct Stream {
        Millis last{};  // nothing arrives before what was sent before it
        std::deque<Frames> held;
    };
    struct Link {
        Machine machine;
        PeerEnd* end = nullptr;
        std::size_t door = 0;
        std::string user_id;
        bool open_at_peer = true;
        bool open_at_server = true;
        bool passes = true;  // false: what is sent is lost, whatever the ends believe
        Stream up;
        Stream down;
    };

    bool blocked(const Machine& machine, Way way) const {
        return blocked_.contains({machine, way});
    }
    const Weather& weather(const Machine& machine) const;
    void carry(LinkId id, Way way, Frames frames);
    void arrive(LinkId id, Way way, Frames frames);
    void deliver(LinkId id, Way way, Frames frames);
    void release(LinkId id, Way way);
    void tell_peer(LinkId id);
    void forget(LinkId id);

    World& world_;
    Rng rng_;
    ServerEnd* server_ = nullptr;
    LinkId last_ = 0;
    std::map<LinkId, Link> links_;
    std::set<std::pair<Machine, Way>> blocked_;
    Weather weather_;
    std::map<Machine, Weather> local_;
    std::uint64_t messages_ = 0;
};

}  // namespace zq::sim
