// Messages and their frames. A message is: protocol `zq/1`, the type's name, one MessagePack map
// (the header's keys and the message's own), and for CHUNK a body frame of raw bytes. The return
// envelope before them is the socket's business (socket.h).
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/wire/access_messages.h"
#include "common/wire/artifact_messages.h"
#include "common/wire/backup_messages.h"
#include "common/wire/batch_messages.h"
#include "common/wire/client_messages.h"
#include "common/wire/cluster_queries.h"
#include "common/wire/control_messages.h"
#include "common/wire/dead_letter_messages.h"
#include "common/wire/gc_messages.h"
#include "common/wire/log_messages.h"
#include "common/wire/question_queries.h"
#include "common/wire/stats_queries.h"
#include "common/wire/task_queries.h"
#include "common/wire/upstream_messages.h"
#include "common/wire/usage_queries.h"
#include "common/wire/worker_messages.h"

namespace zq::wire {

inline constexpr std::string_view kProtocol = "zq/1";

/// The keys every map may have beside the message's own. Requests carry `id` and, from clients,
/// `client`; replies repeat `id` and carry the rest. Pushed messages have id 0.
struct Header {
    std::uint64_t id = 0;     // request id, unique within one client instance or worker session
    ClientId client;          // one run of a client library
    std::uint32_t epoch = 0;  // replies: the coordinator's epoch
    std::uint64_t seq = 0;    // replies: where something was written, its last sequence number
    std::uint32_t artifacts_port = 0;  // replies on the control socket: TCP port of the other one
    std::string artifacts_endpoint;    // or its whole endpoint, where `advertise` or ipc is used
    friend bool operator==(const Header&, const Header&) = default;
};
template <class V, Of<Header> T>
void describe(V& v, T& h) {
    v.optional("id", h.id);
    v.optional("client", h.client);
    v.optional("epoch", h.epoch);
    v.optional("seq", h.seq);
    v.optional("artifacts_port", h.artifacts_port);
    v.optional("artifacts_endpoint", h.artifacts_endpoint);
}

using AnyBody =
    std::variant<Hello, Welcome, Ready, Heartbeat, Beat, Assign, Complete, Skip, Fail, Release,
                 Progress, Checkpoint, Accepted, Goodbye, Ping, Pong, Submit, Submitted, Get,
                 TaskReply, List, Tasks, Wait, Ended, Events, EventRows, Answers, Cancel, Claim,
                 Claimed, Workers, WorkerRows, Leases, LeaseRows, Status, StatusReply, Join, Joined,
                 ErrorReply, Put, Pull, Chunk, Stored, Fetch, Backup, BackupReply, Ask, Asked,
                 AnswerQuestion, Questions, QuestionRows, UsageQuery, UsageRows, Log, Logged,
                 ReadLog, LogPage, Gc, GcReply, Spend, Replay, Edit, Remove, Changed, Upstream,
                 UpstreamRows, Batch, Batched, Stats, StatsReply, SetControl, ControlSet, Controls,
                 ControlRows, Access, AccessRows, SetAccess, Rotate>;

/// A message of any type. A class of its own, so that what a variant of sixty types needs to be
/// copied, moved and compared is compiled once (codec.cc) and not in every file.
struct Body : AnyBody {
    using AnyBody::AnyBody;
    using AnyBody::operator=;
    Body();
    Body(const Body& other);
    Body(Body&& other) noexcept;
    Body& operator=(const Body& other);
    Body& operator=(Body&& other) noexcept;
    ~Body();
    friend bool operator==(const Body& a, const Body& b);
};
bool operator==(const Body& a, const Body& b);

struct Message {
    Header header;
    Body body;
    std::string payload;  // the body frame; only CHUNK has one
    friend bool operator==(const Message&, const Message&) = default;
};

using Frames = std::vector<std::string>;

/// The message's frames: 3, or 4 with a payload.
Frames encode(const Message& message);

/// Decodes the frames after the return envelope. Errors: MALFORMED (frame count, not MessagePack),
/// UNSUPPORTED_VERSION, UNKNOWN_TYPE, TOO_LARGE, INVALID with the field.
Result<Message> decode(const Frames& frames);

/// The header alone, as far as it can be read: lets an error about a bad message still be answered
/// under its request id. Empty fields where it can't.
Header peek_header(const Frames& frames);

/// The type's name of a message, such as `HELLO`.
std::string_view type_of(const Body& body);

}  // namespace zq::wire
