// What `role`, `limit` and `worker` say of what they name: the flags that they share, the request,
// and what a dry run prints of it.
#pragma once

#include <vector>

#include "cli/command.h"
#include "cli/session.h"
#include "common/wire/codec.h"

namespace zq::cli {

inline constexpr Flag kControlReason{
    "reason", "TEXT", "Why; `zq why` tells it, and the journal keeps it with who said it"};
inline constexpr Flag kConcurrency{"concurrency", "N|none", "Tasks that run at a time"};
inline constexpr Flag kStartRate{"rate", "RATE|none",
                                 "Starts, evenly: 60/m, 10/s, 5/30s; 60/m:10 lets 10 start at once "
                                 "after a rest"};
inline constexpr Flag kReset{"reset", "", "All that is not named here is as the configuration says",
                             Takes::kNothing};

/// The limits that --concurrency, --rate, --max-open and --max-bytes set; `none` is a limit that is
/// none. Errors: usage.
Expected<Limits> read_limits(const Arguments& args);

/// `it would be paused, with concurrency 4`.
std::string change_text(const wire::SetControl& set);

/// Says it to the coordinator; with --dry-run says on stderr what would be said.
Expected<void> set_control(const Context& context, Session& session, const wire::SetControl& set);

/// What is known of those of a kind, or of the one with this name.
Expected<wire::ControlRows> read_controls(Session& session, ControlKind kind,
                                          const std::string& name = {});

}  // namespace zq::cli
