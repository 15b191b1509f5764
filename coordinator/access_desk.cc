#include "coordinator/access_desk.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <set>

#include "common/platform/log.h"

namespace zq::coordinator {
namespace {

constexpr std::string_view kSuffix = ".toml";
constexpr std::size_t kKeysAtOnce = 1'000;  // journaled by one command

std::string fingerprint_in(std::string_view file) {
    if (file.size() != 16 + kSuffix.size() || file.substr(16) != kSuffix) return {};
    return std::string(file.substr(0, 16));
}

wire::AccessRow row_of(const std::string& fingerprint, const KnownKey& key) {
    wire::AccessRow row;
    row.fingerprint = fingerprint;
    row.name = key.name;
    row.role = key.role;
    if (auto access = access_of(key)) row.access = std::move(*access);
    if (key.kind == KeyKind::kInvitation) row.uses = key.uses;
    return row;
}

/// An identity, a name, or the beginning of a fingerprint.
bool is_meant(const std::string& wanted, const std::string& fingerprint, const KnownKey& key) {
    auto identity = identity_of(key);
    return key.name == wanted || fingerprint.rfind(wanted, 0) == 0 ||
           (identity && identity->text == wanted);
}

Failure several_meant(const std::string& wanted, const std::string& several) {
    return fail(
        ErrorCode::CONFLICT,
        "several keys are meant by " + wanted + ": " + several + "; name one by its fingerprint",
        "key");
}

/// The files that have changed; nullopt where some may have been missed.
std::optional<std::set<std::string>> read_changes(int fd) {
    alignas(inotify_event) char buffer[16 * 1024];
    std::set<std::string> names;
    bool missed = false;
    while (true) {
        const ssize_t size = ::read(fd, buffer, sizeof buffer);
        if (size <= 0) break;
        for (ssize_t at = 0; at < size;) {
            const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
            if ((event->mask & (IN_Q_OVERFLOW | IN_IGNORED)) != 0) missed = true;
            if (event->len > 0) names.insert(event->name);
            at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
        }
    }
    return missed ? std::nullopt : std::optional(std::move(names));
}

}  // namespace

AccessDesk::AccessDesk(Pipeline& pipeline, KeyRegistry registry, edge::KeyBook& book)
    : pipeline_(pipeline), registry_(std::move(registry)), book_(book) {}

Result<void> AccessDesk::start(Instant now) {
    const std::string folder = registry_.known_folder();
    if (auto ok = make_folders(folder, 0700, Durability::kSynced); !ok) return ok;
    FileHandle watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    const auto mask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE;
    if (watch.is_open() && ::inotify_add_watch(watch.fd(), folder.c_str(), mask) >= 0) {
        watch_ = std::move(watch);
    } else {
        log_warn("keys cannot be watched: changed files count after a SIGHUP",
                 {{"folder", folder}});
    }
    auto keys = registry_.list();
    if (!keys) return Failure(keys.error());
    reload(now);
    return {};
}

bool AccessDesk::reload(Instant now) {
    auto keys = registry_.list();
    if (!keys) {
        log_error("the keys cannot be read: they stay as they are",
                  {{"error", keys.error().message}});
        return false;
    }
    std::vector<core::NoteAccess::Key> changed;
    std::set<std::string> seen;
    for (KnownKey& key : *keys) {
        auto fingerprint = key_fingerprint(key.public_key);
        if (!fingerprint) continue;
        seen.insert(*fingerprint);
        take(*fingerprint, std::move(key), changed);
    }
    std::set<std::string> gone;
    for (const auto& [fingerprint, key] : keys_) gone.insert(fingerprint);
    for (const auto& [fingerprint, access] : pipeline_.state().durable.access) {
        gone.insert(fingerprint);
    }
    for (const std::string& fingerprint : gone) {
        if (!seen.contains(fingerprint)) take(fingerprint, std::nullopt, changed);
    }
    return journal(std::move(changed), {kSystemIdentity, now, "as its file says"});
}

bool AccessDesk::follow(Instant now) {
    auto names = read_changes(changed_fd());
    if (!names) return reload(now);
    std::vector<core::NoteAccess::Key> changed;
    for (const std::string& name : *names) {
        const std::string fingerprint = fingerprint_in(name);
        if (fingerprint.empty()) continue;
        auto key = registry_.read(fingerprint);
        if (key) {
            take(fingerprint, std::move(*key), changed);
            continue;
        }
        log_error("a key's file is not one: the key is refused until it is mended",
                  {{"fingerprint", fingerprint}, {"error", key.error().message}});
        take(fingerprint, std::nullopt, changed);
    }
    return journal(std::move(changed), {kSystemIdentity, now, "as its file says"});
}

void AccessDesk::take(const std::string& fingerprint, std::optional<KnownKey> key,
                      std::vector<core::NoteAccess::Key>& changed) {
    auto access = key ? access_of(*key) : Result<KeyAccess>(KeyAccess{});
    auto peer =
        access ? edge::known_peer(*access) : Result<edge::KnownPeer>(Failure(access.error()));
    if (!key || !access || !peer) {
        keys_.erase(fingerprint);
        book_.forget(fingerprint);
        changed.push_back({fingerprint, std::nullopt});
        return;
    }
    // An invitation's key is no peer's: what it may say is the same for all.
    if (key->kind != KeyKind::kInvitation) book_.put(fingerprint, std::move(*peer));
    changed.push_back({fingerprint, std::move(*access)});
    keys_.insert_or_assign(fingerprint, std::move(*key));
}

/// Only what differs from the journal becomes an event.
bool AccessDesk::journal(std::vector<core::NoteAccess::Key> changed, const Cause& cause) {
    const Seq before = pipeline_.state().durable.last_seq;
    for (std::size_t from = 0; from < changed.size(); from += kKeysAtOnce) {
        const std::size_t count = std::min(kKeysAtOnce, changed.size() - from);
        const auto first = changed.begin() + static_cast<std::ptrdiff_t>(from);
        core::NoteAccess note;
        note.keys.assign(first, first + static_cast<std::ptrdiff_t>(count));
        note.reason = cause.reason;
        core::Command command;
        command.now = cause.now;
        command.identity = cause.by;
        command.body = std::move(note);
        pipeline_.run(command);
    }
    return pipeline_.state().durable.last_seq != before;
}

bool AccessDesk::take_and_journal(const std::string& fingerprint, std::optional<KnownKey> key,
                                  const Cause& cause) {
    std::vector<core::NoteAccess::Key> changed;
    take(fingerprint, std::move(key), changed);
    return journal(std::move(changed), cause);
}

Result<wire::Joined> AccessDesk::join(const std::string& invitation, const wire::Join& join,
                                      Instant now) {
    auto key = registry_.redeem(invitation, join.public_key, join.name, now);
    if (!key) return Failure(key.error());
    auto identity = identity_of(*key);
    auto fingerprint = key_fingerprint(key->public_key);
    auto spent = key_fingerprint(invitation);
    if (!identity) return Failure(identity.error());
    if (!fingerprint) return Failure(fingerprint.error());
    const RoleName role = key->role;
    take_and_journal(*fingerprint, std::move(*key), {*identity, now, "it joined by an invitation"});
    if (spent) {
        auto left = registry_.read(*spent);
        if (left) take_and_journal(*spent, std::move(*left), {*identity, now, "it is used up"});
    }
    log_info("a peer has joined", {{"identity", identity->text}, {"role", role.text}});
    return wire::Joined{*identity, role};
}

Result<wire::Joined> AccessDesk::rotate(const edge::Peer& peer, const wire::Rotate& rotate,
                                        Instant now) {
    if (peer.kind != edge::PeerKind::kKnown) {
        return fail(ErrorCode::DENIED, "whoever speaks without a key has none to change");
    }
    auto key = registry_.rotate(peer.fingerprint, rotate.public_key, now + rotate.grace);
    if (!key) return Failure(key.error());
    auto fingerprint = key_fingerprint(key->public_key);
    if (!fingerprint) return Failure(fingerprint.error());
    const RoleName role = key->role;
    take_and_journal(*fingerprint, std::move(*key),
                     {peer.identity, now, "in the place of " + peer.fingerprint});
    if (auto old = registry_.read(peer.fingerprint)) {
        take_and_journal(peer.fingerprint, std::move(*old),
                         {peer.identity, now, *fingerprint + " took its place"});
    }
    log_info("a key took another's place",
             {{"identity", peer.identity.text}, {"fingerprint", *fingerprint}});
    return wire::Joined{peer.identity, role};
}

wire::AccessRows AccessDesk::list(const edge::Peer& peer, const wire::Access& query) const {
    wire::AccessRows rows;
    std::map<std::pair<std::string, std::string>, const KnownKey*> by_name;
    for (const auto& [fingerprint, key] : keys_) {
        const bool own = fingerprint == peer.fingerprint;
        if (!own && !peer.rights().is_admin()) continue;
        if (!query.key.empty() && !is_meant(query.key, fingerprint, key)) continue;
        by_name.emplace(std::pair(key.name, fingerprint), &key);
    }
    for (const auto& [place, key] : by_name) {
        rows.more = rows.rows.size() == limits::kListRows;
        if (rows.more) break;
        rows.rows.push_back(row_of(place.second, *key));
    }
    return rows;
}

/// The fingerprint of the one key that is meant.
Result<std::string> AccessDesk::find(const std::string& wanted) const {
    std::string found;
    std::string several;
    for (const auto& [fingerprint, key] : keys_) {
        if (!is_meant(wanted, fingerprint, key)) continue;
        if (!several.empty()) several += ", ";
        several += key.name;
        several += "@";
        several += fingerprint;
        if (!found.empty()) {
            return several_meant(wanted, several);
        }
        found = fingerprint;
    }
    if (found.empty()) return fail(ErrorCode::NOT_FOUND, "no key " + wanted + " is known", "key");
    return found;
}

/// What nobody could take back any more but by a file.
bool AccessDesk::is_last_admin(const std::string& fingerprint) const {
    for (const auto& [other, key] : keys_) {
        const bool admin = key.rights.is_admin() && key.kind != KeyKind::kInvitation;
        if (other != fingerprint && admin) return false;
    }
    return true;
}

Result<wire::AccessRows> AccessDesk::change(const wire::SetAccess& set, const Cause& cause) {
    auto fingerprint = find(set.key);
    if (!fingerprint) return Failure(fingerprint.error());
    KnownKey key = keys_.at(*fingerprint);
    auto grant = parse_permissions(set.grant, "grant");
    auto revoke = parse_permissions(set.revoke, "revoke");
    if (!grant) return Failure(grant.error());
    if (!revoke) return Failure(revoke.error());
    const bool was_admin = key.rights.is_admin();
    for (const Permission& one : revoke->list()) key.rights = key.rights.without(one);
    for (const Permission& one : grant->list()) key.rights = key.rights.with(one);
    if (key.rights.list().size() > limits::kPermissions) {
        return fail(ErrorCode::TOO_LARGE,
                    "a key has at most " + std::to_string(limits::kPermissions) + " permissions",
                    "grant");
    }
    const bool stays_admin = key.rights.is_admin() && !set.remove;
    if (was_admin && !stays_admin && is_last_admin(*fingerprint)) {
        return fail(ErrorCode::CONFLICT,
                    "this is the last admin's key: grant admin to another one first", "key");
    }
    auto written = set.remove ? registry_.remove(key.public_key) : registry_.update(key);
    if (!written) return Failure(written.error());
    wire::AccessRows rows;
    if (!set.remove) rows.rows.push_back(row_of(*fingerprint, key));
    take_and_journal(*fingerprint, set.remove ? std::nullopt : std::optional(std::move(key)),
                     cause);
    log_info("a key's permissions were changed",
             {{"fingerprint", *fingerprint}, {"by", cause.by.text}});
    return rows;
}

}  // namespace zq::coordinator
