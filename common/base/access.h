// What a key may do: its rights, how they are spelled, and what they allow. Pure.
//
//     submit:ROLE   submit tasks to a role          read:own         tasks that it submitted
//     work:ROLE     serve a role, claim its tasks   read:group:NAME  tasks of a group
//     put           upload artifacts                read:all         every task and statistic
//     operate       stop, replay, pause, limit what is others'; reads all
//     approve       answer what tasks ask people    admin            everything, keys too
//
// ROLE and NAME are names, `*`, or a beginning and `*`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/base/ids.h"
#include "common/base/time.h"

namespace zq {

enum class KeyKind : std::uint8_t {
    kAdmin,
    kClient,
    kWorker,
    kInvitation,  // may only JOIN, until it is used up or expires
};
/// `admin`, `client`, `worker`, `invitation`.
std::string_view to_string(KeyKind kind);
bool from_text(std::string_view text, KeyKind& out);

enum class Right : std::uint8_t { kSubmit, kWork, kRead, kPut, kOperate, kApprove, kAdmin };
/// `submit`, `work`, `read`, `put`, `operate`, `approve`, `admin`.
std::string_view to_string(Right right);

/// One right, as far as it goes.
struct Permission {
    Right right = Right::kSubmit;
    std::string scope;  // of submit and work: roles; of read: own, group:NAME, all; else empty

    friend auto operator<=>(const Permission&, const Permission&) = default;
    friend bool operator==(const Permission&, const Permission&) = default;
};
/// Errors: INVALID, naming `field` and what could stand there.
Result<Permission> parse_permission(std::string_view text, const std::string& field);
/// The spelling that parse_permission reads.
std::string to_string(const Permission& permission);

/// All that one key may do. A set: the order in which it is given does not matter.
class Permissions {
  public:
    Permissions() = default;
    explicit Permissions(std::vector<Permission> permissions);
    /// Those of whoever is at the coordinator's machine without a key.
    static Permissions all();

    bool may_submit(const RoleName& role) const { return covers(Right::kSubmit, role.text); }
    bool may_work(const RoleName& role) const { return covers(Right::kWork, role.text); }
    bool may_put() const { return has(Right::kPut); }
    bool may_operate() const { return has(Right::kOperate); }
    bool may_approve() const { return has(Right::kApprove); }
    bool is_admin() const { return admin_; }
    /// Every task, and what is summed over them.
    bool may_read_all() const { return reads_all_; }
    bool may_read_own() const;
    bool may_read_group(const GroupName& group) const;
    /// True if it may read anything at all.
    bool may_read() const;

    /// True if whoever has these has that one too.
    bool include(const Permission& permission) const;
    Permissions with(const Permission& permission) const;
    Permissions without(const Permission& permission) const;

    const std::vector<Permission>& list() const { return list_; }  // sorted
    /// The spelling of each.
    std::vector<std::string> texts() const;

    friend bool operator==(const Permissions& a, const Permissions& b) {
        return a.list_ == b.list_;
    }

  private:
    bool has(Right right) const;
    bool covers(Right right, std::string_view name) const;

    std::vector<Permission> list_;
    bool admin_ = false;
    bool reads_all_ = false;
};
/// At most kPermissions; the error names `field`.
Result<Permissions> parse_permissions(const std::vector<std::string>& texts,
                                      const std::string& field);
/// What a key of that kind may do unless it was said otherwise; `role` is a worker's, or empty.
Permissions default_permissions(KeyKind kind, const RoleName& role);

/// A key as the journal and lists know it, without the key itself.
struct KeyAccess {
    Identity identity;
    KeyKind kind = KeyKind::kClient;
    std::vector<std::string> permissions;  // sorted; none of an invitation
    Instant expires_at;                    // 0: never
    Identity invited_by;                   // who made its invitation; empty: made by hand

    friend bool operator==(const KeyAccess&, const KeyAccess&) = default;
};

}  // namespace zq
