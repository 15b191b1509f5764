#include "cli/provenance.h"

#include "cli/records.h"
#include "cli/text.h"
#include "common/platform/clock.h"

namespace zq::cli {
namespace {

/// Its place in the journal: the hash stands for everything before it, too.
Json place_of(const wire::EventRow& event) {
    Json record = Json::object();
    record.set("seq", to_json(event.seq));
    record.set("at", to_json(event.at));
    record.set("by", to_json(event.identity));
    record.set("body_digest", to_json(event.body_digest));
    record.set("hash", to_json(event.hash));
    return record;
}

std::string field_of(const wire::EventRow& event, const std::string& name) {
    const auto at = event.fields.find(name);
    return at == event.fields.end() ? std::string() : at->second;
}

const wire::EventRow* find_event(const std::vector<wire::EventRow>& events, std::string_view kind,
                                 const std::string& attempt = {}) {
    for (const wire::EventRow& event : events) {
        if (event.kind != kind) continue;
        if (attempt.empty() || field_of(event, "attempt") == attempt) return &event;
    }
    return nullptr;
}

Json content_record(const ArtifactRef& ref) {
    Json record = Json::object();
    record.set("name", Json::text(ref.name));
    record.set("digest", to_json(ref.digest));
    record.set("size", to_json(ref.size));
    if (!ref.uri.empty()) record.set("uri", Json::text(ref.uri));
    return record;
}

Json contents_record(const std::vector<ArtifactRef>& refs) {
    Json records = Json::array();
    for (const ArtifactRef& ref : refs) records.push(content_record(ref));
    return records;
}

/// The fingerprint of an identity's key; empty for one without a key.
std::string key_of(const Identity& identity) {
    const auto at = identity.text.rfind('@');
    return at == std::string::npos ? std::string() : identity.text.substr(at + 1);
}

Json attempt_record(const wire::AttemptRow& attempt, const std::vector<wire::EventRow>& events) {
    Json record = Json::object();
    record.set("attempt", to_json(attempt.attempt));
    record.set("outcome", Json::text(attempt.outcome));
    record.set("worker", to_json(attempt.worker));
    record.set("identity", to_json(attempt.identity));
    if (!key_of(attempt.identity).empty()) {
        record.set("key", Json::text(key_of(attempt.identity)));
    }
    if (!attempt.state_id.empty()) record.set("state_id", to_json(attempt.state_id));
    if (attempt.incarnation != 0) record.set("incarnation", to_json(attempt.incarnation));
    if (!attempt.command.is_zero()) record.set("command_digest", to_json(attempt.command));
    record.set("started_at", to_json(attempt.started_at));
    if (attempt.ended_at.is_set()) record.set("ended_at", to_json(attempt.ended_at));
    record.set("outputs", contents_record(attempt.artifacts));
    const auto* end = find_event(events, "attempt_ended", std::to_string(attempt.attempt));
    if (end != nullptr) record.set("journal", place_of(*end));
    return record;
}

Json answers_record(const wire::TaskReply& task) {
    Json answers = Json::array();
    for (const Question& question : task.questions) {
        if (question.state != QuestionState::kAnswered) continue;
        Json record = Json::object();
        record.set("kind", to_json(question.kind));
        record.set("by", to_json(question.answered_by));
        record.set("at", to_json(question.closed_at));
        record.set("choice", Json::text(question.choice));
        record.set("note", Json::text(question.answer));
        if (!question.digest.is_zero()) record.set("digest", to_json(question.digest));
        answers.push(std::move(record));
    }
    return answers;
}

void say(std::string& out, const std::string& name, const std::string& value) {
    if (value.empty()) return;
    out += "  " + name + std::string(name.size() < 12 ? 12 - name.size() : 1, ' ') + value + "\n";
}

std::string by_text(const wire::EventRow& event) {
    return escape_line(event.identity.text) + ", " + to_rfc3339(event.at);
}

std::string journal_text(const wire::EventRow* event) {
    if (event == nullptr) return "its event is not in the journal any more";
    return "seq " + std::to_string(event->seq) + ", hash " + to_hex(event->hash);
}

std::string content_text(const ArtifactRef& ref) {
    return escape_line(ref.name) + "  " + human_size(ref.size) + "  sha256:" + to_hex(ref.digest);
}

}  // namespace

Json provenance_record(const wire::TaskReply& task, const std::vector<wire::EventRow>& events) {
    Json record = Json::object();
    record.set("submitter", to_json(task.row.submitter));
    if (const auto* submit = find_event(events, "task_submitted")) {
        record.set("journal", place_of(*submit));
    }
    record.set("inputs", contents_record(task.spec.inputs));
    record.set("after", to_json(task.spec.after.tasks));
    record.set("answers", answers_record(task));
    Json attempts = Json::array();
    for (const wire::AttemptRow& attempt : task.attempts) {
        attempts.push(attempt_record(attempt, events));
    }
    record.set("attempts", std::move(attempts));
    return record;
}

std::string provenance_text(const wire::TaskReply& task, const std::vector<wire::EventRow>& events,
                            const OutputOptions&) {
    std::string out = "task " + task.row.id.text + "\n";
    const auto* submit = find_event(events, "task_submitted");
    say(out, "submitted",
        submit != nullptr ? by_text(*submit) : escape_line(task.row.submitter.text));
    say(out, "journal", journal_text(submit));
    for (const ArtifactRef& input : task.spec.inputs) say(out, "input", content_text(input));
    for (const TaskId& id : task.spec.after.tasks) say(out, "after", id.text);
    for (const Question& question : task.questions) {
        if (question.state != QuestionState::kAnswered) continue;
        std::string text =
            std::string(to_string(question.kind)) + ": " + escape_line(question.choice) + ", by " +
            escape_line(question.answered_by.text) + ", " + to_rfc3339(question.closed_at);
        if (!question.digest.is_zero()) text += ", of " + to_hex(question.digest);
        say(out, "answer", text);
    }
    for (const wire::AttemptRow& attempt : task.attempts) {
        out += "attempt " + std::to_string(attempt.attempt) + "  " + attempt.outcome + "\n";
        say(out, "worker", escape_line(attempt.worker.text));
        say(out, "identity", escape_line(attempt.identity.text));
        say(out, "state",
            attempt.state_id.text + (attempt.state_id.empty()
                                         ? std::string()
                                         : ", incarnation " + std::to_string(attempt.incarnation)));
        if (!attempt.command.is_zero()) say(out, "command", "sha256:" + to_hex(attempt.command));
        for (const ArtifactRef& output : attempt.artifacts)
            say(out, "output", content_text(output));
        if (!attempt.ended_at.is_set()) continue;
        say(out, "journal",
            journal_text(find_event(events, "attempt_ended", std::to_string(attempt.attempt))));
    }
    return out;
}

}  // namespace zq::cli
