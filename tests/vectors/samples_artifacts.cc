// Samples of the artifacts socket.
#include "tests/vectors/samples.h"

namespace zq::vectors {
namespace {

wire::Put put() {
    wire::Put m;
    m.digest = digest_from(0x10);
    m.size = 70'000;
    return m;
}

wire::Put put_output() {
    wire::Put m = put();
    m.size = std::uint64_t{5} << 30;
    m.task = TaskId("task-123");
    m.lease = lease_number(1);
    return m;
}

wire::Pull pull() {
    wire::Pull m;
    m.digest = digest_from(0x10);
    m.offset = 65'536;
    m.chunks = 8;
    return m;
}

wire::Chunk chunk() {
    wire::Chunk m;
    m.digest = digest_from(0x10);
    m.offset = 69'995;
    m.size = 70'000;
    return m;
}

wire::Stored stored() {
    wire::Stored m;
    m.digest = digest_from(0x10);
    m.size = 70'000;
    return m;
}

wire::Fetch fetch(std::uint32_t attempt, const std::string& name) {
    wire::Fetch m;
    m.task = TaskId("task-123");
    m.attempt = attempt;
    m.name = name;
    m.length = limits::kChunkBytes;
    return m;
}

wire::Fetch fetch_checkpoint() {
    wire::Fetch m = fetch(1, "state.json");
    m.checkpoint = 3;
    return m;
}

wire::Upstream upstream() {
    wire::Upstream m;
    m.task = TaskId("task-123");
    m.skip = 1;
    m.limit = 1'000;
    return m;
}

wire::UpstreamRows upstream_rows() {
    wire::UpstreamRow done;
    done.id = TaskId("task-121");
    done.attempt = 1;
    done.summary = "12 risks found";
    done.artifacts = {{"result.md", digest_from(0x10), 70'000, "text/markdown", ""}};
    wire::UpstreamRow dead;
    dead.id = TaskId("task-122");
    dead.state = TaskState::kDead;
    dead.dead_reason = DeadReason::kPoison;
    dead.attempt = 3;
    dead.reason = "the lease was not renewed";
    return {{done, dead}, 3};
}

wire::LogPiece piece(std::uint64_t seq, LogStream stream, std::uint64_t offset, std::string data) {
    wire::LogPiece m;
    m.seq = seq;
    m.stream = stream;
    m.offset = offset;
    m.data.data = std::move(data);
    return m;
}

wire::Log log() {
    wire::Log m;
    m.task = TaskId("task-123");
    m.attempt = 1;
    m.lease = lease_number(1);
    m.pieces = {piece(7, LogStream::kStdout, 1'200, "reading\n"),
                piece(8, LogStream::kStderr, 0, "warning: \xff\n")};
    return m;
}

wire::Log last_log() {
    wire::Log m = log();
    m.pieces.clear();
    m.last = true;
    return m;
}

wire::ReadLog read_log() {
    wire::ReadLog m;
    m.task = TaskId("task-123");
    m.attempt = 1;
    m.after = 7;
    m.wait = seconds(2);
    return m;
}

wire::LogPage log_page() {
    wire::LogPage m;
    m.pieces = {piece(8, LogStream::kStderr, 0, "warning: \xff\n")};
    m.open = true;
    return m;
}

}  // namespace

std::vector<Sample> artifact_samples() {
    return {
        {"put", {request(1), put(), {}}},
        {"put-output", {header(1), put_output(), {}}},
        {"pull", {header(1, 3), pull(), {}}},
        {"chunk", {request(2), chunk(), std::string("\0tail", 5)}},
        {"stored", {header(2, 3), stored(), {}}},
        {"fetch", {request(3), fetch(1, "log/stdout"), {}}},
        {"fetch-input", {request(4), fetch(0, "context"), {}}},
        {"fetch-checkpoint", {request(5), fetch_checkpoint(), {}}},
        {"upstream", {request(6), upstream(), {}}},
        {"upstream-rows", {header(6, 3), upstream_rows(), {}}},
        {"log", {header(3), log(), {}}},
        {"log-last", {header(4), last_log(), {}}},
        {"logged", {header(3, 3), wire::Logged{9}, {}}},
        {"read-log", {request(5), read_log(), {}}},
        {"log-page", {header(5, 3), log_page(), {}}},
        {"log-page-complete", {header(6, 3), wire::LogPage{{}, false, true}, {}}},
    };
}

}  // namespace zq::vectors
