#include "tests/power/artifact_run.h"

#include <sys/stat.h>
#include <sys/time.h>

#include <array>
#include <ctime>
#include <filesystem>

#include "common/platform/digest.h"

namespace zq::power {
namespace {

std::string random_content(Random& random) {
    constexpr std::array kMost = {2U, 600U, 5'000U, 60'000U, 200'000U};
    std::string data(below(random, kMost.at(below(random, kMost.size()))), '\0');
    for (char& byte : data) byte = static_cast<char>(random());
    return data;
}

}  // namespace

ArtifactRun::ArtifactRun(std::uint64_t seed, ArtifactFault fault)
    : random_(seed),
      disk_(scratch_.path()),
      mounted_(disk_, seed + 1),
      folder_(scratch_.path() + "/data/artifacts") {
    disk_.lie({.file_syncs = fault == ArtifactFault::kNoFileSync,
               .folder_syncs = fault == ArtifactFault::kNoFolderSync});
    for (int i = 0; i < 12; ++i) {
        const std::string data = random_content(random_);
        contents_.emplace(sha256(data), data);
    }
}

RunReport ArtifactRun::run() {
    const std::uint64_t lives = 3 + below(random_, 5);
    for (std::uint64_t i = 0; i < lives && report_.violations.empty(); ++i) {
        plan_stop(i + 1 == lives);
        live(400);
        if (disk_.stopped()) after_stop();
    }
    disk_.plan_no_stop();
    if (report_.violations.empty()) live(0);
    if (report_.violations.empty()) finish_all();
    report_.acknowledged = acknowledged_.size();
    report_.calls = disk_.calls();
    report_.trace = disk_.trace_hash();
    return report_;
}

void ArtifactRun::plan_stop(bool last) {
    const Stop stop = last || chance(random_, 65) ? Stop::kCut : Stop::kKill;
    if (stop == Stop::kKill && chance(random_, 20)) {
        return disk_.plan_stop(Stop::kFailedSync, 1 + below(random_, 20), StopAt::kFileSync);
    }
    disk_.plan_stop(stop, 1 + below(random_, chance(random_, 40) ? 20 : 250));
}

void ArtifactRun::live(std::uint64_t steps) {
    const bool again = disk_.calls() > 0;
    report_.recoveries += again ? 1 : 0;
    store::FolderArtifactOptions options;
    options.folder = folder_;
    options.keep_free = 0;
    auto store = store::FolderArtifactStore::open(options);
    if (!store) {
        if (!disk_.stopped()) violation("the store does not open: " + store.error().message);
        report_.interrupted += again ? 1 : 0;
        return;
    }
    store_ = std::move(*store);
    check_leftovers();
    check_store();
    // A peer goes on where the answer failed to come: from PUT, or with the chunk it sent last.
    bool alive = !contents_.contains(last_) || condemned_.contains(last_) || !chance(random_, 60) ||
                 (chance(random_, 50) ? put(last_) : repeat_last_chunk(last_));
    for (std::uint64_t i = 0; i < steps && alive; ++i) alive = step();
    store_.reset();
}

/// False: the process stopped, or something is wrong.
bool ArtifactRun::step() {
    const auto at =
        std::next(contents_.begin(), static_cast<std::ptrdiff_t>(below(random_, contents_.size())));
    if (chance(random_, 10)) {
        const std::string data = random_content(random_);
        contents_.emplace(sha256(data), data);
    }
    if (chance(random_, 12)) return remove_some();
    // As the loop does: what is to be removed is put again only once its file is gone.
    if (condemned_.contains(at->first)) return true;
    const std::uint64_t dice = below(random_, 10);
    if (dice == 0) return put_wrong(at->first);
    if (dice == 1) return repeat_last_chunk(at->first);
    return put(at->first);
}

/// The end of a put; false where it can't go on.
bool ArtifactRun::note(const Digest& digest, const Result<std::uint64_t>& offset) {
    if (disk_.stopped()) return false;
    if (!offset) {
        violation("a put is refused: " + offset.error().message);
        return false;
    }
    if (*offset == contents_.at(digest).size()) acknowledged_.insert(digest);
    return true;
}

/// An upload from where it stands: to its end, or for a while.
bool ArtifactRun::put(const Digest& digest) {
    const std::string& data = contents_.at(digest);
    last_ = digest;
    removed_.erase(digest);
    auto offset = store_->begin(digest, data.size());
    const bool to_the_end = chance(random_, 60);
    while (offset && *offset < data.size() && (to_the_end || chance(random_, 70))) {
        const std::size_t size = 1 + below(random_, chance(random_, 50) ? 2'000 : 60'000);
        offset = store_->append(digest, *offset, std::string_view(data).substr(*offset, size));
    }
    if (!offset && offset.error().code == ErrorCode::DIGEST_MISMATCH && !disk_.stopped()) {
        // What an earlier run had left was torn: "start anew, once" (protocol.md, CHUNK).
        offset = store_->begin(digest, data.size());
        if (offset && *offset != 0 && *offset != data.size()) violation("not dropped");
    }
    return note(digest, offset);
}

/// What retention does once its event is durable: the files go, those of an earlier life too.
bool ArtifactRun::remove_some() {
    std::uint64_t more = below(random_, 4);
    for (const Digest& digest : std::set<Digest>(acknowledged_)) {
        if (more == 0) break;
        if (chance(random_, 60)) continue;
        --more;
        acknowledged_.erase(digest);
        condemned_.insert(digest);
    }
    const std::vector<Digest> files(condemned_.begin(), condemned_.end());
    auto removed = store_->remove(files);
    if (disk_.stopped()) return false;
    if (!removed) {
        violation("a removal is refused: " + removed.error().message);
        return false;
    }
    removed_.insert(files.begin(), files.end());
    condemned_.clear();
    return true;
}

/// A peer whose bytes are not what it announced.
bool ArtifactRun::put_wrong(const Digest& digest) {
    const std::string& data = contents_.at(digest);
    if (data.empty() || store_->size(digest)) return !disk_.stopped();
    removed_.erase(digest);
    auto offset = store_->begin(digest, data.size());
    if (offset && *offset < data.size()) {
        std::string rest = data.substr(*offset);
        rest.back() = static_cast<char>(rest.back() ^ 1);
        offset = store_->append(digest, *offset, rest);
        if (offset && *offset == data.size()) violation("wrong bytes are taken");
    }
    return !disk_.stopped();
}

/// A peer that never heard the answer to its last chunk.
bool ArtifactRun::repeat_last_chunk(const Digest& digest) {
    const std::string& data = contents_.at(digest);
    if (data.empty()) return !disk_.stopped();
    removed_.erase(digest);
    auto offset =
        store_->append(digest, data.size() - 1, std::string_view(data).substr(data.size() - 1));
    if (!offset && offset.error().code != ErrorCode::IO) return !disk_.stopped();
    return note(digest, offset);
}

void ArtifactRun::after_stop() {
    report_.story += "after " + std::to_string(disk_.calls()) + " calls, " +
                     std::to_string(acknowledged_.size()) + " contents acknowledged";
    report_.story += ": " + std::string(to_string(disk_.stop_kind())) + "\n";
    report_.story += disk_.calls_since_sync();
    if (disk_.stop_kind() != Stop::kCut) {
        ++(disk_.stop_kind() == Stop::kKill ? report_.kills : report_.failed_syncs);
        return disk_.go_on(random_);
    }
    ++report_.cuts;
    disk_.lose_power(random_);
    // The machine was off for a minute, or for a day.
    const std::time_t since = std::time(nullptr) - (chance(random_, 50) ? 60 : 25 * 3'600);
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/incoming", none)) {
        const timeval times[2] = {{since, 0}, {since, 0}};
        ::utimes(entry.path().c_str(), times);
    }
}

void ArtifactRun::check_leftovers() {
    auto names = list_folder(folder_ + "/incoming");
    if (!names) return violation("the incoming folder is missing");
    for (const std::string& name : *names) {
        struct stat info {};
        if (::stat((folder_ + "/incoming/" + name).c_str(), &info) != 0) continue;
        if (std::time(nullptr) - info.st_mtime > 24 * 3'600 + 60 && !disk_.stopped()) {
            violation("a left-over of yesterday is still there: " + name);
        }
    }
}

void ArtifactRun::check_store() {
    if (disk_.stopped()) return;
    for (const Digest& digest : acknowledged_) {
        auto size = store_->size(digest);
        if (!size) {
            violation("lost: content " + to_hex(digest) + " had been acknowledged");
        } else if (*size != contents_.at(digest).size()) {
            violation("torn: content " + to_hex(digest) + " has another size");
        }
    }
    for (const Digest& digest : removed_) {
        if (store_->size(digest)) violation("back: content " + to_hex(digest) + " was removed");
    }
    for (const auto& [digest, data] : contents_) {
        if (!store_->size(digest)) continue;
        auto whole = store_->verify(digest);
        if (!whole) violation("wrong bytes under a name: " + whole.error().message);
    }
}

/// In the end every put can be brought to its end.
void ArtifactRun::finish_all() {
    auto store = store::FolderArtifactStore::open({.folder = folder_, .keep_free = 0});
    if (!store) return violation("the store does not open: " + store.error().message);
    store_ = std::move(*store);
    check_store();
    if (!store_->remove({condemned_.begin(), condemned_.end()})) violation("condemned files stay");
    removed_.clear();
    for (const auto& [digest, data] : contents_) {
        for (int tries = 0; tries < 2 && !acknowledged_.contains(digest); ++tries) {
            auto offset = store_->begin(digest, data.size());
            if (offset && *offset < data.size()) {
                offset = store_->append(digest, *offset, std::string_view(data).substr(*offset));
            }
            if (offset && *offset == data.size()) acknowledged_.insert(digest);
        }
        if (!acknowledged_.contains(digest))
            violation("a put can't be finished: " + to_hex(digest));
    }
    check_store();
    store_.reset();
}

}  // namespace zq::power
