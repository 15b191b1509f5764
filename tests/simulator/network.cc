#include "tests/simulator/network.h"

#include <algorithm>
#include <charconv>

namespace zq::sim {
namespace {

constexpr std::size_t kHeldMost = 64;  // of one link and way, before a ROUTER says it is full
constexpr std::uint64_t kEvenChance = 500;

std::string routing_id(LinkId link) {
    return "L" + std::to_string(link);
}

LinkId link_of(const std::string& routing_id) {
    LinkId link = 0;
    std::from_chars(routing_id.data() + 1, routing_id.data() + routing_id.size(), link);
    return link;
}

}  // namespace

const Weather& Network::weather(const Machine& machine) const {
    auto at = local_.find(machine);
    return at == local_.end() ? weather_ : at->second;
}

LinkId Network::connect(const Machine& machine, PeerEnd& end, std::size_t door,
                        std::string user_id) {
    if (server_ == nullptr || blocked(machine, Way::kUp) || blocked(machine, Way::kDown)) return 0;
    Link link;
    link.machine = machine;
    link.end = &end;
    link.door = door;
    link.user_id = std::move(user_id);
    links_.emplace(++last_, std::move(link));
    return last_;
}

void Network::close(LinkId id) {
    auto at = links_.find(id);
    if (at == links_.end()) return;
    Link& link = at->second;
    link.open_at_peer = false;
    link.end = nullptr;
    // What was sent before still arrives, then the end of it; unless nothing passes.
    if (!link.passes || blocked(link.machine, Way::kUp)) return;
    const Millis when = std::max(world_.now() + weather(link.machine).delay_max, link.up.last);
    world_.at(when, [this, id] { forget(id); });
}

void Network::vanish(LinkId id) {
    auto at = links_.find(id);
    if (at == links_.end()) return;
    at->second.open_at_peer = at->second.passes = false;
    at->second.end = nullptr;
}

void Network::forget(LinkId id) {
    links_.erase(id);
}

void Network::unbind(bool told) {
    server_ = nullptr;
    for (auto& [id, link] : links_) {
        link.open_at_server = false;
        link.passes = false;
        if (told && !blocked(link.machine, Way::kDown)) tell_peer(id);
    }
}

/// The peer's machine hears that the link is gone.
void Network::tell_peer(LinkId id) {
    const Link& link = links_.at(id);
    const Millis when = std::max(world_.now() + weather(link.machine).delay_max, link.down.last);
    world_.at(when, [this, id] {
        auto at = links_.find(id);
        if (at == links_.end() || !at->second.open_at_peer) return;
        PeerEnd* end = at->second.end;
        links_.erase(at);
        end->broken(id);
    });
}

bool Network::send(LinkId id, Frames frames, Repeat repeat) {
    auto at = links_.find(id);
    if (at == links_.end() || !at->second.open_at_peer) return false;
    Link& link = at->second;
    if (!link.open_at_server) {
        // Nobody has this link over there: the machine says so, if it is there to say it.
        if (server_ != nullptr && !blocked(link.machine, Way::kUp) &&
            !blocked(link.machine, Way::kDown)) {
            tell_peer(id);
        }
        return true;
    }
    if (repeat == Repeat::kMaybe && rng_.per_mille(weather(link.machine).repeat_per_mille)) {
        const Millis later = rng_.between(millis(1), seconds(10));
        world_.after(later, [this, id, frames] {
            if (links_.contains(id)) carry(id, Way::kUp, frames);
        });
    }
    carry(id, Way::kUp, std::move(frames));
    return true;
}

SendStatus Network::answer(Frames frames) {
    const LinkId id = link_of(frames.front());
    auto at = links_.find(id);
    if (at == links_.end() || !at->second.open_at_server) return SendStatus::kGone;
    if (at->second.down.held.size() >= kHeldMost) return SendStatus::kFull;
    frames.erase(frames.begin());
    carry(id, Way::kDown, std::move(frames));
    return SendStatus::kSent;
}

void Network::carry(LinkId id, Way way, Frames frames) {
    Link& link = links_.at(id);
    ++messages_;
    const Weather& now = weather(link.machine);
    const Millis delay = rng_.between(now.delay_min, now.delay_max);
    if (!link.passes || rng_.per_mille(now.drop_per_mille)) return;
    Stream& stream = way == Way::kUp ? link.up : link.down;
    stream.last = std::max(stream.last, world_.now() + delay);
    world_.at(stream.last, [this, id, way, moved = std::move(frames)]() mutable {
        arrive(id, way, std::move(moved));
    });
}

void Network::arrive(LinkId id, Way way, Frames frames) {
    auto at = links_.find(id);
    if (at == links_.end() || !at->second.passes) return;
    Link& link = at->second;
    Stream& stream = way == Way::kUp ? link.up : link.down;
    if (blocked(link.machine, way) || !stream.held.empty()) {
        stream.held.push_back(std::move(frames));
        return;
    }
    deliver(id, way, std::move(frames));
}

void Network::deliver(LinkId id, Way way, Frames frames) {
    const Link& link = links_.at(id);
    if (way == Way::kDown) {
        if (link.open_at_peer) link.end->receive(id, std::move(frames));
        return;
    }
    if (server_ == nullptr || !link.open_at_server) return;
    Received received;
    received.user_id = link.user_id;
    received.frames = std::move(frames);
    received.frames.insert(received.frames.begin(), routing_id(id));
    received.too_many = received.frames.size() > limits::kFrames;
    if (received.too_many) received.frames.resize(limits::kFrames);
    server_->receive(link.door, std::move(received));
}

void Network::release(LinkId id, Way way) {
    while (true) {
        auto at = links_.find(id);
        if (at == links_.end()) return;
        auto& held = (way == Way::kUp ? at->second.up : at->second.down).held;
        if (held.empty()) return;
        Frames frames = std::move(held.front());
        held.pop_front();
        if (at->second.passes) deliver(id, way, std::move(frames));
    }
}

void Network::block(const Machine& machine, Way way) {
    blocked_.insert({machine, way});
}

void Network::unblock(const Machine& machine) {
    blocked_.erase({machine, Way::kUp});
    blocked_.erase({machine, Way::kDown});
    std::vector<LinkId> ids;
    for (const auto& [id, link] : links_) {
        if (link.machine == machine) ids.push_back(id);
    }
    const bool survives = rng_.per_mille(kEvenChance);
    for (const LinkId id : ids) {
        auto at = links_.find(id);
        if (at == links_.end()) continue;
        if (!at->second.open_at_peer) {
            forget(id);
        } else if (survives && at->second.passes) {
            release(id, Way::kUp);
            release(id, Way::kDown);
        } else {
            at->second.passes = at->second.open_at_server = false;
            tell_peer(id);
        }
    }
}

void Network::unblock_all() {
    std::set<Machine> machines;
    for (const auto& [machine, way] : blocked_) machines.insert(machine);
    for (const Machine& machine : machines) unblock(machine);
}

void Network::cut(const Machine& machine) {
    std::vector<LinkId> told;
    for (auto& [id, link] : links_) {
        if (link.machine != machine) continue;
        link.passes = false;
        if (rng_.per_mille(kEvenChance)) link.open_at_server = false;
        if (link.open_at_peer && rng_.per_mille(kEvenChance)) told.push_back(id);
    }
    for (const LinkId id : told) tell_peer(id);
}

}  // namespace zq::sim
