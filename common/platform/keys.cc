#include "common/platform/keys.h"

#include <sys/stat.h>
#include <zmq.h>

#include <array>

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

}  // namespace

KeyPair make_key_pair() {
    std::array<char, kZ85Size + 1> public_key{};
    std::array<char, kZ85Size + 1> secret_key{};
    ZQ_CHECK(zmq_curve_keypair(public_key.data(), secret_key.data()) == 0);
    return {public_key.data(), secret_key.data()};
}

Result<void> write_key_file(const std::string& path, const KeyPair& keys) {
    return write_file(path,
                      "# A zq key. Keep it private; mode 0600.\npublic_key = \"" + keys.public_key +
                          "\"\nsecret_key = \"" + keys.secret_key + "\"\n",
                      0600, Durability::kSynced);
}

Result<KeyPair> read_key_file(const std::string& path) {
    auto text = read_file(path, 4096);
    if (!text) return Failure(text.error());
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0 || (info.st_mode & 077) != 0) {
        return fail(ErrorCode::DENIED,
                    path + " may be read by others: run `chmod 600 " + path + "`", "key");
    }
    KeyPair keys{field_of(*text, "public_key"), field_of(*text, "secret_key")};
    auto derived = public_of(keys.secret_key);
    if (!derived || *derived != keys.public_key) {
        return fail(ErrorCode::INVALID, path + " holds no matching pair of keys", "key");
    }
    return keys;
}

Result<std::string> key_fingerprint(const std::string& public_key) {
    std::array<std::uint8_t, 32> raw{};
    if (public_key.size() != kZ85Size || zmq_z85_decode(raw.data(), public_key.c_str()) == nullptr) {
        return fail(ErrorCode::INVALID, "a public key has 40 characters of Z85", "public_key");
    }
    const Digest digest = sha256({reinterpret_cast<const char*>(raw.data()), raw.size()});
    return to_hex(digest).substr(0, 16);
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
