#include "coordinator/edge/redact_words.h"

#include <set>

#include "common/base/limits.h"
#include "common/base/secret_scan.h"

namespace zq::edge {
namespace {

constexpr std::size_t kCountBytes = 4;  // `-999`

void redact_text(std::string& text, std::size_t limit) {
    text = redacted(text, limit);
}

/// A name that held a secret stays different from the others: where it must, it gets a number.
void redact_names(std::vector<wire::ReportArtifact>& artifacts) {
    std::set<std::string> names;
    std::vector<std::string*> changed;
    for (wire::ReportArtifact& artifact : artifacts) {
        std::string name = redacted_name(artifact.ref.name, limits::kArtifactNameBytes);
        if (name == artifact.ref.name) {
            names.insert(std::move(name));
            continue;
        }
        artifact.ref.name = std::move(name);
        changed.push_back(&artifact.ref.name);
    }
    for (std::string* name : changed) {
        const std::string base = name->substr(0, limits::kArtifactNameBytes - kCountBytes);
        for (int n = 2; !names.insert(*name).second; ++n) *name = base + "-" + std::to_string(n);
    }
}

}  // namespace

void redact(wire::Report& report) {
    redact_from(report.from);
    redact_text(report.summary, limits::kSummaryBytes);
    std::map<std::string, std::string> output;
    for (auto& [key, value] : report.output) {
        redact_text(value, limits::kOutputValueBytes);
        output.emplace(redacted_name(key, limits::kNameBytes), std::move(value));
    }
    report.output = std::move(output);
    redact_names(report.artifacts);
}

void redact(NewQuestion& question) {
    redact_text(question.text, limits::kQuestionBytes);
    for (std::string& choice : question.choices) redact_text(choice, limits::kChoiceBytes);
}

void redact(wire::Progress& progress) {
    redact_text(progress.step, limits::kTypeBytes);
    redact_text(progress.message, limits::kSummaryBytes);
}

void redact(wire::Checkpoint& checkpoint) {
    std::string& name = checkpoint.artifact.ref.name;
    name = redacted_name(name, limits::kArtifactNameBytes);
}

void redact_reason(std::string& reason) {
    redact_text(reason, limits::kReasonBytes);
}

void redact_from(std::string& from) {
    redact_text(from, limits::kFromBytes);
}

}  // namespace zq::edge
