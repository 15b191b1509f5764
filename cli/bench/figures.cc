#include "cli/bench/figures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace zq::cli {
namespace {

constexpr auto kColumns = std::to_array<Column>({
    {"peer", "PEER"},
    {"workload", "WORKLOAD"},
    {"params", "PARAMS"},
    {"figure", "FIGURE"},
    {"value", "VALUE"},
    {"unit", "UNIT"},
    {"range", "RANGE"},
    {"repetitions", "N"},
});

/// Four digits, as far as they are before the point: 12345, 123.4, 1.234.
std::string text_of(double value) {
    const double size = std::abs(value);
    char text[64];
    std::snprintf(text, sizeof text, "%.*f",
                  size >= 1000  ? 0
                  : size >= 100 ? 1
                  : size >= 10  ? 2
                                : 3,
                  value);
    return text;
}

}  // namespace

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

void Figures::add(const std::string& workload, const std::string& params, const std::string& name,
                  double value, const std::string& unit) {
    for (Figure& figure : figures_) {
        if (figure.workload == workload && figure.params == params && figure.name == name) {
            figure.values.push_back(value);
            return;
        }
    }
    figures_.push_back({workload, params, name, unit, {value}});
}

Ending Figures::print(const OutputOptions& options) const {
    View view{Shape::kLines, "zq/bench-list/v1", kColumns, {}, false};
    for (const Figure& figure : figures_) {
        const auto [least, most] = std::minmax_element(figure.values.begin(), figure.values.end());
        Json record = Json::object();
        record.set("schema", Json::text("zq/bench/v1"));
        record.set("id", Json::text(figure.workload + "/" + figure.params + "/" + figure.name));
        record.set("peer", Json::text("zq"));
        record.set("workload", Json::text(figure.workload));
        record.set("params", Json::text(figure.params));
        record.set("figure", Json::text(figure.name));
        record.set("value", Json::text(text_of(median(figure.values))));
        record.set("unit", Json::text(figure.unit));
        record.set("range", Json::text(text_of(*least) + ".." + text_of(*most)));
        record.set("repetitions", Json::number(static_cast<std::uint64_t>(figure.values.size())));
        view.records.push_back(std::move(record));
    }
    return zq::cli::print(view, options);
}

}  // namespace zq::cli
