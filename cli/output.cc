#include "cli/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "cli/arguments.h"
#include "cli/text.h"
#include "common/base/nearest.h"
#include "common/base/words.h"
#include "common/platform/clock.h"

namespace zq::cli {
namespace {

constexpr auto kFormats =
    std::to_array<std::string_view>({"table", "wide", "json", "jsonl", "tsv", "id", "none"});

bool env_set(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
}

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> parts;
    std::size_t start = 0;
    while (start <= text.size()) {
        const std::size_t comma = std::min(text.find(',', start), text.size());
        if (comma > start) parts.push_back(text.substr(start, comma - start));
        start = comma + 1;
    }
    return parts;
}

std::size_t terminal_width() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
    return size.ws_col;
}

Expected<Format> choose_format(const Arguments& args) {
    if (args.has("output")) {
        Format format = Format::kTable;
        if (value_of(kFormats, args.text("output"), format)) return format;
        return usage("-o takes table, wide, json, jsonl, tsv, id or none, not '" +
                     args.text("output") + "'");
    }
    if (args.has("json")) return Format::kJson;
    return args.has("quiet") ? Format::kId : Format::kTable;
}

Expected<bool> choose_colour(const Arguments& args, const OutputOptions& options) {
    const std::string when = args.has("color") ? args.text("color") : "auto";
    if (when == "always") return true;
    if (when == "never") return false;
    if (when != "auto") return usage("--color takes auto, always or never, not '" + when + "'");
    return options.terminal && !env_set("NO_COLOR");
}

// --- cells ---------------------------------------------------------------------------------------

std::string scalar(const Json& value) {
    if (value.is_null()) return {};
    if (auto text = value.as_text()) return *text;
    if (!value.is_array()) return value.dump();
    std::string list;
    for (std::size_t n = 0; n < value.size(); ++n) {
        list += (n == 0 ? "" : ",") + scalar(value.at(n));
    }
    return list;
}

/// The other way round of to_rfc3339.
Instant parse_time(const std::string& text) {
    std::tm parts{};
    int ms = 0;
    if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d.%dZ", &parts.tm_year, &parts.tm_mon,
                    &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &ms) != 7) {
        return {};
    }
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    return {static_cast<std::int64_t>(::timegm(&parts)) * 1000 + ms};
}

std::string cell_text(const Json& record, const Column& column, const OutputOptions& options) {
    const auto value = record.find(column.key);
    if (!value || value->is_null()) return "-";
    switch (column.cell) {
        case Cell::kTime:
            if (!options.terminal || options.format == Format::kTsv) break;
            return human_time(parse_time(scalar(*value)), options.now);
        case Cell::kDuration:
            if (options.format == Format::kTsv) break;
            return human_duration({value->as_integer().value_or(0)});
        case Cell::kSize:
            if (options.format == Format::kTsv) break;
            return human_size(static_cast<std::uint64_t>(value->as_integer().value_or(0)));
        case Cell::kText:
        case Cell::kState:
            break;
    }
    const std::string text = escape_line(scalar(*value));
    return text.empty() ? "-" : text;
}

std::string_view colour_of(const std::string& state) {
    if (state == "completed" || state == "skipped" || state == "ok") return "\x1b[32m";
    if (state == "dead" || state == "expired" || state == "failed") return "\x1b[31m";
    if (state == "running" || state == "retry_wait" || state == "cancelling") return "\x1b[33m";
    return "";
}

// --- tables --------------------------------------------------------------------------------------

struct Rows {
    std::vector<Column> columns;
    std::vector<std::vector<std::string>> cells;
    std::vector<std::size_t> widths;
};

void widen(Rows& rows) {
    rows.widths.assign(rows.columns.size(), 0);
    for (const auto& line : rows.cells) {
        for (std::size_t i = 0; i < line.size(); ++i) {
            rows.widths[i] = std::max(rows.widths[i], display_width(line[i]));
        }
    }
}

std::string table_line(const Rows& rows, const std::vector<std::string>& cells,
                       const OutputOptions& options) {
    std::string line;
    std::size_t used = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const bool last = i + 1 == cells.size();
        std::string text = cells[i];
        if (last && options.width > 0 && options.format == Format::kTable) {
            text = shorten(text, options.width > used ? options.width - used : 1);
        }
        const std::string_view colour =
            options.colour && rows.columns[i].cell == Cell::kState ? colour_of(text) : "";
        if (!last) text = padded(text, rows.widths[i]);
        line += colour.empty() ? text : std::string(colour) + text + "\x1b[0m";
        if (!last) line += "  ";
        used += rows.widths[i] + 2;
    }
    return line + "\n";
}

std::string render_table(const View& view, std::vector<Column> columns,
                         const OutputOptions& options) {
    Rows rows{std::move(columns), {}, {}};
    if (view.shape == Shape::kList) {
        std::vector<std::string> titles;
        for (const Column& column : rows.columns) titles.emplace_back(column.title);
        rows.cells.push_back(std::move(titles));
    }
    for (const Json& record : view.records) {
        std::vector<std::string> line;
        for (const Column& column : rows.columns)
            line.push_back(cell_text(record, column, options));
        rows.cells.push_back(std::move(line));
    }
    widen(rows);
    std::string text;
    for (const auto& line : rows.cells) text += table_line(rows, line, options);
    return text;
}

