// Reading on as things happen: `events` (the journal) and `results` (what was answered to a name).
// Both resume by sequence number.
#include <algorithm>
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
    std::uint64_t last = 0;  // so far it was looked
    bool more = false;       // there may be further ones by now
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
        after = page->last;
        if (page->records.empty()) continue;
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
        if (!page->more) return print(view, context.output);
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

/// `a,b` and repetitions of the flag.
std::vector<std::string> words_of(const Arguments& args, std::string_view flag) {
    std::vector<std::string> words;
    for (const std::string& value : args.values(flag)) {
        std::size_t start = 0;
        while (start <= value.size()) {
            const std::size_t comma = std::min(value.find(',', start), value.size());
            if (comma > start) words.push_back(value.substr(start, comma - start));
            start = comma + 1;
        }
    }
    return words;
}

Ending run_events(const Context& context) {
    const Arguments& args = context.args;
    wire::Events query;
    query.limit = static_cast<std::uint32_t>(limits::kEventRows);
    query.task = TaskId(args.text("task"));
    query.kinds = words_of(args, "type");
    query.role = RoleName(args.text("role"));
    query.group = GroupName(args.text("group"));
    query.trace_id = args.text("trace");
    const Reader reader{"zq/event-list/v1", event_columns(),
                        [&](Session& session, std::uint64_t after, Millis wait) -> Expected<Page> {
                            query.after = after;
                            query.wait = wait;
                            auto rows = session.call<wire::EventRows>(query, wait);
                            if (!rows) return tl::unexpected(rows.error());
                            Page page{{}, rows->last, rows->more};
                            for (const wire::EventRow& row : rows->rows)
                                page.records.push_back(event_record(row));
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
    {"type", "KIND,…", "Only of these kinds, such as task_submitted,attempt_ended", Takes::kValues},
    {"role", "ROLE", "Only of tasks that were this role's"},
    {"task", "ID", "Only of this task"},
    {"group", "NAME", "Only of tasks of this group"},
    {"trace", "ID", "Only of tasks with this trace id"},
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
     "Every event is there, in order and durable before it is told; reading resumes at any "
     "sequence\n"
     "number, after a day as after a second. Conditions hold all together and are evaluated by "
     "the\n"
     "coordinator. Role, group and trace id are those that the task had at the event.",
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
