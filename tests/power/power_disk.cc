#include "tests/power/power_disk.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "common/base/check.h"
#include "tests/power/loss.h"

namespace zq::power {
namespace {

constexpr std::size_t kRecent = 60;  // calls kept for a report

std::string parent_of(const std::string& path) {
    return path.substr(0, path.rfind('/'));
}

}  // namespace

std::string_view to_string(Stop stop) {
    switch (stop) {
        case Stop::kCut:
            return "the power was cut";
        case Stop::kKill:
            return "killed";
        case Stop::kFailedSync:
            return "failed, and the process ended";
    }
    return "";
}

PowerDisk::PowerDisk(std::string root) : root_(std::move(root)) {
    Node node = ++last_node_;
    files_[node] = {root_, true, {}, {}};
    durable_[root_] = node;
    current_[root_] = node;
}

void PowerDisk::plan_stop(Stop stop, std::uint64_t calls, StopAt at) {
    const std::lock_guard lock(mutex_);
    stop_ = stop;
    stop_at_ = at;
    calls_left_ = calls;
}

void PowerDisk::plan_no_stop() {
    const std::lock_guard lock(mutex_);
    calls_left_ = 0;
}

bool PowerDisk::stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
}

/// As it is the same in every run.
std::string PowerDisk::short_name(const std::string& path) const {
    return path == root_ ? "/" : path.substr(root_.size());
}

/// Counts a call. False from the planned one on.
bool PowerDisk::spend(CallKind kind, const std::string& what) {
    if (stopped_) return false;
    ++calls_;
    const bool counts = stop_at_ == StopAt::kAnyCall || kind == CallKind::kFileSync;
    stopped_ = counts && calls_left_ > 0 && --calls_left_ == 0;
    for (const char c : what) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
    if (kind != CallKind::kChange) recent_.clear();
    recent_.push_back("#" + std::to_string(calls_) + " " + what);
    if (stopped_) recent_.back() += "  <- " + std::string(to_string(stop_));
    if (recent_.size() > kRecent) recent_.pop_front();
    return !stopped_;
}

bool PowerDisk::lies_about(Node node) const {
    return lies_.log_rewrites && path_of(node).ends_with("-wal");
}

bool PowerDisk::covers(const std::string& path) const {
    return path.starts_with(root_ + "/") || path == root_;
}

bool PowerDisk::has_folder(Node node) const {
    const std::lock_guard lock(mutex_);
    auto at = files_.find(node);
    return at != files_.end() && at->second.folder;
}

std::string PowerDisk::path_of(Node node) const {
    const std::lock_guard lock(mutex_);
    auto at = files_.find(node);
    return at == files_.end() ? "" : at->second.path;
}

void PowerDisk::link(const std::string& path, bool folder) {
    const Node node = ++last_node_;
    files_[node] = {path, folder, {}, {}};
    name_changes_.push_back({NameChange::Kind::kLink, calls_, path, {}, node});
    apply(current_, name_changes_.back());
}

bool PowerDisk::open(const std::string& path, bool create, Node& node) {
    const std::lock_guard lock(mutex_);
    node = 0;
    if (stopped_) return false;
    auto at = current_.find(path);
    if (at == current_.end()) {
        if (!create) return true;
        if (!spend(CallKind::kChange, "create " + short_name(path))) return false;
        link(path, false);
        at = current_.find(path);
    }
    node = at->second;
    return true;
}

bool PowerDisk::write(Node node, std::uint64_t offset, std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return false;
    File& file = files_.at(node);
    const bool done =
        spend(CallKind::kChange, "write " + short_name(file.path) + " " + std::to_string(offset) +
                                     " +" + std::to_string(bytes.size()));
    // The cut may come in the middle of it.
    if (done || stop_ == Stop::kCut) {
        file.changes.push_back({calls_, offset, false, std::string(bytes)});
    }
    return done;
}

bool PowerDisk::truncate(Node node, std::uint64_t size) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return false;
    File& file = files_.at(node);
    const bool done = spend(CallKind::kChange,
                            "truncate " + short_name(file.path) + " to " + std::to_string(size));
    if (done || stop_ == Stop::kCut) file.changes.push_back({calls_, size, true, {}});
    return done;
}

bool PowerDisk::sync(Node node) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return false;
    File& file = files_.at(node);
    if (!spend(CallKind::kFileSync, "sync " + short_name(file.path))) {
        if (stop_ == Stop::kFailedSync) failed_ = node;
        return false;
    }
    if (lies_.file_syncs) return true;
    for (const Change& change : file.changes) apply(file.synced, change);
    file.changes.clear();
    return true;
}

bool PowerDisk::make_folder(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return false;
    if (current_.contains(path)) return true;
    if (!spend(CallKind::kChange, "mkdir " + short_name(path))) return false;
    link(path, true);
    return true;
}

