// Reads of a MemoryDisk. Plain walks over its maps: what is small needs no index.
#include <algorithm>

#include "coordinator/store/event_codec.h"
#include "coordinator/store/memory_journal.h"

namespace zq::store {
namespace {

class MemoryReader : public Reader {
  public:
    explicit MemoryReader(const MemoryDisk& disk) : disk_(disk) {}

    Result<std::optional<core::Task>> task(const TaskKey& key) override {
        auto at = disk_.tasks.find(key);
        if (at == disk_.tasks.end()) return std::optional<core::Task>{};
        return std::optional(at->second);
    }

    Result<std::optional<core::Task>> task_by_idempotency_key(const Namespace& ns,
                                                              const std::string& key) override {
        auto found = matching(SIZE_MAX, [&](const core::Task& task) {
            return !key.empty() && task.key.ns == ns && task.idempotency_key == key;
        });
        if (found.empty()) return std::optional<core::Task>{};
        return std::optional(*std::max_element(found.begin(), found.end(), by_submit));
    }

    Result<std::vector<TaskId>> ids_with_prefix(const Namespace& ns, const std::string& prefix,
                                                std::size_t limit) override {
        std::vector<TaskId> ids;
        for (const core::Task& task : matching(limit, [&](const core::Task& t) {
                 return t.key.ns == ns && t.key.id.text.starts_with(prefix);
             })) {
            ids.push_back(task.key.id);
        }
        return ids;
    }

    Result<TaskPage> tasks(const TaskFilter& filter) override {
        auto found =
            matching(SIZE_MAX, [&](const core::Task& task) { return leads_to(filter, task); });
        std::sort(found.rbegin(), found.rend(), by_submit);
        std::map<Seq, core::Task*> by_place;
        std::vector<Seq> places;
        for (core::Task& task : found) {
            if (places.size() > most_looked(filter)) break;
            by_place[task.submitted_seq] = &task;
            places.push_back(task.submitted_seq);
        }
        return look_through(filter, places, [&](Seq place) -> Result<std::optional<core::Task>> {
            return std::optional(*by_place.at(place));
        });
    }

    Result<std::vector<core::Task>> answers(const Namespace& ns, const std::string& reply_to,
                                            Seq after, std::size_t limit) override {
        auto found = matching(SIZE_MAX, [&](const core::Task& task) {
            return is_final(task.state) && task.key.ns == ns && !reply_to.empty() &&
                   task.reply_to == reply_to && task.changed_seq > after;
        });
        std::sort(found.begin(), found.end(), [](const core::Task& a, const core::Task& b) {
            return a.changed_seq < b.changed_seq;
        });
        if (found.size() > limit) found.resize(limit);
        return found;
    }

    Result<std::vector<core::Task>> group(const Namespace& ns, const GroupName& group,
                                          std::size_t limit) override {
        auto found = matching(SIZE_MAX, [&](const core::Task& task) {
            return task.key.ns == ns && !group.empty() && task.group == group;
        });
        std::sort(found.begin(), found.end(), by_submit);
        if (found.size() > limit) found.resize(limit);
        return found;
    }

    Result<std::vector<std::pair<RoleKey, std::uint64_t>>> dead_counts() override {
        std::map<RoleKey, std::uint64_t> counts;
        for (const auto& [key, task] : disk_.tasks) {
            if (task.state == TaskState::kDead || task.state == TaskState::kExpired) {
                ++counts[{key.ns, task.role}];
            }
        }
        return std::vector<std::pair<RoleKey, std::uint64_t>>(counts.begin(), counts.end());
    }

    Result<std::optional<TaskSpec>> spec(Seq spec_seq) override {
        if (spec_seq == 0 || spec_seq > disk_.events.size()) return std::optional<TaskSpec>{};
        const TaskSpec* spec = core::spec_in(disk_.events[spec_seq - 1].event.body);
        return spec == nullptr ? std::optional<TaskSpec>{} : std::optional(*spec);
    }

    Result<std::vector<core::Attempt>> attempts(const TaskKey& key) override {
        std::vector<core::Attempt> found;
        auto at = disk_.attempts.lower_bound({key, 0});
        for (; at != disk_.attempts.end() && at->first.first == key; ++at) {
            found.push_back(at->second);
        }
        return found;
    }

