// Reads of the SQLite journal, on a read-only connection of its own. Every read is short, so that
// it never holds the write-ahead log back.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "coordinator/store/reader.h"
#include "coordinator/store/sqlite.h"

namespace zq::store {

class SqliteReader : public Reader {
  public:
    /// A database that this process writes to already; `refresh`, if any, is called before each
    /// question. Errors: IO.
    static Result<std::unique_ptr<Reader>> open(const std::string& path,
                                                std::function<void()> refresh);

    Result<std::optional<core::Task>> task(const TaskKey& key) override;
    Result<std::optional<core::Task>> task_by_idempotency_key(const Namespace& ns,
                                                              const std::string& key) override;
    Result<std::vector<TaskId>> ids_with_prefix(const Namespace& ns, const std::string& prefix,
                                                std::size_t limit) override;
    Result<TaskPage> tasks(const TaskFilter& filter) override;
    Result<std::vector<core::Task>> answers(const Namespace& ns, const std::string& reply_to,
                                            Seq after, std::size_t limit) override;
    Result<std::vector<core::Task>> group(const Namespace& ns, const GroupName& group,
                                          std::size_t limit) override;
    Result<std::vector<std::pair<RoleKey, std::uint64_t>>> dead_counts() override;
    Result<std::optional<TaskSpec>> spec(Seq spec_seq) override;
    Result<std::vector<core::Attempt>> attempts(const TaskKey& key) override;
    Result<std::optional<core::Attempt>> attempt(const TaskKey& key, std::uint32_t number) override;
    Result<std::optional<ContentPlace>> content(const Digest& digest) override;
    Result<std::string> inline_content(const Digest& digest, std::uint64_t offset,
                                       std::size_t length) override;
    Result<std::vector<core::UnusedContent>> unused_contents(
        const std::pair<Instant, Digest>& after, Instant before, std::size_t limit) override;
    Result<std::optional<Instant>> unused_since(const Digest& digest) override;
    Result<std::optional<Instant>> condemned_at(const Digest& digest) override;
    Result<std::vector<std::pair<Seq, Digest>>> condemned_after(Seq after,
                                                                std::size_t limit) override;
    Result<Seq> last_condemned() override;
    Result<std::vector<RoleName>> task_roles(const Namespace& ns) override;
    Result<std::vector<core::Task>> ended_tasks(const RoleKey& role, TaskState state, Seq after,
                                                std::size_t limit) override;
    Result<std::vector<HeldTotal>> held_totals() override;
    Result<std::vector<core::Task>> holding_tasks(const RoleKey& role, bool dead, Seq after,
                                                  std::size_t limit) override;
    Result<std::vector<Removal>> removals(Seq submitted_seq) override;
    Result<std::vector<ChainedEvent>> events(Seq after, std::size_t limit,
                                             const std::optional<TaskKey>& task) override;
    Result<std::vector<ChainedEvent>> events_of_kinds(Seq after, Seq upto, std::uint64_t kinds,
                                                      std::size_t limit) override;
    Result<std::optional<ChainedEvent>> envelope_event(const TaskKey& key, Seq upto) override;
    Result<Seq> last_seq() override;
    Result<std::map<std::string, Rollup>> rollups(const Namespace& ns, StatsBy by, Millis span,
                                                  Instant from) override;

  private:
    SqliteReader(Database database, std::vector<Statement> statements,
                 std::function<void()> refresh);

    /// The statement of a question that begins.
    Statement& ask(std::size_t sql);

    Result<std::vector<Seq>> listed(const TaskFilter& filter);
    Result<std::vector<Seq>> listed_by_role(const TaskFilter& filter);
    Result<std::vector<RoleName>> roles(const Namespace& ns);
    Result<std::vector<Seq>> seqs_in_states(Statement& statement, const TaskFilter& filter);

    Database database_;
    std::vector<Statement> statements_;
    std::function<void()> refresh_;
};

/// The event in a row of `seq, at, epoch, ns, task, kind, version, identity, body_digest, hash,
/// body`. Errors: IO, and those of decode_body.
Result<ChainedEvent> event_at(const Statement& row);

}  // namespace zq::store
