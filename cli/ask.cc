// `ask`: what a task has to know of a person. It waits for the answer, or ends the attempt with the
// question so that nothing is held while nobody answers.
#include <array>
#include <cstring>

#include "cli/command_table.h"
#include "cli/own_task.h"
#include "cli/records.h"
#include "common/platform/files.h"

namespace zq::cli {
namespace {

constexpr Millis kHeldBack = seconds(10);  // by the worker, while the question is open

constexpr auto kColumns = std::to_array<Column>({
    {"question_id", "QUESTION ID"},
    {"state", "STATE", Cell::kState},
    {"choice", "CHOICE"},
    {"answer", "ANSWER"},
    {"question", "QUESTION", Cell::kText, Where::kWide},
    {"answered_by", "ANSWERED BY", Cell::kText, Where::kWide},
    {"closed_at", "CLOSED", Cell::kTime, Where::kWide},
});

Expected<NewQuestion> read_question(const Arguments& args) {
    NewQuestion question;
    std::uint64_t random = 0;
    std::memcpy(&random, random_bytes(sizeof random).data(), sizeof random);
    question.id = "q-" + to_hex(random);
    question.text = args.operand(0);
    question.choices = args.values("choice");
    auto timeout = args.duration("timeout");
    if (!timeout) return tl::unexpected(timeout.error());
    question.timeout = timeout->value_or(Millis{});
    if (auto ok = validate(question); !ok) return problem(ok.error());
    return question;
}

Ending print_question(const Context& context, const TaskId& task, const Question& question) {
    const OutputOptions& options = context.output;
    const bool plain = options.format == Format::kTable || options.format == Format::kWide;
    if (!plain || !options.fields.empty()) {
        return print({Shape::kOne, {}, kColumns, {question_record(task, question)}}, options);
    }
    if (question.state != QuestionState::kAnswered) return ExitCode::kDone;
    for (const std::string* part : {&question.choice, &question.answer}) {
        if (!part->empty()) print_raw(*part + (part->back() == '\n' ? "" : "\n"));
    }
    return ExitCode::kDone;
}

Ending told(const Context& context, const wire::Asked& asked) {
    auto printed = print_question(context, asked.task, asked.question);
    if (!printed) return printed;
    switch (asked.question.state) {
        case QuestionState::kNoAnswer:
            note("nobody has answered in time");
            return ExitCode::kNoAnswer;
        case QuestionState::kWithdrawn:
            note("a cancel was asked: nobody will answer");
            return ExitCode::kCancelled;
        case QuestionState::kOpen:
        case QuestionState::kAnswered:
            break;
    }
    return ExitCode::kDone;
}

/// Asks until it is closed: the worker says after a while that it is open still.
Ending wait_for_answer(const Context& context, const OwnTask& own, const NewQuestion& question) {
    auto session = open_session(context, own);
    if (!session) return tl::unexpected(session.error());
    const wire::Ask ask{own.held.task, own.held.lease, question};
    while (true) {
        auto asked = (*session)->call<wire::Asked>(ask, kHeldBack);
        if (!asked) return tl::unexpected(asked.error());
        if (asked->question.state != QuestionState::kOpen) return told(context, *asked);
    }
}

/// The attempt's final word: the task waits for the answer without it.
Ending park(const Context& context, const OwnTask& own, const NewQuestion& question) {
    auto session = open_session(context, own);
    if (!session) return tl::unexpected(session.error());
    wire::Release release;
    release.report.task = own.held.task;
    release.report.lease = own.held.lease;
    release.report.attempt = own.held.attempt;
    release.cause = ReleaseCause::kInputRequired;
    release.reason = "waits for an answer";
    release.question = question;
    auto accepted = (*session)->call<wire::Accepted>(release);
    if (!accepted) return tl::unexpected(accepted.error());
    note("end this command now: the next attempt finds the answer in answers.json");
    Question parked;
    parked.id = question.id;
    parked.text = question.text;
    parked.choices = question.choices;
    parked.attempt = own.held.attempt;
    parked.parked = true;
    return print_question(context, own.held.task, parked);
}

Ending run_ask(const Context& context) {
    if (context.args.has("wait") && context.args.has("park")) {
        return usage("--wait and --park exclude each other");
    }
    auto question = read_question(context.args);
    if (!question) return tl::unexpected(question.error());
    auto own = own_task(context.args, {});
    if (!own) return tl::unexpected(own.error());
    if (!*own) {
        return usage("only inside a task, where zq-worker runs this command",
                     "`zq approvals` lists what tasks ask, `zq answer` answers them");
    }
    if (context.args.has("dry-run")) {
        note("dry run: it would be asked");
        return ExitCode::kDone;
    }
    return context.args.has("park") ? park(context, **own, *question)
                                    : wait_for_answer(context, **own, *question);
}

constexpr auto kFlags = std::to_array<Flag>({
    {"choice", "TEXT", "One of the answers there are; may be repeated", Takes::kValues},
    {"timeout", "D", "Without an answer for D it ends without one"},
    {"wait", "", "Keep the slot and wait for the answer (the default)", Takes::kNothing},
    {"park", "", "End this attempt: the task waits for the answer, the slot is free",
     Takes::kNothing},
});

constexpr auto kCommands = std::to_array<Command>({
    {"ask",
     "Worker side",
     "QUESTION",
     "Ask a person",
     "Inside a task only; people see it in `zq approvals` and answer with `zq answer`. Waiting, "
     "it\n"
     "prints the answer: the choice and the text, a line each (--json: all of it), however long "
     "that\n"
     "takes and whether or not the coordinator is away meanwhile. Exit codes: 14, nobody answered "
     "in\n"
     "time; 11, a cancel was asked. The attempt's run timeout goes on meanwhile.\n"
     "With --park it is the attempt's final word and prints nothing: end the command. No attempt "
     "is\n"
     "charged, checkpoints and session are kept, and after the answer (or the timeout) the task "
     "is\n"
     "queued: the next attempt finds question and answer in answers.json and prompt.md.",
     kFlags,
     {false, true, true},
     1,
     1,
     run_ask},
});

}  // namespace

std::span<const Command> ask_commands() {
    return kCommands;
}

}  // namespace zq::cli
