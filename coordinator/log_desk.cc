#include "coordinator/log_desk.h"

#include <algorithm>
#include <utility>

namespace zq::coordinator {
namespace {

constexpr std::size_t kWriters = 16'384;  // remembered
constexpr std::size_t kPageBytes = 256 * 1024;

}  // namespace

Result<void> LogDesk::check_writer(const LogKey& key, const Writer& writer) {
    auto known = writers_.find(key);
    if (known != writers_.end() && known->second == writer) return {};
    auto task = reader_.task({kDefaultNamespace, key.task});
    if (!task) return Failure(task.error());
    if (!*task) return fail(ErrorCode::NOT_FOUND, "no task " + key.task.text, "task_id");
    const std::optional<core::Lease>& lease = (*task)->lease;
    if (!lease || lease->token != writer.lease || lease->attempt != key.attempt ||
        lease->holder.identity != writer.identity) {
        return fail(ErrorCode::STALE_LEASE, "this lease is over, or another's", "lease");
    }
    if (writers_.size() >= kWriters) writers_.clear();
    writers_.insert_or_assign(key, writer);
    return {};
}

Result<wire::Logged> LogDesk::write(const Identity& identity, wire::Log log) {
    const LogKey key{log.task, log.attempt, log.lease.number};
    if (auto ok = check_writer(key, {identity, log.lease}); !ok) return Failure(ok.error());
    const wire::Logged logged{book_.write(key, std::move(log.pieces), log.last)};
    auto [reader, end] = waiting_.equal_range(key);
    while (reader != end) {
        const LogBook::Found found = book_.read(key, reader->second.query.after, 1);
        if (found.pieces.empty() && !found.complete) {
            ++reader;
            continue;
        }
        answer(key, reader->second);
        reader = waiting_.erase(reader);
    }
    return logged;
}

Result<LogDesk::Source> LogDesk::source_of(const TaskId& task, std::uint32_t attempt) {
    auto found = reader_.task({kDefaultNamespace, task});
    if (!found) return Failure(found.error());
    if (!*found) return fail(ErrorCode::NOT_FOUND, "no task " + task.text, "task_id");
    if (attempt > (*found)->attempts) {
        return fail(ErrorCode::NOT_FOUND, "no such attempt has begun", "attempt");
    }
    const std::optional<core::Lease>& lease = (*found)->lease;
    if (lease && lease->attempt == attempt) {
        return Source{{task, attempt, lease->token.number}, true};
    }
    auto ended = reader_.attempt({kDefaultNamespace, task}, attempt);
    if (!ended) return Failure(ended.error());
    return Source{{task, attempt, *ended ? (*ended)->token.number : 0}, false};
}

wire::LogPage LogDesk::page_of(const LogKey& key, const wire::ReadLog& query) const {
    wire::LogPage page;
    LogBook::Found found = book_.read(key, query.after, kPageBytes);
    page.pieces = std::move(found.pieces);
    page.complete = found.complete;
    page.open = true;
    return page;
}

Result<std::optional<wire::LogPage>> LogDesk::read(edge::Route route, const wire::ReadLog& query,
                                                   Millis now) {
    auto source = source_of(query.task, query.attempt);
    if (!source) return Failure(source.error());
    const LogKey& key = source->key;
    wire::LogPage page = page_of(key, query);
    page.open = source->running;
    const bool has_news = !page.pieces.empty() || page.complete || !page.open;
    if (has_news || query.wait.count == 0) return std::optional(std::move(page));
    if (waiting_.size() >= limits::kPolls) {
        return fail(ErrorCode::BUSY, "too many readers wait for logs");
    }
    auto [first, end] = waiting_.equal_range(key);
    auto again = std::find_if(first, end, [&](const auto& entry) {
        return entry.second.route.connection == route.connection;
    });
    if (again != end) waiting_.erase(again);  // asked again: the old way back is given up
    waiting_.emplace(key, Waiting{std::move(route), query, now + query.wait});
    return std::optional<wire::LogPage>();
}

void LogDesk::answer(const LogKey& key, Waiting& reader) {
    ready_.push_back({std::move(reader.route), page_of(key, reader.query)});
}

std::vector<LogAnswer> LogDesk::answers(Millis now) {
    for (auto at = waiting_.begin(); at != waiting_.end();) {
        if (now < at->second.until) {
            ++at;
            continue;
        }
        answer(at->first, at->second);
        at = waiting_.erase(at);
    }
    return std::exchange(ready_, {});
}

std::optional<Millis> LogDesk::next_deadline() const {
    std::optional<Millis> next;
    for (const auto& [key, reader] : waiting_) {
        if (!next || reader.until < *next) next = reader.until;
    }
    return next;
}

}  // namespace zq::coordinator
