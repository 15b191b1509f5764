#include "tests/simulator/coverage.h"

#include <array>
#include <utility>

#include "tests/simulator/options.h"

namespace zq::sim {
namespace {

struct Unreachable {
    std::string_view name;
    std::string_view why;
};
constexpr auto kUnreachable = std::to_array<Unreachable>({
    {"error.UNREACHABLE", "the client library makes it when nobody answers; it is never sent"},
    {"error.IO", "never sent: a disk that fails ends the process, or is told as BUSY"},
});

/// The name of a type without its namespaces, from how the compiler spells it here.
template <class T>
std::string name_of() {
    std::string_view text = __PRETTY_FUNCTION__;
    text = text.substr(text.find("T = ") + 4);
    text = text.substr(0, text.find_first_of(";]"));
    return std::string(text.substr(text.rfind(':') + 1));
}

template <class Variant, std::size_t... I>
std::array<std::string, sizeof...(I)> names_of(std::index_sequence<I...>) {
    return {name_of<std::variant_alternative_t<I, Variant>>()...};
}

/// The alternatives' names, in order.
template <class Variant>
const auto& alternatives() {
    static const auto kNames =
        names_of<Variant>(std::make_index_sequence<std::variant_size_v<Variant>>());
    return kNames;
}

template <class Variant>
std::string name_in(std::string_view group, const Variant& value) {
    return std::string(group) + alternatives<Variant>()[value.index()];
}

template <class Variant>
void list(std::map<std::string, std::uint64_t>& table, std::string_view group) {
    for (const std::string& name : alternatives<Variant>()) table[std::string(group) + name] = 0;
}

std::string error_name(ErrorCode code) {
    return "error." + std::string(to_string(code));
}

std::string rule_name(RetentionRule rule) {
    return "retention." + std::string(to_string(rule));
}

constexpr std::size_t kErrorCodes = [] {
    std::size_t n = 0;
#define ZQ_ONE(name, retryable, meaning) ++n;
    ZQ_ERROR_CODES(ZQ_ONE)
#undef ZQ_ONE
    return n;
}();

}  // namespace

void Coverage::decided(const core::Command& command, const core::Decision& decision) {
    count(name_in("command.", command.body));
    for (const core::Event& event : decision.events) {
        count(name_in("event.", event.body));
        const auto* removed = std::get_if<core::ArtifactsRemoved>(&event.body);
        if (removed != nullptr) count(rule_name(removed->rule));
    }
    for (const core::Notice& notice : decision.notices) count(name_in("notice.", notice));
    for (const core::Effect& effect : decision.effects) {
        if (const auto* answer = std::get_if<core::Answer>(&effect)) {
            count(name_in("effect.", answer->body));
        } else {
            count(name_in("effect.", std::get<core::Push>(effect).body));
        }
    }
}

void Coverage::acted(const worker::Action& action) {
    count(name_in("action.", action));
}
void Coverage::refused(ErrorCode code) {
    count(error_name(code));
}
void Coverage::faulted(std::string_view fault) {
    count("fault." + std::string(fault));
}

void Coverage::merge(const Coverage& other) {
    for (const auto& [name, times] : other.counts_) counts_[name] += times;
}

std::map<std::string, std::uint64_t> Coverage::table() const {
    std::map<std::string, std::uint64_t> table;
    list<core::CommandBody>(table, "command.");
    list<core::EventBody>(table, "event.");
    list<core::Notice>(table, "notice.");
    list<core::AnswerBody>(table, "effect.");
    list<core::PushBody>(table, "effect.");
    list<worker::Action>(table, "action.");
    for (std::size_t i = 0; i < kErrorCodes; ++i) table[error_name(static_cast<ErrorCode>(i))] = 0;
    for (const auto rule : {RetentionRule::kAge, RetentionRule::kBytes}) table[rule_name(rule)] = 0;
    for (const std::string_view fault : kFaultNames) table["fault." + std::string(fault)] = 0;
    for (const auto& [name, times] : counts_) table[name] = times;
    return table;
}

std::vector<std::string> Coverage::gaps() const {
    std::map<std::string, std::string_view> excused;
    for (const Unreachable& row : kUnreachable) excused.emplace(row.name, row.why);
    std::vector<std::string> gaps;
    for (const auto& [name, times] : table()) {
        const bool listed = excused.contains(name);
        if (times == 0 && !listed) gaps.push_back(name + " was not reached");
        if (times > 0 && listed) gaps.push_back(name + " was reached, but is said not to be");
        excused.erase(name);
    }
    for (const auto& [name, why] : excused)
        gaps.push_back(name + " is excused, but does not exist");
    return gaps;
}

}  // namespace zq::sim
