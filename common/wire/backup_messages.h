// A copy of a running coordinator's data: BACKUP and what it answers (protocol.md, "Client
// messages").
#pragma once

#include "common/base/words.h"
#include "common/wire/envelope.h"

namespace zq::wire {

/// How far a backup is.
enum class BackupState : std::uint8_t { kRunning, kDone, kFailed };
inline constexpr auto kBackupStates =
    std::to_array<std::string_view>({"running", "done", "failed"});
inline std::string_view to_string(BackupState state) {
    return word_of(kBackupStates, state);
}
inline bool from_text(std::string_view text, BackupState& out) {
    return value_of(kBackupStates, text, out);
}

/// Begins a backup, or asks how far it is: the same folder from the same client instance.
struct Backup {
    static constexpr std::string_view kType = "BACKUP";
    std::string folder;  // absolute, on the coordinator's machine
    friend bool operator==(const Backup&, const Backup&) = default;
};
template <class V, Of<Backup> T>
void describe(V& v, T& m) {
    v("folder", m.folder);
}

struct BackupReply {
    static constexpr std::string_view kType = "BACKUP_REPLY";
    BackupState state = BackupState::kRunning;
    std::string folder;  // as the coordinator resolved it
    std::uint64_t last_seq = 0;
    Digest chain_head;
    std::uint64_t artifacts = 0;
    std::uint64_t bytes = 0;
    std::string message;  // why it failed
    friend bool operator==(const BackupReply&, const BackupReply&) = default;
};
template <class V, Of<BackupReply> T>
void describe(V& v, T& m) {
    v("state", m.state);
    v("folder", m.folder);
    v.optional("last_seq", m.last_seq);
    v.optional("chain_head", m.chain_head);
    v.optional("artifacts", m.artifacts);
    v.optional("bytes", m.bytes);
    v.optional("message", m.message);
}

}  // namespace zq::wire
