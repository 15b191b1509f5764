// libFuzzer's entry (preset `fuzz`): zq_decode_fuzz CORPUS_FOLDER. `zq_decode_random --corpus
// FOLDER` writes a corpus of the golden vectors to start from.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/decode_property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    zq::fuzz::check_decode({reinterpret_cast<const char*>(data), size});
    return 0;
}
