#include "cli/copies.h"

#include "common/platform/digest.h"

namespace zq::cli {
namespace {

constexpr std::size_t kGroupDigits = 26;

/// Made of what the copies have in common, so that a repeated submit is the same one.
GroupName group_of(const TaskSpec& spec, bool own_id) {
    if (!spec.group.empty()) return spec.group;
    if (own_id) return GroupName(spec.id.text);
    if (spec.idempotency_key.empty()) return GroupName("g" + new_task_id().text.substr(1));
    return GroupName("g-" + to_hex(sha256(spec.idempotency_key)).substr(0, kGroupDigits));
}

}  // namespace

Expected<std::vector<Submission>> copies_of(Submission submission) {
    const bool own_id = submission.own_id;
    const GroupName group = group_of(submission.spec, own_id);
    std::vector<Submission> copies;
    for (const RoleName& role : submission.roles) {
        Submission copy;
        copy.spec = submission.spec;
        copy.spec.role = role;
        copy.spec.group = group;
        copy.spec.id = own_id ? TaskId(submission.spec.id.text + "-" + role.text) : new_task_id();
        if (!copy.spec.idempotency_key.empty()) copy.spec.idempotency_key += "-" + role.text;
        if (auto ok = validate(copy.spec); !ok) {
            return problem(ok.error(), "each copy's id is ID-ROLE: choose a shorter --id");
        }
        copies.push_back(std::move(copy));
    }
    copies.front().contents = std::move(submission.contents);
    return copies;
}

}  // namespace zq::cli
