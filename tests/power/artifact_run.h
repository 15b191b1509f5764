// One run of the artifact store under power cuts: uploads in chunks, several at once, resumed,
// repeated and wrong ones, and removals of what is condemned, over a few lives on one disk, each
// ended at a random call by a cut or a kill. After each stop a put that was acknowledged is there
// whole, and what was removed is not; whatever has a digest's name has its bytes; an upload that
// was cut short can be finished; a removal that was cut short can be repeated, and content that was
// removed put again; old left-overs go away at a start.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "coordinator/store/folder_artifact_store.h"
#include "tests/power/interpose.h"
#include "tests/power/run_report.h"

namespace zq::power {

/// Ways to be wrong that a run must notice, for the controls.
enum class ArtifactFault : std::uint8_t {
    kNone,
    kNoFileSync,
    kNoFolderSync,
};

class ArtifactRun {
  public:
    explicit ArtifactRun(std::uint64_t seed, ArtifactFault fault = ArtifactFault::kNone);
    RunReport run();

  private:
    void plan_stop(bool last);
    void live(std::uint64_t steps);
    bool step();
    bool put(const Digest& digest);
    bool put_wrong(const Digest& digest);
    bool repeat_last_chunk(const Digest& digest);
    bool remove_some();
    bool note(const Digest& digest, const Result<std::uint64_t>& offset);
    void after_stop();
    void check_store();
    void check_leftovers();
    void finish_all();
    void violation(const std::string& sentence) { report_.violations.push_back(sentence); }

    Random random_;
    ScratchFolder scratch_;
    PowerDisk disk_;
    Mounted mounted_;
    const std::string folder_;
    std::unique_ptr<store::FolderArtifactStore> store_;
    std::map<Digest, std::string> contents_;
    std::set<Digest> acknowledged_;
    std::set<Digest> condemned_;  // nothing refers to them: their files are to go
    std::set<Digest> removed_;    // their files are said to be gone
    Digest last_;                 // of the upload that was worked on last
    RunReport report_;
};

}  // namespace zq::power
