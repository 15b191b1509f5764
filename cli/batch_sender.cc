#include "cli/batch_sender.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "cli/records.h"

namespace zq::cli {
namespace {

// A request stays well below one frame: an answer of the coordinator's may be as long.
constexpr std::size_t kRequestBytes = 512UL * 1024;
// Temporary files of contexts that are too large for a message.
constexpr std::size_t kContents = 128;
constexpr Millis kFirstWait = seconds(1);
constexpr Millis kLongestWait = seconds(30);

constexpr auto kColumns = std::to_array<Column>({
    {"id", "ID"},
    {"state", "STATE", Cell::kState},
    {"to", "ROLE"},
    {"line", "LINE", Cell::kText, Where::kWide},
    {"duplicate", "DUPLICATE", Cell::kText, Where::kWide},
});

std::size_t inline_bytes(const Submission& submission) {
    std::size_t bytes = 0;
    for (const Content& content : submission.contents) {
        if (content.data) bytes += content.data->size();
    }
    return bytes;
}

Json record_of(const BatchLine& line, const wire::BatchItem& item) {
    Json fields = Json::object();
    fields.set("id", to_json(item.task));
    if (item.state) fields.set("state", to_json(*item.state));
    fields.set("to", to_json(line.submission.spec.role));
    fields.set("line", to_json(line.number));
    fields.set("duplicate", to_json(item.duplicate));
    return with_schema("zq/task/v1", fields);
}

Error error_of(const wire::ErrorReply& said) {
    return {said.code, said.message, said.field, said.retry_after};
}

/// True if the same, sent again soon, may be taken; a role that drains is opened by a person.
bool may_wait(const Error& error) {
    return retryable(error.code) && error.code != ErrorCode::UNREACHABLE &&
           error.code != ErrorCode::MISSING_CONTENT && error.code != ErrorCode::DRAINING;
}

}  // namespace

BatchLine batch_line(std::uint64_t number, std::uint64_t digest, Submission submission) {
    BatchLine line{number, digest, std::move(submission)};
    line.inline_bytes = inline_bytes(line.submission);
    line.bytes = pack::encode(line.submission.spec).size() + line.inline_bytes;
    return line;
}

bool BatchChunk::has_room_for(const BatchLine& line) const {
    return lines_.size() < limits::kBatchTasks && bytes_ + line.bytes <= kRequestBytes &&
           inline_bytes_ + line.inline_bytes <= limits::kInlineTotalBytes &&
           contents_ + line.submission.contents.size() <= kContents;
}

void BatchChunk::add(BatchLine line) {
    inline_bytes_ += line.inline_bytes;
    bytes_ += line.bytes;
    contents_ += line.submission.contents.size();
    lines_.push_back(std::move(line));
}

Expected<void> BatchSender::refuse(std::uint64_t line, const Error& error) {
    if (auto ok = finish(); !ok) return ok;
    tell_refused(line, error);
    return {};
}

void BatchSender::tell_refused(std::uint64_t line, const Error& error) {
    print_taken();
    if (tally_.refused++ == 0) tally_.first_refusal = exit_code_of(Problem(error));
    if (context_.output.is_json()) {
        Json told = Json::object();
        told.set("code", Json::text(to_string(error.code)));
        told.set("message", Json::text(error.message));
        if (!error.field.empty()) told.set("field", Json::text(error.field));
        note(Json::object().set("line", to_json(line)).set("error", told).dump());
    } else {
        note("line " + std::to_string(line) + ": " +
             (error.field.empty() ? "" : error.field + ": ") + error.message);
    }
    if (log_ != nullptr) log_->note_refused(line, error);
}

void BatchSender::warn_of_role(const wire::BatchItem& item, const RoleName& role) {
    if (item.role_served || !warned_.insert(role).second) return;
    print_taken();
    std::string line = "warning: no worker has ever served " + role.text;
    if (!item.nearest_role.empty()) line += "; did you mean " + item.nearest_role + "?";
    note(line);
}

Expected<void> BatchSender::take(BatchLine& line, const wire::BatchItem& item) {
    ++(item.duplicate ? tally_.duplicates : tally_.submitted);
    warn_of_role(item, line.submission.spec.role);
    if (log_ != nullptr) log_->note(line.number, line.digest, item);
    auto text =
        render({Shape::kOne, {}, kColumns, {record_of(line, item)}, false}, context_.output);
    if (!text) return tl::unexpected(text.error());
    taken_ += *text;
    return {};
}

void BatchSender::print_taken() {
    print_raw(taken_);
    taken_.clear();
}

Expected<void> BatchSender::wait(const Error& error, std::uint64_t line, int round) {
    Millis pause = error.retry_after;
    if (pause.count <= 0) pause = std::min(kFirstWait * (1 << std::min(round, 5)), kLongestWait);
    if (patience_) pause = std::min(pause, *patience_ - waited_);
    if (pause.count <= 0) {
        return problem(error, "line " + std::to_string(line) +
                                  " and what follows are not submitted; " +
                                  (log_ != nullptr ? "the same command again goes on there"
                                                   : "with --joblog another run can go on there"));
    }
    if (round == 0) note("line " + std::to_string(line) + ": " + error.message + "; waiting");
    std::this_thread::sleep_for(std::chrono::milliseconds(pause.count));
    waited_ = waited_ + pause;
    return {};
}

/// All or none, and it is none: again, where there is but no room; else each refusal is told.
Expected<BatchSender::Left> BatchSender::settle_refused(const std::vector<BatchLine*>& lines,
                                                        const wire::Batched& reply) {
    Left left{lines, std::nullopt};
    for (const wire::BatchItem& item : reply.items) {
        if (!item.error) continue;
        if (!may_wait(error_of(*item.error))) left.lines.clear();
        left.busy = error_of(*item.error);
    }
    if (!left.lines.empty()) return left;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto& error = reply.items[i].error;
        if (error) tell_refused(lines[i]->number, error_of(*error));
    }
    return left;
}