    Result<std::optional<core::Attempt>> attempt(const TaskKey& key,
                                                 std::uint32_t number) override {
        auto at = disk_.attempts.find({key, number});
        if (at == disk_.attempts.end()) return std::optional<core::Attempt>{};
        return std::optional(at->second);
    }

    Result<std::optional<ContentPlace>> content(const Digest& digest) override {
        auto at = disk_.contents.find(digest);
        if (at == disk_.contents.end()) return std::optional<ContentPlace>{};
        return std::optional(at->second.place);
    }

    Result<std::string> inline_content(const Digest& digest, std::uint64_t offset,
                                       std::size_t length) override {
        auto at = disk_.contents.find(digest);
        if (at == disk_.contents.end() || !at->second.place.inlined) {
            return fail(ErrorCode::NOT_FOUND, "no inline content " + to_hex(digest));
        }
        const std::string& data = at->second.data;
        return data.substr(std::min<std::uint64_t>(offset, data.size()), length);
    }

    Result<std::vector<core::UnusedContent>> unused_contents(
        const std::pair<Instant, Digest>& after, Instant before, std::size_t limit) override {
        std::map<std::pair<Instant, Digest>, core::UnusedContent> found;
        for (const auto& [digest, use] : disk_.uses) {
            auto content = disk_.contents.find(digest);
            const auto place = std::pair(use.since, digest);
            if (use.refs > 0 || content == disk_.contents.end()) continue;
            if (place <= after || use.since >= before) continue;
            const ContentPlace& where = content->second.place;
            found.emplace(place, core::UnusedContent{digest, where.size, where.inlined, use.since});
        }
        std::vector<core::UnusedContent> unused;
        for (auto& [place, content] : found) {
            if (unused.size() < limit) unused.push_back(content);
        }
        return unused;
    }

    Result<std::optional<Instant>> unused_since(const Digest& digest) override {
        auto at = disk_.uses.find(digest);
        if (at == disk_.uses.end() || at->second.refs > 0) return std::optional<Instant>{};
        return std::optional(at->second.since);
    }

    Result<std::optional<Instant>> condemned_at(const Digest& digest) override {
        auto at = disk_.condemned.find(digest);
        if (at == disk_.condemned.end()) return std::optional<Instant>{};
        return std::optional(at->second.second);
    }

    Result<std::vector<std::pair<Seq, Digest>>> condemned_after(Seq after,
                                                                std::size_t limit) override {
        std::set<std::pair<Seq, Digest>> found;
        for (const auto& [digest, place] : disk_.condemned) {
            if (place.first > after && !disk_.contents.contains(digest)) {
                found.emplace(place.first, digest);
            }
        }
        std::vector<std::pair<Seq, Digest>> rows(found.begin(), found.end());
        if (rows.size() > limit) rows.resize(limit);
        return rows;
    }

    Result<Seq> last_condemned() override {
        Seq last = 0;
        for (const auto& [digest, place] : disk_.condemned) last = std::max(last, place.first);
        return last;
    }

    Result<std::vector<RoleName>> task_roles(const Namespace& ns) override {
        std::set<RoleName> roles;
        for (const auto& [key, task] : disk_.tasks) {
            if (key.ns == ns) roles.insert(task.role);
        }
        return std::vector<RoleName>(roles.begin(), roles.end());
    }

    Result<std::vector<core::Task>> ended_tasks(const RoleKey& role, TaskState state, Seq after,
                                                std::size_t limit) override {
        auto found = matching(SIZE_MAX, [&](const core::Task& task) {
            return task.key.ns == role.ns && task.role == role.role && task.state == state &&
                   is_final(state) && task.changed_seq > after;
        });
        std::sort(found.begin(), found.end(), [](const core::Task& a, const core::Task& b) {
            return a.changed_seq < b.changed_seq;
        });
        if (found.size() > limit) found.resize(limit);
        return found;
    }

