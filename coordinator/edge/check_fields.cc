#include "coordinator/edge/check_fields.h"

#include <algorithm>
#include <set>

#include "common/platform/digest.h"
#include "common/platform/json_schema.h"
#include "common/platform/keys.h"

namespace zq::edge {
namespace {

using Check = Result<void>;

/// Runs checks in order and gives the first error.
template <class... Checks>
Check all_of(Checks... checks) {
    Check result;
    ((result = checks(), result.has_value()) && ...);
    return result;
}

Check name(const std::string& text, const std::string& field) {
    auto parsed = parse_name(text, field);
    if (!parsed) return Failure(parsed.error());
    return {};
}

Check name_or_empty(const std::string& text, const std::string& field) {
    return text.empty() ? Check{} : name(text, field);
}

Check size(const std::string& text, std::size_t limit, const std::string& field) {
    if (text.size() <= limit) return {};
    return fail(ErrorCode::TOO_LARGE,
                std::to_string(text.size()) + " bytes; at most " + std::to_string(limit), field);
}

Check count(std::size_t number, std::size_t limit, const std::string& field) {
    if (number <= limit) return {};
    return fail(ErrorCode::TOO_LARGE,
                std::to_string(number) + " entries; at most " + std::to_string(limit), field);
}

Check range(std::uint64_t number, std::uint64_t low, std::uint64_t high, const std::string& field) {
    if (number >= low && number <= high) return {};
    return fail(ErrorCode::INVALID,
                "a number from " + std::to_string(low) + " to " + std::to_string(high), field);
}

Check duration(Millis value, Millis low, Millis high, const std::string& field) {
    if (value >= low && value <= high) return {};
    return fail(ErrorCode::INVALID, "a duration from " + to_string(low) + " to " + to_string(high),
                field);
}

Check state_id(const StateId& id) {
    const bool hex = id.text.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (hex && id.text.size() == 32) return {};
    return fail(ErrorCode::INVALID, "32 lower-case hex digits", "state_id");
}

Check roles(const std::vector<RoleName>& list) {
    if (list.empty()) return fail(ErrorCode::INVALID, "at least one role", "roles");
    if (auto ok = count(list.size(), limits::kRolesPerWorker, "roles"); !ok) return ok;
    std::set<RoleName> seen;
    for (const RoleName& role : list) {
        if (auto ok = name(role.text, "roles"); !ok) return ok;
        if (!seen.insert(role).second) {
            return fail(ErrorCode::INVALID, "role " + role.text + " stands twice", "roles");
        }
    }
    return {};
}

Check held(const std::vector<wire::HeldLease>& list, const std::string& field) {
    if (auto ok = count(list.size(), limits::kLeasesListed, field); !ok) return ok;
    for (const wire::HeldLease& lease : list) {
        if (auto ok = name(lease.task.text, field); !ok) return ok;
    }
    return {};
}

/// Inline bytes against what their reference says of them.
Check inlined(const std::string& data, const Digest& digest, const std::string& field) {
    if (data.size() > limits::kInlineBytes) {
        return fail(ErrorCode::TOO_LARGE,
                    std::to_string(data.size()) + " bytes; at most " +
                        std::to_string(limits::kInlineBytes) + " travel inside a message",
                    field);
    }
    if (sha256(data) == digest) return {};
    return fail(ErrorCode::DIGEST_MISMATCH, "the bytes have another SHA-256", field);
}

Check artifact(const wire::ReportArtifact& a, const std::string& field) {
    if (auto ok = validate(a.ref, field); !ok) return ok;
    if (a.ref.by_reference) {
        return fail(ErrorCode::INVALID, "only a task's input is by reference",
                    field + ".by_reference");
    }
    if (!a.data) return {};
    if (a.data->data.size() != a.ref.size) {
        return fail(ErrorCode::INVALID, "not the size of the data", field + ".size");
    }
    return inlined(a.data->data, a.ref.digest, field + ".data");
}

Check artifacts(const std::vector<wire::ReportArtifact>& list) {
    if (auto ok = count(list.size(), limits::kArtifacts, "artifacts"); !ok) return ok;
    std::set<std::string> names;
    std::size_t total = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string field = "artifacts[" + std::to_string(i) + "]";
        if (auto ok = artifact(list[i], field); !ok) return ok;
        if (!names.insert(list[i].ref.name).second) {
            return fail(ErrorCode::INVALID, "two artifacts of one name", field + ".name");
        }
        if (list[i].data) total += list[i].data->data.size();
    }
    if (total <= limits::kInlineTotalBytes) return {};
    return fail(ErrorCode::TOO_LARGE, "too many bytes travel inside this message", "artifacts");
}

Check output(const std::map<std::string, std::string>& pairs) {
    if (auto ok = count(pairs.size(), limits::kOutputs, "output"); !ok) return ok;
    for (const auto& [key, value] : pairs) {
        if (auto ok = name(key, "output"); !ok) return ok;
        if (auto ok = size(value, limits::kOutputValueBytes, "output." + key); !ok) return ok;
    }
    return {};
}

Check report(const wire::Report& r) {
    return all_of([&] { return name(r.task.text, "task_id"); },
                  [&] { return size(r.from, limits::kFromBytes, "from"); },
                  [&] { return size(r.summary, limits::kSummaryBytes, "summary"); },
                  [&] { return duration(r.duration, {}, limits::kLongest, "duration_ms"); },
                  [&] { return output(r.output); }, [&] { return artifacts(r.artifacts); });
}

Check contents(const wire::Submit& m) {
    if (auto ok = count(m.contents.size(), limits::kInputs, "contents"); !ok) return ok;
    std::size_t total = 0;
    for (std::size_t i = 0; i < m.contents.size(); ++i) {
        const wire::InlineContent& content = m.contents[i];
        const std::string field = "contents[" + std::to_string(i) + "]";
        const auto input = std::find_if(m.task.inputs.begin(), m.task.inputs.end(),
                                        [&](const auto& r) { return r.digest == content.digest; });
        if (input == m.task.inputs.end()) {
            return fail(ErrorCode::INVALID, "no input has this digest", field + ".digest");
        }
        if (input->size != content.data.data.size()) {
            return fail(ErrorCode::INVALID, "its input names another size", field + ".data");
        }
        if (auto ok = inlined(content.data.data, content.digest, field + ".data"); !ok) return ok;
        total += content.data.data.size();
    }
    if (total <= limits::kInlineTotalBytes) return {};
    return fail(ErrorCode::TOO_LARGE, "too many bytes travel inside this message", "contents");
}

/// A release carries a question exactly where a person is asked.
Check question_of(const wire::Release& m) {
    const bool asks = m.cause == ReleaseCause::kInputRequired;
    if (asks != m.question.has_value()) {
        return fail(ErrorCode::INVALID,
                    asks ? "a release that asks a person needs its question"
                         : "only a release with cause input_required has a question",
                    "question");
    }
    if (!asks) return {};
    auto ok = validate(*m.question);
    if (!ok) return fail(ok.error().code, ok.error().message, "question." + ok.error().field);
    if (m.delay.count == 0) return {};
    return fail(ErrorCode::INVALID, "it waits for the answer, not for a time", "delay_ms");
}

// One overload per message; those without fields, and those that are no requests, need no check.
template <class T>
Check check(const T&) {
    return {};
}

Check check(const wire::Hello& m) {
    return all_of(
        [&] { return name(m.worker.text, "worker"); }, [&] { return state_id(m.state_id); },
        [&] { return roles(m.roles); }, [&] { return range(m.slots, 1, limits::kSlots, "slots"); },
        [&] { return held(m.leases, "leases"); }, [&] { return held(m.reports, "reports"); },
        [&] { return size(m.program, limits::kFromBytes, "program"); });
}

Check check(const wire::Ready& m) {
    return range(m.free, 0, limits::kSlots, "free");
}

Check check(const wire::Heartbeat& m) {
    return all_of([&] { return range(m.free, 0, limits::kSlots, "free"); },
                  [&] { return held(m.leases, "leases"); },
                  [&] { return held(m.reports, "reports"); });
}

Check check(const wire::Complete& m) {
    return report(m.report);
}

Check check(const wire::Skip& m) {
    return all_of([&] { return report(m.report); },
                  [&] { return size(m.reason, limits::kReasonBytes, "reason"); });
}

Check check(const wire::Fail& m) {
    return all_of([&] { return report(m.report); },
                  [&] { return size(m.reason, limits::kReasonBytes, "reason"); });
}

Check check(const wire::Release& m) {
    return all_of([&] { return report(m.report); },
                  [&] { return size(m.reason, limits::kReasonBytes, "reason"); },
                  [&] { return duration(m.delay, {}, limits::kLongest, "delay_ms"); },
                  [&] { return question_of(m); });
}

Check check(const wire::Ask& m) {
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return validate(m.question); });
}