Expected<BatchSender::Left> BatchSender::settle(const std::vector<BatchLine*>& lines,
                                                const wire::Batched& reply) {
    if (reply.refused) return settle_refused(lines, reply);
    Left left;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const wire::BatchItem& item = reply.items[i];
        const bool taken =
            !item.error || (mode_.dry_run && item.error->code == ErrorCode::MISSING_CONTENT);
        if (taken) {
            if (auto ok = take(*lines[i], item); !ok) return tl::unexpected(ok.error());
        } else if (may_wait(error_of(*item.error))) {
            if (!left.busy) left.busy = error_of(*item.error);
            left.lines.push_back(lines[i]);
        } else {
            tell_refused(lines[i]->number, error_of(*item.error));
        }
    }
    print_taken();
    return left;
}

Expected<void> BatchSender::begin(BatchChunk chunk) {
    if (auto ok = finish(); !ok) return ok;
    sending_ = std::async(std::launch::async, [this, taken = std::move(chunk)]() mutable {
        return send(std::move(taken));
    });
    return {};
}

Expected<void> BatchSender::finish() {
    if (!sending_.valid()) return {};
    return sending_.get();
}

Expected<void> BatchSender::send(BatchChunk chunk) {
    Left left;
    for (BatchLine& line : chunk.lines()) left.lines.push_back(&line);
    for (int round = 0; !left.lines.empty(); ++round) {
        std::vector<Submission*> submissions;
        for (BatchLine* line : left.lines) submissions.push_back(&line->submission);
        auto reply = exchange_batch(session_, submissions, mode_);
        if (!reply) {
            if (!may_wait(reply.error().error)) return problem(reply.error().error);
            left.busy = reply.error().error;
        } else {
            auto rest = settle(left.lines, *reply);
            if (!rest) return tl::unexpected(rest.error());
            if (rest->lines.size() < left.lines.size()) round = 0;
            left = std::move(*rest);
            if (log_ != nullptr) {
                if (auto ok = log_->flush(); !ok) return ok;
            }
            if (left.lines.empty()) return {};
        }
        if (auto ok = wait(*left.busy, left.lines.front()->number, round); !ok) return ok;
    }
    return {};
}

}  // namespace zq::cli