    Result<std::vector<HeldTotal>> held_totals() override {
        std::map<std::pair<RoleKey, bool>, HeldTotal> sums;
        for (const auto& [key, task] : disk_.tasks) {
            if (!is_final(task.state)) continue;
            const RoleKey role{key.ns, task.role};
            const bool dead = is_dead(task.state);
            HeldTotal& sum =
                sums.try_emplace({role, dead}, HeldTotal{role, dead, 0, 0}).first->second;
            ++sum.tasks;
            sum.bytes += held_by_one(task);
        }
        std::vector<HeldTotal> found;
        found.reserve(sums.size());
        for (const auto& [key, sum] : sums) found.push_back(sum);
        return found;
    }

    Result<std::vector<core::Task>> holding_tasks(const RoleKey& role, bool dead, Seq after,
                                                  std::size_t limit) override {
        auto found = matching(SIZE_MAX, [&](const core::Task& task) {
            return task.key.ns == role.ns && task.role == role.role && is_final(task.state) &&
                   is_dead(task.state) == dead && task.changed_seq > after && held_by_one(task) > 0;
        });
        std::sort(found.begin(), found.end(), [](const core::Task& a, const core::Task& b) {
            return a.changed_seq < b.changed_seq;
        });
        if (found.size() > limit) found.resize(limit);
        return found;
    }

    Result<std::vector<Removal>> removals(Seq submitted_seq) override {
        std::vector<Removal> found;
        for (const auto& [key, removal] : disk_.removals) {
            if (std::get<0>(key) == submitted_seq) found.push_back(removal);
        }
        return found;
    }

    Result<std::vector<ChainedEvent>> events(Seq after, std::size_t limit,
                                             const std::optional<TaskKey>& task) override {
        std::vector<ChainedEvent> found;
        for (Seq i = after; i < disk_.events.size() && found.size() < limit; ++i) {
            if (!task || disk_.events[i].event.task == *task) found.push_back(disk_.events[i]);
        }
        return found;
    }

    Result<std::vector<ChainedEvent>> events_of_kinds(Seq after, Seq upto, std::uint64_t kinds,
                                                      std::size_t limit) override {
        std::vector<ChainedEvent> found;
        for (Seq i = after; i < std::min<Seq>(upto, disk_.events.size()); ++i) {
            if (found.size() == limit) break;
            const bool wanted = (kinds >> kind_number(disk_.events[i].event.body) & 1U) != 0;
            if (wanted) found.push_back(disk_.events[i]);
        }
        return found;
    }

    Result<std::optional<ChainedEvent>> envelope_event(const TaskKey& key, Seq upto) override {
        for (Seq i = std::min<Seq>(upto, disk_.events.size()); i > 0; --i) {
            const ChainedEvent& event = disk_.events[i - 1];
            const bool found =
                event.event.task == key && core::spec_in(event.event.body) != nullptr;
            if (found) return std::optional(event);
        }
        return std::optional<ChainedEvent>{};
    }

    Result<std::map<std::string, Rollup>> rollups(const Namespace& ns, StatsBy by, Millis span,
                                                  Instant from) override {
        std::map<std::string, Rollup> sums;
        for (const auto& [key, rollup] : disk_.rollups) {
            const bool wanted =
                key.ns == ns && key.by == by && key.span == span && key.start >= from;
            if (wanted) sums[key.name].add(rollup);
        }
        return sums;
    }

    Result<Seq> last_seq() override { return disk_.events.size(); }

  private:
    static bool by_submit(const core::Task& a, const core::Task& b) {
        return a.submitted_seq < b.submitted_seq;
    }

    std::uint64_t held_by_one(const core::Task& task) {
        return bytes_held_by(task, *attempts(task.key), *removals(task.submitted_seq));
    }

    /// In key order.
    template <class Wanted>
    std::vector<core::Task> matching(std::size_t limit, Wanted wanted) const {
        std::vector<core::Task> found;
        for (const auto& [key, task] : disk_.tasks) {
            if (found.size() == limit) break;
            if (wanted(task)) found.push_back(task);
        }
        return found;
    }

    const MemoryDisk& disk_;
};

}  // namespace

std::unique_ptr<Reader> open_memory_reader(const MemoryDisk& disk) {
    return std::make_unique<MemoryReader>(disk);
}

}  // namespace zq::store
