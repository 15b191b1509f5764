#include "coordinator/core/remembered_requests.h"

#include "common/base/mutant.h"

namespace zq::core {

const RequestRecord* find_record(const Call& call) {
    if (call.command.client.empty() || mutant(Mutant::kRequestForgotten)) return nullptr;
    const auto& requests = call.state.durable.requests;
    auto at = requests.find({call.command.identity, call.command.client, call.command.request});
    return at == requests.end() ? nullptr : &at->second;
}

std::optional<Error> request_bound(const Call& call) {
    if (call.command.client.empty()) return std::nullopt;  // is not remembered
    const auto& counts = call.state.index.requests_per_client;
    auto at = counts.find({call.command.identity, call.command.client});
    std::size_t all = call.state.durable.requests.size();
    std::size_t mine = at == counts.end() ? 0 : at->second;
    const auto fits = [&] { return all < limits::kRequests && mine < limits::kRequestsPerClient; };
    if (fits()) return std::nullopt;
    // Records whose time is over leave with the next one (apply.cc): they bar nobody.
    for (const auto& [when, key] : call.state.index.requests_by_time) {
        if (when.first + limits::kRequestMemory >= call.now()) break;
        --all;
        if (key.identity == call.command.identity && key.client == call.command.client) --mine;
    }
    if (fits()) return std::nullopt;
    return Error{
        ErrorCode::BUSY, "too many requests are remembered for this client", {}, seconds(60)};
}

}  // namespace zq::core
