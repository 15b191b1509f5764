// The part of a batch that counts what ended tasks hold: the tables held and held_totals, which say
// for retention by bytes whose role holds how much, and which task of it ended first. Begins and
// ends no transaction.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "coordinator/core/apply.h"
#include "coordinator/store/held_count.h"

namespace zq::store {

class HeldWriter {
  public:
    /// Prepares its statements; the connection must outlive it.
    static Result<HeldWriter> open(Database& database);

    /// A batch begins.
    void begin() { sums_.clear(); }

    /// What follows from one event, after its own rows: retention's.
    Result<void> project(const core::Event& event);
    /// What follows from the tasks that changed, after their rows and those of their attempts; and
    /// the sums. Once, at the end of a batch whose events begin with `first`.
    Result<void> project(const core::Changes& changes, Seq first);

  private:
    struct Sum {
        std::int64_t tasks = 0;
        std::int64_t bytes = 0;
    };

    HeldWriter(std::vector<Statement> statements, HeldBytes bytes)
        : statements_(std::move(statements)), bytes_(std::move(bytes)) {}

    Result<void> count(const core::Task& task, std::uint64_t bytes);
    Result<void> forget(Seq submitted_seq);
    Result<void> count_again(Seq submitted_seq);
    Result<void> write_sums();

    std::vector<Statement> statements_;
    HeldBytes bytes_;
    std::map<std::tuple<std::string, std::string, bool>, Sum> sums_;  // what this batch adds
};

}  // namespace zq::store
