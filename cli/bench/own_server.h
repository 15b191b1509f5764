// The coordinator that a benchmark runs against: one of its own, in a fresh folder that goes with
// it; and what such a process uses.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/child.h"
#include "common/platform/socket.h"

namespace zq::cli {

struct OwnServerOptions {
    std::string parent;  // folder that the fresh one is made in
    bool curve = false;  // connections are encrypted, as between machines
};

/// A TCP port of this machine that nobody listens on just now; 0 where there is none.
int free_port();

class OwnServer {
  public:
    /// Makes the folder and starts the coordinator; it answers. Errors: IO, UNREACHABLE.
    static Expected<std::unique_ptr<OwnServer>> start(const OwnServerOptions& options);
    OwnServer(const OwnServer&) = delete;
    OwnServer& operator=(const OwnServer&) = delete;
    /// Ends it in order and removes the folder.
    ~OwnServer();

    const std::string& endpoint() const { return profile_.endpoints.front(); }
    const std::string& folder() const { return folder_; }
    std::optional<CurveKeys> curve() const { return curve_; }
    const Profile& profile() const { return profile_; }

    /// kill -9, and a new start on the same folder. Gives the seconds from the start until it
    /// answered.
    Expected<double> restart();

    double rss_mib() const;
    /// Of all its threads so far, in seconds.
    double cpu_seconds() const;
    double disk_mib() const;

  private:
    explicit OwnServer(OwnServerOptions options) : options_(std::move(options)) {}
    Expected<void> make_folder();
    Expected<void> launch();
    void end();

    OwnServerOptions options_;
    std::string folder_;
    std::vector<std::string> flags_;
    Profile profile_;
    std::optional<CurveKeys> curve_;
    std::optional<Child> child_;
};

}  // namespace zq::cli
