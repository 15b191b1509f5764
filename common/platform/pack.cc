#include "common/platform/pack.h"

#include <algorithm>
#include <cstring>
#include <msgpack.hpp>

#include "common/base/check.h"
#include "common/base/limits.h"

namespace zq::pack {
namespace {

/// Adapts std::string to msgpack's stream concept.
struct StringSink {
    std::string& out;
    void write(const char* data, std::size_t size) { out.append(data, size); }
};

using Packer = msgpack::packer<StringSink>;

const msgpack::object& as_object(const void* object) {
    return *static_cast<const msgpack::object*>(object);
}

std::string_view str_of(const msgpack::object& object) {
    return {object.via.str.ptr, object.via.str.size};
}

bool texts_are_utf8(const msgpack::object& object) {
    switch (object.type) {
        case msgpack::type::STR:
            return is_utf8(str_of(object));
        case msgpack::type::ARRAY:
            for (std::uint32_t i = 0; i < object.via.array.size; ++i) {
                if (!texts_are_utf8(object.via.array.ptr[i])) return false;
            }
            return true;
        case msgpack::type::MAP:
            for (std::uint32_t i = 0; i < object.via.map.size; ++i) {
                if (!texts_are_utf8(object.via.map.ptr[i].key)) return false;
                if (!texts_are_utf8(object.via.map.ptr[i].val)) return false;
            }
            return true;
        default:
            return true;
    }
}

/// Most of what is written fits, and need not be moved while it grows.
constexpr std::size_t kUsualBytes = 1024;

}  // namespace

Writer::Writer() {
    out_.reserve(kUsualBytes);
}

// clang-format off
void Writer::nil() { StringSink sink{out_}; Packer(sink).pack_nil(); }
void Writer::boolean(bool value) { StringSink sink{out_}; Packer p(sink); value ? p.pack_true() : p.pack_false(); }
void Writer::uint(std::uint64_t value) { StringSink sink{out_}; Packer(sink).pack_uint64(value); }
void Writer::sint(std::int64_t value) { StringSink sink{out_}; Packer(sink).pack_int64(value); }
void Writer::array(std::size_t count) { StringSink sink{out_}; Packer(sink).pack_array(static_cast<std::uint32_t>(count)); }
void Writer::map(std::size_t count) { StringSink sink{out_}; Packer(sink).pack_map(static_cast<std::uint32_t>(count)); }
// clang-format on

void Writer::text(std::string_view value) {
    StringSink sink{out_};
    Packer packer(sink);
    packer.pack_str(static_cast<std::uint32_t>(value.size()));
    packer.pack_str_body(value.data(), static_cast<std::uint32_t>(value.size()));
}

void Writer::bytes(std::string_view value) {
    StringSink sink{out_};
    Packer packer(sink);
    packer.pack_bin(static_cast<std::uint32_t>(value.size()));
    packer.pack_bin_body(value.data(), static_cast<std::uint32_t>(value.size()));
}

bool Node::is_nil() const {
    return as_object(object_).type == msgpack::type::NIL;
}
bool Node::is_map() const {
    return as_object(object_).type == msgpack::type::MAP;
}

std::optional<bool> Node::boolean() const {
    const auto& object = as_object(object_);
    if (object.type != msgpack::type::BOOLEAN) return std::nullopt;
    return object.via.boolean;
}

std::optional<std::uint64_t> Node::uint() const {
    const auto& object = as_object(object_);
    if (object.type != msgpack::type::POSITIVE_INTEGER) return std::nullopt;
    return object.via.u64;
}

std::optional<std::int64_t> Node::sint() const {
    const auto& object = as_object(object_);
    if (object.type == msgpack::type::NEGATIVE_INTEGER) return object.via.i64;
    if (object.type != msgpack::type::POSITIVE_INTEGER) return std::nullopt;
    if (object.via.u64 > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
    return static_cast<std::int64_t>(object.via.u64);
}

std::optional<std::string_view> Node::text() const {
    const auto& object = as_object(object_);
    if (object.type != msgpack::type::STR) return std::nullopt;
    return str_of(object);
}

std::optional<std::string_view> Node::bytes() const {
    const auto& object = as_object(object_);
    if (object.type != msgpack::type::BIN) return std::nullopt;
    return std::string_view(object.via.bin.ptr, object.via.bin.size);
}

std::optional<std::size_t> Node::array_size() const {
    const auto& object = as_object(object_);
    if (object.type != msgpack::type::ARRAY) return std::nullopt;
    return object.via.array.size;
}

std::optional<std::size_t> Node::map_size() const {
    const auto& object = as_object(object_);
    if (object.type != msgpack::type::MAP) return std::nullopt;
    return object.via.map.size;
}

Node Node::at(std::size_t index) const {
    const auto& array = as_object(object_).via.array;
    ZQ_CHECK(index < array.size);
    return Node(&array.ptr[index]);
}

std::pair<Node, Node> Node::pair_at(std::size_t index) const {
    const auto& map = as_object(object_).via.map;
    ZQ_CHECK(index < map.size);
    return {Node(&map.ptr[index].key), Node(&map.ptr[index].val)};
}

std::optional<Node> Node::find(std::string_view key) const {
    const auto& map = as_object(object_).via.map;
    for (std::uint32_t i = 0; i < map.size; ++i) {
        const auto& candidate = map.ptr[i].key;
        if (candidate.type == msgpack::type::STR && str_of(candidate) == key) {
            return Node(&map.ptr[i].val);
        }
    }
    return std::nullopt;
}

namespace {

/// Tells keys apart by their length and first bytes, most often.
std::uint64_t mark_of(std::string_view key) {
    std::uint64_t mark = 0;
    if (!key.empty()) std::memcpy(&mark, key.data(), std::min(key.size(), sizeof mark));
    return mark ^ key.size() << 56;
}

}  // namespace

MapKeys::MapKeys(Node map) : map_(map) {
    const std::size_t size = map.map_size().value_or(0);
    if (size > kMost) return;
    for (; size_ < size; ++size_) {
        // What is no text has a mark too; what it is is looked at where the mark fits.
        marks_[size_] = mark_of(map.pair_at(size_).first.text().value_or(std::string_view()));
    }
}

std::optional<Node> MapKeys::find(std::string_view key) const {
    if (size_ == 0) return map_.is_map() ? map_.find(key) : std::nullopt;
    const std::uint64_t mark = mark_of(key);
    for (std::size_t i = 0; i < size_; ++i) {
        if (marks_[i] != mark) continue;
        const auto [found, value] = map_.pair_at(i);
        if (found.text() == key) return value;
    }
    return std::nullopt;
}

std::string Path::text() const {
    if (outer_ == nullptr) return {};
    std::string text = outer_->text();
    if (key_ == nullptr) return text + "[" + std::to_string(index_) + "]";
    if (!text.empty()) text += '.';
    return text + key_;
}

struct Document::Body {
    msgpack::object_handle handle;
};

Document::Document(std::unique_ptr<Body> body) : body_(std::move(body)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Node Document::root() const {
    return Node(&body_->handle.get());
}

namespace {

/// Follows the bytes as unpacking does and makes nothing: what is broken is found without an
/// exception, which a flood of garbage would have us throw for each message. It stops where
/// unpacking meets a bound.
struct Probe : msgpack::null_visitor {
    bool start_array(std::uint32_t items) { return enter(items); }
    bool start_map(std::uint32_t items) { return enter(items); }
    bool end_array() { return leave(); }
    bool end_map() { return leave(); }
    void parse_error(std::size_t, std::size_t) { broken = true; }
    void insufficient_bytes(std::size_t, std::size_t) { broken = true; }

    bool enter(std::uint32_t items) {
        return items <= limits::kPackItems && ++depth <= limits::kPackDepth;
    }
    bool leave() {
        --depth;
        return true;
    }

    std::size_t depth = 0;
    bool broken = false;
};

bool is_broken(std::string_view bytes) {
    Probe probe;
    std::size_t offset = 0;
    return !msgpack::parse(bytes.data(), bytes.size(), offset, probe) && probe.broken;
}

}  // namespace

Result<Document> Document::parse(std::string_view bytes) {
    if (is_broken(bytes)) return fail(ErrorCode::MALFORMED, "not a MessagePack value");
    const msgpack::unpack_limit bounds(limits::kPackItems, limits::kPackItems,
                                       limits::kMessageBytes, limits::kMessageBytes, 0,
                                       limits::kPackDepth);
    auto body = std::make_unique<Body>();
    try {
        std::size_t offset = 0;
        const auto by_reference = [](msgpack::type::object_type, std::size_t, void*) {
            return true;
        };
        msgpack::unpack(body->handle, bytes.data(), bytes.size(), offset, by_reference, nullptr,
                        bounds);
        if (offset != bytes.size()) {
            return fail(ErrorCode::MALFORMED, "bytes after the MessagePack value");
        }
    } catch (const msgpack::size_overflow&) {
        return fail(ErrorCode::TOO_LARGE, "a MessagePack value exceeds a bound");
    } catch (const std::exception&) {
        return fail(ErrorCode::MALFORMED, "not a MessagePack value");
    }
    if (!texts_are_utf8(body->handle.get())) {
        return fail(ErrorCode::MALFORMED, "a string is not UTF-8");
    }
    return Document(std::move(body));
}

namespace {

/// How many of the first bytes are ASCII, counted in whole words: most texts are.
std::size_t ascii_words(std::string_view text) {
    std::size_t count = 0;
    std::uint64_t word = 0;
    while (count + sizeof word <= text.size()) {
        std::memcpy(&word, text.data() + count, sizeof word);
        if ((word & 0x8080'8080'8080'8080U) != 0) break;
        count += sizeof word;
    }
    return count;
}

}  // namespace

bool is_utf8(std::string_view text) {
    // The well-formed ranges of Unicode 15, table 3-7.
    std::size_t i = 0;
    auto at = [&](std::size_t k) {
        return k < text.size() ? static_cast<unsigned char>(text[k]) : 0U;
    };
    auto tail = [&](std::size_t k) { return (at(k) & 0xC0U) == 0x80U; };
    while (i < text.size()) {
        unsigned c = at(i);
        if (c < 0x80) {
            i += std::max<std::size_t>(1, ascii_words(text.substr(i)));
        } else if (c >= 0xC2 && c <= 0xDF && tail(i + 1)) {
            i += 2;
        } else if (c >= 0xE0 && c <= 0xEF && tail(i + 1) && tail(i + 2) &&
                   !(c == 0xE0 && at(i + 1) < 0xA0) && !(c == 0xED && at(i + 1) > 0x9F)) {
            i += 3;
        } else if (c >= 0xF0 && c <= 0xF4 && tail(i + 1) && tail(i + 2) && tail(i + 3) &&
                   !(c == 0xF0 && at(i + 1) < 0x90) && !(c == 0xF4 && at(i + 1) > 0x8F)) {
            i += 4;
        } else {
            return false;
        }
    }
    return true;
}

}  // namespace zq::pack
