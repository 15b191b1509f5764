#include "coordinator/edge/revised_spec.h"

namespace zq::edge {

Result<TaskSpec> revised_spec(const TaskSpec& spec, const wire::Changes& changes) {
    TaskSpec revised = spec;
    if (!changes.role.empty()) revised.role = changes.role;
    if (changes.type) revised.type = *changes.type;
    if (changes.instructions) revised.instructions = *changes.instructions;
    if (changes.payload) revised.payload = *changes.payload;
    if (changes.priority) revised.priority = static_cast<int>(*changes.priority);
    if (changes.max_attempts) revised.max_attempts = *changes.max_attempts;
    if (changes.run_timeout) revised.run_timeout = *changes.run_timeout;
    if (changes.ttl) revised.ttl = *changes.ttl;
    if (changes.limit_key) revised.limit_key = *changes.limit_key;
    if (changes.needs) revised.needs = *changes.needs;
    if (changes.allow_secrets) revised.allow_secrets = true;
    if (revised == spec) return revised;
    auto ok = validate(revised);
    if (ok) return revised;
    Error error = ok.error();
    constexpr std::string_view kRoot = "task.";
    if (error.field.starts_with(kRoot)) error.field.replace(0, kRoot.size(), "changes.");
    return Failure(error);
}

std::vector<std::string> changed_fields(const TaskSpec& before, const TaskSpec& after) {
    std::vector<std::string> fields;
    const auto note = [&](const auto& one, const auto& other, const char* field) {
        if (one != other) fields.emplace_back(field);
    };
    note(before.role, after.role, "to");
    note(before.type, after.type, "type");
    note(before.instructions, after.instructions, "instructions");
    note(before.payload, after.payload, "payload");
    note(before.priority, after.priority, "priority");
    note(before.max_attempts, after.max_attempts, "max_attempts");
    note(before.run_timeout, after.run_timeout, "run_timeout_ms");
    note(before.ttl, after.ttl, "ttl_ms");
    note(before.limit_key, after.limit_key, "limit_key");
    note(before.needs, after.needs, "needs");
    note(before.allow_secrets, after.allow_secrets, "allow_secrets");
    return fields;
}

}  // namespace zq::edge
