#include "worker/task_socket/door.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace zq::worker {
namespace {

constexpr int kHighWater = 256;

bool begins_message(const std::string& frame) {
    return frame.rfind("zq/", 0) == 0;
}

/// Where the message begins: behind the first empty frame if it does, else at the first frame after
/// the routing id that looks like one.
std::size_t message_start(const Frames& frames) {
    const auto empty = std::find(frames.begin() + 1, frames.end(), std::string());
    if (empty != frames.end() && empty + 1 != frames.end() && begins_message(*(empty + 1))) {
        return static_cast<std::size_t>(empty + 1 - frames.begin());
    }
    const auto at = std::find_if(frames.begin() + 1, frames.end(), begins_message);
    return static_cast<std::size_t>(at - frames.begin());
}

}  // namespace

Result<TaskDoor> TaskDoor::open(SocketContext& context, std::string path) {
    SocketOptions options;
    options.kind = SocketKind::kRouter;
    options.send_high_water = kHighWater;
    options.receive_high_water = kHighWater;
    auto socket = Socket::open(context, options);
    if (!socket) return Failure(socket.error());
    if (auto ok = socket->bind("ipc://" + path); !ok) return Failure(ok.error());
    ::chmod(path.c_str(), 0600);
    return TaskDoor(std::move(*socket), std::move(path));
}

TaskDoor::~TaskDoor() {
    if (!path_.empty()) ::unlink(path_.c_str());
}

std::optional<Asked> TaskDoor::receive() {
    auto received = socket_.receive();
    if (!received) return std::nullopt;
    Frames& frames = received->frames;
    const std::size_t start = message_start(frames);
    const Frames message(frames.begin() + static_cast<std::ptrdiff_t>(start), frames.end());
    frames.resize(start);
    return Asked{std::move(frames), wire::decode(message), wire::peek_header(message).id};
}

void TaskDoor::answer(const Frames& envelope, const wire::Message& message) {
    Frames frames = envelope;
    for (std::string& frame : wire::encode(message)) frames.push_back(std::move(frame));
    (void)socket_.send(frames);
}

}  // namespace zq::worker
