#include "tests/simulator/run.h"

#include "tests/simulator/faults.h"
#include "tests/simulator/odd_peer.h"

namespace zq::sim {
namespace {

constexpr Millis kMustConverge = hours(2);  // of virtual time, after the faults

const Trace* g_trace = nullptr;

core::Policy policy_of(Rng rng) {
    constexpr std::pair<Millis, Millis> kTerms[] = {
        {seconds(4), millis(600)}, {seconds(12), seconds(2)}, {seconds(60), seconds(10)}};
    core::Policy policy;
    std::tie(policy.lease, policy.heartbeat) = kTerms[rng.below(3)];
    if (rng.per_mille(150)) policy.max_open_tasks = 20;
    // Tasks stay: the clients here ask after theirs to the end.
    policy.unreferenced = seconds(static_cast<std::int64_t>(5 + rng.below(30)));
    policy.retention.logs = seconds(static_cast<std::int64_t>(2 + rng.below(20)));
    policy.retention.artifacts = seconds(static_cast<std::int64_t>(2 + rng.below(20)));
    if (rng.per_mille(600)) policy.retention.finished_bytes = 1 + rng.below(600);
    if (rng.per_mille(300)) policy.role_limits[kReview].concurrency = 2;
    if (rng.per_mille(300)) policy.key_limits["*"].rate = Rate{20, seconds(10), 2};
    if (rng.per_mille(300)) policy.key_limits["key-1"].concurrency = 1;
    if (rng.per_mille(200)) policy.max_open_per_client = 12;
    Rng person = rng.fork("person");
    if (person.per_mille(150)) {
        policy.role_approvals[kReview] = {{ApprovalTime::kBefore, person.per_mille(500), {}},
                                          person.per_mille(500)};
    }
    return policy;
}

WorkerSetup setup_of(std::uint32_t n, Rng rng) {
    WorkerSetup setup;
    setup.name = "w" + std::to_string(n + 1);
    // The first two serve everything, so that every role is served.
    if (n < 2 || rng.per_mille(400)) {
        setup.roles = {kReview, kWrite};
    } else {
        setup.roles = {rng.per_mille(500) ? kReview : kWrite};
    }
    if (n == 0) setup.roles.push_back(kSolo);
    setup.slots = static_cast<std::uint32_t>(rng.between(1, 3));
    if (n == 0 || rng.per_mille(300)) setup.labels = {"gpu", "region=eu"};
    if (setup.labels.empty() && rng.per_mille(300)) setup.labels = {"gpu"};
    if (rng.per_mille(300)) setup.orphan_hold = seconds(20);
    return setup;
}

/// All hosts of a run, and those who watch them.
class Play {
  public:
    Play(const RunOptions& options, Trace::Echo echo)
        : options_(options),
          world_(options.seed, echo),
          policy_(policy_of(world_.rng("policy"))),
          network_(world_),
          model_(world_, policy_),
          promises_(world_, model_),
          leases_(world_, policy_.heartbeat),
          children_(world_),
          workload_(world_.rng("workload")),
          stage_{world_,    network_,  model_,    promises_, leases_,
                 children_, coverage_, workload_, keys_},
          coordinator_(stage_, policy_) {
        g_trace = &world_.trace();
    }
    ~Play() { g_trace = nullptr; }
    Play(const Play&) = delete;
    Play& operator=(const Play&) = delete;

    RunResult run();

  private:
    void hire();
    bool is_over() const;
    void check_end();
    std::string what_is_left() const;

    RunOptions options_;
    World world_;
    core::Policy policy_;
    Network network_;
    Model model_;
    Promises promises_;
    LeaseWatch leases_;
    ChildWatch children_;
    Coverage coverage_;
    Workload workload_;
    edge::KeyBook keys_;
    Stage stage_;
    CoordinatorHost coordinator_;
    std::vector<std::unique_ptr<WorkerHost>> workers_;
    std::vector<std::unique_ptr<ClientHost>> clients_;
};

void Play::hire() {
    for (std::uint32_t i = 0; i < options_.workers; ++i) {
        const WorkerSetup setup = setup_of(i, world_.rng("setup of worker " + std::to_string(i)));
        model_.hired(WorkerName(setup.name), setup.labels);
        workers_.push_back(std::make_unique<WorkerHost>(stage_, coordinator_, setup));
    }
    for (std::uint32_t i = 0; i < options_.clients; ++i) {
        ClientSetup setup;
        setup.name = "c" + std::to_string(i + 1);
        setup.tasks =
            options_.tasks / options_.clients + (i < options_.tasks % options_.clients ? 1 : 0);
        // About a third of its requests submit; most are to be there before the faults are over.
        setup.pace = seconds(options_.fault_seconds) / (3 * std::max(setup.tasks, 1U));
        clients_.push_back(std::make_unique<ClientHost>(stage_, setup));
    }
}

bool Play::is_over() const {
    if (model_.open() > 0) return false;
    for (const auto& client : clients_) {
        if (!client->is_done()) return false;
    }
    for (const auto& worker : workers_) {
        if (worker->unsettled() > 0) return false;
    }
    return true;
}

std::string Play::what_is_left() const {
    std::string text;
    for (const auto& [id, task] : model_.tasks()) {
        if (!is_final(task.state)) text += ' ' + id.text + '=' + std::string(to_string(task.state));
    }
    for (const auto& worker : workers_) {
        if (worker->unsettled() > 0) text += ' ' + worker->name() + " has reports";
    }
    for (const auto& client : clients_) {
        if (!client->is_done()) text += ' ' + client->name() + " is not done";
    }
    return text;
}

void Play::check_end() {
    if (world_.violation()) return;
    if (!is_over()) return world_.violate("it does not converge:" + what_is_left());
    for (const TaskId& id : promises_.acknowledged()) {
        const Model::Task* task = model_.find(id);
        if (task == nullptr || !is_final(task->state)) {
            world_.violate("an acknowledged submit has no end: " + id.text);
        }
    }
    coordinator_.examine();
}

RunResult Play::run() {
    hire();
    std::vector<std::string> names;
    for (const auto& worker : workers_) names.push_back(worker->name());
    OddPeer odd(stage_, names);
    Faults faults(stage_, {coordinator_, workers_, clients_}, options_, policy_.lease);
    coordinator_.start();
    for (auto& worker : workers_) worker->start();
    for (auto& client : clients_) client->start();
    odd.start();
    faults.begin();
    const Millis healing = seconds(options_.fault_seconds);
    world_.run(healing, [] { return false; });
    faults.heal();
    for (auto& client : clients_) client->hurry();
    world_.run(healing + kMustConverge, [this] { return is_over(); });
    check_end();

    RunResult result;
    result.violation = world_.violation();
    result.steps = world_.steps();
    result.trace_hash = world_.trace().hash();
    result.events = model_.last_seq();
    result.tasks = model_.tasks().size();
    result.deaths = coordinator_.deaths();
    result.lasted = world_.now();
    result.coverage = coverage_;
    result.tail = world_.trace().tail();
    return result;
}

}  // namespace

RunResult run(const RunOptions& options, Trace::Echo echo) {
    return Play(options, echo).run();
}

const Trace* current_trace() {
    return g_trace;
}

}  // namespace zq::sim
