#include "cli/bulk.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <thread>

#include "cli/records.h"

namespace zq::cli {
namespace {

// The coordinator remembers so many requests of one client, so that a repetition is harmless; each
// of these runs is another client to it.
constexpr std::size_t kRequestsOfOneSession = 500;
constexpr std::uint64_t kRateMost = 10'000;

constexpr auto kColumns = std::to_array<Column>({{"id", "ID"}, {"state", "STATE", Cell::kState}});

std::atomic<std::size_t> g_done{0};
std::atomic<std::size_t> g_all{0};

void write_number(std::size_t number) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    static_cast<void>(
        ::write(STDERR_FILENO, digits.data(), static_cast<std::size_t>(end - digits.data())));
}

void write_text(std::string_view text) {
    static_cast<void>(::write(STDERR_FILENO, text.data(), text.size()));
}

extern "C" void say_how_far(int signal) {
    write_text("\n");
    write_number(g_done);
    write_text(" of ");
    write_number(g_all);
    write_text(
        " are done, and one more may be; the same command again goes on with those that are"
        " left\n");
    ::_exit(128 + signal);
}

void watch_interrupts(std::size_t all) {
    g_done = 0;
    g_all = all;
    struct sigaction action {};
    action.sa_handler = say_how_far;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

/// The time between two.
Expected<std::chrono::microseconds> read_rate(const Arguments& args) {
    if (!args.has("rate")) return std::chrono::microseconds(0);
    const std::string word = args.text("rate");
    std::uint64_t number = 0;
    const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), number);
    const std::string_view per(end, static_cast<std::size_t>(word.data() + word.size() - end));
    if (status != std::errc{} || number == 0 || number > kRateMost ||
        (per != "/s" && per != "/m")) {
        return usage("--rate takes N/s or N/m, such as 5/s, with N from 1 to " +
                     std::to_string(kRateMost) + "; not '" + word + "'");
    }
    const std::uint64_t time = per == "/s" ? 1'000'000 : 60'000'000;
    return std::chrono::microseconds(time / number);
}

Ending print_done(const TaskId& task, std::string_view state, const OutputOptions& output) {
    Json fields = Json::object();
    fields.set("id", to_json(task));
    fields.set("state", Json::text(state));
    return print({Shape::kOne, {}, kColumns, {with_schema("zq/task/v1", fields)}}, output);
}

struct Done {
    TaskId id;
    std::string state;
};

/// A cancel is answered with the state that it led to.
Expected<Done> do_one(Session& session, const Deed& deed, const TaskId& task) {
    const wire::Body request = deed.request(task);
    if (std::holds_alternative<wire::Cancel>(request)) {
        auto accepted = session.call<wire::Accepted>(request);
        if (!accepted) return tl::unexpected(accepted.error());
        return Done{accepted->task, std::string(to_string(accepted->state))};
    }
    auto changed = session.call<wire::Changed>(request);
    if (!changed) return tl::unexpected(changed.error());
    return Done{changed->task, std::string(deed.state)};
}

/// Another may have done it meanwhile.
bool is_passed_over(ExitCode code) {
    return code == ExitCode::kConflict || code == ExitCode::kNotFound;
}

}  // namespace

Ending do_to_all(const Context& context, const std::vector<wire::TaskRow>& rows, const Deed& deed) {
    auto pause = read_rate(context.args);
    if (!pause) return tl::unexpected(pause.error());
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    if (rows.size() > 1) watch_interrupts(rows.size());
    ExitCode ending = ExitCode::kDone;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (i > 0) std::this_thread::sleep_for(*pause);
        if (i > 0 && i % kRequestsOfOneSession == 0) {
            session = Session::open(context);
            if (!session) return tl::unexpected(session.error());
        }
        auto changed = do_one(**session, deed, rows[i].id);
        if (changed) {
            ++g_done;
            if (auto ok = print_done(changed->id, changed->state, context.output); !ok) return ok;
            continue;
        }
        const ExitCode code = exit_code_of(changed.error());
        if (rows.size() == 1) return tl::unexpected(changed.error());
        note(rows[i].id.text + ": " + changed.error().error.message);
        if (!is_passed_over(code)) {
            note(std::to_string(g_done) + " of " + std::to_string(rows.size()) + " are " +
                 std::string(deed.done) + "; the same command again goes on with the others");
            return tl::unexpected(changed.error());
        }
        ending = code;
    }
    if (rows.size() > 1) {
        note(std::to_string(g_done) + " of " + std::to_string(rows.size()) + " are " +
             std::string(deed.done));
    }
    return ending;
}

Ending show_selected(const Context& context, const std::vector<wire::TaskRow>& rows,
                     const Deed& deed) {
    View view{Shape::kList, "zq/task-list/v1", dead_columns(), {}, false};
    for (const wire::TaskRow& row : rows) view.records.push_back(task_record(row));
    note("dry run: " + std::to_string(rows.size()) + " would be " + std::string(deed.done));
    return print(view, context.output);
}

Expected<std::vector<wire::TaskRow>> meant_tasks(const Context& context) {
    const Arguments& args = context.args;
    const bool named = !args.operands().empty();
    if (named == has_selection(args)) {
        return usage(named ? "ids, or conditions such as --role: not both"
                           : "which? Name ids, or select by --role, --reason, --state, --since,"
                             " --before, --where or --all");
    }
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    if (named) return named_tasks(**session, args.operands());
    auto listed = select_dead(**session, args);
    if (!listed) return tl::unexpected(listed.error());
    std::reverse(listed->rows.begin(), listed->rows.end());  // the oldest first, as they came
    return std::move(listed->rows);
}

}  // namespace zq::cli
