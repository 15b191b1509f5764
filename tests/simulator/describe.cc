#include "tests/simulator/describe.h"

namespace zq::sim {
namespace {

std::string words(const std::vector<wire::LeaseVerdict>& verdicts) {
    std::string text;
    for (const wire::LeaseVerdict& verdict : verdicts) {
        text += ' ' + short_token(verdict.lease) + '=' + std::string(to_string(verdict.verdict));
    }
    return text;
}

std::string words(const std::vector<wire::HeldLease>& held) {
    std::string text;
    for (const wire::HeldLease& lease : held) text += ' ' + short_token(lease.lease);
    return text;
}

template <class T>
std::string details(const T& body) {
    if constexpr (requires { body.report.lease; }) {
        return ' ' + body.report.task.text + ' ' + short_token(body.report.lease);
    } else if constexpr (std::is_same_v<T, wire::ErrorReply>) {
        return ' ' + std::string(to_string(body.code)) + ": " + body.message;
    } else if constexpr (std::is_same_v<T, wire::Accepted> || std::is_same_v<T, wire::Submitted>) {
        return ' ' + body.task.text + ' ' + std::string(to_string(body.state));
    } else if constexpr (std::is_same_v<T, wire::Submit>) {
        return ' ' + body.task.id.text + " to " + body.task.role.text;
    } else if constexpr (requires {
                             body.task.id;
                             body.lease;
                         }) {
        return ' ' + body.task.id.text + '#' + std::to_string(body.attempt) + ' ' +
               short_token(body.lease);
    } else if constexpr (requires {
                             body.free;
                             body.leases;
                         }) {
        return " free=" + std::to_string(body.free) + words(body.leases) +
               " reports:" + words(body.reports);
    } else if constexpr (requires {
                             body.incarnation;
                             body.leases;
                             body.worker;
                         }) {
        return ' ' + body.worker.text + '.' + std::to_string(body.incarnation) +
               words(body.leases) + " reports:" + words(body.reports);
    } else if constexpr (requires { body.free; }) {
        return " free=" + std::to_string(body.free);
    } else if constexpr (requires { body.leases.front().verdict; }) {
        return words(body.leases);
    } else if constexpr (requires { body.task.text; }) {
        return ' ' + body.task.text;
    } else {
        return {};
    }
}

}  // namespace

std::string short_token(const LeaseToken& token) {
    if (!token.is_set()) return "-";
    return std::to_string(token.number >> 32U) + "." + std::to_string(token.number & 0xffffffffU);
}

std::string describe_message(const wire::Message& message) {
    std::string text(wire::type_of(message.body));
    text += std::visit([](const auto& body) { return details(body); }, message.body);
    if (message.header.id != 0) text += " id=" + std::to_string(message.header.id);
    return text;
}

}  // namespace zq::sim
