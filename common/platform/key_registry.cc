#include "common/platform/key_registry.h"

#include <unistd.h>

#include "common/base/words.h"
#include "common/platform/config.h"
#include "common/platform/files.h"

namespace zq {
namespace {

constexpr std::string_view kSuffix = ".toml";
constexpr std::int64_t kUsesMax = 10'000;

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
    if (!key.invited_by.empty()) text += "invited_by = " + to_toml(key.invited_by.text) + "\n";
    text += "permissions = [";
    for (const std::string& right : key.rights.texts()) {
        text += (text.back() == '[' ? "" : ", ") + to_toml(right);
    }
    text += "]\n";
    if (key.kind == KeyKind::kInvitation) text += "uses = " + std::to_string(key.uses) + "\n";
    if (!key.identity.empty()) text += "identity = " + to_toml(key.identity.text) + "\n";
    if (!record.redeems.empty()) text += "redeems = " + to_toml(record.redeems) + "\n";
    return text;
}

/// A file without permissions is of a version that had none: its key may do what is usual.
Result<Permissions> read_rights(const ConfigFile& file, const KnownKey& key) {
    auto texts = file.texts("permissions");
    if (!texts) return Failure(texts.error());
    if (!*texts) {
        const bool invites = key.kind == KeyKind::kInvitation;
        const KeyKind becomes = key.role.empty() ? KeyKind::kClient : KeyKind::kWorker;
        return default_permissions(invites ? becomes : key.kind, key.role);
    }
    auto rights = parse_permissions(**texts, "permissions");
    if (!rights) return file.wrong("permissions", rights.error().message);
    return rights;
}

Result<Record> read_record(const std::string& path) {
    auto file = ConfigFile::read(path);
    if (!file) return Failure(file.error());
    auto known = file->allow_only({"public_key", "name", "kind", "role", "expires_at", "invited_by",
                                   "redeems", "permissions", "uses", "identity"});
    if (!known) return Failure(known.error());
    Record record;
    std::string kind;
    const std::pair<const char*, std::string*> texts[] = {
        {"public_key", &record.key.public_key},
        {"name", &record.key.name},
        {"kind", &kind},
        {"role", &record.key.role.text},
        {"invited_by", &record.key.invited_by.text},
        {"identity", &record.key.identity.text},
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
    auto uses = file->integer("uses");
    if (!uses) return Failure(uses.error());
    if (*uses && (**uses < 1 || **uses > kUsesMax)) {
        return file->wrong("uses", "it is 1 to " + std::to_string(kUsesMax));
    }
    record.key.uses = static_cast<std::uint32_t>(uses->value_or(1));
    auto rights = read_rights(*file, record.key);
    if (!rights) return Failure(rights.error());
    record.key.rights = std::move(*rights);
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

Result<Identity> identity_of(const KnownKey& key) {
    if (!key.identity.empty()) return key.identity;
    auto name = parse_name(key.name, "name");
    if (!name) return Failure(name.error());
    auto fingerprint = key_fingerprint(key.public_key);
    if (!fingerprint) return Failure(fingerprint.error());
    return Identity(*name + "@" + *fingerprint);
}

Result<KeyAccess> access_of(const KnownKey& key) {
    auto identity = identity_of(key);
    if (!identity) return Failure(identity.error());
    return KeyAccess{*identity, key.kind, key.rights.texts(), key.expires_at, key.invited_by};
}

KeyRegistry::KeyRegistry(std::string folder) : folder_(std::move(folder)) {}

Result<KeyPair> KeyRegistry::server_keys() const {
    return read_key_file(folder_ + "/server.key");
}

Result<KeyPair> KeyRegistry::ensure_server_keys() {
    auto keys = server_keys();
    if (keys || keys.error().code != ErrorCode::NOT_FOUND) return keys;
    if (auto ok = make_folders(known_folder(), 0700, Durability::kSynced); !ok)
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
    return sync_folder(known_folder());
}

Result<std::optional<KnownKey>> KeyRegistry::find(const std::string& public_key) const {
    auto record = find_record(folder_, public_key);
    if (!record) return Failure(record.error());
    if (!*record) return std::optional<KnownKey>{};
    return std::optional<KnownKey>((*record)->key);
}

Result<std::optional<KnownKey>> KeyRegistry::read(const std::string& fingerprint) const {
    auto record = read_record(known_folder() + "/" + fingerprint + std::string(kSuffix));
    if (!record && record.error().code == ErrorCode::NOT_FOUND) return std::optional<KnownKey>{};
    if (!record) return Failure(record.error());
    auto named = key_fingerprint(record->key.public_key);
    if (!named || *named != fingerprint) return std::optional<KnownKey>{};
    return std::optional<KnownKey>(std::move(record->key));
}

Result<void> KeyRegistry::update(const KnownKey& key) {
    auto known = find_record(folder_, key.public_key);
    if (!known) return Failure(known.error());
    if (!*known) return fail(ErrorCode::NOT_FOUND, "no such key", "public_key");
    return write_record(folder_, {key, (*known)->redeems});
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
    const Record* before = nullptr;
    std::uint32_t used = 0;
    for (const Record& record : *records) {
        if (record.redeems == *fingerprint) ++used;
        if (record.redeems == *fingerprint && record.key.public_key == new_public) before = &record;
        if (record.key.public_key == invitation_public) invitation = &record;
    }
    const bool used_up = invitation != nullptr && used >= invitation->key.uses;
    if (before != nullptr) {
        // The same request again (its answer was lost) gets the same answer.
        if (used_up) static_cast<void>(remove(invitation_public));
        return before->key;
    }
    if (invitation == nullptr || invitation->key.kind != KeyKind::kInvitation) {
        return fail(ErrorCode::DENIED,
                    used > 0 ? "this invitation has been used" : "no such invitation");
    }
    if (used_up) return fail(ErrorCode::DENIED, "this invitation has been used");
    if (invitation->key.expires_at.is_set() && invitation->key.expires_at <= now) {
        return fail(ErrorCode::DENIED, "this invitation has expired");
    }
    Record made{{}, *fingerprint};
    made.key.public_key = new_public;
    made.key.name = name;
    made.key.role = invitation->key.role;
    made.key.kind = made.key.role.empty() ? KeyKind::kClient : KeyKind::kWorker;
    made.key.rights = invitation->key.rights;
    made.key.invited_by = invitation->key.invited_by;
    if (auto identity = identity_of(made.key); !identity) return Failure(identity.error());
    auto known = find_record(folder_, new_public);
    if (!known) return Failure(known.error());
    if (*known) return fail(ErrorCode::CONFLICT, "this key is known already", "public_key");
    // The new file alone uses the invitation; removing the old one only tidies up.
    if (auto ok = write_record(folder_, made); !ok) return Failure(ok.error());
    if (used + 1 >= invitation->key.uses) static_cast<void>(remove(invitation_public));
    return made.key;
}

Result<KnownKey> KeyRegistry::rotate(const std::string& old_fingerprint,
                                     const std::string& new_public, Instant until) {
    auto old = read(old_fingerprint);
    if (!old) return Failure(old.error());
    if (!*old || (*old)->kind == KeyKind::kInvitation) {
        return fail(ErrorCode::NOT_FOUND, "no such key", "public_key");
    }
    auto identity = identity_of(**old);
    if (!identity) return Failure(identity.error());
    auto fingerprint = key_fingerprint(new_public);
    if (!fingerprint) return Failure(fingerprint.error());
    auto known = find_record(folder_, new_public);
    if (!known) return Failure(known.error());
    if (*known) {
        if ((*known)->key.identity == *identity) return (*known)->key;
        return fail(ErrorCode::CONFLICT, "this key is known already", "public_key");
    }
    KnownKey made = **old;
    made.public_key = new_public;
    made.identity = *identity;
    // The new one first: a crash between the two leaves both.
    if (auto ok = write_record(folder_, {made, {}}); !ok) return Failure(ok.error());
    const bool sooner = !(*old)->expires_at.is_set() || until < (*old)->expires_at;
    if (sooner) (*old)->expires_at = until;
    if (auto ok = update(**old); !ok) return Failure(ok.error());
    return made;
}

}  // namespace zq
