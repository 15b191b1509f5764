// Answers to USAGE: what ended attempts used, read from their rows. Looks at one task, or at a page
// of the tasks of a role or group, by the same indexes as lists; never at the history.
#include "common/base/usage.h"

#include "coordinator/edge/queries.h"
#include "coordinator/edge/rows.h"

namespace zq::edge {
namespace {

/// The rows of one task; false where they do not fit any more.
Result<bool> add_task(const View& view, const core::Task& task, RowBudget& budget,
                      std::vector<wire::UsageRow>& rows) {
    auto attempts = view.reader.attempts(task.key);
    if (!attempts) return Failure(attempts.error());
    const std::size_t before = rows.size();
    for (const core::Attempt& attempt : *attempts) {
        Usage used = usage_in(attempt.output);
        if (used == Usage{}) continue;
        wire::UsageRow row;
        row.task = task.key.id;
        row.attempt = attempt.attempt;
        row.role = task.role;
        row.group = task.group;
        row.model = std::move(used.model);
        row.cost_usd_micros = used.cost_usd_micros;
        row.input_tokens = used.input_tokens;
        row.output_tokens = used.output_tokens;
        if (!budget.take(row)) {
            rows.resize(before);
            return false;
        }
        rows.push_back(std::move(row));
    }
    return true;
}

Result<wire::UsageRows> of_task(const View& view, const TaskId& id) {
    const TaskKey key{kDefaultNamespace, id};
    auto row = view.reader.task(key);
    if (!row) return Failure(row.error());
    const core::Task* task = core::find_task(view.state, key);
    if (*row) task = &**row;
    const bool known = *row || (task != nullptr && task->changed_seq <= view.committed);
    if (!known || !may_read(view.asker, *task)) {
        return fail(ErrorCode::NOT_FOUND, "no task " + id.text, "task_id");
    }
    wire::UsageRows reply;
    RowBudget budget(kRowBytes);
    auto fits = add_task(view, *task, budget, reply.rows);
    if (!fits) return Failure(fits.error());
    if (*fits) return reply;
    return fail(ErrorCode::TOO_LARGE, "its attempts do not fit one answer: read them with GET",
                "task_id");
}

}  // namespace

Result<wire::UsageRows> read_usage(const View& view, const wire::UsageQuery& query) {
    if (!query.task.empty()) return of_task(view, query.task);
    store::TaskFilter filter;
    filter.role = query.role;
    filter.group = query.group;
    filter.before = query.before;
    filter.limit = query.limit;
    auto page = view.reader.tasks(filter);
    if (!page) return Failure(page.error());
    wire::UsageRows reply;
    RowBudget budget(kRowBytes);
    Seq last = 0;  // of the last task that was looked at
    for (const core::Task& task : page->tasks) {
        if (!may_read(view.asker, task)) continue;
        auto fits = add_task(view, task, budget, reply.rows);
        if (!fits) return Failure(fits.error());
        if (!*fits) {
            if (last == 0) {
                return fail(ErrorCode::TOO_LARGE,
                            "the attempts of task " + task.key.id.text + " do not fit one answer",
                            "before");
            }
            reply.before = last;
            return reply;
        }
        last = task.submitted_seq;
    }
    if (page->more) reply.before = page->looked;
    return reply;
}

}  // namespace zq::edge
