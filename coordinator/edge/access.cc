#include "coordinator/edge/access.h"

#include "common/base/one_of.h"

namespace zq::edge {
namespace {

// No fingerprint holds a colon.
constexpr std::string_view kInvitationMark = "invitation:";

/// What a message needs that does not depend on its words.
enum class Need : std::uint8_t {
    kUnknown,     // it is no request of this socket
    kKey,         // a known key; what more is a matter of its words, its task or its lease
    kRead,        // to read something
    kReadAll,     // to read everything: sums over all tasks
    kPut,         // to upload, but for the attempt that it holds
    kOperate,     // to stop and limit what is others'
    kAdmin,       // to reach into the coordinator's machine and its keys
    kInvitation,  // an invitation's key, and no other
    kAnyone,      // whoever ZAP has let in
};

/// Requests of the control socket. One line for each type: a new one is refused until it stands
/// here.
template <class T>
constexpr Need need_at_control() {
    if (kIsOneOf<T, wire::Ping>) return Need::kAnyone;
    if (kIsOneOf<T, wire::Join>) return Need::kInvitation;
    if (kIsOneOf<T, wire::Hello, wire::Ready, wire::Heartbeat, wire::Goodbye>) return Need::kKey;
    if (kIsOneOf<T, wire::Complete, wire::Skip, wire::Fail, wire::Release>) return Need::kKey;
    if (kIsOneOf<T, wire::Progress, wire::Spend, wire::Checkpoint, wire::Ask>) return Need::kKey;
    if (kIsOneOf<T, wire::Submit, wire::Batch, wire::Claim, wire::Cancel>) return Need::kKey;
    if (kIsOneOf<T, wire::Replay, wire::Edit, wire::Remove>) return Need::kKey;
    if (kIsOneOf<T, wire::AnswerQuestion, wire::Questions>) return Need::kKey;
    if (kIsOneOf<T, wire::Access, wire::Rotate>) return Need::kKey;
    if (kIsOneOf<T, wire::Get, wire::List, wire::Wait, wire::Events, wire::Answers>) {
        return Need::kRead;
    }
    if (kIsOneOf<T, wire::Workers, wire::Leases, wire::Status, wire::Controls>) return Need::kRead;
    if (kIsOneOf<T, wire::UsageQuery>) return Need::kRead;
    if (kIsOneOf<T, wire::Stats>) return Need::kReadAll;
    if (kIsOneOf<T, wire::SetControl>) return Need::kOperate;
    if (kIsOneOf<T, wire::Backup, wire::Gc, wire::SetAccess>) return Need::kAdmin;
    return Need::kUnknown;
}

/// Requests of the artifacts socket.
template <class T>
constexpr Need need_at_artifacts() {
    if (kIsOneOf<T, wire::Ping>) return Need::kAnyone;
    if (kIsOneOf<T, wire::Put, wire::Chunk>) return Need::kPut;
    if (kIsOneOf<T, wire::Fetch, wire::Log, wire::ReadLog, wire::Upstream>) return Need::kKey;
    return Need::kUnknown;
}

Failure denied(const std::string& what) {
    return fail(ErrorCode::DENIED, "this key may not " + what);
}

Result<void> check_need(const Peer& peer, Need need, const std::string& type) {
    const Permissions& rights = peer.rights();
    switch (need) {
        case Need::kUnknown:
            return fail(ErrorCode::UNKNOWN_TYPE, type + " is no request of this socket");
        case Need::kAnyone:
        case Need::kKey:
        case Need::kPut:  // check_words knows of leases
            return {};
        case Need::kRead:
            if (rights.may_read() || rights.may_approve()) return {};
            return denied("read anything: it needs read:own, read:group:NAME or read:all");
        case Need::kReadAll:
            if (rights.may_read_all()) return {};
            return denied("read what is summed over all tasks: it needs read:all");
        case Need::kOperate:
            if (rights.may_operate()) return {};
            return denied("pause, drain or limit anything: it needs operate");
        case Need::kAdmin:
            if (rights.is_admin()) return {};
            return fail(ErrorCode::DENIED,
                        type +
                            " is for admins: run it on the coordinator's machine, or with an"
                            " admin's key");
        case Need::kInvitation:
            return fail(ErrorCode::DENIED, "JOIN comes with an invitation's key");
    }
    return denied("do that");
}

Result<void> check_submit(const Permissions& rights, const RoleName& role,
                          const std::string& field) {
    if (rights.may_submit(role)) return {};
    return fail(ErrorCode::DENIED,
                "this key may not submit to role " + role.text + ": it needs submit:" + role.text,
                field);
}

Result<void> check_work(const Permissions& rights, const RoleName& role, const std::string& field) {
    if (rights.may_work(role)) return {};
    return fail(ErrorCode::DENIED,
                "this key may not work for role " + role.text + ": it needs work:" + role.text,
                field);
}

/// What a message needs by its own words.
struct CheckWords {
    const Permissions& rights;

