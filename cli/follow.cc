// Reading on as things happen: `events` (the journal) and `results` (what was answered to a name).
// Both resume by sequence number.
#include <array>

#include "cli/command_table.h"
#include "cli/records.h"
#include "cli/session.h"

namespace zq::cli {
namespace {

/// While following, every page is lines: one JSON document would never end.
OutputOptions followed(OutputOptions options) {
    if (options.format == Format::kJson) {
        options.format = Format::kJsonl;
        options.terminal = false;
    }
    return options;
}

struct Page {
    std::vector<Json> records;
    std::uint64_t last = 0;
    bool full = false;
};

struct Reader {
    std::string_view schema;
    std::span<const Column> columns;
    std::function<Expected<Page>(Session&, std::uint64_t after, Millis wait)> next;
};

Ending follow(const Context& context, Session& session, const Reader& reader, std::uint64_t after) {
    const OutputOptions options = followed(context.output);
    while (true) {
        auto page = reader.next(session, after, kPollSlice);
        if (!page) return tl::unexpected(page.error());
        if (page->records.empty()) continue;
        after = page->last;
        View view{Shape::kLines, reader.schema, reader.columns, std::move(page->records), false};
        if (auto ok = print(view, options); !ok) return ok;
    }
}

Ending read_all(const Context& context, Session& session, const Reader& reader,
                std::uint64_t after) {
    View view{Shape::kList, reader.schema, reader.columns, {}, false};
    while (true) {
        auto page = reader.next(session, after, {});
        if (!page) return tl::unexpected(page.error());
        for (Json& record : page->records) view.records.push_back(std::move(record));
        if (!page->full) return print(view, context.output);
        after = page->last;
    }
}

Ending run_reader(const Context& context, const Reader& reader) {
    auto since = context.args.number("since", 0, UINT64_MAX);
    if (!since) return tl::unexpected(since.error());
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    const std::uint64_t after = since->value_or(0);
    if (context.args.has("follow")) return follow(context, **session, reader, after);
    return read_all(context, **session, reader, after);
}

Ending run_events(const Context& context) {
    const TaskId task(context.args.text("task"));
    const Reader reader{
        "zq/event-list/v1", event_columns(),
        [&](Session& session, std::uint64_t after, Millis wait) -> Expected<Page> {
            wire::Events query{after, static_cast<std::uint32_t>(limits::kEventRows), wait, task};
            auto rows = session.call<wire::EventRows>(query, wait);
            if (!rows) return tl::unexpected(rows.error());
            Page page{{}, rows->last, rows->rows.size() >= query.limit};
            for (const wire::EventRow& row : rows->rows) page.records.push_back(event_record(row));
            return page;
        }};
    return run_reader(context, reader);
}

Ending run_results(const Context& context) {
    if (!context.args.has("reply-to")) return usage("--reply-to NAME is missing");
    const std::string reply_to = context.args.text("reply-to");
    const Reader reader{"zq/task-list/v1", ended_columns(),
                        [&](Session& session, std::uint64_t after, Millis wait) -> Expected<Page> {
                            wire::Answers query{reply_to, after,
                                                static_cast<std::uint32_t>(limits::kListRows),
                                                wait};
                            auto rows = session.call<wire::Tasks>(query, wait);
                            if (!rows) return tl::unexpected(rows.error());
                            Page page{{}, after, rows->more};
                            for (const wire::TaskRow& row : rows->rows)
                                page.records.push_back(task_record(row));
                            if (!rows->rows.empty()) page.last = rows->rows.back().changed_seq;
                            return page;
                        }};
    return run_reader(context, reader);
}

constexpr auto kEventFlags = std::to_array<Flag>({
    {"since", "SEQ", "Only after this sequence number"},
    {"task", "ID", "Only of this task"},
    {"follow", "", "Go on as events happen, until Ctrl-C", Takes::kNothing, "", 'f'},
});
constexpr auto kResultFlags = std::to_array<Flag>({
    {"reply-to", "NAME", "To whom they were answered (required)"},
    {"since", "SEQ", "Only after this sequence number (changed_seq of the last one seen)"},
    {"follow", "", "Go on as tasks end, until Ctrl-C", Takes::kNothing, "", 'f'},
});

constexpr auto kCommands = std::to_array<Command>({
    {"results",
     "Tasks",
     "",
     "Tasks that have ended and were answered to a name",
     "In the order they ended. A task answers to the --reply-to of its submit; reading takes\n"
     "nothing away, and resumes at any sequence number.",
     kResultFlags,
     {true, true, false},
     0,
     0,
     run_results},
    {"events",
     "Watch",
     "",
     "The journal, event by event",
     "",
     kEventFlags,
     {true, true, false},
     0,
     0,
     run_events},
});

}  // namespace

std::span<const Command> follow_commands() {
    return kCommands;
}

}  // namespace zq::cli
