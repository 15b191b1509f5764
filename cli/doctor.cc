// `zq doctor`: asks the coordinator and this machine, in ten seconds at most, and prints what is
// wrong with what to do about it.
#include "cli/doctor.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "cli/command_table.h"
#include "cli/session.h"
#include "cli/start.h"
#include "cli/text.h"
#include "common/platform/clock.h"

namespace zq::cli {
namespace {

constexpr Millis kAll = seconds(10);
constexpr Millis kDisk = seconds(3);     // of these, for the machine's own checks
constexpr Millis kReach = seconds(3);    // of one socket
constexpr Millis kExplain = seconds(2);  // beyond its patience a client looks why nobody answers

constexpr auto kColumns = std::to_array<Column>({
    {"state", "STATE", Cell::kState},
    {"check", "CHECK"},
    {"found", "FOUND"},
    {"fix", "FIX"},
});

void add(Findings& all, Findings more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
}

/// What one socket answered.
struct Reached {
    wire::Pong pong;
    Instant sent;
    Millis took{};
};

/// The conversations with the coordinator, within one bound of time.
class Examination {
  public:
    explicit Examination(Profile profile, Millis until)
        : profile_(std::move(profile)), until_(until) {}

    Findings run() {
        if (!reach_control()) return std::move(findings_);
        reach_artifacts();
        if (auto session = open(profile_)) {
            session_ = std::move(*session);
            look_around();
        }
        return std::move(findings_);
    }

  private:
    Millis left() const { return std::max(until_ - boottime(), Millis{}); }

    Expected<std::unique_ptr<Session>> open(Profile profile) const {
        ClientOptions options{std::move(profile)};
        options.give_up = std::clamp(left() - kExplain, millis(200), kReach);
        options.reply_timeout = options.give_up;
        return Session::open(std::move(options));
    }

    static Expected<Reached> ping(Session& session) {
        const Millis start = boottime();
        const Instant sent = wall_time();
        auto pong = session.call<wire::Pong>(wire::Ping{});
        if (!pong) return tl::unexpected(pong.error());
        return Reached{std::move(*pong), sent, boottime() - start};
    }

    void unreached(std::string_view check, const Problem& problem, const std::string& fix) {
        findings_.push_back({check, Health::kFail, problem.error.message, fix});
    }

    bool reach_control() {
        auto session = open(profile_);
        if (!session) {
            unreached("control", session.error(), "see `keys`");
            return false;
        }
        // The first round trip makes the connection: the clock is read in the second.
        auto reached = ping(**session);
        if (reached) reached = ping(**session);
        if (!reached) {
            unreached("control", reached.error(), fix_of_silence(reached.error()));
            return false;
        }
        program_ = reached->pong.program;
        findings_.push_back({"control",
                             Health::kOk,
                             profile_.endpoints.front() + " answers in " +
                                 human_duration(reached->took) + "; you are " +
                                 reached->pong.you.text,
                             {}});
        findings_.push_back(judge_clock({reached->sent, reached->pong.now, reached->took}));
        if (auto endpoint = (*session)->artifacts_endpoint()) artifacts_ = *endpoint;
        return true;
    }

    static std::string fix_of_silence(const Problem& problem) {
        const std::string& text = problem.error.message;
        if (text.find("talk") != std::string::npos) {
            return "join again: `zq invite` there, `zq join` here; see `keys`";
        }
        return "start it (`systemctl status zq-coordinator`), or name another: --connect, "
               "ZQ_CONNECT";
    }

    void reach_artifacts() {
        const char* fix =
            "open the artifacts port too (firewall), or set `advertise` in the settings";
        if (artifacts_.empty()) {
            findings_.push_back(
                {"artifacts", Health::kFail, "the coordinator names no artifacts socket", fix});
            return;
        }
        Profile profile = profile_;
        profile.endpoints = {artifacts_};
        auto session = open(std::move(profile));
        if (!session) return unreached("artifacts", session.error(), fix);
        auto reached = ping(**session);
        if (!reached) return unreached("artifacts", reached.error(), fix);
        findings_.push_back({"artifacts",
                             Health::kOk,
                             artifacts_ + " answers in " + human_duration(reached->took),
                             {}});
    }

    /// The reply, or a finding that says why there is none.
    template <class Reply>
    std::optional<Reply> ask(std::string_view check, const wire::Body& request) {
        if (!session_) return std::nullopt;
        auto reply = session_->call<Reply>(request);
        if (reply) return std::move(*reply);
        // Who has gone meanwhile is not waited for again and again.
        if (reply.error().error.code == ErrorCode::UNREACHABLE) session_.reset();
        const bool denied = reply.error().error.code == ErrorCode::DENIED;
        const std::string why = "not looked at: " + reply.error().error.message;
        findings_.push_back({check, denied ? Health::kOk : Health::kFail, why,
                             denied ? "" : hint_of(reply.error())});
        return std::nullopt;
    }

