// The socket of one attempt (ROUTER, ipc, 0600): what its processes say comes in here, and the
// answers go out. Knows frames and files; what the messages mean is request.h's.
#pragma once

#include <optional>
#include <string>

#include "common/platform/socket.h"
#include "common/wire/codec.h"

namespace zq::worker {

/// What somebody said, and where the answer goes.
struct Asked {
    Frames envelope;
    Result<wire::Message> message;
    std::uint64_t request = 0;  // its id, as far as it can be read
};

class TaskDoor {
  public:
    /// Binds at `path`, where nothing may be. Errors: IO.
    static Result<TaskDoor> open(SocketContext& context, std::string path);
    TaskDoor(TaskDoor&&) noexcept = default;
    TaskDoor& operator=(TaskDoor&&) noexcept = default;
    /// Closes, and removes the file.
    ~TaskDoor();

    std::optional<Asked> receive();
    /// An answer that nobody waits for any more is dropped.
    void answer(const Frames& envelope, const wire::Message& message);
    void* raw() const { return socket_.raw(); }
    const std::string& path() const { return path_; }

  private:
    TaskDoor(Socket socket, std::string path)
        : socket_(std::move(socket)), path_(std::move(path)) {}

    Socket socket_;
    std::string path_;
};

}  // namespace zq::worker
