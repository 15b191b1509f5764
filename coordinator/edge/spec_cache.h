// The envelopes of recently submitted tasks, so that handing one to a worker need not read the
// disk. Bounded by bytes; the least recently used leave first. One thread uses it.
#pragma once

#include <list>
#include <map>

#include "common/base/shared.h"
#include "common/base/task_spec.h"

namespace zq::edge {

class SpecCache {
  public:
    explicit SpecCache(std::size_t most_bytes) : most_bytes_(most_bytes) {}

    /// Keeps it, unless it is larger than a sixteenth of the whole cache.
    void put(Seq spec_seq, const Shared<TaskSpec>& spec);
    /// Null if it is not there. Valid until the next `put`.
    const TaskSpec* find(Seq spec_seq);
    std::size_t bytes() const { return bytes_; }

  private:
    struct Entry {
        Seq seq = 0;
        Shared<TaskSpec> spec;
        std::size_t bytes = 0;
    };
    std::size_t most_bytes_;
    std::size_t bytes_ = 0;
    std::list<Entry> entries_;  // the most recently used first
    std::map<Seq, std::list<Entry>::iterator> by_seq_;
};

}  // namespace zq::edge
