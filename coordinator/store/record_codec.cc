#include "coordinator/store/record_codec.h"

#include "coordinator/store/record_fields.h"

namespace zq::store {

std::string encode_task(const core::Task& task) {
    return pack::encode(task);
}
std::string encode_attempt(const core::Attempt& attempt) {
    return pack::encode(attempt);
}

std::string encode_access(const KeyAccess& access) {
    return pack::encode(access);
}
std::string encode_control(const core::Control& control) {
    return pack::encode(control);
}

Result<core::Task> decode_task(std::string_view bytes) {
    return pack::decode<core::Task>(bytes);
}

Result<void> decode_task(std::string_view bytes, core::Task& out) {
    if (pack::quick_decode(bytes, out)) return {};
    auto task = decode_task(bytes);
    if (!task) return Failure(task.error());
    out = std::move(*task);
    return {};
}

Result<core::Attempt> decode_attempt(std::string_view bytes) {
    return pack::decode<core::Attempt>(bytes);
}

Result<KeyAccess> decode_access(std::string_view bytes) {
    return pack::decode<KeyAccess>(bytes);
}
Result<core::Control> decode_control(std::string_view bytes) {
    return pack::decode<core::Control>(bytes);
}

StateHash::StateHash(const core::Durable& rest, std::uint64_t open_tasks) : rest_(rest) {
    pack::Writer head;
    head.text("zq-state-1");
    head.uint(rest.journal);
    head.uint(rest.epoch);
    head.uint(rest.last_token);
    head.uint(rest.last_seq);
    head.sint(rest.last_at.ms);
    head.uint(open_tasks);
    head.uint(rest.roles_served.size());
    head.uint(rest.requests.size());
    hash_.update(head.take());
}

void StateHash::add_task(std::string_view record) {
    hash_.update(record);
}

Digest StateHash::finish() {
    pack::Writer rest;
    for (const RoleKey& key : rest_.roles_served) {
        rest.text(key.ns.text);
        rest.text(key.role.text);
    }
    for (const auto& [key, record] : rest_.requests) {
        rest.text(key.identity.text);
        rest.text(key.client.text);
        rest.uint(key.request);
        rest.text(record.task.ns.text);
        rest.text(record.task.id.text);
        rest.text(to_string(record.token));
        rest.sint(record.at.ms);
    }
    for (const auto& [key, control] : rest_.controls) {
        rest.text(key.ns.text);
        rest.text(to_string(key.kind));
        rest.text(key.name);
        rest.text(encode_control(control));
    }
    for (const auto& [fingerprint, access] : rest_.access) {
        rest.text(fingerprint);
        rest.text(encode_access(access));
    }
    hash_.update(rest.take());
    return hash_.finish();
}

Digest state_hash(const core::State& state) {
    StateHash hash(state.durable, state.durable.open.size());
    state.durable.open.for_each([&](const core::Task& task) { hash.add_task(encode_task(task)); });
    return hash.finish();
}

}  // namespace zq::store
