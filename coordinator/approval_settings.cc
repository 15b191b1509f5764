#include "coordinator/approval_settings.h"

#include <array>
#include <set>

#include "common/base/task_spec.h"

namespace zq::coordinator {
namespace {

constexpr std::string_view kRoles = "roles.";
constexpr std::string_view kTypes = "types.";
constexpr std::string_view kTable = ".approval.";
constexpr auto kKeys =
    std::to_array<std::string_view>({"required", "approver", "timeout", "side_effects"});

std::string joined(std::string_view a, std::string_view b) {
    std::string text(a);
    return text += b;
}

/// Names between `begin` and `.approval.`.
std::set<std::string> names_in(const ConfigFile& file, std::string_view begin) {
    std::set<std::string> names;
    for (const std::string& key : file.keys()) {
        const auto end = key.rfind(kTable);
        if (key.rfind(begin, 0) != 0 || end == std::string::npos || end <= begin.size()) continue;
        names.insert(key.substr(begin.size(), end - begin.size()));
    }
    return names;
}

std::string table_of(std::string_view begin, const std::string& name) {
    return joined(joined(begin, name), kTable);
}

Result<ApprovalRule> read_rule(const ConfigFile& file, const std::string& table) {
    ApprovalRule rule;
    auto required = file.text(table + "required");
    auto approver = file.text(table + "approver");
    auto timeout = file.text(table + "timeout");
    auto effects = file.text(table + "side_effects");
    for (const auto* text : {&required, &approver, &timeout, &effects}) {
        if (!*text) return Failure(text->error());
    }
    if (*required && (!from_text(**required, rule.approval.time) || (*required)->empty())) {
        return file.wrong(table + "required", "it is before, after or none");
    }
    if (*approver && **approver != "other" && **approver != "any") {
        return file.wrong(table + "approver", "it is other (than the submitter) or any");
    }
    rule.approval.by_other = *approver && **approver == "other";
    if (*timeout) {
        auto length = parse_duration(**timeout, "");
        if (!length) return file.wrong(table + "timeout", length.error().message);
        rule.approval.timeout = *length;
    }
    if (*effects && **effects != kIrreversible && **effects != "reversible") {
        return file.wrong(table + "side_effects", "they are irreversible or reversible");
    }
    rule.irreversible = *effects && **effects == kIrreversible;
    return rule;
}

}  // namespace

std::vector<std::string> approval_keys(const ConfigFile& file) {
    std::vector<std::string> keys;
    for (std::string_view begin : {kRoles, kTypes}) {
        for (const std::string& name : names_in(file, begin)) {
            for (std::string_view key : kKeys) keys.push_back(joined(table_of(begin, name), key));
        }
    }
    return keys;
}

Result<void> apply_approvals(Options& options, const ConfigFile& file) {
    for (const std::string& role : names_in(file, kRoles)) {
        if (!is_valid_name(role)) {
            return file.wrong(table_of(kRoles, role) + "required",
                              "'" + role + "' is no role name");
        }
        auto rule = read_rule(file, table_of(kRoles, role));
        if (!rule) return Failure(rule.error());
        options.role_approvals[RoleName(role)] = *rule;
    }
    for (const std::string& type : names_in(file, kTypes)) {
        auto rule = read_rule(file, table_of(kTypes, type));
        if (!rule) return Failure(rule.error());
        options.type_approvals[type] = *rule;
    }
    return {};
}

}  // namespace zq::coordinator
