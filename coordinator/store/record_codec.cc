#include "coordinator/store/record_codec.h"

#include "common/platform/digest.h"
#include "coordinator/store/record_fields.h"

namespace zq::store {

std::string encode_task(const core::Task& task) {
    return pack::encode(task);
}
std::string encode_attempt(const core::Attempt& attempt) {
    return pack::encode(attempt);
}

Result<core::Task> decode_task(std::string_view bytes) {
    return pack::decode<core::Task>(bytes);
}

Result<core::Attempt> decode_attempt(std::string_view bytes) {
    return pack::decode<core::Attempt>(bytes);
}

Digest state_hash(const core::State& state) {
    const core::Durable& durable = state.durable;
    pack::Writer head;
    head.text("zq-state-1");
    head.uint(durable.journal);
    head.uint(durable.epoch);
    head.uint(durable.last_token);
    head.uint(durable.last_seq);
    head.sint(durable.last_at.ms);
    head.uint(durable.open.size());
    head.uint(durable.roles_served.size());
    head.uint(durable.requests.size());
    Sha256 hash;
    hash.update(head.take());
    for (const auto& [key, task] : durable.open) hash.update(pack::encode(task));
    pack::Writer rest;
    for (const RoleKey& key : durable.roles_served) {
        rest.text(key.ns.text);
        rest.text(key.role.text);
    }
    for (const auto& [key, record] : durable.requests) {
        rest.text(key.identity.text);
        rest.text(key.client.text);
        rest.uint(key.request);
        rest.text(record.task.ns.text);
        rest.text(record.task.id.text);
        rest.text(to_string(record.token));
        rest.sint(record.at.ms);
    }
    hash.update(rest.take());
    return hash.finish();
}

}  // namespace zq::store
