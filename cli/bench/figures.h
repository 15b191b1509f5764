// What a benchmark prints: one line per figure, the median of its repetitions with their least and
// their most.
#pragma once

#include <string>
#include <vector>

#include "cli/output.h"

namespace zq::cli {

class Figures {
  public:
    /// One repetition's value; `name` and `unit` such as `rate` and `task/s`.
    void add(const std::string& workload, const std::string& params, const std::string& name,
             double value, const std::string& unit);
    Ending print(const OutputOptions& options) const;

  private:
    struct Figure {
        std::string workload;
        std::string params;
        std::string name;
        std::string unit;
        std::vector<double> values;
    };
    std::vector<Figure> figures_;  // in the order of their first value
};

double median(std::vector<double> values);

}  // namespace zq::cli
