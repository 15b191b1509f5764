// What a repeated message must match.
#include "common/platform/digest.h"
#include "coordinator/edge/in.h"

namespace zq::edge {

Digest request_digest(const TaskSpec& spec) {
    TaskSpec body = spec;
    body.id = TaskId{};
    body.trace_id.clear();
    return sha256(pack::encode(body));
}

template <class Report>
Digest report_digest(Report message) {
    for (wire::ReportArtifact& artifact : message.report.artifacts) artifact.data.reset();
    Sha256 hash;
    hash.update(Report::kType);
    hash.update(pack::encode(message));
    return hash.finish();
}

template Digest report_digest(wire::Complete);
template Digest report_digest(wire::Skip);
template Digest report_digest(wire::Fail);
template Digest report_digest(wire::Release);

}  // namespace zq::edge
