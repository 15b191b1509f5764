// The part of a batch that is about contents' references and about what retention removes: the
// tables content_use, condemned, removals, and the rows that leave. Begins and ends no transaction.
//
// A row that stayed from before the journal's base (base.h) is taken out of the base's sum when it
// is removed, or becomes another because its task is run again or edited.
#pragma once

#include <optional>
#include <vector>

#include "coordinator/core/event.h"
#include "coordinator/store/base.h"
#include "coordinator/store/sqlite.h"

namespace zq::store {

class UseWriter {
  public:
    /// Prepares its statements; the connection must outlive it.
    static Result<UseWriter> open(Database& database);

    /// A batch begins.
    void begin() { kept_.reset(); }

    /// What follows from one event. A content that is condemned while something refers to it is a
    /// bug that stops the program (checked).
    Result<void> project(const core::Event& event);
    /// At the end of a batch, in its transaction.
    Result<void> finish();
    /// Only what an event says that was removed of a task.
    Result<void> remove(const core::Event& event);
    /// The ended task's rows are as they stayed from before the base: back into its sum with them.
    Result<void> keep_again(Seq submitted_seq);

  private:
    Result<void> remove_task(const TaskKey& key, Seq submitted_seq);
    Result<void> revise(const core::Event& event, const core::Revision& revision);
    explicit UseWriter(std::vector<Statement> statements) : statements_(std::move(statements)) {}

    Result<void> count(const core::Event& event);
    Result<void> condemn(const core::Event& event, const core::ContentsCondemned& body);
    Result<void> condemn_one(const Digest& digest, const core::Event& event);
    Result<void> note_removal(const core::Event& event, const core::ArtifactsRemoved& body);
    Result<void> read_kept();
    Result<void> take_out(std::string_view table, Statement& rows);
    enum class Way : std::uint8_t { kOut, kIn };
    Result<void> move(Way way, std::string_view table, Statement& rows);

    std::vector<Statement> statements_;
    Seq base_seq_ = 0;              // 0: there is no base
    std::optional<BaseHead> kept_;  // with the sum as this batch changes it
};

}  // namespace zq::store