    Result<void> operator()(const wire::Hello& m) const {
        for (const RoleName& role : m.roles) {
            if (auto ok = check_work(rights, role, "roles"); !ok) return ok;
        }
        return {};
    }
    Result<void> operator()(const wire::Claim& m) const {
        return m.role.empty() ? Result<void>() : check_work(rights, m.role, "to");
    }
    Result<void> operator()(const wire::Submit& m) const {
        return check_submit(rights, m.task.role, "task.to");
    }
    Result<void> operator()(const wire::Batch& m) const {
        for (const TaskSpec& task : m.tasks) {
            if (auto ok = check_submit(rights, task.role, "task.to"); !ok) return ok;
        }
        return {};
    }
    Result<void> operator()(const wire::Edit& m) const { return check_changes(m.changes); }
    Result<void> operator()(const wire::Replay& m) const { return check_changes(m.changes); }
    Result<void> operator()(const wire::Remove& m) const {
        if (!m.erase || rights.is_admin()) return {};
        return denied("erase what the journal says: it needs admin");
    }
    Result<void> operator()(const wire::Put& m) const {
        if (rights.may_put() || m.lease.is_set()) return {};
        return denied("upload artifacts: it needs put");
    }
    template <class T>
    Result<void> operator()(const T&) const {
        return {};
    }

  private:
    Result<void> check_changes(const wire::Changes& changes) const {
        if (changes.role.empty()) return {};
        return check_submit(rights, changes.role, "changes.to");
    }
};

struct WishOf {
    std::optional<Wished> operator()(const wire::Cancel& m) const {
        return Wished{m.task, Wish::kChange};
    }
    std::optional<Wished> operator()(const wire::Replay& m) const {
        return Wished{m.task, Wish::kChange};
    }
    std::optional<Wished> operator()(const wire::Edit& m) const {
        return Wished{m.task, Wish::kChange};
    }
    std::optional<Wished> operator()(const wire::Remove& m) const {
        return Wished{m.task, Wish::kChange};
    }
    std::optional<Wished> operator()(const wire::AnswerQuestion& m) const {
        return Wished{m.task, Wish::kAnswer};
    }
    std::optional<Wished> operator()(const wire::Claim& m) const {
        if (m.task.empty()) return std::nullopt;
        return Wished{m.task, Wish::kTake};
    }
    std::optional<Wished> operator()(const wire::Complete& m) const { return end(m.report); }
    std::optional<Wished> operator()(const wire::Skip& m) const { return end(m.report); }
    std::optional<Wished> operator()(const wire::Fail& m) const { return end(m.report); }
    std::optional<Wished> operator()(const wire::Release& m) const { return end(m.report); }
    std::optional<Wished> operator()(const wire::ReadLog& m) const {
        return Wished{m.task, Wish::kRead};
    }
    std::optional<Wished> operator()(const wire::Upstream& m) const {
        return Wished{m.task, Wish::kRead};
    }
    template <class T>
    std::optional<Wished> operator()(const T&) const {
        return std::nullopt;
    }

