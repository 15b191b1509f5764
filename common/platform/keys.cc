#include "common/platform/keys.h"

#include <sys/stat.h>
#include <zmq.h>

#include <array>
#include <cstring>

#include "common/base/check.h"
#include "common/platform/digest.h"
#include "common/platform/files.h"

namespace zq {
namespace {

constexpr std::size_t kZ85Size = 40;

std::string field_of(const std::string& text, const std::string& name) {
    const std::string head = name + " = \"";
    auto at = text.find(head);
    if (at == std::string::npos || (at > 0 && text[at - 1] != '\n')) return {};
    at += head.size();
    auto end = text.find("\"\n", at);
    return end == std::string::npos ? std::string{} : text.substr(at, end - at);
}

using RawKey = std::array<std::uint8_t, 32>;

Result<RawKey> raw_key(const std::string& z85) {
    RawKey raw{};
    if (z85.size() != kZ85Size || zmq_z85_decode(raw.data(), z85.c_str()) == nullptr) {
        return fail(ErrorCode::INVALID, "a key has 40 characters of Z85", "public_key");
    }
    return raw;
}

}  // namespace

void wipe(std::string& text) {
    ::explicit_bzero(text.data(), text.size());
    text.clear();
}

KeyPair make_key_pair() {
    std::array<char, kZ85Size + 1> public_key{};
    std::array<char, kZ85Size + 1> secret_key{};
    ZQ_CHECK(zmq_curve_keypair(public_key.data(), secret_key.data()) == 0);
    KeyPair keys{public_key.data(), secret_key.data()};
    ::explicit_bzero(secret_key.data(), secret_key.size());
    return keys;
}

Result<void> write_key_file(const std::string& path, const KeyPair& keys) {
    constexpr std::string_view kHead = "# A zq key. Keep it private; mode 0600.\npublic_key = \"";
    constexpr std::string_view kMiddle = "\"\nsecret_key = \"";
    std::string text;
    // At once: a text that grows leaves its former places in memory.
    text.reserve(kHead.size() + kMiddle.size() + 2 * kZ85Size + 8);
    text.append(kHead).append(keys.public_key).append(kMiddle);
    text.append(keys.secret_key).append("\"\n");
    auto written = write_file(path, text, 0600, Durability::kSynced);
    wipe(text);
    return written;
}

Result<KeyPair> read_key_file(const std::string& path) {
    auto text = read_file(path, 4096);
    if (!text) return Failure(text.error());
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0 || (info.st_mode & 077) != 0) {
        wipe(*text);
        return fail(ErrorCode::DENIED,
                    path + " may be read by others: run `chmod 600 " + path + "`", "key");
    }
    KeyPair keys{field_of(*text, "public_key"), field_of(*text, "secret_key")};
    wipe(*text);
    auto derived = public_of(keys.secret_key);
    if (!derived || *derived != keys.public_key) {
        return fail(ErrorCode::INVALID, path + " holds no matching pair of keys", "key");
    }
    return keys;
}

Result<std::string> key_fingerprint(const std::string& public_key) {
    auto raw = raw_key(public_key);
    if (!raw) return Failure(raw.error());
    return to_hex(sha256({reinterpret_cast<const char*>(raw->data()), raw->size()})).substr(0, 16);
}

Result<std::string> key_to_hex(const std::string& z85) {
    auto raw = raw_key(z85);
    if (!raw) return Failure(raw.error());
    return to_hex(std::string_view(reinterpret_cast<const char*>(raw->data()), raw->size()));
}

Result<std::string> key_from_hex(const std::string& hex, const std::string& field) {
    auto raw = parse_digest(hex, field);  // 32 bytes, as a key has
    if (!raw) return fail(ErrorCode::INVALID, "a key has 64 lower-case hex digits", field);
    std::array<char, kZ85Size + 1> z85{};
    ZQ_CHECK(zmq_z85_encode(z85.data(), raw->bytes.data(), raw->bytes.size()) != nullptr);
    return std::string(z85.data());
}

std::string z85_of(std::string_view raw) {
    std::array<char, kZ85Size + 1> text{};
    if (raw.size() != 32) return {};
    zmq_z85_encode(text.data(), reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size());
    return text.data();
}

Result<std::string> public_of(const std::string& secret_key) {
    std::array<char, kZ85Size + 1> public_key{};
    if (secret_key.size() != kZ85Size ||
        zmq_curve_public(public_key.data(), secret_key.c_str()) != 0) {
        return fail(ErrorCode::INVALID, "a secret key has 40 characters of Z85", "secret_key");
    }
    return std::string(public_key.data());
}

}  // namespace zq
