// Keys and what they may do: `access ls|grant|revoke|check`.
#include <array>

#include "cli/command_table.h"
#include "cli/records.h"
#include "cli/session.h"
#include "common/base/access.h"

namespace zq::cli {
namespace {

constexpr auto kColumns = std::to_array<Column>({
    {"id", "KEY"},
    {"kind", "KIND"},
    {"permissions", "PERMISSIONS"},
    {"expires_at", "EXPIRES", Cell::kTime},
    {"fingerprint", "FINGERPRINT", Cell::kText, Where::kWide},
    {"to", "ROLE", Cell::kText, Where::kWide},
    {"invited_by", "INVITED BY", Cell::kText, Where::kWide},
    {"uses", "USES", Cell::kText, Where::kWide},
    {"name", "NAME", Cell::kText, Where::kOnAsking},
});

Json access_record(const wire::AccessRow& row) {
    Json record = Json::object();
    record.set("schema", Json::text("zq/access/v1"));
    record.set("id", to_json(row.access.identity));
    record.set("fingerprint", Json::text(row.fingerprint));
    record.set("name", Json::text(row.name));
    record.set("kind", to_json(row.access.kind));
    record.set("permissions", to_json(row.access.permissions));
    if (!row.role.empty()) record.set("to", to_json(row.role));
    if (row.access.expires_at.is_set()) {
        record.set("expires_at", to_json(row.access.expires_at));
    }
    if (!row.access.invited_by.empty()) {
        record.set("invited_by", to_json(row.access.invited_by));
    }
    if (row.uses > 0) record.set("uses", to_json(row.uses));
    return record;
}

View view_of(const wire::AccessRows& rows) {
    View view{Shape::kList, "zq/access-list/v1", kColumns, {}, rows.more};
    for (const wire::AccessRow& row : rows.rows) view.records.push_back(access_record(row));
    return view;
}

Ending run_ls(const Context& context) {
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto rows = (*session)->call<wire::AccessRows>(wire::Access{context.args.operand(0)});
    if (!rows) return tl::unexpected(rows.error());
    if (rows->rows.empty() && context.output.terminal) {
        note(
            "no key is known: without keys, whoever reaches this coordinator is `local` and may do"
            " everything; `zq invite` makes keys for others");
    }
    return print(view_of(*rows), context.output);
}

/// The operands after the key, as permissions. Errors: usage, naming the one that is none.
Expected<std::vector<std::string>> read_permissions(const Arguments& args) {
    std::vector<std::string> texts(args.operands().begin() + 1, args.operands().end());
    auto permissions = parse_permissions(texts, "PERMISSION");
    if (!permissions) return problem(permissions.error());
    return permissions->texts();
}

/// What there is to say of the one key that is meant.
Expected<wire::AccessRow> find_key(Session& session, const std::string& key) {
    auto rows = session.call<wire::AccessRows>(wire::Access{key});
    if (!rows) return tl::unexpected(rows.error());
    if (rows->rows.size() == 1) return std::move(rows->rows.front());
    if (rows->rows.empty()) {
        return problem(ErrorCode::NOT_FOUND, "no key " + key + " that you may know of",
                       "run `zq access ls`");
    }
    std::string names;
    for (const wire::AccessRow& row : rows->rows) {
        names += (names.empty() ? "" : ", ") + row.name + "@" + row.fingerprint;
    }
    return problem(ErrorCode::CONFLICT, "several keys are meant: " + names,
                   "name one by its fingerprint");
}

Ending change(const Context& context, wire::SetAccess set) {
    set.key = context.args.operand(0);
    set.reason = context.args.text("reason");
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    if (context.args.has("dry-run")) {
        auto row = find_key(**session, set.key);
        if (!row) return tl::unexpected(row.error());
        note("dry run: nothing was changed; this is the key as it is");
        return print({Shape::kOne, {}, kColumns, {access_record(*row)}}, context.output);
    }
    auto rows = (*session)->call<wire::AccessRows>(set);
    if (!rows) return tl::unexpected(rows.error());
    if (rows->rows.empty()) {
        note("the key is not known any more: what it says is refused from now on");
        return ExitCode::kDone;
    }
    return print({Shape::kOne, {}, kColumns, {access_record(rows->rows.front())}}, context.output);
}

Ending run_grant(const Context& context) {
    auto permissions = read_permissions(context.args);
    if (!permissions) return tl::unexpected(permissions.error());
    wire::SetAccess set;
    set.grant = std::move(*permissions);
    return change(context, std::move(set));
}

Ending run_revoke(const Context& context) {
    wire::SetAccess set;
    set.remove = context.args.has("key");
    const bool names_some = context.args.operands().size() > 1;
    if (names_some == set.remove) {
        return usage("say what is revoked: PERMISSION…, or --key for the key itself",
                     "`zq access ls " + context.args.operand(0) + "` says what it may do");
    }
    auto permissions = read_permissions(context.args);
    if (!permissions) return tl::unexpected(permissions.error());
    set.revoke = std::move(*permissions);
    return change(context, std::move(set));
}

Ending run_check(const Context& context) {
    auto wanted = parse_permission(context.args.operand(1), "PERMISSION");
    if (!wanted) return problem(wanted.error());
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto row = find_key(**session, context.args.operand(0));
    if (!row) return tl::unexpected(row.error());
    auto rights = parse_permissions(row->access.permissions, "permissions");
    if (!rights) return problem(rights.error());
    const bool invites = row->access.kind == KeyKind::kInvitation;
    const bool may = !invites && rights->include(*wanted);
    Json record = access_record(*row);
    record.set("permission", Json::text(to_string(*wanted)));
    record.set("may", Json::boolean(may));
    static constexpr auto kChecked =
        std::to_array<Column>({{"id", "KEY"}, {"permission", "PERMISSION"}, {"may", "MAY"}});
    if (auto ok = print({Shape::kOne, {}, kChecked, {record}}, context.output); !ok) return ok;
    return may ? ExitCode::kDone : ExitCode::kDenied;
}

constexpr auto kGrantFlags = std::to_array<Flag>({
    {"reason", "TEXT", "Why; the journal keeps it with who said it"},
});
constexpr auto kRevokeFlags = std::to_array<Flag>({
    {"key", "", "The key itself: nothing it says is heard any more", Takes::kNothing},
    {"reason", "TEXT", "Why; the journal keeps it with who said it"},
});

constexpr auto kCommands = std::to_array<Command>({
    {"access ls",
     "Access",
     "[KEY]",
     "List the keys that are known, and what each may do",
     "KEY is a name, an identity (NAME@FINGERPRINT) or the beginning of a fingerprint.\n"
     "Who is no admin sees its own key.",
     {},
     {true, true, false},
     0,
     1,
     run_ls},
    {"access grant",
     "Access",
     "KEY PERMISSION…",
     "Let a key do more",
     "Permissions: submit:ROLE, work:ROLE, read:own, read:group:NAME, read:all, put, operate,\n"
     "approve, admin; ROLE and NAME may be * or end with it. It counts from the key's next "
     "message.",
     kGrantFlags,
     {true, true, true},
     2,
     64,
     run_grant},
    {"access revoke",
     "Access",
     "KEY [PERMISSION…]",
     "Let a key do less, or nothing (--key)",
     "A permission is revoked as it stands in the key's list. It counts from the key's next "
     "message;\n"
     "the session of a worker that may not work any more ends.",
     kRevokeFlags,
     {true, true, true},
     1,
     64,
     run_revoke},
    {"access check",
     "Access",
     "KEY PERMISSION",
     "Say whether a key may do something (exit code 4: it may not)",
     "Such as: zq access check ci submit:review-worker",
     {},
     {true, true, false},
     2,
     2,
     run_check},
});

}  // namespace

std::span<const Command> access_commands() {
    return kCommands;
}

}  // namespace zq::cli
