#include "worker/starting.h"

#include "common/platform/log.h"
#include "worker/task_socket/leftover_words.h"
#include "worker/task_socket/socket_folder.h"

namespace zq::worker {

Result<Started> start_from(const StateFolder& state, Keep keep) {
    auto outbox = Outbox::open(state.outbox());
    if (!outbox) return Failure(outbox.error());
    std::vector<StoredReport> stored = outbox->load();
    if (auto ok = report_for_words(state, *outbox, stored); !ok) return Failure(ok.error());
    std::vector<std::string> reported;
    reported.reserve(stored.size());
    for (const StoredReport& report : stored) reported.push_back(attempt_folder_name(report.held));
    auto cleared = clear_leftovers(state, reported, keep);
    if (!cleared) return Failure(cleared.error());
    auto sockets = make_socket_folder(state.path);
    if (!sockets) return Failure(sockets.error());
    log_info("worker", {{"name", state.name.text},
                        {"state", state.path},
                        {"incarnation", std::to_string(state.incarnation)},
                        {"leftovers", std::to_string(*cleared)},
                        {"reports", std::to_string(stored.size())}});
    return Started{std::move(*outbox), std::move(stored), std::move(*sockets)};
}

SessionOptions session_options(const WorkerOptions& options, const StateFolder& state) {
    SessionOptions session;
    session.name = state.name;
    session.state_id = state.state_id;
    session.incarnation = state.incarnation;
    session.roles = options.roles;
    session.labels = options.labels;
    session.slots = options.slots;
    session.program = "zq-worker " ZQ_VERSION;
    session.lifetime = options.lifetime;
    session.idle_exit = options.idle_exit;
    session.orphan_hold = options.orphan_hold;
    return session;
}

}  // namespace zq::worker
