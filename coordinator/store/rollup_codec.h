// A rollup's bytes as they stand in the table `rollups`.
#pragma once

#include <string>
#include <string_view>

#include "coordinator/store/rollup.h"

namespace zq::store {

std::string encode_rollup(const Rollup& rollup);
/// Errors: pack::decode's; IO where a histogram is none.
Result<Rollup> decode_rollup(std::string_view bytes);

}  // namespace zq::store
