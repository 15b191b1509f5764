// Messages in a few words, for the trace.
#pragma once

#include <string>

#include "common/wire/codec.h"

namespace zq::sim {

/// `ASSIGN c1-t4#2 0000000200000007 id=0`
std::string describe_message(const wire::Message& message);

/// The number of a token, as in a trace.
std::string short_token(const LeaseToken& token);

}  // namespace zq::sim
