// Answers to what peers ask about tasks, events and answers: from committed rows, so that nothing
// is said that a crash could take back. Whoever calls waits until everything that the asker may
// have seen is committed. Errors of all: IO where the store cannot be read.
#pragma once

#include "common/wire/codec.h"
#include "coordinator/core/state.h"
#include "coordinator/edge/access.h"
#include "coordinator/edge/out.h"
#include "coordinator/edge/polls.h"
#include "coordinator/edge/why.h"
#include "coordinator/store/reader.h"

namespace zq::edge {

/// What queries read. `committed` is the last sequence number that `reader` sees: records in memory
/// that are not newer win over rows.
struct View {
    const core::State& state;
    const core::Policy& policy;
    Instant now;
    store::Reader& reader;
    Specs specs;
    Seq committed = 0;
    Peer asker;  // sees what it may read

    Moment moment() const { return {state, policy, now}; }
};

/// A long poll's answer as of now: `done` if it need not wait.
template <class Reply>
struct Polled {
    Reply reply;
    bool done = false;
    std::vector<Topic> topics;  // to wait for, where it is not done
};

/// Errors: NOT_FOUND, CONFLICT (a prefix of several ids), IO.
Result<wire::TaskReply> get_task(const View& view, const wire::Get& get);
Result<wire::Tasks> list_tasks(const View& view, const wire::List& list);
/// Errors: NOT_FOUND (a task or group that is not there), CONFLICT, IO.
Result<Polled<wire::Ended>> wait_tasks(const View& view, const wire::Wait& wait);
/// `last` is how far it looked, whether something matched or not. In events.cc.
Result<Polled<wire::EventRows>> read_events(const View& view, const wire::Events& events);
Result<Polled<wire::Tasks>> read_answers(const View& view, const wire::Answers& answers);
/// Errors: NOT_FOUND, TOO_LARGE (one task's attempts alone fill a message), IO. In usage.cc.
Result<wire::UsageRows> read_usage(const View& view, const wire::UsageQuery& query);

}  // namespace zq::edge
