#include "cli/bench/own_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/bench/queue.h"
#include "cli/start.h"

namespace zq::cli {
namespace {

constexpr Millis kEndPatience = seconds(60);

std::string endpoint_on(const std::string& host) {
    return "tcp://" + host + ":" + std::to_string(free_port());
}

}  // namespace

int free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    int port = 0;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
        port = ntohs(address.sin_port);
    }
    ::close(fd);
    return port;
}

Expected<void> OwnServer::make_folder() {
    std::string pattern = options_.parent + "/zq-bench-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
        return problem(ErrorCode::IO,
                       "cannot make a folder in " + options_.parent + ": " + std::strerror(errno),
                       "--data names a folder that is there and may be written");
    }
    folder_ = pattern;
    const std::string data = folder_ + "/data";
    flags_ = {"--data", data, "--log-level", "error"};
    if (!options_.curve) {
        profile_.endpoints = {endpoint_on("127.0.0.1")};
        flags_.insert(flags_.end(), {"--bind", profile_.endpoints.front(), "--artifacts-bind",
                                     endpoint_on("127.0.0.1")});
        return {};
    }
    SettingsChange change;
    // Keys are asked for where other machines get in, and of everybody there.
    change.binds = {endpoint_on("0.0.0.0")};
    change.artifacts_binds = {endpoint_on("0.0.0.0")};
    auto server = ensure_server_folder(data, change);
    if (!server) return tl::unexpected(server.error());
    profile_ = std::move(server->profile);
    auto curve = curve_of(profile_);
    if (!curve) return problem(curve.error());
    curve_ = std::move(*curve);
    if (!curve_) return problem(ErrorCode::IO, "the fresh coordinator has no keys");
    return {};
}

Expected<void> OwnServer::launch() {
    auto child = Child::start("zq-coordinator", flags_);
    if (!child) return tl::unexpected(child.error());
    child_ = std::move(*child);
    return await_coordinator(*child_, profile_);
}

Expected<std::unique_ptr<OwnServer>> OwnServer::start(const OwnServerOptions& options) {
    // Its end is waited for, see Child.
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    std::unique_ptr<OwnServer> server(new OwnServer(options));
    if (auto ok = server->make_folder(); !ok) return tl::unexpected(ok.error());
    if (auto ok = server->launch(); !ok) return tl::unexpected(ok.error());
    return server;
}

Expected<double> OwnServer::restart() {
    child_->signal(SIGKILL);
    child_->ends_within(kEndPatience);
    const std::int64_t start = now_ns();
    if (auto ok = launch(); !ok) return tl::unexpected(ok.error());
    return static_cast<double>(now_ns() - start) / 1e9;
}

void OwnServer::end() {
    if (!child_) return;
    child_->signal(SIGTERM);
    if (!child_->ends_within(kEndPatience)) child_->signal(SIGKILL);
    child_->ends_within(kEndPatience);
}

OwnServer::~OwnServer() {
    end();
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

double OwnServer::rss_mib() const {
    std::ifstream status("/proc/" + std::to_string(child_->pid()) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.rfind("VmRSS:", 0) == 0) return std::strtod(line.c_str() + 6, nullptr) / 1024;
    }
    return 0;
}

double OwnServer::cpu_seconds() const {
    std::ifstream stat("/proc/" + std::to_string(child_->pid()) + "/stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    std::istringstream fields(text.substr(text.rfind(')') + 1));
    std::string field;
    // Behind the name: state is the third field, utime the 14th, stime the 15th.
    for (int i = 3; i < 14; ++i) fields >> field;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double OwnServer::disk_mib() const {
    std::uintmax_t bytes = 0;
    std::error_code error;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_, error)) {
        if (entry.is_regular_file(error)) bytes += entry.file_size(error);
    }
    return static_cast<double>(bytes) / 1024 / 1024;
}

}  // namespace zq::cli
