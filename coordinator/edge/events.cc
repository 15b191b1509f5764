// Answers to EVENTS: a slice of the journal through a filter. One answer goes past a bounded
// stretch, whether something in it matches or not, and says how far it looked; so nothing scans for
// ever, and a filter that matches rarely still gets on.
#include <algorithm>

#include "coordinator/edge/queries.h"
#include "coordinator/edge/rows.h"
#include "coordinator/store/event_codec.h"

namespace zq::edge {
namespace {

constexpr std::size_t kBodiesRead = limits::kEventRows;  // for one answer

std::uint64_t bits_of(const std::vector<std::string>& kinds) {
    if (kinds.empty()) return ~0ULL;
    std::uint64_t bits = 0;
    const auto known = core::event_kinds();
    for (std::size_t i = 0; i < known.size(); ++i) {
        if (std::find(kinds.begin(), kinds.end(), known[i]) != kinds.end()) bits |= 1ULL << i;
    }
    return bits;
}
static_assert(std::variant_size_v<core::EventBody> < 63, "a bit for each kind of event");

/// Holds an event's task against role, group and trace id, as they were at the event.
class TaskCondition {
  public:
    TaskCondition(const View& view, const wire::Events& events) : view_(view), wanted_(events) {}

    Result<bool> holds(const core::Event& event) {
        auto told = may_be_told(event);
        if (!told || !*told) return told;
        if (wanted_.role.empty() && wanted_.group.empty() && wanted_.trace_id.empty()) return true;
        if (event.task.id.empty()) {
            const RoleName* role = core::role_in(event.body);
            return role != nullptr && *role == wanted_.role && wanted_.group.empty() &&
                   wanted_.trace_id.empty();
        }
        if (const core::Revision* revision = core::revision_of(event.body)) {
            return meets(revision->before) || meets(revision->after);
        }
        if (const TaskSpec* spec = core::spec_in(event.body)) return meets(*spec);
        return holds_for_task(event);
    }

  private:
    /// Who reads not everything reads of its tasks, as they are now.
    Result<bool> may_be_told(const core::Event& event) {
        if (may_read_all(view_.asker)) return true;
        if (event.task.id.empty()) return false;
        auto known = task_of(event.task);
        if (!known) return Failure(known.error());
        const std::optional<core::Task>& task = **known;
        return task && may_read(view_.asker, *task);
    }

    template <class TaskOrSpec>
    bool meets(const TaskOrSpec& one) const {
        return (wanted_.role.empty() || one.role == wanted_.role) &&
               (wanted_.group.empty() || one.group == wanted_.group) &&
               (wanted_.trace_id.empty() || one.trace_id == wanted_.trace_id);
    }

    /// By the task's record, where its envelope is still the one of the event; else by the envelope
    /// that was before the event in the journal.
    Result<bool> holds_for_task(const core::Event& event) {
        auto known = task_of(event.task);
        if (!known) return Failure(known.error());
        const std::optional<core::Task>& task = **known;
        if (task && event.seq >= core::spec_seq(*task)) return meets(*task);
        auto envelope = view_.reader.envelope_event(event.task, event.seq);
        if (!envelope) return Failure(envelope.error());
        return *envelope && meets(*core::spec_in((*envelope)->event.body));
    }

    Result<const std::optional<core::Task>*> task_of(const TaskKey& key) {
        auto at = tasks_.find(key);
        if (at != tasks_.end()) return &at->second;
        const core::Task* open = core::find_task(view_.state, key);
        std::optional<core::Task> task;
        if (open != nullptr) {
            task = *open;
        } else {
            auto row = view_.reader.task(key);
            if (!row) return Failure(row.error());
            task = std::move(*row);
        }
        return &tasks_.emplace(key, std::move(task)).first->second;
    }

    const View& view_;
    const wire::Events& wanted_;
    std::map<TaskKey, std::optional<core::Task>> tasks_;
};

/// Reads on from `reply.last`, until the answer is full, or as far as one answer may go.
class Slice {
  public:
    Slice(const View& view, const wire::Events& events, wire::EventRows& reply)
        : view_(view),
          events_(events),
          reply_(reply),
          condition_(view, events),
          kinds_(bits_of(events.kinds)) {
        end_ = view.committed;
        if (events.task.empty()) {
            end_ = std::min<Seq>(end_, events.after + limits::kEventsLooked);
        } else {
            task_ = TaskKey{kDefaultNamespace, events.task};
        }
    }

    Result<void> read() {
        while (!full_ && reply_.last < end_ && read_ < kBodiesRead) {
            const std::size_t most = std::min<std::size_t>(events_.limit, kBodiesRead - read_);
            auto page = task_ ? view_.reader.events(reply_.last, most, task_)
                              : view_.reader.events_of_kinds(reply_.last, end_, kinds_, most);
            if (!page) return Failure(page.error());
            const bool last_page = page->size() < most || page->back().event.seq > end_;
            if (auto ok = take(*page); !ok) return ok;
            if (!full_ && last_page) reply_.last = end_;
        }
        return {};
    }

  private:
    Result<void> take(const std::vector<store::ChainedEvent>& page) {
        for (const store::ChainedEvent& event : page) {
            if (event.event.seq > end_ || full_) return {};
            ++read_;
            auto wanted = is_wanted(event.event);
            if (!wanted) return Failure(wanted.error());
            if (*wanted && !add(event)) return {};
            reply_.last = event.event.seq;
            full_ = reply_.rows.size() >= events_.limit;
        }
        return {};
    }

    Result<bool> is_wanted(const core::Event& event) {
        if ((kinds_ >> store::kind_number(event.body) & 1U) == 0) return false;
        return condition_.holds(event);
    }

    /// False where the message is full.
    bool add(const store::ChainedEvent& event) {
        wire::EventRow row = event_row(event);
        full_ = !budget_.take(row);
        if (!full_) reply_.rows.push_back(std::move(row));
        return !full_;
    }

    const View& view_;
    const wire::Events& events_;
    wire::EventRows& reply_;
    TaskCondition condition_;
    std::uint64_t kinds_;
    std::optional<TaskKey> task_;
    Seq end_ = 0;
    std::size_t read_ = 0;
    RowBudget budget_{kRowBytes};
    bool full_ = false;
};

}  // namespace

Result<Polled<wire::EventRows>> read_events(const View& view, const wire::Events& events) {
    Polled<wire::EventRows> polled;
    polled.reply.last = events.after;
    polled.topics.push_back(events.task.empty() ? Topic{Topic::Kind::kAnything, {}}
                                                : Topic{Topic::Kind::kTask, events.task.text});
    if (events.after >= view.committed) return polled;
    Slice slice(view, events, polled.reply);
    if (auto ok = slice.read(); !ok) return Failure(ok.error());
    polled.reply.more = polled.reply.last < view.committed;
    polled.done = !polled.reply.rows.empty() || polled.reply.more;
    return polled;
}

}  // namespace zq::edge
