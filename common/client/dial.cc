#include "common/client/dial.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "common/platform/files.h"

namespace zq {
namespace {

constexpr int kDialMs = 1000;

struct FreeAddresses {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

/// 0 if something accepts the connection, else the errno of the refusal.
int dial(const addrinfo& address) {
    FileHandle socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket.is_open()) return errno;
    if (::connect(socket.fd(), address.ai_addr, address.ai_addrlen) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    pollfd item{socket.fd(), POLLOUT, 0};
    if (::poll(&item, 1, kDialMs) <= 0) return ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
    return error;
}

}  // namespace

std::string explain_silence(const std::string& endpoint, bool has_keys) {
    const auto colon = endpoint.rfind(':');
    if (endpoint.rfind("tcp://", 0) != 0 || colon <= 5) return "nobody answers there";
    std::string host = endpoint.substr(6, colon - 6);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (int error = ::getaddrinfo(host.c_str(), endpoint.substr(colon + 1).c_str(), &hints, &found);
        error != 0) {
        return std::string("cannot resolve the host: ") + ::gai_strerror(error);
    }
    std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
    const int error = dial(*addresses);
    if (error == ECONNREFUSED) return "nothing listens there";
    if (error != 0) return std::string(std::strerror(error));
    return has_keys ? "something listens there but does not talk to this key; is the invitation "
                      "used up or expired, or the key removed?"
                    : "something listens there but does not talk without a key; run the `zq join` "
                      "line that `zq invite` prints on the coordinator's machine";
}

}  // namespace zq
