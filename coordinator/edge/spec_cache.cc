#include "coordinator/edge/spec_cache.h"

namespace zq::edge {
namespace {

constexpr std::size_t kOverhead = 1024;  // short texts, list and map nodes
constexpr std::size_t kLargestShare = 16;

std::size_t bytes_of(const TaskSpec& spec) {
    std::size_t bytes = kOverhead + spec.instructions.size() + spec.payload.size();
    for (const auto& [key, value] : spec.labels) bytes += key.size() + value.size() + 64;
    bytes += spec.expected.schema.size();
    for (const std::string& heading : spec.expected.headings) bytes += heading.size() + 64;
    for (const ArtifactRule& rule : spec.expected.rules) bytes += sizeof rule + rule.media.size();
    for (const ArtifactRef& input : spec.inputs) bytes += sizeof input + input.uri.size() + 64;
    return bytes;
}

}  // namespace

void SpecCache::put(Seq spec_seq, const Shared<TaskSpec>& spec) {
    const std::size_t bytes = bytes_of(*spec);
    if (bytes > most_bytes_ / kLargestShare || by_seq_.contains(spec_seq)) return;
    entries_.push_front({spec_seq, spec, bytes});
    by_seq_.emplace(spec_seq, entries_.begin());
    bytes_ += bytes;
    while (bytes_ > most_bytes_) {
        bytes_ -= entries_.back().bytes;
        by_seq_.erase(entries_.back().seq);
        entries_.pop_back();
    }
}

const TaskSpec* SpecCache::find(Seq spec_seq) {
    auto at = by_seq_.find(spec_seq);
    if (at == by_seq_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, at->second);
    return &*at->second->spec;
}

}  // namespace zq::edge
