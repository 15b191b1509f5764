// Micro-benchmarks of what each task goes through: the wire's codec, decide and apply, the ready
// queue, the event codec, an append to the journal. `build/release/bin/zq_micro_bench`.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>

#include "cli/bench/zq_queue.h"
#include "common/wire/codec.h"
#include "coordinator/core/apply.h"
#include "coordinator/core/decide.h"
#include "coordinator/edge/in.h"
#include "coordinator/pipeline.h"
#include "coordinator/store/event_codec.h"
#include "coordinator/store/memory_journal.h"
#include "coordinator/store/record_codec.h"
#include "coordinator/store/sqlite_journal.h"

namespace zq {
namespace {

constexpr Instant kNow{1'800'000'000'000};

TaskSpec spec_of(std::uint64_t number) {
    TaskSpec spec;
    spec.id = TaskId("t" + std::to_string(number));
    spec.role = RoleName("review");
    spec.from = "bench";
    spec.type = "reasoning";
    spec.instructions = cli::filler_text(1024);
    return spec;
}

core::Command submit_of(std::uint64_t number) {
    core::Command command;
    command.now = kNow;
    command.identity = kLocalIdentity;
    command.reply = number + 1;
    command.client = ClientId("c");
    command.request = number + 1;
    core::SubmitTask submit;
    submit.spec = spec_of(number);
    command.body = std::move(submit);
    return command;
}

core::Command command_of(core::CommandBody body) {
    core::Command command;
    command.now = kNow;
    command.identity = kSystemIdentity;
    command.body = std::move(body);
    return command;
}

/// A state that serves, with this many ready tasks and one worker with as many slots as it may
/// have.
class Rig {
  public:
    explicit Rig(std::uint64_t tasks) {
        take(command_of(core::StartEpoch{1, 1, "bench"}));
        take(command_of(core::BeginService{}));
        for (; made_ < tasks; ++made_) take(submit_of(made_));
    }
    core::Decision decide(const core::Command& command) const {
        return core::decide(state, policy, command);
    }
    std::vector<core::Event> take(const core::Command& command) {
        core::Decision decision = decide(command);
        core::stamp(decision, state, command.now);
        for (const core::Event& event : decision.events) core::apply(state, event);
        for (const core::Notice& notice : decision.notices) core::apply(state, notice);
        return std::move(decision.events);
    }
    std::uint64_t next() { return made_++; }

    core::State state;
    core::Policy policy;

  private:
    std::uint64_t made_ = 0;
};

wire::Message submit_message() {
    wire::Submit submit;
    submit.task = spec_of(1);
    wire::Message message{{}, std::move(submit), {}};
    message.header.id = 7;
    message.header.client = ClientId("0123456789abcdef");
    return message;
}

void BM_EncodeSubmit(benchmark::State& run) {
    const wire::Message message = submit_message();
    for (auto _ : run) benchmark::DoNotOptimize(wire::encode(message));
}
BENCHMARK(BM_EncodeSubmit);

void BM_DecodeSubmit(benchmark::State& run) {
    const wire::Frames frames = wire::encode(submit_message());
    for (auto _ : run) benchmark::DoNotOptimize(wire::decode(frames));
}
BENCHMARK(BM_DecodeSubmit);

void BM_RequestDigest(benchmark::State& run) {
    TaskSpec spec = spec_of(1);
    for (auto _ : run) benchmark::DoNotOptimize(edge::request_digest(spec));
}
BENCHMARK(BM_RequestDigest);

/// Range: open tasks beside it.
void BM_DecideSubmit(benchmark::State& run) {
    const Rig rig(static_cast<std::uint64_t>(run.range(0)));
    const core::Command command = submit_of(UINT32_MAX);
    for (auto _ : run) benchmark::DoNotOptimize(rig.decide(command));
}
BENCHMARK(BM_DecideSubmit)->RangeMultiplier(10)->Range(10, 100'000);

/// A submit decided and applied; the ready queue takes it in.
void BM_TakeSubmit(benchmark::State& run) {
    Rig rig(static_cast<std::uint64_t>(run.range(0)));
    for (auto _ : run) {
        run.PauseTiming();
        const core::Command command = submit_of(rig.next());
        run.ResumeTiming();
        rig.take(command);
        if (rig.state.durable.last_seq % 1024 == 0) core::take_changes(rig.state);
    }
}
BENCHMARK(BM_TakeSubmit)->Arg(10)->Arg(100'000)->Iterations(50'000);

/// The next ready task is found, leased and applied, by hand.
void BM_ClaimNext(benchmark::State& run) {
    Rig rig(static_cast<std::uint64_t>(run.range(0)) + 20'000);
    core::Command command = command_of({});
    command.client = ClientId("c");
    core::ClaimTask claim;
    claim.role = RoleName("review");
    claim.from = "bench";
    for (auto _ : run) {
        ++command.request;
        command.body = claim;
        rig.take(command);
        if (rig.state.durable.last_seq % 512 == 0) core::take_changes(rig.state);
        rig.state.durable.requests.clear();
    }
}
BENCHMARK(BM_ClaimNext)->Arg(10)->Arg(100'000)->Iterations(900);

core::Event submitted_event() {
    Rig rig(0);
    return rig.take(submit_of(1)).back();
}

void BM_EncodeEvent(benchmark::State& run) {
    const core::Event event = submitted_event();
    for (auto _ : run) benchmark::DoNotOptimize(store::encode_body(event.body));
}
BENCHMARK(BM_EncodeEvent);

void BM_DecodeEvent(benchmark::State& run) {
    const core::Event event = submitted_event();
    const std::uint16_t kind = store::kind_number(event.body);
    const std::string body = store::encode_body(event.body);
    for (auto _ : run)
        benchmark::DoNotOptimize(store::decode_body(kind, store::kBodyVersion, body));
}
BENCHMARK(BM_DecodeEvent);

void BM_EncodeTask(benchmark::State& run) {
    Rig rig(1);
    core::Task task;
    rig.state.durable.open.for_each([&](const core::Task& open) { task = open; });
    for (auto _ : run) benchmark::DoNotOptimize(store::encode_task(task));
}
BENCHMARK(BM_EncodeTask);

/// Commits of batches of this many submits to SQLite on the disk of $TMPDIR, synced each; time of
/// one task.
void BM_Append(benchmark::State& run) {
    std::string folder = (std::filesystem::temp_directory_path() / "zq-micro-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) return run.SkipWithError("no folder");
    {
        store::SqliteJournal journal({folder, {}, {}, {}});
        coordinator::Pipeline pipeline(journal, {});
        if (!pipeline.acquire()) return run.SkipWithError("no journal");
        if (!pipeline.open_epoch(kNow, "bench")) return run.SkipWithError("no epoch");
        pipeline.run(command_of(core::BeginService{}));
        std::uint64_t number = 0;
        for (auto _ : run) {
            for (std::int64_t i = 0; i < run.range(0); ++i) pipeline.run(submit_of(number++));
            pipeline.append();
            while (pipeline.has_uncommitted()) {
                std::vector<PollItem> items{{nullptr, journal.results_fd(), false}};
                poll(items, seconds(1));
                if (!pipeline.collect()) return run.SkipWithError("a commit failed");
            }
            pipeline.release();
        }
        run.SetItemsProcessed(static_cast<std::int64_t>(number));
        if (!journal.close()) run.SkipWithError("it does not close");
    }
    std::filesystem::remove_all(folder);
}
BENCHMARK(BM_Append)->Arg(1)->Arg(64)->Arg(1024)->UseRealTime();

}  // namespace
}  // namespace zq

BENCHMARK_MAIN();
