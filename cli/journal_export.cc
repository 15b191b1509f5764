// `journal export`: every event with its whole body, as JSON.
#include <array>

#include "cli/journal.h"
#include "cli/places.h"
#include "cli/records.h"
#include "cli/start.h"
#include "cli/text.h"
#include "coordinator/store/base.h"
#include "coordinator/store/event_codec.h"
#include "coordinator/store/offline.h"
#include "coordinator/store/record_fields.h"

namespace zq::cli {
namespace {

constexpr std::size_t kPage = 1'000;  // events printed at once

Json event_record(const store::ChainWalk& walk) {
    const core::Event& event = walk.event().event;
    Json record = Json::object();
    record.set("schema", Json::text("zq/journal-event/v1"));
    record.set("seq", to_json(event.seq));
    if (!event.task.id.empty()) record.set("id", to_json(event.task.id));
    record.set("at", to_json(event.at));
    record.set("kind", Json::text(core::kind_of(event.body)));
    record.set("version", to_json(walk.version()));
    record.set("epoch", to_json(event.epoch));
    record.set("namespace", to_json(event.task.ns));
    record.set("identity", to_json(event.identity));
    record.set("body", std::visit([](const auto& body) { return to_json(body); }, event.body));
    record.set("body_digest", to_json(walk.event().body_digest));
    record.set("hash", to_json(walk.event().hash));
    return record;
}

/// The records come in pages, and every page is lines: one JSON document would need them all.
Expected<void> print_page(const Context& context, std::vector<Json>& records) {
    OutputOptions options = context.output;
    const bool asked = context.args.has("output") || context.args.has("json") ||
                       context.args.has("quiet") || !options.fields.empty();
    if (!asked || options.format == Format::kJson) options.format = Format::kJsonl;
    if (options.format == Format::kJsonl) options.terminal = false;
    View view{Shape::kLines, "zq/journal-event-list/v1", event_columns(), std::move(records),
              false};
    records.clear();
    if (auto ok = print(view, options); !ok) return tl::unexpected(ok.error());
    return {};
}

Expected<store::ChainWalk> open_walk(store::OfflineJournal& journal) {
    store::ChainPlace start;
    if (journal.format() >= 2) {
        auto base = store::read_base(journal.database());
        if (!base) return journal_problem(base.error());
        start = base->place;
    }
    auto walk = store::ChainWalk::open(journal.database(), start);
    if (!walk) return journal_problem(walk.error());
    return std::move(*walk);
}

}  // namespace

Ending run_journal_export(const Context& context) {
    auto since = context.args.number("since", 0, UINT64_MAX);
    if (!since) return tl::unexpected(since.error());
    const std::string task = context.args.text("task");
    auto journal = store::OfflineJournal::open(data_folder_of(context.args));
    if (!journal) return journal_problem(journal.error());
    auto walk = open_walk(*journal);
    if (!walk) return tl::unexpected(walk.error());
    const bool places = context.args.has("places");
    std::vector<Json> records;
    while (true) {
        auto more = walk->next();
        if (!more) return journal_problem(more.error());
        const core::Event& event = walk->event().event;
        const bool wanted =
            *more && event.seq > since->value_or(0) && (task.empty() || event.task.id.text == task);
        if (wanted) {
            Json record = event_record(*walk);
            records.push_back(places ? std::move(record) : without_places(record));
        }
        if (!*more || records.size() >= kPage) {
            if (auto ok = print_page(context, records); !ok) return tl::unexpected(ok.error());
        }
        if (!*more) break;
    }
    if (walk->broken().empty()) return ExitCode::kDone;
    note("problem: " + escape_line(walk->broken()) + "; what follows it is left out");
    return ExitCode::kProblems;
}

}  // namespace zq::cli
