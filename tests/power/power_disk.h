// A disk that can lose its power. The files are real, below one folder; beside them this keeps what
// of them is durable: each file as of its last sync with the writes and truncations since then, and
// each folder's names as of its last sync with the changes since then. A cut puts the real folder
// back to what is durable and a random part of the rest, torn at sectors of 512 bytes.
//
// It owns the model and the moment of the cut. Who reports calls to it: power_vfs.cc (SQLite) and
// interpose.cc (the C library's calls of our own code). It judges nothing: the runs do.
//
// The model is stricter than any one file system: a file's sync keeps its bytes, not its name; a
// folder's sync keeps its names, not its own; nothing orders two changes that no sync parts. A
// rename is one change, kept or lost whole.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace zq::power {

using Random = std::mt19937_64;
/// A number in [0, bound).
std::uint64_t below(Random& random, std::uint64_t bound);
bool chance(Random& random, unsigned percent);

class Loss;

/// A file or folder, whatever its name; 0: not of this disk.
using Node = std::uint64_t;

enum class Stop : std::uint8_t {
    kCut,   // the power: what was not synced is at risk
    kKill,  // the process alone: what it wrote stays readable, and at risk
    // A sync fails and the process ends. What it wrote stays readable; what of it did not reach the
    // disk never will: the kernel calls it clean, and later syncs pass over it.
    kFailedSync,
};

std::string_view to_string(Stop stop);

enum class StopAt : std::uint8_t { kAnyCall, kFileSync };

/// Syncs that are answered and not done: a tool that does not notice is broken.
struct Lies {
    bool file_syncs = false;
    bool folder_syncs = false;
    bool log_rewrites = false;  // what a start does to SQLite's log before SQLite opens it
};

class PowerDisk {
  public:
    /// `root`: a real, empty folder by its canonical path; its own name is durable.
    explicit PowerDisk(std::string root);

    const std::string& root() const { return root_; }
    void lie(Lies lies) { lies_ = lies; }
    /// The call number `calls` from now (1: the next one), of this kind, stops the process.
    void plan_stop(Stop stop, std::uint64_t calls, StopAt at = StopAt::kAnyCall);
    void plan_no_stop();
    bool stopped() const;
    Stop stop_kind() const { return stop_; }

    /// After a stop, when nothing has a file open any more: the disk as the next process finds it.
    void lose_power(Random& random);
    void go_on(Random& random);

    // Calls, each counted. False: the process has stopped, and the call must fail and do nothing.
    /// Makes the file if it is missing and `create` holds; `node` is 0 if there is none.
    bool open(const std::string& path, bool create, Node& node);
    bool write(Node node, std::uint64_t offset, std::string_view bytes);
    bool truncate(Node node, std::uint64_t size);
    bool sync(Node node);
    bool make_folder(const std::string& path);
    bool sync_folder(const std::string& path);
    bool remove(const std::string& path);
    bool rename(const std::string& from, const std::string& to);

    /// True where a call of our own code on this file is to be answered and not done.
    bool lies_about(Node node) const;
    bool covers(const std::string& path) const;
    bool has_folder(Node node) const;
    std::string path_of(Node node) const;

    /// Runs before each sync of SQLite's files, on the thread that syncs.
    void watch_syncs(std::function<void()> watcher) { on_sync_ = std::move(watcher); }
    void before_sync() const {
        if (on_sync_) on_sync_();
    }

    /// Files with bytes, or a name, that no sync has made durable. A file that only became shorter
    /// counts as synced.
    std::vector<std::string> unsynced() const;
    std::uint64_t calls() const;
    /// Of every call so far: the same for two runs that did the same.
    std::uint64_t trace_hash() const;
    /// The last calls, from the last sync on, one a line.
    std::string calls_since_sync() const;

  private:
    struct Change {  // of a file's bytes; without data: a truncation to `offset`
        std::uint64_t number = 0;
        std::uint64_t offset = 0;
        bool truncates = false;
        std::string data;
    };
    struct File {
        std::string path;  // where it was last
        bool folder = false;
        std::string synced;
        std::vector<Change> changes;
    };
    struct NameChange {
        enum class Kind : std::uint8_t { kLink, kUnlink, kRename } kind = Kind::kLink;
        std::uint64_t number = 0;
        std::string path;
        std::string to;
        Node node = 0;
    };
    using Names = std::map<std::string, Node>;

    enum class CallKind : std::uint8_t { kChange, kFileSync, kFolderSync };
    bool spend(CallKind kind, const std::string& what);
    std::string short_name(const std::string& path) const;
    void link(const std::string& path, bool folder);
    static void apply(Names& names, const NameChange& change);
    static void apply(std::string& bytes, const Change& change);
    static void lose(File& file, Loss& loss);
    void rebuild(const Names& names);

    const std::string root_;
    mutable std::mutex mutex_;
    std::map<Node, File> files_;
    Names durable_;
    Names current_;
    std::vector<NameChange> name_changes_;
    Node last_node_ = 0;
    std::uint64_t calls_ = 0;
    std::uint64_t calls_left_ = 0;  // until the stop; 0: no stop is planned
    StopAt stop_at_ = StopAt::kAnyCall;
    Stop stop_ = Stop::kCut;
    bool stopped_ = false;
    Node failed_ = 0;  // whose sync has failed
    Lies lies_;
    std::uint64_t hash_ = 14'695'981'039'346'656'037ULL;
    std::deque<std::string> recent_;
    std::function<void()> on_sync_;
};

}  // namespace zq::power
