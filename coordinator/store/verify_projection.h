// The part of verify that compares the tables beside the journal with what a replay says.
#pragma once

#include "coordinator/core/apply.h"
#include "coordinator/store/artifact_store.h"
#include "coordinator/store/base.h"
#include "coordinator/store/batch_writer.h"
#include "coordinator/store/verify.h"
#include "coordinator/store/verify_removal.h"

namespace zq::store {

/// Adds a sentence, up to kProblems.
void note_problem(VerifyReport& report, std::string sentence);

/// A row says at which event it was written last. It is compared when the replay is there; a row
/// that no event leads to is never compared, and found by counting.
class ProjectionCheck {
  public:
    ProjectionCheck(const CheckParts& parts, VerifyReport& report);

    Result<void> prepare();

    /// What stayed of the time before the base is what it was.
    Result<void> compare_base(const Base& base);
    /// The contents that an event stores or names.
    Result<void> follow(const core::Event& event);
    /// Compares the rows of everything that changed since the last call, and forgets it.
    Result<void> compare_changes(core::State& state);
    /// Once, at the end: no row is there that no event leads to.
    Result<void> compare_totals();

  private:
    Result<void> follow(const core::Revision& revision);
    Result<void> compare_task(const core::Task& task);
    Result<void> compare_attempt(const core::Attempt& attempt);
    Result<void> compare_content(Seq seq, const core::ContentStored& body);
    Result<void> check_reference(const ArtifactRef& ref, Seq seq, const std::string& where);
    Result<void> check_kept_bodies(Seq upto);
    Result<void> check_kept_contents(Seq upto);
    void check_bytes(const Digest& digest, std::uint64_t size);
    Result<void> compare_total(std::string_view table, std::uint64_t matched);

    Database& database_;
    ArtifactStore& artifacts_;
    VerifyDepth depth_;
    int format_;
    VerifyReport& report_;
    std::uint64_t kept_events_ = 0;
    RemovalCheck removals_;
    Statement task_;
    Statement attempt_;
    Statement content_;
};

}  // namespace zq::store