Check check(const wire::AnswerQuestion& m) {
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return name_or_empty(m.question, "question_id"); },
                  [&] { return size(m.choice, limits::kChoiceBytes, "choice"); },
                  [&] { return size(m.answer, limits::kAnswerBytes, "answer"); });
}

Check check(const wire::Questions& m) {
    return all_of([&] { return name_or_empty(m.role.text, "to"); },
                  [&] { return name_or_empty(m.group.text, "group"); },
                  [&] { return range(m.limit, 1, limits::kListRows, "limit"); });
}

Check check(const wire::Progress& m) {
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return range(m.percent, 0, 100, "percent"); },
                  [&] { return size(m.step, limits::kTypeBytes, "step"); },
                  [&] { return size(m.message, limits::kSummaryBytes, "message"); });
}

Check check(const wire::Checkpoint& m) {
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return artifact(m.artifact, "artifact"); });
}

/// The schema of the result, where there is one.
Check schema(const ExpectedOutput& expected) {
    if (expected.schema.empty()) return {};
    auto parsed = JsonSchema::parse(expected.schema, "task.expected_output.schema");
    if (!parsed) return Failure(parsed.error());
    return {};
}

Check check(const wire::Submit& m) {
    return all_of([&] { return validate(m.task); }, [&] { return schema(m.task.expected); },
                  [&] { return contents(m); });
}

