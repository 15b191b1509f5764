#include "common/base/access.h"

#include <algorithm>

#include "common/base/limits.h"
#include "common/base/words.h"

namespace zq {
namespace {

constexpr auto kKinds =
    std::to_array<std::string_view>({"admin", "client", "worker", "invitation"});
constexpr auto kRights = std::to_array<std::string_view>(
    {"submit", "work", "read", "put", "operate", "approve", "admin"});

constexpr std::string_view kHelp =
    "a permission is submit:ROLE, work:ROLE, read:own, read:group:NAME, read:all, put, operate,"
    " approve or admin; ROLE and NAME may be * or end with it";
constexpr std::string_view kOwn = "own";
constexpr std::string_view kAll = "all";
constexpr std::string_view kGroup = "group:";

bool is_pattern(std::string_view text) {
    if (text == "*") return true;
    if (text.empty()) return false;
    if (text.back() == '*') text.remove_suffix(1);
    return is_valid_name(text);
}

bool fits(std::string_view pattern, std::string_view name) {
    if (pattern.empty() || pattern.back() != '*') return pattern == name;
    pattern.remove_suffix(1);
    return name.substr(0, pattern.size()) == pattern;
}

/// True if `pattern` has every name that `other`, a pattern too, has.
bool has_all_of(std::string_view pattern, std::string_view other) {
    if (other.empty() || other.back() != '*') return fits(pattern, other);
    other.remove_suffix(1);
    return !pattern.empty() && pattern.back() == '*' && fits(pattern, other);
}

bool is_scope_of(Right right, std::string_view scope) {
    switch (right) {
        case Right::kSubmit:
        case Right::kWork:
            return is_pattern(scope);
        case Right::kRead:
            if (scope.substr(0, kGroup.size()) == kGroup) {
                return is_pattern(scope.substr(kGroup.size()));
            }
            return scope == kOwn || scope == kAll;
        case Right::kPut:
        case Right::kOperate:
        case Right::kApprove:
        case Right::kAdmin:
            return scope.empty();
    }
    return false;
}

bool implies(const Permission& has, const Permission& asked) {
    if (has.right == Right::kAdmin) return true;
    const bool reads = asked.right == Right::kRead;
    if (has.right == Right::kOperate && reads) return true;
    if (has.right != asked.right) return false;
    if (!reads) return has.scope == asked.scope || has_all_of(has.scope, asked.scope);
    if (has.scope == kAll || has.scope == asked.scope) return true;
    const auto is_group = [](const Permission& p) { return p.scope.rfind(kGroup, 0) == 0; };
    return is_group(has) && is_group(asked) &&
           has_all_of(std::string_view(has.scope).substr(kGroup.size()),
                      std::string_view(asked.scope).substr(kGroup.size()));
}

}  // namespace

std::string_view to_string(KeyKind kind) {
    return word_of(kKinds, kind);
}

bool from_text(std::string_view text, KeyKind& out) {
    return value_of(kKinds, text, out);
}

std::string_view to_string(Right right) {
    return word_of(kRights, right);
}

Result<Permission> parse_permission(std::string_view text, const std::string& field) {
    const auto colon = text.find(':');
    Permission permission;
    if (!value_of(kRights, text.substr(0, colon), permission.right)) {
        return fail(ErrorCode::INVALID, std::string(kHelp), field);
    }
    if (colon != std::string_view::npos) permission.scope = text.substr(colon + 1);
    const bool bare_colon = colon != std::string_view::npos && permission.scope.empty();
    if (bare_colon || !is_scope_of(permission.right, permission.scope)) {
        return fail(ErrorCode::INVALID, std::string(kHelp), field);
    }
    return permission;
}

std::string to_string(const Permission& permission) {
    std::string text(to_string(permission.right));
    if (!permission.scope.empty()) text += ":" + permission.scope;
    return text;
}

Permissions::Permissions(std::vector<Permission> permissions) : list_(std::move(permissions)) {
    std::sort(list_.begin(), list_.end());
    list_.erase(std::unique(list_.begin(), list_.end()), list_.end());
    admin_ = has(Right::kAdmin);
    reads_all_ = include({Right::kRead, std::string(kAll)});
}

Permissions Permissions::all() {
    return Permissions({{Right::kAdmin, {}}});
}

bool Permissions::has(Right right) const {
    return admin_ || std::any_of(list_.begin(), list_.end(), [&](const Permission& permission) {
               return permission.right == right || permission.right == Right::kAdmin;
           });
}

bool Permissions::covers(Right right, std::string_view name) const {
    return admin_ || std::any_of(list_.begin(), list_.end(), [&](const Permission& permission) {
               return permission.right == right && fits(permission.scope, name);
           });
}

bool Permissions::may_read_own() const {
    return include({Right::kRead, std::string(kOwn)});
}

bool Permissions::may_read_group(const GroupName& group) const {
    if (reads_all_) return true;
    if (group.empty()) return false;
    return include({Right::kRead, std::string(kGroup) + group.text});
}

bool Permissions::may_read() const {
    return reads_all_ || has(Right::kRead);
}

bool Permissions::include(const Permission& permission) const {
    return std::any_of(list_.begin(), list_.end(),
                       [&](const Permission& has) { return implies(has, permission); });
}

Permissions Permissions::with(const Permission& permission) const {
    std::vector<Permission> more = list_;
    more.push_back(permission);
    return Permissions(std::move(more));
}

Permissions Permissions::without(const Permission& permission) const {
    std::vector<Permission> fewer = list_;
    std::erase(fewer, permission);
    return Permissions(std::move(fewer));
}

std::vector<std::string> Permissions::texts() const {
    std::vector<std::string> texts;
    texts.reserve(list_.size());
    for (const Permission& permission : list_) texts.push_back(to_string(permission));
    std::sort(texts.begin(), texts.end());
    return texts;
}

Result<Permissions> parse_permissions(const std::vector<std::string>& texts,
                                      const std::string& field) {
    if (texts.size() > limits::kPermissions) {
        return fail(ErrorCode::TOO_LARGE,
                    "a key has at most " + std::to_string(limits::kPermissions) + " permissions",
                    field);
    }
    std::vector<Permission> list;
    for (const std::string& text : texts) {
        auto permission = parse_permission(text, field);
        if (!permission) return Failure(permission.error());
        list.push_back(std::move(*permission));
    }
    return Permissions(std::move(list));
}

Permissions default_permissions(KeyKind kind, const RoleName& role) {
    const Permission submit{Right::kSubmit, "*"};
    const Permission own{Right::kRead, std::string(kOwn)};
    const Permission put{Right::kPut, {}};
    switch (kind) {
        case KeyKind::kAdmin:
            return Permissions::all();
        case KeyKind::kClient:
            return Permissions({submit, own, put});
        case KeyKind::kWorker:
            return Permissions({{Right::kWork, role.text}, submit, own, put});
        case KeyKind::kInvitation:
            return {};
    }
    return {};
}

}  // namespace zq
