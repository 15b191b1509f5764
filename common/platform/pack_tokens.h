// MessagePack tokens: writing them, and a parsed document to read them from. With its .cc the only
// place that sees the msgpack library. What they mean is pack.h's.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.h"

namespace zq {

/// Raw bytes (MessagePack bin), as opposed to text.
struct Bytes {
    std::string data;
    friend bool operator==(const Bytes&, const Bytes&) = default;
};

namespace pack {

/// Appends MessagePack tokens to a string it owns, in their shortest form.
class Writer {
  public:
    Writer();
    void nil();
    void boolean(bool value);
    void uint(std::uint64_t value);
    void sint(std::int64_t value);
    void text(std::string_view value);
    void bytes(std::string_view value);
    void array(std::size_t count);
    void map(std::size_t count);
    std::string take() { return std::move(out_); }

  private:
    std::string out_;
};

/// One value of a parsed document. Valid as long as its Document.
class Node {
  public:
    explicit Node(const void* object) : object_(object) {}
    bool is_nil() const;
    bool is_map() const;
    std::optional<bool> boolean() const;
    std::optional<std::uint64_t> uint() const;
    std::optional<std::int64_t> sint() const;
    std::optional<std::string_view> text() const;
    std::optional<std::string_view> bytes() const;
    /// Number of elements of an array, or of pairs of a map; nullopt for other types.
    std::optional<std::size_t> array_size() const;
    std::optional<std::size_t> map_size() const;
    Node at(std::size_t index) const;                        // of an array
    std::pair<Node, Node> pair_at(std::size_t index) const;  // of a map
    std::optional<Node> find(std::string_view key) const;    // of a map; the first that matches

  private:
    const void* object_;
};

/// A map whose keys are looked for many times.
class MapKeys {
  public:
    explicit MapKeys(Node map);
    /// The value of the first such key; nullopt: there is none.
    std::optional<Node> find(std::string_view key) const;

  private:
    static constexpr std::size_t kMost = 48;  // larger maps are looked through

    Node map_;
    std::size_t size_ = 0;
    std::array<std::uint64_t, kMost> marks_{};  // of the keys, in their order
};

/// A parsed MessagePack value within the bounds of limits.h (depth, items, sizes), UTF-8 checked.
/// Its texts lie in the bytes it was parsed from, which must outlive it.
class Document {
  public:
    static Result<Document> parse(std::string_view bytes);
    Document(Document&&) noexcept;
    Document& operator=(Document&&) noexcept;
    ~Document();
    Node root() const;

  private:
    struct Body;
    explicit Document(std::unique_ptr<Body> body);
    std::unique_ptr<Body> body_;
};

bool is_utf8(std::string_view text);

}  // namespace pack
}  // namespace zq
