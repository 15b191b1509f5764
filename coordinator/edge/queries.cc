#include "coordinator/edge/queries.h"

#include <algorithm>

#include "coordinator/edge/rows.h"

namespace zq::edge {
namespace {

constexpr std::size_t kPrefixMatches = 4;  // enough to name some in the error
constexpr std::size_t kShortRows = 100;    // more rows than this have their long texts cut
constexpr std::size_t kShortText = 160;
constexpr std::size_t kOutputText = 256;  // of an attempt that would not fit otherwise

TaskKey key_of(const TaskId& id) {
    return {kDefaultNamespace, id};
}

/// The newest committed record of a task that the asker may read.
Result<std::optional<core::Task>> find_committed(const View& view, const TaskKey& key) {
    const core::Task* task = core::find_task(view.state, key);
    const bool in_memory = task != nullptr && task->changed_seq <= view.committed;
    auto found = in_memory ? Result<std::optional<core::Task>>(*task) : view.reader.task(key);
    if (found && *found && !may_read(view.asker, **found)) found->reset();
    return found;
}

Failure no_such_task(const TaskId& id, const std::string& field) {
    return fail(ErrorCode::NOT_FOUND, "no task " + id.text, field);
}

/// The task an id or a unique prefix of one stands for; the exact id wins.
Result<core::Task> resolve(const View& view, const TaskId& id, const std::string& field) {
    auto task = find_committed(view, key_of(id));
    if (!task) return Failure(task.error());
    if (*task) return std::move(**task);
    // A prefix could tell of tasks that are not to be told of.
    if (!may_read_all(view.asker)) return no_such_task(id, field);
    auto ids = view.reader.ids_with_prefix(kDefaultNamespace, id.text, kPrefixMatches);
    if (!ids) return Failure(ids.error());
    if (ids->empty()) return no_such_task(id, field);
    if (ids->size() > 1) {
        std::string names;
        for (const TaskId& match : *ids) names += (names.empty() ? "" : ", ") + match.text;
        return fail(ErrorCode::CONFLICT, "several tasks begin with " + id.text + ": " + names,
                    field);
    }
    task = find_committed(view, key_of(ids->front()));
    if (!task) return Failure(task.error());
    if (!*task) return no_such_task(id, field);
    return std::move(**task);
}

/// The task's row, with what its running attempt said last.
wire::TaskRow row_of(const View& view, const core::Task& task) {
    wire::TaskRow row = task_row(task);
    auto progress = view.state.now.progress.find(task.key);
    if (!task.lease || progress == view.state.now.progress.end()) return row;
    row.progress_percent = progress->second.percent;
    row.progress_step = progress->second.step;
    row.progress_message = progress->second.message;
    return row;
}

void shorten(wire::TaskRow& row) {
    row.summary = cut_text(row.summary, kShortText);
    row.reason = cut_text(row.reason, kShortText);
    row.progress_message = cut_text(row.progress_message, kShortText);
    row.question = cut_text(row.question, kShortText);
}

/// Attempts by number, the newest kept whole first; old ones are left out where the message is
/// full.
std::vector<wire::AttemptRow> fit_attempts(std::vector<wire::AttemptRow> rows, RowBudget budget) {
    std::vector<wire::AttemptRow> kept;
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
        if (!budget.take(*row)) {
            for (auto& [key, value] : row->output) value = cut_text(value, kOutputText);
            row->reason = cut_text(row->reason, kOutputText);
            if (!budget.take(*row)) break;
        }
        kept.push_back(std::move(*row));
    }
    std::reverse(kept.begin(), kept.end());
    return kept;
}

/// What retention took from a task that has ended, and by which rule.
Result<std::vector<wire::RemovedRow>> removed_of(const View& view, const core::Task& task,
                                                 const std::vector<core::Attempt>& attempts) {
    std::vector<wire::RemovedRow> rows;
    auto removals = view.reader.removals(task.submitted_seq);
    if (!removals) return Failure(removals.error());
    for (const store::Removal& removal : *removals) {
        wire::RemovedRow row{removal.kind, 0, removal.at, {}};
        for (const core::Attempt& attempt : attempts) {
            if (attempt.ended_seq < removal.seq)
                row.attempt = std::max(row.attempt, attempt.attempt);
        }
        auto events = view.reader.events(removal.seq - 1, 1, std::nullopt);
        if (!events) return Failure(events.error());
        if (!events->empty() && events->front().event.seq == removal.seq) {
            const auto* body = std::get_if<core::ArtifactsRemoved>(&events->front().event.body);
            if (body != nullptr) row.rule = to_string(body->rule);
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

store::TaskFilter filter_of(const View& view, const wire::List& list) {
    store::TaskFilter filter;
    if (!may_read_all(view.asker)) {
        filter.allowed = [asker = view.asker](const core::Task& task) {
            return may_read(asker, task);
        };
    }
    filter.states = list.states;
    filter.role = list.role;
    filter.group = list.group;
    filter.from = list.from;
    filter.before = list.before;
    filter.limit = list.limit;
    filter.type = list.type;
    filter.trace_id = list.trace_id;
    filter.worker = list.worker;
    filter.labels = list.labels;
    filter.dead_reason = list.dead_reason;
    filter.ended_since = list.ended_since;
    filter.ended_before = list.ended_before;
    filter.since = list.since;
    filter.until = list.until;
    return filter;
}

/// Appends rows until the message is full.
struct RowsThatFit {
    const View& view;
    wire::Tasks tasks{};
    RowBudget budget{kRowBytes};
    bool cut = false;

    bool add(const core::Task& task) {
        wire::TaskRow row = row_of(view, task);
        if (cut) shorten(row);
        if (!budget.take(row)) {
            tasks.more = true;
            return false;
        }
        tasks.rows.push_back(std::move(row));
        return true;
    }
};

/// Tasks that a WAIT names, as committed.
Result<std::vector<core::Task>> waited_for(const View& view, const wire::Wait& wait) {
    std::vector<core::Task> tasks;
    if (!wait.group.empty()) {
        auto members = view.reader.group(kDefaultNamespace, wait.group, limits::kWaitTasks + 1);
        if (!members) return Failure(members.error());
        std::erase_if(*members, [&](const auto& task) { return !may_read(view.asker, task); });
        if (members->empty()) {
            return fail(ErrorCode::NOT_FOUND, "no task of group " + wait.group.text, "group");
        }
        if (members->size() > limits::kWaitTasks) {
            return fail(ErrorCode::TOO_LARGE, "a group of more than 1000 tasks: wait for ids",
                        "group");
        }
        return std::move(*members);
    }
    for (std::size_t i = 0; i < wait.tasks.size(); ++i) {
        auto task = resolve(view, wait.tasks[i], "tasks[" + std::to_string(i) + "]");
        if (!task) return Failure(task.error());
        const bool twice = std::any_of(tasks.begin(), tasks.end(),
                                       [&](const auto& t) { return t.key == task->key; });
        if (!twice) tasks.push_back(std::move(*task));
    }
    return tasks;
}

}  // namespace

Result<wire::TaskReply> get_task(const View& view, const wire::Get& get) {
    auto found = get.prefix ? resolve(view, get.task, "task_id") : [&]() -> Result<core::Task> {
        auto task = find_committed(view, key_of(get.task));
        if (!task) return Failure(task.error());
        if (!*task) return no_such_task(get.task, "task_id");
        return std::move(**task);
    }();
    if (!found) return Failure(found.error());
    auto spec = view.specs.get(core::spec_seq(*found));
    if (!spec) return Failure(spec.error());
    auto attempts = view.reader.attempts(found->key);
    if (!attempts) return Failure(attempts.error());
    wire::TaskReply reply;
    reply.row = row_of(view, *found);
    reply.spec = std::move(*spec);
    std::vector<wire::AttemptRow> rows;
    for (const core::Attempt& attempt : *attempts) rows.push_back(attempt_row(attempt));
    const bool ended_since =
        found->lease && !rows.empty() && rows.back().attempt == found->lease->attempt;
    if (found->lease && !ended_since) rows.push_back(running_row(*found->lease));
    reply.checkpoints = found->checkpoints;
    reply.questions = found->questions;
    auto removed = removed_of(view, *found, *attempts);
    if (!removed) return Failure(removed.error());
    reply.removed = std::move(*removed);
    reply.why = why_of(view.moment(), *found);
    RowBudget budget(kRowBytes);
    budget.take(reply.row);
    budget.take(reply.why);
    budget.take(reply.spec);
    for (const CheckpointRef& checkpoint : reply.checkpoints) budget.take(checkpoint);
    for (const Question& question : reply.questions) budget.take(question);
    reply.attempts = fit_attempts(std::move(rows), budget);
    reply.progress_percent = reply.row.progress_percent;
    reply.progress_step = reply.row.progress_step;
    reply.progress_message = reply.row.progress_message;
    return reply;
}

Result<wire::Tasks> list_tasks(const View& view, const wire::List& list) {
    const store::TaskFilter filter = filter_of(view, list);
    auto page = view.reader.tasks(filter);
    if (!page) return Failure(page.error());
    RowsThatFit fit{view};
    fit.cut = page->tasks.size() > kShortRows;
    for (const core::Task& row : page->tasks) {
        const core::Task* newer = core::find_task(view.state, row.key);
        const bool wins = newer != nullptr && newer->changed_seq <= view.committed &&
                          newer->changed_seq > row.changed_seq;
        const core::Task& task = wins ? *newer : row;
        if (store::matches(filter, task) && !fit.add(task)) return std::move(fit.tasks);
        fit.tasks.next = task.submitted_seq;
    }
    fit.tasks.more = page->more;
    fit.tasks.next = page->more ? page->looked : 0;
    return std::move(fit.tasks);
}

Result<Polled<wire::Ended>> wait_tasks(const View& view, const wire::Wait& wait) {
    auto tasks = waited_for(view, wait);
    if (!tasks) return Failure(tasks.error());
    Polled<wire::Ended> polled;
    RowBudget budget(kRowBytes);
    std::uint32_t ended = 0;
    for (const core::Task& task : *tasks) {
        if (!is_final(task.state)) {
            ++polled.reply.open;
            if (wait.group.empty()) {
                polled.topics.push_back({Topic::Kind::kTask, task.key.id.text});
            }
            continue;
        }
        ++ended;
        wire::TaskRow row = task_row(task);
        if (tasks->size() > kShortRows) shorten(row);
        if (!budget.take(row)) {
            ++polled.reply
                  .open;  // it has ended, but this message is full: asked for again, it comes
            continue;
        }
        polled.reply.rows.push_back(std::move(row));
    }
    if (!wait.group.empty()) polled.topics.push_back({Topic::Kind::kGroup, wait.group.text});
    const auto all = static_cast<std::uint32_t>(tasks->size());
    polled.done = ended >= (wait.count == 0 ? all : std::min(wait.count, all));
    return polled;
}

Result<Polled<wire::Tasks>> read_answers(const View& view, const wire::Answers& answers) {
    Polled<wire::Tasks> polled;
    polled.topics.push_back({Topic::Kind::kReplyTo, answers.reply_to});
    auto tasks = view.reader.answers(kDefaultNamespace, answers.reply_to, answers.after,
                                     answers.limit + 1UL);
    if (!tasks) return Failure(tasks.error());
    RowsThatFit fit{view};
    fit.cut = tasks->size() > kShortRows;
    for (std::size_t i = 0; i < tasks->size(); ++i) {
        if ((*tasks)[i].changed_seq > view.committed) break;
        if (i == answers.limit) {
            fit.tasks.more = true;
            break;
        }
        if (may_read(view.asker, (*tasks)[i]) && !fit.add((*tasks)[i])) break;
    }
    polled.reply = std::move(fit.tasks);
    polled.done = !polled.reply.rows.empty();
    return polled;
}

}  // namespace zq::edge
