// What a repeated message must match.
#include <utility>

#include "common/platform/digest.h"
#include "coordinator/edge/in.h"

namespace zq::edge {

/// `spec` is as it was when this returns: a copy of it would cost more than the hash.
Digest request_digest(TaskSpec& spec) {
    TaskId id = std::exchange(spec.id, {});
    std::string trace_id = std::exchange(spec.trace_id, {});
    const Digest digest = sha256(pack::encode(spec));
    spec.id = std::move(id);
    spec.trace_id = std::move(trace_id);
    return digest;
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