std::string render_tsv(const View& view, const std::vector<Column>& columns,
                       const OutputOptions& options) {
    std::string text;
    for (const Json& record : view.records) {
        for (std::size_t i = 0; i < columns.size(); ++i) {
            std::string cell = cell_text(record, columns[i], options);
            text += (i == 0 ? "" : "\t") + (cell == "-" ? std::string{} : cell);
        }
        text += "\n";
    }
    return text;
}

/// The columns asked for, or those of the format.
Expected<std::vector<Column>> choose_columns(const View& view, const OutputOptions& options) {
    std::vector<Column> chosen;
    if (options.fields.empty()) {
        for (const Column& column : view.columns) {
            const bool wide = options.format == Format::kWide && column.where == Where::kWide;
            if (column.where == Where::kAlways || wide) chosen.push_back(column);
        }
        return chosen;
    }
    for (const std::string& field : options.fields) {
        auto found = std::find_if(view.columns.begin(), view.columns.end(),
                                  [&](const Column& column) { return column.key == field; });
        if (found != view.columns.end()) {
            chosen.push_back(*found);
            continue;
        }
        std::vector<std::string> known;
        for (const Column& column : view.columns) known.emplace_back(column.key);
        const std::string nearest = nearest_word(field, known);
        std::string all = "known:";
        for (const std::string& key : known) all += " " + key;
        return usage("no field '" + field + "'",
                     nearest.empty() ? all : "did you mean " + nearest + "?");
    }
    return chosen;
}

// --- JSON ----------------------------------------------------------------------------------------

Json select(const Json& record, const std::vector<Column>& columns, const OutputOptions& options) {
    if (options.fields.empty()) return record;
    Json selected = Json::object();
    if (auto schema = record.find("schema")) selected.set("schema", *schema);
    for (const Column& column : columns) {
        selected.set(column.key, record.find(column.key).value_or(Json()));
    }
    return selected;
}

std::string render_json(const View& view, const std::vector<Column>& columns,
                        const OutputOptions& options) {
    const int indent = options.terminal ? 2 : -1;
    if (view.shape == Shape::kOne) {
        return select(view.records.front(), columns, options).dump(indent) + "\n";
    }
    Json items = Json::array();
    for (const Json& record : view.records) items.push(select(record, columns, options));
    Json list = Json::object();
    list.set("schema", Json::text(view.schema));
    list.set("items", std::move(items));
    list.set("more", Json::boolean(view.more));
    return list.dump(indent) + "\n";
}

std::string render_jsonl(const View& view, const std::vector<Column>& columns,
                         const OutputOptions& options) {
    std::string text;
    for (const Json& record : view.records) text += select(record, columns, options).dump() + "\n";
    return text;
}

std::string render_ids(const View& view) {
    std::string text;
    for (const Json& record : view.records) {
        if (auto id = record.find("id")) text += scalar(*id) + "\n";
    }
    return text;
}

}  // namespace

Expected<OutputOptions> output_options(const Arguments& args) {
    OutputOptions options;
    options.terminal = ::isatty(STDOUT_FILENO) == 1 && !env_set("ZQ_AGENT");
    options.now = wall_time();
    if (options.terminal) options.width = terminal_width();
    auto format = choose_format(args);
    if (!format) return tl::unexpected(format.error());
    options.format = *format;
    auto colour = choose_colour(args, options);
    if (!colour) return tl::unexpected(colour.error());
    options.colour = *colour;
    options.fields = split(args.text("fields"));
    return options;
}

Expected<std::string> render(const View& view, const OutputOptions& options) {
    auto columns = choose_columns(view, options);
    if (!columns) return tl::unexpected(columns.error());
    switch (options.format) {
        case Format::kTable:
        case Format::kWide:
            return render_table(view, *columns, options);
        case Format::kJson:
            return render_json(view, *columns, options);
        case Format::kJsonl:
            return render_jsonl(view, *columns, options);
        case Format::kTsv:
            return render_tsv(view, *columns, options);
        case Format::kId:
            return render_ids(view);
        case Format::kNone:
            return std::string{};
    }
    return std::string{};
}

Ending print(const View& view, const OutputOptions& options) {
    auto text = render(view, options);
    if (!text) return tl::unexpected(text.error());
    print_raw(*text);
    return ExitCode::kDone;
}

void print_raw(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0 && errno == EPIPE) std::_Exit(0);  // whoever read it has enough
        if (put < 0) {
            note(std::string("error: cannot write the output: ") + std::strerror(errno));
            std::_Exit(static_cast<int>(ExitCode::kUnexpected));
        }
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
}

void note(const std::string& line) {
    const std::string text = line + "\n";
    [[maybe_unused]] const ssize_t put = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace zq::cli
