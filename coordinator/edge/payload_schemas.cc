#include "coordinator/edge/payload_schemas.h"

namespace zq::edge {
namespace {

constexpr const char* kField = "task.payload";

}  // namespace

Result<void> PayloadSchemas::add(const std::string& place, const std::string& schema) {
    const auto slash = place.find('/');
    const std::string role = place.substr(0, slash);
    const std::string type = slash == std::string::npos ? std::string() : place.substr(slash + 1);
    if (auto name = parse_name(role, place); !name) return Failure(name.error());
    if (type.size() > limits::kTypeBytes || (slash != std::string::npos && type.empty())) {
        return fail(ErrorCode::INVALID, "write ROLE or ROLE/TYPE, not '" + place + "'", place);
    }
    auto parsed = JsonSchema::parse(schema, place);
    if (!parsed) return Failure(parsed.error());
    if (!schemas_.emplace(std::pair(role, type), std::move(*parsed)).second) {
        return fail(ErrorCode::CONFLICT, "two schemas for " + place, place);
    }
    return {};
}

std::optional<Error> PayloadSchemas::error_of(const TaskSpec& spec) const {
    if (schemas_.empty()) return std::nullopt;
    auto found = schemas_.find({spec.role.text, spec.type});
    if (found == schemas_.end()) found = schemas_.find({spec.role.text, ""});
    if (found == schemas_.end()) return std::nullopt;
    const std::string place = spec.role.text + (found->first.second.empty() ? "" : "/" + spec.type);
    if (spec.payload.empty()) {
        return Error{
            ErrorCode::INVALID, "role " + place + " takes a payload, by its schema", kField, {}};
    }
    auto fits = found->second.check(spec.payload, limits::kSchemaSteps);
    if (fits) return std::nullopt;
    return Error{
        fits.error().code, "not what " + place + " takes: " + fits.error().message, kField, {}};
}

}  // namespace zq::edge
