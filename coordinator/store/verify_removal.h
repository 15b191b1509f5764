// The part of verify that is about references and about what retention has removed: that a row
// which is missing was removed by an event, that nothing was removed while something referred to
// it; and that what ended tasks hold is counted as their rows say.
#pragma once

#include "coordinator/store/base.h"
#include "coordinator/store/row_sum.h"
#include "coordinator/store/verify.h"

namespace zq::store {

class RemovalCheck {
  public:
    RemovalCheck(Database& database, int format, VerifyReport& report)
        : database_(database), format_(format), report_(report) {}

    Result<void> prepare();
    void start_from(const Base& base, std::uint64_t kept_removals);

    /// What an event gains, releases or removes.
    Result<void> follow(const core::Event& event);
    /// Whether a later event than this one removed the task's rows.
    Result<bool> task_was_removed(const TaskKey& key, Seq after);
    /// Whether the content was condemned by a later event.
    Result<bool> was_condemned(const Digest& digest, Seq after);
    /// Once, at the end.
    Result<void> compare();

  private:
    Result<void> follow(const core::Event& event, const core::ContentsCondemned& body);
    Result<void> follow(const core::Event& event, const core::ArtifactsRemoved& body);
    Result<void> follow(const core::Event& event, const core::TaskRemoved& body);
    Result<void> compare_count(std::string_view rows, std::uint64_t matched);
    Result<void> find_lost();

    Database& database_;
    int format_;
    VerifyReport& report_;
    RowSum references_;
    std::uint64_t condemned_ = 0;  // rows that an event led to
    std::uint64_t removals_ = 0;
    Statement condemned_seq_;
    Statement removal_;
    Statement old_task_;
    Statement removed_later_;
};

}  // namespace zq::store
