// The folder of the sockets that attempts speak through. An address of a unix socket has 107 bytes,
// so it is made where a path is short enough.
#pragma once

#include <string>

#include "common/base/error.h"

namespace zq::worker {

/// STATE/sockets; where that is too long a folder under /tmp, to which STATE/sockets is a link, so
/// that the next start finds it. Private (0700), and empty when it returns: what an earlier start
/// left goes. Errors: IO.
Result<std::string> make_socket_folder(const std::string& state);

/// Where the socket of a lease lies.
std::string socket_path(const std::string& folder, std::uint64_t lease_number);

}  // namespace zq::worker