Check check(const wire::Cancel& m) {
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return size(m.reason, limits::kReasonBytes, "reason"); });
}

Check check(const wire::Claim& m) {
    if (m.role.empty() && m.task.empty()) {
        return fail(ErrorCode::INVALID, "a role or a task is needed", "to");
    }
    if (m.wait.count > 0 && !m.task.empty()) {
        return fail(ErrorCode::INVALID, "only a claim of a role's next task waits", "wait_ms");
    }
    return all_of(
        [&] { return name_or_empty(m.role.text, "to"); },
        [&] { return name_or_empty(m.task.text, "task_id"); },
        [&] { return size(m.from, limits::kFromBytes, "from"); },
        [&] { return duration(m.lease, limits::kLeaseMin, limits::kLeaseMax, "lease_ms"); },
        [&] { return duration(m.wait, {}, limits::kPollMax, "wait_ms"); });
}

Check check(const wire::UsageQuery& m) {
    const bool filtered = !m.role.empty() || !m.group.empty();
    if (!m.task.empty() && filtered) {
        return fail(ErrorCode::INVALID, "either one task, or a role or group", "task_id");
    }
    return all_of([&] { return name_or_empty(m.task.text, "task_id"); },
                  [&] { return name_or_empty(m.role.text, "to"); },
                  [&] { return name_or_empty(m.group.text, "group"); },
                  [&] { return range(m.before, 0, INT64_MAX, "before"); },
                  [&] { return range(m.limit, 1, limits::kListRows, "limit"); });
}

Check check(const wire::Get& m) {
    return name(m.task.text, "task_id");
}

Check check(const wire::List& m) {
    return all_of([&] { return count(m.states.size(), kTaskStates, "states"); },
                  [&] { return name_or_empty(m.role.text, "to"); },
                  [&] { return name_or_empty(m.group.text, "group"); },
                  [&] { return size(m.from, limits::kFromBytes, "from"); },
                  [&] { return range(m.before, 0, INT64_MAX, "before"); },
                  [&] { return range(m.limit, 1, limits::kListRows, "limit"); });
}

Check check(const wire::Wait& m) {
    if (m.tasks.empty() == m.group.empty()) {
        return fail(ErrorCode::INVALID, "either tasks or a group", "tasks");
    }
    if (auto ok = count(m.tasks.size(), limits::kWaitTasks, "tasks"); !ok) return ok;
    for (const TaskId& task : m.tasks) {
        if (auto ok = name(task.text, "tasks"); !ok) return ok;
    }
    return all_of([&] { return name_or_empty(m.group.text, "group"); },
                  [&] { return duration(m.wait, {}, limits::kPollMax, "wait_ms"); });
}

