#include "common/platform/key_registry.h"

#include <unistd.h>

#include "common/base/words.h"
#include "common/platform/config.h"
#include "common/platform/files.h"

namespace zq {
namespace {

constexpr auto kKinds =
    std::to_array<std::string_view>({"admin", "client", "worker", "invitation"});
constexpr std::string_view kSuffix = ".toml";

/// A key's file. `redeems` is the fingerprint of the invitation it came by: an invitation that some
/// key redeems is spent, whether or not its own file is still there.
struct Record {
    KnownKey key;
    std::string redeems;
};

std::string known_folder(const std::string& folder) {
    return folder + "/known";
}

Result<std::string> path_of(const std::string& folder, const std::string& public_key) {
    auto fingerprint = key_fingerprint(public_key);
    if (!fingerprint) return Failure(fingerprint.error());
    return known_folder(folder) + "/" + *fingerprint + std::string(kSuffix);
}

std::string to_text(const Record& record) {
    const KnownKey& key = record.key;
    std::string text = "# A key that this coordinator knows. Removing the file forgets the key.\n";
    text += "public_key = " + to_toml(key.public_key) + "\n";
    text += "name = " + to_toml(key.name) + "\n";
    text += "kind = " + to_toml(to_string(key.kind)) + "\n";
    if (!key.role.empty()) text += "role = " + to_toml(key.role.text) + "\n";
    if (key.expires_at.is_set()) {
        text += "expires_at = " + std::to_string(key.expires_at.ms) + "  # ms since 1970, UTC\n";
    }
    if (!key.invited_by.empty()) text += "invited_by = " + to_toml(key.invited_by) + "\n";
    if (!record.redeems.empty()) text += "redeems = " + to_toml(record.redeems) + "\n";
    return text;
}

Result<Record> read_record(const std::string& path) {
    auto file = ConfigFile::read(path);
    if (!file) return Failure(file.error());
    auto known = file->allow_only(
        {"public_key", "name", "kind", "role", "expires_at", "invited_by", "redeems"});
    if (!known) return Failure(known.error());
    Record record;
    std::string kind;
    const std::pair<const char*, std::string*> texts[] = {{"public_key", &record.key.public_key},
                                                          {"name", &record.key.name},
                                                          {"kind", &kind},
                                                          {"role", &record.key.role.text},
                                                          {"invited_by", &record.key.invited_by},
                                                          {"redeems", &record.redeems}};
    for (const auto& [name, target] : texts) {
        auto text = file->text(name);
        if (!text) return Failure(text.error());
        *target = text->value_or("");
    }
    auto expires = file->integer("expires_at");
    if (!expires) return Failure(expires.error());
    record.key.expires_at = Instant{expires->value_or(0)};
    if (!from_text(kind, record.key.kind)) return file->wrong("kind", "no such kind of key");
    if (!is_valid_name(record.key.name)) return file->wrong("name", "not a valid name");
    return record;
}

/// The record of a key, if it is known. A file of its fingerprint with another key does not count.
Result<std::optional<Record>> find_record(const std::string& folder,
                                          const std::string& public_key) {
    auto path = path_of(folder, public_key);
    if (!path) return Failure(path.error());
    auto record = read_record(*path);
    if (!record && record.error().code == ErrorCode::NOT_FOUND) return std::optional<Record>{};
    if (!record) return Failure(record.error());
    if (record->key.public_key != public_key) return std::optional<Record>{};
    return std::optional<Record>(std::move(*record));
}

Result<std::vector<Record>> list_records(const std::string& folder) {
    auto names = list_folder(known_folder(folder));
    if (!names && names.error().code == ErrorCode::NOT_FOUND) return std::vector<Record>{};
    if (!names) return Failure(names.error());
    std::vector<Record> records;
    for (const std::string& name : *names) {
        if (name.size() <= kSuffix.size() ||
            name.compare(name.size() - kSuffix.size(), kSuffix.size(), kSuffix) != 0) {
            continue;
        }
        auto record = read_record(known_folder(folder) + "/" + name);
        if (!record && record.error().code == ErrorCode::NOT_FOUND) continue;  // removed meanwhile
        if (!record) return Failure(record.error());
        records.push_back(std::move(*record));
    }
    return records;
}

Result<void> write_record(const std::string& folder, const Record& record) {
    auto path = path_of(folder, record.key.public_key);
    if (!path) return Failure(path.error());
    if (auto ok = make_folders(known_folder(folder), 0700, Durability::kSynced); !ok) return ok;
    return write_file(*path, to_text(record), 0600, Durability::kSynced);
}

}  // namespace

std::string_view to_string(KeyKind kind) {
    return word_of(kKinds, kind);
}
bool from_text(std::string_view text, KeyKind& out) {
    return value_of(kKinds, text, out);
}

Result<Identity> identity_of(const KnownKey& key) {
    auto name = parse_name(key.name, "name");
    if (!name) return Failure(name.error());
    auto fingerprint = key_fingerprint(key.public_key);
    if (!fingerprint) return Failure(fingerprint.error());
    return Identity(*name + "@" + *fingerprint);
}

KeyRegistry::KeyRegistry(std::string folder) : folder_(std::move(folder)) {}

Result<KeyPair> KeyRegistry::server_keys() const {
    return read_key_file(folder_ + "/server.key");
}

Result<KeyPair> KeyRegistry::ensure_server_keys() {
    auto keys = server_keys();
    if (keys || keys.error().code != ErrorCode::NOT_FOUND) return keys;
    if (auto ok = make_folders(known_folder(folder_), 0700, Durability::kSynced); !ok)
        return Failure(ok.error());
    const KeyPair made = make_key_pair();
    if (auto ok = write_key_file(folder_ + "/server.key", made); !ok) return Failure(ok.error());
    return made;
}

Result<void> KeyRegistry::add(const KnownKey& key) {
    if (auto identity = identity_of(key); !identity) return Failure(identity.error());
    auto known = find_record(folder_, key.public_key);
    if (!known) return Failure(known.error());
    if (*known) return fail(ErrorCode::CONFLICT, "this key is known already", "public_key");
    return write_record(folder_, {key, {}});
}

Result<void> KeyRegistry::remove(const std::string& public_key) {
    auto known = find_record(folder_, public_key);
    if (!known) return Failure(known.error());
    if (!*known) return fail(ErrorCode::NOT_FOUND, "no such key", "public_key");
    auto path = path_of(folder_, public_key);
    if (::unlink(path->c_str()) != 0) return fail(ErrorCode::IO, "cannot remove " + *path);
    return sync_folder(known_folder(folder_));
}

Result<std::optional<KnownKey>> KeyRegistry::find(const std::string& public_key) const {
    auto record = find_record(folder_, public_key);
    if (!record) return Failure(record.error());
    if (!*record) return std::optional<KnownKey>{};
    return std::optional<KnownKey>((*record)->key);
}

Result<std::vector<KnownKey>> KeyRegistry::list() const {
    auto records = list_records(folder_);
    if (!records) return Failure(records.error());
    std::vector<KnownKey> keys;
    for (Record& record : *records) keys.push_back(std::move(record.key));
    return keys;
}

Result<KnownKey> KeyRegistry::redeem(const std::string& invitation_public,
                                     const std::string& new_public, const std::string& name,
                                     Instant now) {
    auto fingerprint = key_fingerprint(invitation_public);
    if (!fingerprint) return Failure(fingerprint.error());
    auto records = list_records(folder_);
    if (!records) return Failure(records.error());
    const Record* invitation = nullptr;
    for (const Record& record : *records) {
        if (record.redeems == *fingerprint) {
            // Spent. The same request again (its answer was lost) gets the same answer.
            if (record.key.public_key != new_public) {
                return fail(ErrorCode::DENIED, "this invitation has been used");
            }
            static_cast<void>(remove(invitation_public));
            return record.key;
        }
        if (record.key.public_key == invitation_public) invitation = &record;
    }
    if (invitation == nullptr || invitation->key.kind != KeyKind::kInvitation) {
        return fail(ErrorCode::DENIED, "no such invitation");
    }
    if (invitation->key.expires_at.is_set() && invitation->key.expires_at <= now) {
        return fail(ErrorCode::DENIED, "this invitation has expired");
    }
    Record made{{new_public, name, KeyKind::kClient, invitation->key.role, {}, {}}, *fingerprint};
    if (!made.key.role.empty()) made.key.kind = KeyKind::kWorker;
    made.key.invited_by = invitation->key.invited_by;
    if (auto identity = identity_of(made.key); !identity) return Failure(identity.error());
    auto known = find_record(folder_, new_public);
    if (!known) return Failure(known.error());
    if (*known) return fail(ErrorCode::CONFLICT, "this key is known already", "public_key");
    // The new file alone spends the invitation; removing the old one only tidies up.
    if (auto ok = write_record(folder_, made); !ok) return Failure(ok.error());
    static_cast<void>(remove(invitation_public));
    return made.key;
}

}  // namespace zq
