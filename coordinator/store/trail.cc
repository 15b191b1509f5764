#include "coordinator/store/trail.h"

#include <algorithm>
#include <tuple>

#include "common/base/check.h"

namespace zq::store {
namespace {

/// What is committed waits so long for more of its kind.
constexpr std::chrono::milliseconds kLinger{20};
constexpr std::size_t kSliceEvents = 1'024;  // of one transaction, and a reason not to linger
constexpr std::size_t kFarEvents = 8'192;
constexpr std::size_t kFarBytes = 16UL << 20;

/// What takes rows away, or makes a task another one, has a transaction of its own: no record of
/// before comes back, an id is that of one task, and what it did counts where it was then.
bool stands_alone(const Batch& batch) {
    return std::any_of(batch.events.begin(), batch.events.end(), [](const core::Event& event) {
        return std::holds_alternative<core::TaskRemoved>(event.body) ||
               std::holds_alternative<core::TaskReplayed>(event.body) ||
               std::holds_alternative<core::TaskEdited>(event.body) ||
               std::holds_alternative<core::ArtifactsRemoved>(event.body) ||
               std::holds_alternative<core::ContentsCondemned>(event.body) ||
               std::holds_alternative<core::TextsErased>(event.body);
    });
}

std::size_t bytes_of(const LoggedChanges& logged) {
    std::size_t bytes = 0;
    for (const EventRow& row : logged.rows) {
        bytes += sizeof(core::Event) + sizeof(core::Task) + 2 * row.body.size();
    }
    for (const InlineContent& content : logged.batch.contents) bytes += content.data.size();
    return bytes;
}

template <class T>
void append(std::vector<T>& to, std::vector<T>& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

/// In the order of keys, as all changes are; of those with the same key the last.
template <class T, class Key>
void keep_last(std::vector<T>& all, Key key) {
    std::stable_sort(all.begin(), all.end(),
                     [&](const T& a, const T& b) { return key(a) < key(b); });
    const auto is_followed = [&](const T& at) {
        const T* next = &at + 1;
        return next != all.data() + all.size() && key(*next) == key(at);
    };
    auto kept = all.begin();
    for (auto at = all.begin(); at != all.end(); ++at) {
        if (is_followed(*at)) continue;
        if (kept != at) *kept = std::move(*at);
        ++kept;
    }
    all.erase(kept, all.end());
}

}  // namespace

LoggedChanges merged(std::vector<LoggedChanges> batches) {
    ZQ_CHECK(!batches.empty());
    if (batches.size() == 1) return std::move(batches.front());
    LoggedChanges all;
    std::vector<Shared<core::Task>>& tasks = all.batch.changes.tasks;
    std::vector<core::Attempt>& attempts = all.batch.changes.attempts;
    for (LoggedChanges& next : batches) {
        append(all.batch.events, next.batch.events);
        append(all.batch.contents, next.batch.contents);
        append(all.rows, next.rows);
        all.bytes += next.bytes;
        append(tasks, next.batch.changes.tasks);
        append(attempts, next.batch.changes.attempts);
    }
    keep_last(tasks, [](const Shared<core::Task>& task) -> const TaskKey& { return task->key; });
    keep_last(attempts, [](const core::Attempt& a) { return std::tie(a.task, a.attempt); });
    return all;
}

void Trail::add(Batch batch, std::vector<EventRow> rows) {
    LoggedChanges logged{std::move(batch), std::move(rows)};
    logged.bytes = bytes_of(logged);
    if (batches_.empty()) since_ = Clock::now();
    events_ += logged.rows.size();
    bytes_ += logged.bytes;
    batches_.push_back(std::move(logged));
}

std::optional<LoggedChanges> Trail::take() {
    std::vector<LoggedChanges> slice;
    std::size_t events = 0;
    while (!batches_.empty() && events < kSliceEvents) {
        const bool alone = stands_alone(batches_.front().batch);
        if (alone && !slice.empty()) break;
        events += batches_.front().rows.size();
        bytes_ -= batches_.front().bytes;
        slice.push_back(std::move(batches_.front()));
        batches_.pop_front();
        if (alone) break;
    }
    events_ -= events;
    if (slice.empty()) return std::nullopt;
    return merged(std::move(slice));
}

void Trail::put_back(LoggedChanges taken) {
    events_ += taken.rows.size();
    bytes_ += taken.bytes;
    batches_.push_front(std::move(taken));
}

bool Trail::is_far() const {
    return events_ >= kFarEvents || bytes_ >= kFarBytes;
}

Trail::Clock::duration Trail::until_due() const {
    if (events_ >= kSliceEvents) return {};
    return since_ + kLinger - Clock::now();
}

}  // namespace zq::store
