#include "coordinator/edge/batch.h"

#include <algorithm>

#include "common/base/secret_scan.h"
#include "coordinator/edge/content_sorter.h"
#include "coordinator/edge/field_checks.h"
#include "coordinator/edge/secret_check.h"

namespace zq::edge {
namespace {

/// Where an input's content is: stored, in the message (then it is to be recorded), or missing.
Result<void> place_input(ArtifactRef& input, const wire::Batch& batch, const Origin& origin,
                         FactFinder& finder, core::BatchEntry& entry) {
    auto stored = finder.stored(input.digest);
    if (!stored) return Failure(stored.error());
    const auto content = std::find_if(batch.contents.begin(), batch.contents.end(),
                                      [&](const auto& c) { return c.digest == input.digest; });
    const bool sent = content != batch.contents.end();
    std::optional<std::uint64_t> size;
    if (may_refer(origin, input.digest, sent) && *stored) {
        size = (*stored)->size;
        input.secrets = std::move((*stored)->secrets);
    } else {
        if (content == batch.contents.end()) {
            entry.facts.missing.push_back(input.digest);
            return {};
        }
        size = content->data.data.size();
        if (!is_binary(content->data.data)) input.secrets = secret_kinds(content->data.data);
        entry.submit.contents.push_back(input);
    }
    if (*size == input.size) return {};
    entry.facts.payload =
        Error{ErrorCode::INVALID,
              "the content of input " + input.name + " has " + std::to_string(*size) + " bytes",
              "task.inputs",
              {}};
    return {};
}

Result<core::BatchEntry> to_entry(TaskSpec& spec, const wire::Batch& batch, const Origin& origin,
                                  FactFinder& finder) {
    core::BatchEntry entry;
    if (auto ok = field::task(spec); !ok) {
        entry.facts.payload = ok.error();
        entry.submit.spec.edit().id = std::move(spec.id);
        return entry;
    }
    for (ArtifactRef& input : spec.inputs) input.secrets.clear();
    entry.submit.request = request_digest(spec);
    entry.submit.dry_run = batch.dry_run;
    if (auto ok = finder.add_former(spec, entry.facts); !ok) return Failure(ok.error());
    if (auto ok = finder.add_upstream(spec.ns, spec.after, entry.facts); !ok) {
        return Failure(ok.error());
    }
    entry.facts.payload = finder.payload_error(spec);
    for (ArtifactRef& input : spec.inputs) {
        if (input.by_reference) continue;
        if (auto ok = place_input(input, batch, origin, finder, entry); !ok) {
            return Failure(ok.error());
        }
        if (auto ok = check_input(input, spec); !ok) entry.facts.payload = ok.error();
    }
    entry.submit.spec = std::move(spec);
    return entry;
}

}  // namespace

Result<core::SubmitBatch> to_batch(wire::Batch& batch, const Origin& origin, FactFinder& finder) {
    core::SubmitBatch command;
    command.atomic = batch.atomic;
    command.dry_run = batch.dry_run;
    command.entries.reserve(batch.tasks.size());
    for (TaskSpec& spec : batch.tasks) {
        auto entry = to_entry(spec, batch, origin, finder);
        if (!entry) return Failure(entry.error());
        entry->facts.storage_full = origin.storage_full;
        command.entries.push_back(std::move(*entry));
    }
    return command;
}

}  // namespace zq::edge
