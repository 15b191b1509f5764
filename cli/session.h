// A command's conversation with the coordinator: opened from the profile when first needed, closed
// with the command. Wire errors become problems with the hints that fit the command line.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "cli/exit_code.h"
#include "common/client/client.h"
#include "common/client/transfer.h"

namespace zq::cli {

struct Context;

/// The longest single long poll: short, so that a coordinator that died meanwhile is asked anew
/// soon.
inline constexpr Millis kPollSlice = seconds(10);

class Session {
  public:
    /// The coordinator of --connect, ZQ_CONNECT or the profile. Errors: as load_profile.
    static Expected<std::unique_ptr<Session>> open(const Context& context);
    /// The same for somebody who has no more time than that for an answer.
    static Expected<std::unique_ptr<Session>> open(const Context& context, Millis patience);
    static Expected<std::unique_ptr<Session>> open(ClientOptions options);
    /// The same with the worker around this command: large contents are laid into `spool` for it.
    static Expected<std::unique_ptr<Session>> open(ClientOptions options, std::string spool);

    /// One request and the reply that belongs to it.
    template <class Reply>
    Expected<Reply> call(const wire::Body& request, Millis poll_wait = {}) {
        auto message = exchange(request, poll_wait);
        if (!message) return tl::unexpected(message.error());
        auto* reply = std::get_if<Reply>(&message->body);
        if (reply == nullptr) return unexpected_reply(message->body);
        return std::move(*reply);
    }

    /// The same, with the contents that a refusal names as missing.
    tl::expected<wire::Message, CallError> try_call(const wire::Body& request);

    /// The artifacts socket's conversation; asks the coordinator where it is.
    Expected<Transfer*> transfer();
    Expected<std::string> artifacts_endpoint();

    /// Empty: contents are put on the artifacts socket.
    const std::string& spool() const { return spool_; }

    SocketContext& sockets() { return sockets_; }
    const Profile& profile() const { return client_->options().profile; }

  private:
    Session() = default;
    Expected<wire::Message> exchange(const wire::Body& request, Millis poll_wait);
    static tl::unexpected<Problem> unexpected_reply(const wire::Body& reply);

    SocketContext sockets_;
    std::unique_ptr<Client> client_;
    std::unique_ptr<Transfer> transfer_;
    std::string spool_;
};

/// Reads one task whole; `id` may be a unique prefix.
Expected<wire::TaskReply> get_task(Session& session, const std::string& id);

}  // namespace zq::cli
