// A task's full name, stored once and shared by all that hold it: of a million tasks that wait,
// names in the open tasks and in the indexes would be most of what is in memory. Used by one
// thread.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>
#include <utility>

#include "common/base/ids.h"

namespace zq::core {

class SharedKey {
  public:
    explicit SharedKey(const TaskKey& key);
    SharedKey(const SharedKey& other) noexcept : block_(other.block_) { ++block_->users; }
    SharedKey(SharedKey&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
    SharedKey& operator=(SharedKey other) noexcept {
        std::swap(block_, other.block_);
        return *this;
    }
    ~SharedKey();

    std::string_view ns() const { return {text(), block_->ns_size}; }
    std::string_view id() const { return {text() + block_->ns_size, block_->id_size}; }
    TaskKey key() const { return {Namespace(ns()), TaskId(id())}; }

    /// Like those of TaskKey.
    friend bool operator==(const SharedKey& a, const SharedKey& b) {
        return a.block_ == b.block_ || (a.id() == b.id() && a.ns() == b.ns());
    }
    friend std::strong_ordering operator<=>(const SharedKey& a, const SharedKey& b) {
        if (const auto order = a.ns() <=> b.ns(); order != 0) return order;
        return a.id() <=> b.id();
    }
    friend bool operator==(const SharedKey& a, const TaskKey& b) {
        return a.id() == b.id.text && a.ns() == b.ns.text;
    }

  private:
    /// The two texts follow it.
    struct Block {
        std::uint32_t users;
        std::uint16_t ns_size;
        std::uint16_t id_size;
    };
    const char* text() const { return reinterpret_cast<const char*>(block_ + 1); }

    Block* block_;  // null: moved from
};

}  // namespace zq::core