    void look_around() {
        auto workers = ask<wire::WorkerRows>("workers", wire::Workers{});
        const std::vector<wire::WorkerRow> rows = workers ? workers->rows : decltype(rows){};
        add(findings_, judge_versions(ZQ_VERSION, program_, rows));
        if (workers) add(findings_, judge_workers(rows));
        if (auto status = ask<wire::StatusReply>("roles", wire::Status{})) {
            add(findings_, judge_roles(status->roles));
            findings_.push_back(judge_storage(*status));
            findings_.push_back(judge_open_files(*status));
            now_ = status->now;
        }
        if (auto leases = ask<wire::LeaseRows>("leases", wire::Leases{}); leases && workers) {
            const Instant now = now_.is_set() ? now_ : wall_time();
            add(findings_, judge_leases(leases->rows, rows, now));
        }
        auto stats = ask<wire::StatsReply>("dead letters", wire::Stats{});
        if (stats && !stats->rows.empty()) {
            findings_.push_back(judge_dead_letters(stats->rows.front()));
        }
    }

    Profile profile_;
    Millis until_;
    std::string artifacts_;
    std::string program_;
    Instant now_;  // the coordinator's
    std::unique_ptr<Session> session_;
    Findings findings_;
};

Json record_of(const Finding& finding, std::size_t number) {
    Json record = Json::object();
    record.set("schema", Json::text("zq/finding/v1"));
    record.set("id", Json::text(std::to_string(number)));
    record.set("state", Json::text(to_string(finding.health)));
    record.set("check", Json::text(finding.check));
    record.set("found", Json::text(finding.found));
    if (!finding.fix.empty()) record.set("fix", Json::text(finding.fix));
    return record;
}

/// A fix is to be read, and copied, whole: it has a line of its own.
void print_lines(const Findings& findings) {
    constexpr std::size_t kStateWidth = 6;
    constexpr std::size_t kCheckWidth = 14;
    const auto padded = [](std::string text, std::size_t width) {
        text.resize(std::max(width, text.size()), ' ');
        return text;
    };
    std::string text;
    for (const Finding& finding : findings) {
        text += padded(std::string(to_string(finding.health)), kStateWidth) +
                padded(std::string(finding.check), kCheckWidth) + escape_line(finding.found) + "\n";
        if (finding.fix.empty()) continue;
        text +=
            std::string(kStateWidth + kCheckWidth, ' ') + "fix: " + escape_line(finding.fix) + "\n";
    }
    print_raw(text);
}

/// --data, else ZQ_DATA; empty: no folder is looked at.
std::string data_of(const Arguments& args) {
    if (args.has("data") || std::getenv("ZQ_DATA") != nullptr) return data_folder_of(args);
    return {};
}

Ending run_doctor(const Context& context) {
    const Millis until = boottime() + kAll;
    // A name server that is silent takes no more than a second of it.
    ::setenv("RES_OPTIONS", "timeout:1 attempts:1", 0);
    const std::string connect = context.args.text("connect");
    const std::string data = data_of(context.args);
    Findings findings = check_keys(connect, data);
    if (auto profile = load_profile(connect)) {
        add(findings, Examination(std::move(*profile), data.empty() ? until : until - kDisk).run());
    }
    if (!data.empty()) add(findings, check_data_folder(data));
    const OutputOptions& options = context.output;
    const bool lines = options.format == Format::kTable || options.format == Format::kWide;
    if (lines && options.fields.empty()) {
        print_lines(findings);
    } else {
        View view{Shape::kList, "zq/finding-list/v1", kColumns, {}, false};
        for (std::size_t i = 0; i < findings.size(); ++i) {
            view.records.push_back(record_of(findings[i], i + 1));
        }
        if (auto ok = print(view, options); !ok) return ok;
    }
    const bool bad = std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
        return finding.health == Health::kFail;
    });
    return bad ? ExitCode::kProblems : ExitCode::kDone;
}

constexpr auto kFlags = std::to_array<Flag>({
    {"data", "DIR",
     "Also look at this data folder and its disk, on the coordinator's machine (default: ZQ_DATA)"},
});

constexpr auto kCommands = std::to_array<Command>({
    {"doctor",
     "Watch",
     "",
     "Say what is wrong with this set-up, and what to do about it",
     "Looks at the profile and its keys, both sockets, the clock, versions, workers, roles that "
     "wait\n"
     "in vain, leases near their end, storage, open files and dead letters; with --data also at "
     "the\n"
     "keys in that folder, the room on its disk, and how long 50 syncs of 4 KiB take there. Each "
     "line\n"
     "says ok, warn or fail. Takes ten seconds at most; exit code 20 if something fails.",
     kFlags,
     {true, true, false},
     0,
     0,
     run_doctor},
});

}  // namespace

std::span<const Command> doctor_commands() {
    return kCommands;
}

}  // namespace zq::cli
