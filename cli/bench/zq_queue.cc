#include "cli/bench/zq_queue.h"

#include <map>

#include "cli/bench/zq_line.h"
#include "cli/submit_spec.h"
#include "common/platform/digest.h"
#include "common/platform/files.h"

namespace zq::cli {
namespace {

class ZqSubmitter : public Submitter {
  public:
    explicit ZqSubmitter(ZqQueue& queue) : line_(queue, fresh_client()) {
        const ZqQueueOptions& options = queue.options();
        submit_.task.role = RoleName(options.role);
        submit_.task.from = "bench";
        submit_.task.type = "bench";
        submit_.task.reply_to = options.reply_to;
        submit_.task.instructions = filler_text(options.text_bytes);
    }

    PollItem item() const override { return line_.item(); }

    void submit() override {
        submit_.task.id = new_task_id();
        line_.say(submit_);
    }

    void flush() override {}

    std::size_t acknowledged() override {
        std::size_t count = 0;
        while (auto message = line_.hear()) {
            if (!std::holds_alternative<wire::Submitted>(message->body)) fatal("no SUBMITTED");
            ++count;
        }
        return count;
    }

  private:
    ZqLine line_;
    wire::Submit submit_;
};

class ZqServer : public Server {
  public:
    explicit ZqServer(ZqQueue& queue) : line_(queue, {}), role_(queue.options().role) {
        artifact_.ref.name = "result";
        artifact_.data = Bytes{filler_text(80)};
        artifact_.ref.digest = sha256(artifact_.data->data);
        artifact_.ref.size = artifact_.data->data.size();
    }

    PollItem item() const override { return line_.item(); }

    void serve(std::uint32_t slots) override {
        slots_ = slots;
        line_.say(fresh_hello(RoleName(role_), slots));
    }

    std::vector<Work> take() override {
        std::vector<Work> works;
        while (auto message = line_.hear()) {
            if (const auto* assign = std::get_if<wire::Assign>(&message->body)) {
                works.push_back({assign->task.id.text, to_string(assign->lease), assign->attempt});
                seen_ = assign->lease;
                held_.emplace(works.back().token, works.back());
            } else if (const auto* accepted = std::get_if<wire::Accepted>(&message->body)) {
                if (accepted->state != TaskState::kCompleted) fatal("a task was not completed");
                ++acknowledged_;
            } else if (std::holds_alternative<wire::Welcome>(message->body)) {
                ready();
            }
        }
        return works;
    }

    void finish(const Work& work) override {
        wire::Complete complete;
        complete.report.task = TaskId(work.task);
        complete.report.attempt = work.attempt;
        complete.report.lease = *parse_lease_token(work.token);
        complete.report.summary = "done";
        complete.report.artifacts = {artifact_};
        held_.erase(work.token);
        line_.say(std::move(complete));
        finished_ = true;
    }

    void flush() override {
        if (std::exchange(finished_, false)) ready();
    }

    std::uint64_t acknowledged() const override { return acknowledged_; }

  private:
    void ready() {
        line_.say(wire::Ready{slots_ - static_cast<std::uint32_t>(held_.size()), seen_});
    }

    ZqLine line_;
    std::string role_;
    wire::ReportArtifact artifact_;
    std::map<std::string, Work> held_;
    LeaseToken seen_;
    std::uint32_t slots_ = 0;
    std::uint64_t acknowledged_ = 0;
    bool finished_ = false;
};

class ZqResultReader : public ResultReader {
  public:
    explicit ZqResultReader(ZqQueue& queue) : line_(queue, fresh_client()) {
        answers_.reply_to = queue.options().reply_to;
        answers_.limit = limits::kListRows;
        answers_.wait = limits::kPollMax;
        line_.say(answers_);
    }

    PollItem item() const override { return line_.item(); }

    std::size_t take() override {
        std::size_t count = 0;
        while (auto message = line_.hear()) {
            const auto* tasks = std::get_if<wire::Tasks>(&message->body);
            if (tasks == nullptr) fatal("no TASKS");
            count += tasks->rows.size();
            if (!tasks->rows.empty()) answers_.after = tasks->rows.back().changed_seq;
            line_.say(answers_);
        }
        return count;
    }

  private:
    ZqLine line_;
    wire::Answers answers_;
};

}  // namespace

std::string filler_text(std::size_t bytes) {
    constexpr std::string_view kWords =
        "Review the change for errors of logic, missing tests and unclear names; say what must be "
        "mended before it lands, and why. ";
    std::string text;
    while (text.size() < bytes) text += kWords.substr(0, bytes - text.size());
    return text;
}

std::unique_ptr<Submitter> ZqQueue::submitter() {
    return std::make_unique<ZqSubmitter>(*this);
}

std::unique_ptr<Server> ZqQueue::server() {
    return std::make_unique<ZqServer>(*this);
}

std::unique_ptr<ResultReader> ZqQueue::result_reader() {
    return std::make_unique<ZqResultReader>(*this);
}

}  // namespace zq::cli
