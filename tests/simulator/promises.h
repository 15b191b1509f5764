// What the coordinator has said, held against what is durable at that very moment: nothing may be
// said before it is on disk, and the same request gets the same answer however often it is asked.
#pragma once

#include <map>
#include <set>

#include "common/wire/codec.h"
#include "tests/simulator/model.h"

namespace zq::sim {

/// Ids of tasks that are only submitted as a trial, and must never exist.
inline constexpr std::string_view kTrialPrefix = "trial-";

class Promises {
  public:
    Promises(World& world, const Model& model) : world_(world), model_(model) {}

    /// Something leaves the coordinator.
    void said(const wire::Message& reply);

    /// A client has it in writing that the task exists.
    void acknowledged(const TaskId& task) { acknowledged_.insert(task); }
    const std::set<TaskId>& acknowledged() const { return acknowledged_; }

    /// A worker was told that its report is taken.
    void settled(const TaskId& task, const LeaseToken& lease, TaskState state);

    /// Its holder was told that this checkpoint is taken.
    void saved(const TaskId& task, const Digest& content);

    /// A write of a client was answered; asked again under the same id it must be answered alike.
    void answered(const ClientId& client, const wire::Message& request, const wire::Body& reply);

  private:
    void expect(bool holds, const std::string& rule);
    void check(const wire::Submitted& body);
    void check(const wire::Batched& body);
    void check(const wire::Accepted& body);
    void check(const wire::Changed& body);
    void check(const wire::Assign& body);
    void check(const wire::Claimed& body);
    void check(const wire::Welcome& body);
    void check(const wire::Beat& body);
    void check(const wire::Asked& body);
    void check(const wire::QuestionRows& body);
    void check(const wire::Ended& body);
    void check(const wire::Tasks& body);
    void check(const wire::TaskReply& body);
    void check(const wire::EventRows& body);
    template <class T>
    void check(const T&) {}
    void check_rows(const std::vector<wire::TaskRow>& rows);
    void check_lease(const LeaseToken& token);

    World& world_;
    const Model& model_;
    std::string about_;
    std::set<TaskId> acknowledged_;
    struct Answered {
        wire::Body reply;
        Instant at;  // in the journal's time
    };
    std::map<std::pair<ClientId, std::uint64_t>, Answered> answers_;
};

}  // namespace zq::sim