bool PowerDisk::sync_folder(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (!spend(CallKind::kFolderSync, "sync folder " + short_name(path))) return false;
    if (lies_.folder_syncs) return true;
    std::erase_if(name_changes_, [&](const NameChange& change) {
        const bool here =
            parent_of(change.path) == path || (!change.to.empty() && parent_of(change.to) == path);
        if (here) apply(durable_, change);
        return here;
    });
    return true;
}

bool PowerDisk::remove(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return false;
    auto at = current_.find(path);
    if (at == current_.end()) return true;
    if (!spend(CallKind::kChange, "unlink " + short_name(path))) return false;
    name_changes_.push_back({NameChange::Kind::kUnlink, calls_, path, {}, at->second});
    apply(current_, name_changes_.back());
    return true;
}

bool PowerDisk::rename(const std::string& from, const std::string& to) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return false;
    auto at = current_.find(from);
    if (at == current_.end()) return true;
    const Node node = at->second;
    ZQ_CHECK(!files_.at(node).folder);  // the names below it would have to move too
    if (!spend(CallKind::kChange, "rename " + short_name(from) + " to " + short_name(to)))
        return false;
    name_changes_.push_back({NameChange::Kind::kRename, calls_, from, to, node});
    apply(current_, name_changes_.back());
    files_.at(node).path = to;
    return true;
}

void PowerDisk::apply(Names& names, const NameChange& change) {
    auto erase = [&](const std::string& path) {
        auto at = names.find(path);
        if (at != names.end() && at->second == change.node) names.erase(at);
    };
    switch (change.kind) {
        case NameChange::Kind::kLink:
            names[change.path] = change.node;
            break;
        case NameChange::Kind::kUnlink:
            erase(change.path);
            break;
        case NameChange::Kind::kRename:
            erase(change.path);
            names[change.to] = change.node;
            break;
    }
}

void PowerDisk::apply(std::string& bytes, const Change& change) {
    if (change.truncates) return bytes.resize(change.offset);
    if (bytes.size() < change.offset + change.data.size()) {
        bytes.resize(change.offset + change.data.size());
    }
    bytes.replace(change.offset, change.data.size(), change.data);
}

void PowerDisk::go_on(Random& random) {
    const std::lock_guard lock(mutex_);
    ZQ_CHECK(stopped_ && stop_ != Stop::kCut);
    if (failed_ != 0) {
        Loss loss(random, calls_);
        lose(files_.at(failed_), loss);
    }
    failed_ = 0;
    stopped_ = false;
    calls_left_ = 0;
}

/// What stays of a file's changes is synced; the rest is gone.
void PowerDisk::lose(File& file, Loss& loss) {
    loss.next_file();
    for (const Change& change : file.changes) {
        if (!change.truncates) {
            loss.apply(file.synced, change.number, change.offset, change.data);
        } else if (loss.keeps(change.number)) {
            apply(file.synced, change);
        }
    }
    file.changes.clear();
}

void PowerDisk::lose_power(Random& random) {
    const std::lock_guard lock(mutex_);
    Loss loss(random, calls_);
    Names names = durable_;
    for (const NameChange& change : name_changes_) {
        if (loss.keeps(change.number)) apply(names, change);
    }
    name_changes_.clear();
    // A name lasts only below folders that do. The parent comes before its children.
    std::erase_if(names, [&](const auto& entry) {
        return entry.first != root_ && !names.contains(parent_of(entry.first));
    });
    for (auto& [node, file] : files_) lose(file, loss);
    rebuild(names);
    stopped_ = false;
    calls_left_ = 0;
}

/// The real folder as the names and the synced bytes say.
void PowerDisk::rebuild(const Names& names) {
    std::map<Node, File> files;
    for (const auto& entry : std::filesystem::directory_iterator(root_)) {
        std::filesystem::remove_all(entry.path());
    }
    for (const auto& [path, node] : names) {
        File& file = files_.at(node);
        if (path != root_ && file.folder) {
            std::filesystem::create_directory(path);
        } else if (!file.folder) {
            std::ofstream out(path, std::ios::binary);
            out.write(file.synced.data(), static_cast<std::streamsize>(file.synced.size()));
            ZQ_CHECK(out.good());
        }
        file.path = path;
        files.insert_or_assign(node, file);
    }
    files_ = std::move(files);
    durable_ = names;
    current_ = names;
}

std::vector<std::string> PowerDisk::unsynced() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> found;
    for (const auto& [path, node] : current_) {
        auto at = durable_.find(path);
        const bool named = at != durable_.end() && at->second == node;
        const auto& changes = files_.at(node).changes;
        const bool written = std::any_of(changes.begin(), changes.end(),
                                         [](const Change& change) { return !change.truncates; });
        if (!named || written) found.push_back(path);
    }
    return found;
}

std::uint64_t PowerDisk::calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
}

std::uint64_t PowerDisk::trace_hash() const {
    const std::lock_guard lock(mutex_);
    return hash_;
}

std::string PowerDisk::calls_since_sync() const {
    const std::lock_guard lock(mutex_);
    std::string text;
    for (const std::string& call : recent_) text += "    " + call + "\n";
    return text;
}

}  // namespace zq::power