Check check(const wire::Events& m) {
    return all_of([&] { return name_or_empty(m.task.text, "task_id"); },
                  [&] { return range(m.after, 0, INT64_MAX, "after"); },
                  [&] { return range(m.limit, 1, limits::kEventRows, "limit"); },
                  [&] { return duration(m.wait, {}, limits::kPollMax, "wait_ms"); });
}

Check check(const wire::Answers& m) {
    if (m.reply_to.empty()) return fail(ErrorCode::INVALID, "whose answers?", "reply_to");
    return all_of([&] { return size(m.reply_to, limits::kReplyToBytes, "reply_to"); },
                  [&] { return range(m.after, 0, INT64_MAX, "after"); },
                  [&] { return range(m.limit, 1, limits::kListRows, "limit"); },
                  [&] { return duration(m.wait, {}, limits::kPollMax, "wait_ms"); });
}

Check check(const wire::Leases& m) {
    return name_or_empty(m.role.text, "to");
}

Check check(const wire::Backup& m) {
    if (m.folder.empty() || m.folder.front() != '/' || m.folder.find('\0') != std::string::npos) {
        return fail(ErrorCode::INVALID, "an absolute path on the coordinator's machine", "folder");
    }
    return size(m.folder, limits::kUriBytes, "folder");
}

Check check(const wire::Gc& m) {
    return m.role.empty() ? Check{} : name(m.role.text, "role");
}

Check check(const wire::Join& m) {
    auto fingerprint = key_fingerprint(m.public_key);
    if (!fingerprint) return Failure(fingerprint.error());
    return name(m.name, "name");
}

Check check(const wire::Put& m) {
    if (m.size > limits::kArtifactBytes) {
        return fail(ErrorCode::TOO_LARGE, "an artifact has at most 1 TiB", "size");
    }
    return name_or_empty(m.task.text, "task_id");
}

Check check(const wire::Chunk& m) {
    if (m.size > limits::kArtifactBytes) {
        return fail(ErrorCode::TOO_LARGE, "an artifact has at most 1 TiB", "size");
    }
    return range(m.offset, 0, m.size, "offset");
}

Check check(const wire::Fetch& m) {
    if (!is_valid_artifact_name(m.name)) {
        return fail(ErrorCode::INVALID, "not an artifact name", "name");
    }
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return range(m.offset, 0, limits::kArtifactBytes, "offset"); },
                  [&] { return range(m.length, 1, limits::kChunkBytes, "length"); });
}

/// No log has more pieces, or bytes: sums of them do not overflow.
constexpr std::uint64_t kLogMost = 1ULL << 62;

Check check(const wire::Log& m) {
    if (auto ok = count(m.pieces.size(), limits::kLogPieces, "pieces"); !ok) return ok;
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < m.pieces.size(); ++i) {
        const std::string field = "pieces[" + std::to_string(i) + "]";
        const wire::LogPiece& piece = m.pieces[i];
        if (piece.seq <= before || piece.seq > kLogMost) {
            return fail(ErrorCode::INVALID, "they grow from 1", field + ".seq");
        }
        if (piece.offset > kLogMost) {
            return fail(ErrorCode::INVALID, "beyond what a log can hold", field + ".offset");
        }
        before = piece.seq;
        if (piece.data.data.empty()) {
            return fail(ErrorCode::INVALID, "a piece without bytes", field + ".data");
        }
        if (auto ok = size(piece.data.data, limits::kLogPieceBytes, field + ".data"); !ok)
            return ok;
    }
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return range(m.attempt, 1, UINT32_MAX, "attempt"); });
}

Check check(const wire::ReadLog& m) {
    return all_of([&] { return name(m.task.text, "task_id"); },
                  [&] { return range(m.attempt, 1, UINT32_MAX, "attempt"); },
                  [&] { return duration(m.wait, {}, limits::kPollMax, "wait_ms"); });
}

}  // namespace

Result<void> check_fields(const wire::Message& message) {
    if (auto ok = name_or_empty(message.header.client.text, "client"); !ok) return ok;
    if (message.payload.size() > limits::kChunkBytes) {
        return fail(ErrorCode::TOO_LARGE, "a chunk has at most 256 KiB", "body");
    }
    return std::visit([](const auto& body) { return check(body); }, message.body);
}

}  // namespace zq::edge
