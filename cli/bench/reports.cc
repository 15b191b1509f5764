#include "cli/bench/reports.h"

#include <cstdlib>
#include <string>
#include <string_view>

#include "cli/bench/crew.h"

namespace zq::cli {
namespace {

/// What `load` makes, in another process, as lines.
Expected<std::string> report_of(const std::function<std::string()>& load) {
    Crew crew;
    crew.start([&](int) { return load(); });
    auto reports = crew.reports();
    if (!reports) return tl::unexpected(reports.error());
    return std::move(reports->front());
}

std::string_view take_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

}  // namespace

Expected<Rate> rate_of(const std::function<Expected<Rate>()>& load) {
    auto report = report_of([&] {
        const auto rate = load();
        if (!rate) fatal(rate.error().error.message);
        return std::to_string(rate->count) + "\n" + std::to_string(rate->seconds) + "\n" +
               rate->latencies.to_text() + "\n";
    });
    if (!report) return tl::unexpected(report.error());
    std::string_view text = *report;
    Rate rate;
    rate.count = std::strtoull(std::string(take_line(text)).c_str(), nullptr, 10);
    rate.seconds = std::strtod(std::string(take_line(text)).c_str(), nullptr);
    rate.latencies = Latencies::from_text(take_line(text));
    return rate;
}

Expected<DispatchTimes> times_of(const std::function<Expected<DispatchTimes>()>& load) {
    auto report = report_of([&] {
        const auto times = load();
        if (!times) fatal(times.error().error.message);
        return times->acknowledged.to_text() + "\n" + times->dispatched.to_text() + "\n" +
               times->answered.to_text() + "\n";
    });
    if (!report) return tl::unexpected(report.error());
    std::string_view text = *report;
    DispatchTimes times;
    times.acknowledged = Latencies::from_text(take_line(text));
    times.dispatched = Latencies::from_text(take_line(text));
    times.answered = Latencies::from_text(take_line(text));
    return times;
}

}  // namespace zq::cli
