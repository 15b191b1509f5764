// What single fields, and the parts that messages share, must be: the vocabulary of
// check_fields.cc. Every error names the field.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/wire/codec.h"

namespace zq::edge::field {

using Check = Result<void>;

/// Runs checks in order and gives the first error.
template <class... Checks>
Check all_of(Checks... checks) {
    Check result;
    ((result = checks(), result.has_value()) && ...);
    return result;
}

Check name(const std::string& text, const std::string& field);
Check name_or_empty(const std::string& text, const std::string& field);
Check size(const std::string& text, std::size_t limit, const std::string& field);
Check count(std::size_t number, std::size_t limit, const std::string& field);
Check range(std::uint64_t number, std::uint64_t low, std::uint64_t high, const std::string& field);
Check duration(Millis value, Millis low, Millis high, const std::string& field);
Check state_id(const StateId& id);
Check roles(const std::vector<RoleName>& list);
Check held(const std::vector<wire::HeldLease>& list, const std::string& field);
/// Inline bytes against what their reference says of them.
Check inlined(const std::string& data, const Digest& digest, const std::string& field);
Check artifact(const wire::ReportArtifact& a, const std::string& field);
Check artifacts(const std::vector<wire::ReportArtifact>& list);
Check output(const std::map<std::string, std::string>& pairs);
Check report(const wire::Report& r);
Check contents(const wire::Submit& m);
Check contents(const wire::Batch& m);
/// An envelope: its bounds, secrets in its texts, and the schema of its result.
Check task(const TaskSpec& spec);
/// A release carries a question exactly where a person is asked.
Check question_of(const wire::Release& m);

}  // namespace zq::edge::field
