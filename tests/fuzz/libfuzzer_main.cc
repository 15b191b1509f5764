// libFuzzer's entry to a target (preset `fuzz`).
#include <cstddef>
#include <cstdint>

#include "common/platform/log.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const bool silent = zq::set_log_level("off").has_value();
    static_cast<void>(silent);
    zq::fuzz::run({reinterpret_cast<const char*>(data), size});
    return 0;
}
