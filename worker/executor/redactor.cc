#include "worker/executor/redactor.h"

#include <algorithm>

#include "common/base/secret_formats.h"

namespace zq::worker {
namespace {

/// How many bytes at the end of `text` begin `value` without ending it.
std::size_t begun(std::string_view text, std::string_view value) {
    for (std::size_t n = std::min(text.size(), value.size() - 1); n > 0; --n) {
        if (text.ends_with(value.substr(0, n))) return n;
    }
    return 0;
}

}  // namespace

Redactor::Redactor(const std::vector<SecretValue>& values) {
    std::copy_if(values.begin(), values.end(), std::back_inserter(values_),
                 [](const SecretValue& secret) { return !secret.value.empty(); });
    // The longest first: one value may be part of another.
    std::stable_sort(
        values_.begin(), values_.end(),
        [](const SecretValue& a, const SecretValue& b) { return a.value.size() > b.value.size(); });
}

/// Adds what stands before `until`, without its secrets; gives where it stopped: a secret that
/// begins before `until` is taken whole.
std::size_t Redactor::redact(std::size_t until, std::string& out) const {
    const std::string_view text(held_);
    std::size_t at = context_;
    while (at < until) {
        FoundSecret first{until, until, {}};
        if (auto found = find_secret(text, at); found && found->begin < until) first = *found;
        std::string_view kind = first.kind;
        for (const SecretValue& secret : values_) {
            const std::size_t reach = first.begin - at + secret.value.size();
            const std::size_t place = text.substr(at, reach).find(secret.value);
            if (place == std::string_view::npos) continue;
            const std::size_t begin = at + place;
            const std::size_t end = begin + secret.value.size();
            if (begin > first.begin || (begin == first.begin && end <= first.end)) continue;
            first = {begin, end, {}};
            kind = secret.name;
        }
        out += text.substr(at, first.begin - at);
        if (first.begin < first.end) out.append("[redacted:").append(kind).append("]");
        at = first.end;
    }
    return at;
}

std::size_t Redactor::held_back() const {
    std::size_t held = unfinished_secret(held_, context_);
    const std::string_view text = std::string_view(held_).substr(context_);
    for (const SecretValue& secret : values_) held = std::max(held, begun(text, secret.value));
    return held;
}

std::string Redactor::take(std::string_view bytes) {
    held_ += bytes;
    std::string out;
    out.reserve(held_.size());
    const std::size_t shown = redact(held_.size() - held_back(), out);
    if (shown == context_) return out;
    held_.erase(0, shown - 1);
    context_ = 1;
    return out;
}

std::string Redactor::finish() {
    std::string out;
    redact(held_.size(), out);
    held_.clear();
    context_ = 0;
    return out;
}

}  // namespace zq::worker
