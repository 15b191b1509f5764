// What goes to stdout: records in one of the output formats. A record is a JSON object whose keys
// are the column names, so that every format and `--fields` speak of the same things. Rendering is
// pure; only `print_*` write.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_code.h"
#include "common/base/time.h"
#include "common/platform/json.h"

namespace zq::cli {

class Arguments;

enum class Format : std::uint8_t { kTable, kWide, kJson, kJsonl, kTsv, kId, kNone };

struct OutputOptions {
    Format format = Format::kTable;
    std::vector<std::string> fields;  // empty: the format's own
    bool terminal = false;            // relative times, escapes of raw text, indented JSON
    bool colour = false;
    std::size_t width = 0;  // of the terminal; 0: no limit
    Instant now;

    bool is_json() const { return format == Format::kJson || format == Format::kJsonl; }
};

/// From the flags, whether stdout is a terminal, and ZQ_AGENT, NO_COLOR. Errors: usage.
Expected<OutputOptions> output_options(const Arguments& args);

enum class Cell : std::uint8_t { kText, kState, kTime, kDuration, kSize };
enum class Where : std::uint8_t { kAlways, kWide, kOnAsking };

struct Column {
    std::string_view key;
    std::string_view title;
    Cell cell = Cell::kText;
    Where where = Where::kAlways;
};

enum class Shape : std::uint8_t {
    kList,   // a table with a heading; JSON: one object with `items`
    kLines,  // a line a record, no heading; JSON: as kList
    kOne,    // one record: a line; JSON: that object
};

struct View {
    Shape shape = Shape::kList;
    std::string_view schema;  // of the list, such as zq/task-list/v1
    std::span<const Column> columns;
    std::vector<Json> records = {};
    bool more = false;
};

/// Errors: usage (an unknown name in --fields).
Expected<std::string> render(const View& view, const OutputOptions& options);

/// Renders and prints.
Ending print(const View& view, const OutputOptions& options);
/// Writes to stdout. A reader that went away ends the process silently.
void print_raw(std::string_view bytes);
/// A line on stderr: progress, hints, warnings.
void note(const std::string& line);

}  // namespace zq::cli
