// A replay of a journal's proved events from its base, or from nothing: the state at any place of
// the past. What restore and archive stand on; verify compares on its way (verify.cc).
#pragma once

#include <functional>
#include <map>

#include "coordinator/core/apply.h"
#include "coordinator/store/anchors.h"
#include "coordinator/store/base.h"

namespace zq::store {

class Fold {
  public:
    /// `format` is the database's. Errors: IO.
    static Result<Fold> open(Database& database, int format);

    const core::State& state() const { return base_.state; }
    const ChainPlace& place() const { return base_.place; }
    /// Ended attempts of the tasks that are open now.
    std::vector<core::Attempt> open_attempts() const;

    /// Replays up to the last event with seq <= upto; anchors on the way must agree. `each` sees
    /// every step, to copy what it needs. Errors: IO, naming the first row that is wrong; those of
    /// `each`.
    Result<void> run(Seq upto, const std::function<Result<void>(const ChainWalk&)>& each);
    /// What the replay changed since the last call.
    core::Changes take_changes();
    /// The state now, as the base of what follows, and as an anchor.
    Base base() const;
    Anchor anchor() const;

  private:
    Fold(Database& database, Base base, std::vector<Anchor> anchors)
        : database_(&database), base_(std::move(base)), anchors_(std::move(anchors)) {}
    Result<void> check_anchor() const;
    void note_attempt(const core::Event& event);

    Database* database_;
    Base base_;
    std::vector<Anchor> anchors_;
    std::map<std::pair<TaskKey, std::uint32_t>, core::Attempt> attempts_;  // of open tasks
};

/// The last event with `at` <= time, and 0 if there is none: where a time lies in the order. Times
/// of events never fall by much, and the order counts. Errors: IO.
Result<Seq> last_seq_at(Database& database, Instant time);

}  // namespace zq::store
