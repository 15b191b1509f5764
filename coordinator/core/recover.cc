// Recovery: the durable state put back from the store's projections, record by record.
#include <algorithm>

#include "common/base/check.h"
#include "coordinator/core/apply.h"
#include "coordinator/core/task_index.h"

namespace zq::core {

void restore(State& state, const Task& task) {
    ZQ_CHECK(!is_final(task.state));
    const SharedKey key = state.durable.open.restore(task);
    index_task(state, task, key);
    index_open(state, task);
    auto turn = state.now.turns.find({{task.key.ns, task.role}, submitter_of(task)});
    if (turn != state.now.turns.end())
        turn->second.at = std::min(turn->second.at, task.submitted_at);
}

void restore(State& state, std::span<const Task> tasks) {
    // Where each will stand is not in the processor's cache, and takes longer to come than one task
    // takes to be entered.
    constexpr std::size_t kAhead = 8;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        if (i + kAhead < tasks.size()) state.durable.open.expect(tasks[i + kAhead].key);
        restore(state, tasks[i]);
    }
}

void restore(State& state, JournalId journal, Epoch epoch, std::uint64_t last_token, Seq last_seq,
             Instant last_at) {
    state.durable.journal = journal;
    state.durable.epoch = epoch;
    state.durable.last_token = last_token;
    state.durable.last_seq = last_seq;
    state.durable.last_at = last_at;
}

void restore(State& state, RoleKey role) {
    state.durable.roles_served.insert(std::move(role));
}

void restore(State& state, ControlKey key, Control control) {
    index_control(state, key, control);
    const bool inserted = state.durable.controls.emplace(std::move(key), std::move(control)).second;
    ZQ_CHECK(inserted);
}

void restore(State& state, std::string fingerprint, KeyAccess access) {
    const bool inserted =
        state.durable.access.emplace(std::move(fingerprint), std::move(access)).second;
    ZQ_CHECK(inserted);
}

void restore(State& state, RequestKey key, RequestRecord record) {
    const Instant at = record.at;
    // A time and the number of entries at it make a key that replay and recovery agree on.
    auto& by_time = state.index.requests_by_time;
    Seq tie = 0;
    while (by_time.contains({at, tie})) ++tie;
    const bool inserted = state.durable.requests.emplace(key, std::move(record)).second;
    ZQ_CHECK(inserted);
    ++state.index.requests_per_client[{key.identity, key.client}];
    by_time.emplace(std::pair(at, tie), std::move(key));
}

}  // namespace zq::core
