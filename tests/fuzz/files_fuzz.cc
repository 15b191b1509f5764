// What our own files hold after something has happened to the disk, and the small texts that people
// and programs write: JSON, leases kept by the command line, reports in the outbox, a worker's
// state folder, marks of attempts, the file `output`, names, durations, texts on a terminal. What
// is read is sound, and reads alike once written. The first byte picks the reader.
#include <algorithm>
#include <cstdlib>

#include "cli/lease_file.h"
#include "cli/text.h"
#include "common/base/check.h"
#include "common/base/limits.h"
#include "common/platform/json.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/scratch_folder.h"
#include "tests/fuzz/target.h"
#include "worker/ending.h"
#include "worker/executor/family.h"
#include "worker/outbox.h"
#include "worker/state_folder.h"
#include "worker/workspace/output_file.h"

namespace zq::fuzz {
namespace {

enum Reader : std::uint8_t {
    kJson,
    kLease,
    kOutbox,
    kStateFolder,
    kMark,
    kOutput,
    kNames,
    kTerminal,
    kReaders
};

const ScratchFolder& scratch() {
    static const ScratchFolder folder;
    return folder;
}

void check_json(const std::string& text) {
    auto json = Json::parse(text, "payload");
    if (!json) {
        ZQ_CHECK(json.error().field == "payload");
        return;
    }
    const std::string dumped = json->dump();
    auto again = Json::parse(dumped, "payload");
    ZQ_CHECK(again.has_value());
    ZQ_CHECK(again->dump() == dumped);
    static_cast<void>(json->dump(2));
    for (const std::string& key : json->keys()) ZQ_CHECK(json->find(key).has_value());
}

void check_lease(const std::string& text) {
    const TaskId task("t-1");
    ::setenv("XDG_STATE_HOME", scratch().path().c_str(), 1);
    ZQ_CHECK(make_folders(scratch().path() + "/zq/leases", 0700));
    scratch().write("zq/leases/" + task.text, text);
    auto lease = cli::load_lease(task);
    if (!lease) {
        ZQ_CHECK(!lease.error().error.message.empty());
        return;
    }
    ZQ_CHECK(lease->has_value());
    ZQ_CHECK(cli::save_lease(**lease));
    ZQ_CHECK(cli::load_lease(task).value() == *lease);
}

/// A damaged report is put aside, never sent.
void check_outbox(const std::string& text) {
    const LeaseToken token{7, 1};
    auto outbox = worker::Outbox::open(scratch().path() + "/outbox");
    ZQ_CHECK(outbox.has_value());
    scratch().write("outbox/" + to_string(token), text);
    const std::vector<worker::StoredReport> stored = outbox->load();
    ZQ_CHECK(stored.size() <= 1);
    if (!stored.empty()) {
        ZQ_CHECK(stored[0].held.lease == token);
        ZQ_CHECK(outbox->put(token, stored[0].report));
        ZQ_CHECK(outbox->load().at(0).report == stored[0].report);
    }
    outbox->remove(token);
    ZQ_CHECK(outbox->load().empty());
}

/// Whatever stands in its files, a worker's HELLO will be one that a coordinator takes.
void check_state_folder(InputReader& input) {
    const std::string id = input.text();
    scratch().write("state_id", id);
    scratch().write("incarnation", input.all());
    auto state = worker::open_state_folder(scratch().path(), "w", "r");
    ZQ_CHECK(state.has_value());
    ZQ_CHECK(state->state_id.text.size() == 32);
    ZQ_CHECK(state->state_id.text.find_first_not_of("0123456789abcdef") == std::string::npos);
    ZQ_CHECK(state->incarnation > 0);
    const std::uint64_t before = state->incarnation;
    const StateId same = state->state_id;
    state->lock = FileHandle();
    auto again = worker::open_state_folder(scratch().path(), "w", "r");
    ZQ_CHECK(again && again->state_id == same && again->incarnation == before + 1);
}

void check_mark(const std::string& text) {
    auto mark = worker::parse_family_mark(text);
    if (!mark) return;
    ZQ_CHECK(mark->main >= 0);
    ZQ_CHECK(worker::parse_family_mark(worker::to_text(*mark)).value() == *mark);
}

/// What a command wrote may go into a report as it is.
void check_output(const std::string& text) {
    const worker::Output output = worker::parse_output(text);
    ZQ_CHECK(output.values.size() <= limits::kOutputs);
    for (const auto& [key, value] : output.values) {
        ZQ_CHECK(value.size() <= limits::kOutputValueBytes);
        ZQ_CHECK(!key.empty() && key.size() <= limits::kNameBytes);
        ZQ_CHECK(pack::is_utf8(value));
    }
    for (const std::string& note : output.notes) ZQ_CHECK(pack::is_utf8(note));
    const worker::EndFacts facts{{}, {}, output, "", text, text, text, ""};
    wire::Message message;
    message.body = worker::report_of({TaskId("t-1"), 1, {7, 1}}, "w", facts);
    ZQ_CHECK(wire::decode(wire::encode(message)).has_value());
    ZQ_CHECK(worker::parse_retry_after(text).count >= 0);
}

void check_names(const std::string& text) {
    if (auto duration = parse_duration(text, "ttl")) {
        ZQ_CHECK(duration->count >= 0);
        ZQ_CHECK(parse_duration(to_string(*duration), "ttl").value() == *duration);
    }
    if (auto backoff = parse_backoff(text)) {
        ZQ_CHECK(parse_backoff(to_string(*backoff)).value() == *backoff);
    }
    if (auto token = parse_lease_token(text)) ZQ_CHECK(to_string(*token) == text);
    if (auto digest = parse_digest(text)) ZQ_CHECK(to_hex(*digest) == text);
    if (is_valid_name(text)) {
        ZQ_CHECK(text.size() <= limits::kNameBytes && text.find('/') == std::string::npos);
        ZQ_CHECK(is_valid_artifact_name(text));
    }
    ZQ_CHECK(parse_name(text, "id").has_value() == is_valid_name(text));
}

bool is_harmless(const std::string& text) {
    return pack::is_utf8(text) && std::none_of(text.begin(), text.end(), [](char c) {
               return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
           });
}

/// No text of a task steers the terminal that shows it.
void check_terminal(const std::string& text) {
    const std::string line = cli::escape_line(text);
    ZQ_CHECK(is_harmless(line) && line.find('\n') == std::string::npos);
    ZQ_CHECK(is_harmless(cli::escape_text(text)));
    constexpr std::size_t kWidth = 7;
    const std::string shortened = cli::shorten(line, kWidth);
    ZQ_CHECK(is_harmless(shortened) && cli::display_width(shortened) <= kWidth);
}

std::string input_of(Reader reader, const std::string& rest) {
    return static_cast<char>(reader) + rest;
}

std::string outbox_seed() {
    wire::Message message;
    wire::Fail report;
    report.report.task = TaskId("t-1");
    report.report.lease = {7, 1};
    report.reason = "it was so";
    message.body = report;
    const wire::Frames frames = wire::encode(message);
    return input_of(kOutbox, frames[1] + "\n" + frames[2]);
}

}  // namespace

void run(std::string_view bytes) {
    InputReader input(bytes);
    const auto reader = static_cast<Reader>(input.below(kReaders));
    if (reader == kLease || reader == kOutbox || reader == kStateFolder) scratch().clear();
    switch (reader) {
        case kJson:
            return check_json(input.all());
        case kLease:
            return check_lease(input.all());
        case kOutbox:
            return check_outbox(input.all());
        case kStateFolder:
            return check_state_folder(input);
        case kMark:
            return check_mark(input.all());
        case kOutput:
            return check_output(input.all());
        case kNames:
            return check_names(input.all());
        case kTerminal:
            return check_terminal(input.all());
        case kReaders:
            break;
    }
}

std::vector<std::string> seeds() {
    const std::string id(32, 'a');
    const std::string token = to_string(LeaseToken{7, 1});
    return {
        input_of(kJson, "{\"a\":[1,-2,3.5e10,true,null,\"\\u00e9\\ud83d\\ude00\"],\"b\":{}}"),
        input_of(kJson, "18446744073709551615"),
        input_of(kJson, std::string(limits::kPayloadBytes / 2, '[') +
                            std::string(limits::kPayloadBytes / 2, ']')),
        input_of(kLease, "{\"task_id\":\"t-1\",\"attempt\":2,\"lease\":\"" + token + "\"}\n"),
        outbox_seed(),
        input_of(kStateFolder, std::string(1, '\x21') + id + "\n41\n"),
        input_of(kStateFolder, std::string(1, '\x20') + id + "18446744073709551615"),
        input_of(kStateFolder, ""),
        input_of(kMark, "tag=" + id + "\nboot=b\ncgroup=/c\nmain=12\nstart=345\n"),
        input_of(kOutput, "summary=done\n# no\nlist<<END\na\r\nb\nEND\nretry_after=15m\nx\n"),
        input_of(kNames, "90s"),
        input_of(kNames, "exp:5s..10m"),
        input_of(kNames, "fixed:30s"),
        input_of(kNames, token),
        input_of(kNames, to_hex(Digest{})),
        input_of(kNames, "review-worker"),
        input_of(kTerminal, "\x1b[31mred\x1b[0m \xe2\x80\xae \xc3\xa4\xff\r\n\ttab"),
    };
}

}  // namespace zq::fuzz
