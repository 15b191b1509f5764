// The coordinator's keys while it runs: follows the registry's files, changes them as admins say,
// and journals what each key may do whenever it changes. Used by the control thread alone.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/platform/files.h"
#include "common/platform/key_registry.h"
#include "common/wire/access_messages.h"
#include "coordinator/edge/access.h"
#include "coordinator/pipeline.h"

namespace zq::coordinator {

/// Who changes something, when, and why.
struct Cause {
    Identity by;
    Instant now;
    std::string reason;
};

class AccessDesk {
  public:
    AccessDesk(Pipeline& pipeline, KeyRegistry registry, edge::KeyBook& book);

    /// Reads all keys, and watches their folder from now on. Errors: IO, INVALID (a key's file).
    Result<void> start(Instant now);
    /// Readable when files have changed; -1: they cannot be watched (`reload` reads them).
    int changed_fd() const { return watch_.fd(); }
    /// Takes over what has changed in the files. True if anything has.
    bool follow(Instant now);
    /// Reads all keys again. True if anything has changed.
    bool reload(Instant now);

    /// Errors: DENIED (no such invitation, or used up, or over), CONFLICT, IO.
    Result<wire::Joined> join(const std::string& invitation, const wire::Join& join, Instant now);
    /// Errors: DENIED (the sender's key is no file's), CONFLICT, IO.
    Result<wire::Joined> rotate(const edge::Peer& peer, const wire::Rotate& rotate, Instant now);
    wire::AccessRows list(const edge::Peer& peer, const wire::Access& query) const;
    /// Errors: NOT_FOUND, CONFLICT (several keys are meant; the last admin would go), INVALID, IO.
    Result<wire::AccessRows> change(const wire::SetAccess& set, const Cause& cause);

  private:
    /// Brings one key to the book, and gives what is to be journaled.
    void take(const std::string& fingerprint, std::optional<KnownKey> key,
              std::vector<core::NoteAccess::Key>& changed);
    bool journal(std::vector<core::NoteAccess::Key> changed, const Cause& cause);
    bool take_and_journal(const std::string& fingerprint, std::optional<KnownKey> key,
                          const Cause& cause);
    Result<std::string> find(const std::string& key) const;
    bool is_last_admin(const std::string& fingerprint) const;

    Pipeline& pipeline_;
    KeyRegistry registry_;
    edge::KeyBook& book_;
    std::map<std::string, KnownKey> keys_;  // by fingerprint
    FileHandle watch_;
};

}  // namespace zq::coordinator
