// A role as `status` and `role ls` show it, with what is kept of its ended tasks.
#include <array>

#include "cli/records.h"

namespace zq::cli {
namespace {

constexpr auto kRole = std::to_array<Column>({
    {"id", "ROLE"},
    {"queued", "QUEUED"},
    {"waiting", "WAITING"},
    {"running", "RUNNING"},
    {"dead", "DEAD"},
    {"workers", "WORKERS"},
    {"slots", "SLOTS"},
    {"oldest_ms", "OLDEST", Cell::kDuration},
    {"kept", "KEPT"},
    {"kept_bytes", "KEPT SIZE", Cell::kSize},
    {"dead_bytes", "DEAD SIZE", Cell::kSize, Where::kWide},
});

}  // namespace

Json role_record(const wire::RoleRow& row) {
    Json record = Json::object();
    record.set("schema", Json::text("zq/role/v1"));
    record.set("id", to_json(row.role));
    const Json fields = to_json(row);
    for (const std::string& key : fields.keys()) {
        if (key != "role") record.set(key, *fields.find(key));
    }
    return record;
}

std::span<const Column> role_columns() {
    return kRole;
}

}  // namespace zq::cli
