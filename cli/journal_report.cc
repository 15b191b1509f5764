// `journal info` and `journal verify`: what a journal holds, and whether it is sound.
#include <algorithm>
#include <array>

#include "cli/journal.h"
#include "cli/start.h"
#include "cli/text.h"
#include "coordinator/store/inspect.h"
#include "coordinator/store/verify.h"

namespace zq::cli {
namespace {

Json anchor_record(const store::Anchor& anchor) {
    Json record = Json::object();
    record.set("seq", to_json(anchor.seq));
    record.set("at", to_json(anchor.at));
    record.set("state", to_json(anchor.state));
    record.set("chain_head", to_json(anchor.chain_head));
    return record;
}

Json info_record(const store::JournalInfo& info) {
    Json record = Json::object();
    record.set("schema", Json::text("zq/journal-info/v1"));
    record.set("id", Json::text(to_hex(info.journal)));
    record.set("format", to_json(info.format));
    record.set("epoch", to_json(info.epoch));
    record.set("first_seq", to_json(info.first_seq));
    record.set("last_seq", to_json(info.last_seq));
    record.set("first_at", to_json(info.first_at));
    record.set("last_at", to_json(info.last_at));
    record.set("chain_head", to_json(info.chain_head));
    record.set("events", to_json(info.events));
    record.set("dropped_upto", to_json(info.base_seq));
    record.set("anchors", to_json(info.anchors));
    if (info.anchors > 0) {
        record.set("oldest_anchor", anchor_record(info.oldest_anchor));
        record.set("newest_anchor", anchor_record(info.newest_anchor));
    }
    Json tasks = Json::object();
    for (const auto& [state, count] : info.tasks) tasks.set(state, to_json(count));
    record.set("tasks", std::move(tasks));
    record.set("attempts", to_json(info.attempts));
    record.set("contents", to_json(info.contents));
    record.set("content_bytes", to_json(info.content_bytes));
    record.set("database_bytes", to_json(info.database_bytes));
    return record;
}

constexpr auto kInfoColumns = std::to_array<Column>({
    {"id", "JOURNAL"},
    {"format", "FORMAT"},
    {"epoch", "EPOCH"},
    {"first_seq", "FIRST"},
    {"last_seq", "LAST"},
    {"last_at", "LAST AT", Cell::kTime},
    {"anchors", "ANCHORS"},
    {"chain_head", "CHAIN HEAD"},
});

Json verify_record(const store::VerifyReport& report) {
    Json record = Json::object();
    record.set("schema", Json::text("zq/journal-verify/v1"));
    record.set("id", Json::text(to_hex(report.journal)));
    record.set("state", Json::text(report.problems.empty() ? "clean" : "damaged"));
    record.set("format", to_json(report.format));
    record.set("dropped_upto", to_json(report.base_seq));
    record.set("events", to_json(report.events));
    record.set("last_seq", to_json(report.last_seq));
    record.set("chain_head", to_json(report.head));
    record.set("state_hash", to_json(report.state));
    record.set("anchors", to_json(report.anchors));
    record.set("tasks", to_json(report.tasks));
    record.set("attempts", to_json(report.attempts));
    record.set("contents", to_json(report.contents));
    record.set("problems", to_json(report.problems));
    return record;
}

constexpr auto kVerifyColumns = std::to_array<Column>({
    {"state", "STATE", Cell::kState},
    {"events", "EVENTS"},
    {"last_seq", "LAST"},
    {"anchors", "ANCHORS"},
    {"tasks", "TASKS"},
    {"attempts", "ATTEMPTS"},
    {"contents", "CONTENTS"},
    {"chain_head", "CHAIN HEAD"},
    {"problems", "PROBLEMS", Cell::kText, Where::kOnAsking},
});

bool is_for_people(const OutputOptions& options) {
    const bool table = options.format == Format::kTable || options.format == Format::kWide;
    return table && options.fields.empty();
}

/// `key  value`, one a line; lists and objects have lines of their own.
void append_lines(std::string& text, const Json& record, const std::string& prefix) {
    for (const std::string& key : record.keys()) {
        const Json value = *record.find(key);
        if (key == "schema" || key == "problems" || value.is_null()) continue;
        const std::string name = prefix + key;
        if (value.is_object()) {
            append_lines(text, value, name + ".");
            continue;
        }
        const std::string shown = value.as_text() ? *value.as_text() : value.dump();
        text += name + std::string(name.size() < 26 ? 26 - name.size() : 1, ' ') +
                escape_line(shown) + "\n";
    }
}

void print_lines(const Json& record) {
    std::string text;
    append_lines(text, record, "");
    print_raw(text);
}

}  // namespace

Ending run_journal_info(const Context& context) {
    auto journal = store::OfflineJournal::open(data_folder_of(context.args));
    if (!journal) return journal_problem(journal.error());
    auto info = store::inspect(*journal);
    if (!info) return journal_problem(info.error());
    const Json record = info_record(*info);
    if (is_for_people(context.output)) {
        print_lines(record);
        return ExitCode::kDone;
    }
    return print({Shape::kOne, {}, kInfoColumns, {record}}, context.output);
}

Ending run_journal_verify(const Context& context) {
    if (context.args.has("archive")) {
        return run_archive_verify(context, context.args.text("archive"));
    }
    const auto depth =
        context.args.has("quick") ? store::VerifyDepth::kPresence : store::VerifyDepth::kContents;
    std::optional<Digest> head;
    if (context.args.has("head")) {
        auto digest = parse_digest(context.args.text("head"), "--head");
        if (!digest) return problem(digest.error());
        head = *digest;
    }
    auto report = store::verify(data_folder_of(context.args), depth, head);
    if (!report) return journal_problem(report.error());
    return print_verdict(context, *report);
}

Ending print_verdict(const Context& context, const store::VerifyReport& report) {
    const Json record = verify_record(report);
    if (is_for_people(context.output)) {
        print_lines(record);
    } else if (auto ok = print({Shape::kOne, {}, kVerifyColumns, {record}}, context.output); !ok) {
        return ok;
    }
    for (const std::string& problem : report.problems) note("problem: " + escape_line(problem));
    return report.problems.empty() ? ExitCode::kDone : ExitCode::kProblems;
}

}  // namespace zq::cli