  private:
    static std::optional<Wished> end(const wire::Report& report) {
        if (report.lease.is_set()) return std::nullopt;
        return Wished{report.task, Wish::kEnd};
    }
};

bool is_own(const Peer& peer, const core::Task& task) {
    return task.submitter == peer.identity;
}

bool may_answer(const Peer& peer, const core::Task& task) {
    const Permissions& rights = peer.rights();
    if (rights.may_approve()) return true;
    const Question* open = core::open_question(task);
    const bool approval = open != nullptr && open->kind == QuestionKind::kApproval;
    return !approval && (rights.may_operate() || is_own(peer, task));
}

std::string verb_of(Wish wish) {
    switch (wish) {
        case Wish::kRead:
            return "read";
        case Wish::kChange:
            return "change";
        case Wish::kAnswer:
            return "answer for";
        case Wish::kEnd:
            return "end";
        case Wish::kTake:
            return "claim";
    }
    return "touch";
}

}  // namespace

const Permissions& Peer::rights() const {
    static const Permissions none;
    return key ? key->rights : none;
}

std::string user_id_of(const std::string& fingerprint) {
    return fingerprint;
}

std::string user_id_of_invitation(const std::string& public_key) {
    return std::string(kInvitationMark) + public_key;
}

Peer peer_of(const Asker& asker, const KeyBook& book, Instant now) {
    static const auto local = std::make_shared<const KnownPeer>(
        KnownPeer{KeyKind::kAdmin, kLocalIdentity, Permissions::all(), {}});
    if (asker.trust == Trust::kLocal) return {PeerKind::kLocal, kLocalIdentity, {}, {}, local};
    if (asker.user_id.rfind(kInvitationMark, 0) == 0) {
        return {PeerKind::kInvitation,
                Identity("invitation"),
                asker.user_id.substr(kInvitationMark.size()),
                {},
                nullptr};
    }
    auto key = book.find(asker.user_id, now);
    if (!key) return {};
    const Identity identity = key->identity;
    return {PeerKind::kKnown, identity, {}, asker.user_id, std::move(key)};
}

Result<void> check_access(const Peer& peer, Door door, const wire::Body& body) {
    return std::visit(
        [&](const auto& message) -> Result<void> {
            using T = std::decay_t<decltype(message)>;
            const Need need =
                door == Door::kControl ? need_at_control<T>() : need_at_artifacts<T>();
            const bool unknown = need == Need::kUnknown || need == Need::kAnyone;
            if (peer.kind == PeerKind::kInvitation && !unknown) {
                if (need == Need::kInvitation) return {};
                return fail(ErrorCode::DENIED, "an invitation may only JOIN");
            }
            if (peer.kind == PeerKind::kStranger && need != Need::kUnknown) {
                return fail(ErrorCode::DENIED, "this key is not known here");
            }
            if (auto ok = check_need(peer, need, std::string(T::kType)); !ok) return ok;
            if (peer.rights().is_admin()) return {};
            return CheckWords{peer.rights()}(message);
        },
        body);
}

std::optional<Wished> wish_of(const wire::Body& body) {
    return std::visit(WishOf{}, body);
}

bool may_read_all(const Peer& peer) {
    return peer.rights().may_read_all();
}

bool may_read(const Peer& peer, const core::Task& task) {
    const Permissions& rights = peer.rights();
    if (rights.may_read_all()) return true;
    if (task.lease && task.lease->holder.identity == peer.identity) return true;
    if (is_own(peer, task) && rights.may_read_own()) return true;
    if (rights.may_read_group(task.group)) return true;
    return rights.may_approve() && core::open_question(task) != nullptr;
}

Result<void> check_task(const Peer& peer, const Wished& wished, const core::Task* task) {
    const Permissions& rights = peer.rights();
    if (rights.is_admin()) return {};
    if (task != nullptr) {
        const bool works = rights.may_work(task->role);
        switch (wished.wish) {
            case Wish::kRead:
                if (may_read(peer, *task)) return {};
                break;
            case Wish::kChange:
                if (rights.may_operate() || is_own(peer, *task)) return {};
                break;
            case Wish::kAnswer:
                if (may_answer(peer, *task)) return {};
                break;
            case Wish::kEnd:
                if (rights.may_operate() || works) return {};
                break;
            case Wish::kTake:
                if (works) return {};
                break;
        }
    }
    const std::string what = verb_of(wished.wish);
    if (task != nullptr && may_read(peer, *task)) {
        return fail(ErrorCode::DENIED, "this key may not " + what + " task " + wished.task.text,
                    "task_id");
    }
    if (rights.may_read_all()) return {};  // there is none: the answer says so
    return fail(ErrorCode::NOT_FOUND, "no task " + wished.task.text + " that this key may " + what,
                "task_id");
}

}  // namespace zq::edge
