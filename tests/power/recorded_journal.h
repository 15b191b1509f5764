// A journal that is written down beside itself: every event that was handed to it, and how far it
// said that they are durable. That is what a run compares with what a cut has left.
#pragma once

#include <map>
#include <vector>

#include "coordinator/store/journal.h"

namespace zq::power {

/// What one journal was given and has said, over all its processes.
struct History {
    std::vector<core::Event> events;  // events[i] has seq i + 1; some of the last may be lost
    Seq said = 0;                     // somebody was told of all up to here
    std::map<Seq, Digest> heads;      // of the chain, after acknowledged batches
    std::uint64_t batches = 0;        // acknowledged
};

class RecordedJournal : public store::Journal {
  public:
    /// Both must outlive it.
    RecordedJournal(store::Journal& journal, History& history)
        : journal_(journal), history_(history) {}

    Result<store::Recovery> acquire(core::State& state) override { return journal_.acquire(state); }
    Result<void> settle() override;
    void append(store::Batch batch) override;
    std::vector<store::CommitResult> results() override;
    int results_fd() const override { return journal_.results_fd(); }
    std::size_t uncommitted_batches() const override { return journal_.uncommitted_batches(); }
    std::size_t uncommitted_bytes() const override { return journal_.uncommitted_bytes(); }
    bool storage_low() const override { return journal_.storage_low(); }
    Seq projected() const override { return journal_.projected(); }
    void project_soon(Seq upto) override { journal_.project_soon(upto); }
    bool trails_far() const override { return journal_.trails_far(); }
    Result<std::unique_ptr<store::Reader>> open_trailing_reader() override {
        return journal_.open_trailing_reader();
    }
    Instant leadership_until() const override { return journal_.leadership_until(); }
    Result<std::unique_ptr<store::Reader>> open_reader() override { return journal_.open_reader(); }
    Result<void> close() override { return journal_.close(); }

    /// A start that leaves its first checkpoint out.
    void forget_to_settle() { settles_ = false; }

  private:
    store::Journal& journal_;
    History& history_;
    bool settles_ = true;
    bool settled_ = false;  // before it, nothing that is committed may be said
};

}  // namespace zq::power
