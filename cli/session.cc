#include "cli/session.h"

#include <algorithm>

#include "cli/command.h"

namespace zq::cli {

Expected<std::unique_ptr<Session>> Session::open(ClientOptions options) {
    std::unique_ptr<Session> session(new Session());
    auto client = Client::open(session->sockets_, std::move(options));
    if (!client) return problem(client.error());
    session->client_ = std::move(*client);
    return session;
}

Expected<std::unique_ptr<Session>> Session::open(ClientOptions options, std::string spool) {
    auto session = open(std::move(options));
    if (session) (*session)->spool_ = std::move(spool);
    return session;
}

Expected<std::unique_ptr<Session>> Session::open(const Context& context) {
    auto profile = load_profile(context.args.text("connect"));
    if (!profile) return problem(profile.error(), "see `zq help join`");
    return open(ClientOptions{std::move(*profile)});
}

Expected<std::unique_ptr<Session>> Session::open(const Context& context, Millis patience) {
    auto profile = load_profile(context.args.text("connect"));
    if (!profile) return problem(profile.error(), "see `zq help join`");
    ClientOptions options{std::move(*profile)};
    options.give_up = std::min(options.give_up, std::max(patience, seconds(1)));
    return open(std::move(options));
}

tl::expected<wire::Message, CallError> Session::try_call(const wire::Body& request) {
    return client_->call(request);
}

Expected<wire::Message> Session::exchange(const wire::Body& request, Millis poll_wait) {
    auto message = client_->call(request, poll_wait);
    if (!message) return problem(message.error().error);
    return std::move(*message);
}

tl::unexpected<Problem> Session::unexpected_reply(const wire::Body& reply) {
    return problem(ErrorCode::UNSUPPORTED_VERSION,
                   "the coordinator answered with " + std::string(wire::type_of(reply)));
}

Expected<std::string> Session::artifacts_endpoint() {
    if (client_->artifacts_endpoint().empty()) {
        if (auto pong = call<wire::Pong>(wire::Ping{}); !pong) return tl::unexpected(pong.error());
    }
    return client_->artifacts_endpoint();
}

Expected<Transfer*> Session::transfer() {
    if (transfer_) return transfer_.get();
    auto endpoint = artifacts_endpoint();
    if (!endpoint) return tl::unexpected(endpoint.error());
    auto curve = curve_of(profile());
    if (!curve) return problem(curve.error());
    TransferOptions options;
    options.endpoint = std::move(*endpoint);
    options.curve = std::move(*curve);
    auto transfer = Transfer::open(sockets_, std::move(options));
    if (!transfer) return problem(transfer.error());
    transfer_ = std::move(*transfer);
    return transfer_.get();
}

Expected<wire::TaskReply> get_task(Session& session, const std::string& id) {
    return session.call<wire::TaskReply>(wire::Get{TaskId(id), true});
}

}  // namespace zq::cli
