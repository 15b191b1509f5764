#include "coordinator/edge/field_checks.h"

#include <algorithm>
#include <set>

#include "common/platform/digest.h"
#include "common/platform/json_schema.h"
#include "coordinator/edge/secret_check.h"

namespace zq::edge::field {

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

Check contents(const wire::Batch& m) {
    if (auto ok = count(m.contents.size(), limits::kBatchContents, "contents"); !ok) return ok;
    std::map<Digest, std::uint64_t> inputs;
    for (const TaskSpec& task : m.tasks) {
        for (const ArtifactRef& input : task.inputs) inputs.emplace(input.digest, input.size);
    }
    std::set<Digest> seen;
    std::size_t total = 0;
    for (std::size_t i = 0; i < m.contents.size(); ++i) {
        const wire::InlineContent& content = m.contents[i];
        const std::string field = "contents[" + std::to_string(i) + "]";
        const auto input = inputs.find(content.digest);
        if (input == inputs.end()) {
            return fail(ErrorCode::INVALID, "no task's input has this digest", field + ".digest");
        }
        if (!seen.insert(content.digest).second) {
            return fail(ErrorCode::INVALID, "each content comes once", field + ".digest");
        }
        if (auto ok = inlined(content.data.data, content.digest, field + ".data"); !ok) return ok;
        total += content.data.data.size();
    }
    if (total <= limits::kInlineTotalBytes) return {};
    return fail(ErrorCode::TOO_LARGE, "too many bytes travel inside this message", "contents");
}

Check task(const TaskSpec& spec) {
    if (auto ok = validate(spec); !ok) return ok;
    if (auto ok = check_no_secrets(spec); !ok) return ok;
    if (spec.expected.schema.empty()) return {};
    auto parsed = JsonSchema::parse(spec.expected.schema, "task.expected_output.schema");
    if (!parsed) return Failure(parsed.error());
    return {};
}

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

}  // namespace zq::edge::field
