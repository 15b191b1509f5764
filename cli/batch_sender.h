// What `zq batch` sends: lines gathered into requests, each sent until every line of it is
// answered, each answer printed and entered in the job log as it comes. While one request is under
// way the next is gathered.
#pragma once

#include <future>
#include <optional>
#include <set>
#include <vector>

#include "cli/batch_request.h"
#include "cli/command.h"
#include "cli/job_log.h"

namespace zq::cli {

/// A line of the file that is a task.
struct BatchLine {
    std::uint64_t number = 0;
    std::uint64_t digest = 0;
    Submission submission;
    std::size_t inline_bytes = 0;  // of contents that travel with it
    std::size_t bytes = 0;         // in a request, those included
};

/// Measures what the line takes of a request.
BatchLine batch_line(std::uint64_t number, std::uint64_t digest, Submission submission);

/// Lines for one request, within what one may hold.
class BatchChunk {
  public:
    bool empty() const { return lines_.empty(); }
    /// True if the line may be added to the request.
    bool has_room_for(const BatchLine& line) const;
    void add(BatchLine line);
    std::vector<BatchLine>& lines() { return lines_; }

  private:
    std::vector<BatchLine> lines_;
    std::size_t bytes_ = 0;
    std::size_t inline_bytes_ = 0;
    std::size_t contents_ = 0;
};

struct BatchTally {
    std::uint64_t submitted = 0;
    std::uint64_t duplicates = 0;  // there before, with this body
    std::uint64_t refused = 0;
    ExitCode first_refusal = ExitCode::kDone;
};

class BatchSender {
  public:
    /// `log` may be null. `patience`: the longest wait for room in all; nullopt: no limit.
    BatchSender(const Context& context, Session& session, BatchMode mode, JobLog* log,
                std::optional<Millis> patience)
        : context_(context), session_(session), mode_(mode), log_(log), patience_(patience) {}

    BatchSender(const BatchSender&) = delete;
    BatchSender& operator=(const BatchSender&) = delete;

    /// Waits for what was begun before, then begins to send these on a thread of its own: until
    /// each is answered; while there is no room for them it waits. Errors: as finish.
    Expected<void> begin(BatchChunk chunk);

    /// Waits until all that was begun is answered. Errors: what a request as a whole was refused
    /// with; time over.
    Expected<void> finish();

    /// A line that is not sent, and why: told behind those that were. Errors: as finish.
    Expected<void> refuse(std::uint64_t line, const Error& error);

    /// What is answered so far. Nothing may be under way.
    const BatchTally& tally() const { return tally_; }

  private:
    /// What is to be sent again, and why.
    struct Left {
        std::vector<BatchLine*> lines;
        std::optional<Error> busy;
    };
    Expected<void> send(BatchChunk chunk);
    Expected<Left> settle(const std::vector<BatchLine*>& lines, const wire::Batched& reply);
    Expected<Left> settle_refused(const std::vector<BatchLine*>& lines, const wire::Batched& reply);
    Expected<void> take(BatchLine& line, const wire::BatchItem& item);
    void tell_refused(std::uint64_t line, const Error& error);
    void print_taken();
    Expected<void> wait(const Error& error, std::uint64_t line, int round);
    void warn_of_role(const wire::BatchItem& item, const RoleName& role);

    const Context& context_;
    Session& session_;
    BatchMode mode_;
    JobLog* log_;
    std::optional<Millis> patience_;
    Millis waited_{};
    std::set<RoleName> warned_;
    BatchTally tally_;
    std::string taken_;  // lines to print
    std::future<Expected<void>> sending_;
};

}  // namespace zq::cli
