// What an export leaves out unless it is asked for: names of machines, and where files lie on them.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "cli/command.h"
#include "common/platform/json.h"

namespace zq::cli {

inline constexpr Flag kPlaces{
    "places", "", "With names of machines and people, and paths, which are left out else",
    Takes::kNothing};

/// The same record without them. Workers are told apart by the beginning of their name's SHA-256
/// (`worker-1a2b3c4d`), identities by their key (`@FINGERPRINT`); of a path in a URI its last part
/// stays, and home folders become `~`, in every text.
Json without_places(const Json& record);

/// Of one text: home folders and the paths of `file:` URIs.
std::string without_paths(std::string_view text);

}  // namespace zq::cli
