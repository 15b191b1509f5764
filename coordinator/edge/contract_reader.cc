#include "coordinator/edge/contract_reader.h"

#include <algorithm>

#include "common/base/contract.h"
#include "common/platform/result_check.h"

namespace zq::edge {

Result<std::string> ContractReader::unmet(Seq spec_seq, const wire::Report& report) const {
    auto spec = specs.get(spec_seq);
    if (!spec) return Failure(spec.error());
    const ExpectedOutput& expected = spec->expected;
    std::vector<Delivered> files;
    std::vector<std::string> names;
    for (const wire::ReportArtifact& artifact : report.artifacts) {
        files.push_back({artifact.ref.name, artifact.ref.size, artifact.ref.media});
        names.push_back(artifact.ref.name);
    }
    std::vector<std::string> broken = broken_rules(expected, files);
    const std::string name = result_name_of(expected.format, names);
    const bool reads = !expected.schema.empty() || !expected.headings.empty();
    if (reads && !name.empty()) {
        const auto& result = *std::find_if(report.artifacts.begin(), report.artifacts.end(),
                                           [&](const auto& a) { return a.ref.name == name; });
        auto text = read(result);
        if (!text) return Failure(text.error());
        if (*text) {
            ResultFindings found = check_result(expected, name, **text, limits::kSchemaSteps);
            broken.insert(broken.end(), found.broken.begin(), found.broken.end());
        }
    }
    return joined_violations(broken);
}

Result<std::optional<std::string>> ContractReader::read(
    const wire::ReportArtifact& artifact) const {
    const std::uint64_t size = artifact.ref.size;
    if (artifact.data) return std::optional(artifact.data->data);
    if (size > limits::kCheckedResultBytes) return std::optional<std::string>{};
    auto place = specs.reader.content(artifact.ref.digest);
    if (!place) return Failure(place.error());
    if (!*place) {
        return Failure(
            Error{ErrorCode::BUSY, "the result is stored just now", "artifacts", millis(100)});
    }
    Result<std::string> bytes;
    if ((*place)->inlined) {
        bytes = specs.reader.inline_content(artifact.ref.digest, 0, size);
    } else if (contents != nullptr) {
        bytes = contents->read(artifact.ref.digest, 0, size);
    } else {
        return std::optional<std::string>{};
    }
    if (!bytes) return Failure(bytes.error());
    return std::optional(std::move(*bytes));
}

std::optional<Error> ContractReader::payload_error(const TaskSpec& spec) const {
    return payloads == nullptr ? std::nullopt : payloads->error_of(spec);
}

}  // namespace zq::edge
