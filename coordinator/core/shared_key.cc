#include "coordinator/core/shared_key.h"

#include <algorithm>
#include <limits>
#include <new>

#include "common/base/check.h"

namespace zq::core {

SharedKey::SharedKey(const TaskKey& key) {
    const std::string& ns = key.ns.text;
    const std::string& id = key.id.text;
    constexpr std::size_t kLongest = std::numeric_limits<std::uint16_t>::max();
    ZQ_CHECK(ns.size() <= kLongest && id.size() <= kLongest);
    void* place = ::operator new(sizeof(Block) + ns.size() + id.size());
    block_ = new (place)
        Block{1, static_cast<std::uint16_t>(ns.size()), static_cast<std::uint16_t>(id.size())};
    char* text = reinterpret_cast<char*>(block_ + 1);
    std::copy(id.begin(), id.end(), std::copy(ns.begin(), ns.end(), text));
}

SharedKey::~SharedKey() {
    if (block_ != nullptr && --block_->users == 0) ::operator delete(block_);
}

}  // namespace zq::core
