#include "coordinator/edge/in.h"

#include <algorithm>
#include <type_traits>

#include "common/platform/digest.h"
#include "coordinator/edge/batch.h"
#include "coordinator/edge/content_sorter.h"
#include "coordinator/edge/controls.h"
#include "coordinator/edge/redact_words.h"
#include "coordinator/edge/secret_check.h"

namespace zq::edge {
namespace {

core::Command command_of(const wire::Message& message, const Origin& origin) {
    core::Command command;
    command.now = origin.now;
    command.identity = origin.identity;
    command.reply = origin.reply;
    command.client = message.header.client;
    command.request = message.header.id;
    command.seed = origin.seed;
    command.facts.storage_full = origin.storage_full;
    return command;
}

std::vector<LeaseToken> tokens_of(const std::vector<wire::HeldLease>& leases) {
    std::vector<LeaseToken> tokens;
    tokens.reserve(leases.size());
    for (const wire::HeldLease& lease : leases) tokens.push_back(lease.lease);
    return tokens;
}

Failure hello_first() {
    return fail(ErrorCode::HELLO_FIRST, "the coordinator does not know this worker session");
}

/// A worker speaks in a session; a client names itself. Whoever does neither is told to say HELLO.
Result<void> check_speaker(const wire::Message& message, const Origin& origin) {
    if (origin.session != 0 || !message.header.client.empty()) return {};
    return hello_first();
}

Result<void> add_task_fact(core::Command& command, const TaskId& id, FactFinder& facts) {
    auto task = facts.ended_task({command.ns, id});
    if (!task) return Failure(task.error());
    command.facts.task = std::move(*task);
    return {};
}

/// The trace id of a task that is submitted without one, in the form of W3C Trace Context: a
/// function of the command alone. Two lives of one id differ in it.
std::string new_trace_id(const core::Command& command, const TaskSpec& spec) {
    Sha256 hash;
    hash.update("zq-trace-1");
    hash.update(std::to_string(command.seed) + "/" + std::to_string(command.now.ms) + "/");
    hash.update(spec.ns.text + "/" + spec.id.text);
    return to_hex(hash.finish()).substr(0, 32);
}

/// What COMPLETE, SKIP, FAIL and RELEASE share.
Result<Incoming> end_attempt(wire::Message& message, wire::Report& report, core::EndAttempt end,
                             const Origin& origin, FactFinder& facts) {
    if (auto ok = check_speaker(message, origin); !ok) return Failure(ok.error());
    if (!report.lease.is_set() && message.header.client.empty()) {
        return fail(ErrorCode::INVALID, "a worker's report names its lease", "lease");
    }
    Incoming incoming{command_of(message, origin), {}};
    core::Command& command = incoming.command;
    if (auto ok = add_task_fact(command, report.task, facts); !ok) return Failure(ok.error());
    auto attempt = facts.attempt({command.ns, report.task}, report.attempt, command.facts.task);
    if (!attempt) return Failure(attempt.error());
    command.facts.attempt = std::move(*attempt);
    if (end.kind == core::EndAttempt::Kind::kComplete) {
        auto unmet = facts.unmet({command.ns, report.task}, report);
        if (!unmet) return Failure(unmet.error());
        command.facts.unmet = std::move(*unmet);
    }
    ContentSorter sorter{origin, incoming, facts, end.contents};
    redact(report);
    redact_reason(end.reason);
    if (end.question) redact(*end.question);
    // Taken once, a report is answered alike, whatever the policy has become.
    const bool taken = command.facts.attempt && command.facts.attempt->report == end.report;
    for (wire::ReportArtifact& artifact : report.artifacts) {
        std::string* data = artifact.data ? &artifact.data->data : nullptr;
        if (auto ok = sorter.sort(artifact.ref, data); !ok) return Failure(ok.error());
        auto ok = taken ? Result<void>{} : check_policy(artifact.ref, origin, "artifacts");
        if (!ok) return Failure(ok.error());
        end.artifacts.push_back(std::move(artifact.ref));
    }
    end.session = message.header.client.empty() ? origin.session : 0;
    end.task = std::move(report.task);
    end.token = report.lease;
    end.from = std::move(report.from);
    end.summary = std::move(report.summary);
    end.output = std::move(report.output);
    end.duration = report.duration;
    end.command = report.command;
    command.body = std::move(end);
    return incoming;
}

Result<Incoming> convert(wire::Message& message, wire::Complete& body, const Origin& origin,
                         FactFinder& facts) {
    core::EndAttempt end;
    end.kind = core::EndAttempt::Kind::kComplete;
    end.report = report_digest(body);
    return end_attempt(message, body.report, std::move(end), origin, facts);
}

Result<Incoming> convert(wire::Message& message, wire::Skip& body, const Origin& origin,
                         FactFinder& facts) {
    core::EndAttempt end;
    end.kind = core::EndAttempt::Kind::kSkip;
    end.report = report_digest(body);
    end.reason = std::move(body.reason);
    return end_attempt(message, body.report, std::move(end), origin, facts);
}

Result<Incoming> convert(wire::Message& message, wire::Fail& body, const Origin& origin,
                         FactFinder& facts) {
    core::EndAttempt end;
    end.kind = core::EndAttempt::Kind::kFail;
    end.report = report_digest(body);
    end.reason = std::move(body.reason);
    end.failure = body.failure;
    end.exit_code = body.exit_code;
    end.delay = body.retry_after;
    return end_attempt(message, body.report, std::move(end), origin, facts);
}

Result<Incoming> convert(wire::Message& message, wire::Release& body, const Origin& origin,
                         FactFinder& facts) {
    core::EndAttempt end;
    end.kind = core::EndAttempt::Kind::kRelease;
    end.report = report_digest(body);
    end.reason = std::move(body.reason);
    end.cause = body.cause;
    end.delay = body.delay;
    end.question = std::move(body.question);
    return end_attempt(message, body.report, std::move(end), origin, facts);
}

Result<Incoming> convert(wire::Message& message, wire::Submit& body, const Origin& origin,
                         FactFinder& facts) {
    Incoming incoming{command_of(message, origin), {}};
    core::Command& command = incoming.command;
    command.ns = body.task.ns;
    core::SubmitTask submit;
    for (ArtifactRef& input : body.task.inputs) input.secrets.clear();
    submit.request = request_digest(body.task);
    submit.dry_run = body.dry_run;
    if (auto ok = facts.add_former(body.task, command.facts); !ok) return Failure(ok.error());
    command.facts.payload = facts.payload_error(body.task);
    if (auto ok = facts.add_upstream(command.ns, body.task.after, command.facts); !ok) {
        return Failure(ok.error());
    }
    ContentSorter sorter{origin, incoming, facts, submit.contents};
    for (ArtifactRef& input : body.task.inputs) {
        if (input.by_reference) continue;
        auto content = std::find_if(body.contents.begin(), body.contents.end(),
                                    [&](const auto& c) { return c.digest == input.digest; });
        std::string* data = content == body.contents.end() ? nullptr : &content->data.data;
        if (auto ok = sorter.sort(input, data); !ok) return Failure(ok.error());
        if (auto ok = check_input(input, body.task); !ok) return Failure(ok.error());
    }
    if (body.task.trace_id.empty()) body.task.trace_id = new_trace_id(command, body.task);
    submit.spec = std::move(body.task);
    command.body = std::move(submit);
    return incoming;
}

Result<Incoming> convert(wire::Message& message, wire::Batch& body, const Origin& origin,
                         FactFinder& facts) {
    Incoming incoming{command_of(message, origin), {}};
    auto batch = to_batch(body, origin, facts);
    if (!batch) return Failure(batch.error());
    incoming.command.body = std::move(*batch);
    for (wire::InlineContent& content : body.contents) {
        incoming.contents.push_back({content.digest, std::move(content.data.data)});
    }
    return incoming;
}

Result<Incoming> convert(wire::Message& message, wire::Hello& body, const Origin& origin,
                         FactFinder&) {
    Incoming incoming{command_of(message, origin), {}};
    incoming.command.body =
        core::OpenSession{origin.session,   std::move(body.worker), std::move(body.state_id),
                          body.incarnation, std::move(body.roles),  std::move(body.labels),
                          body.slots,       tokens_of(body.leases), tokens_of(body.reports),
                          body.seen,        std::move(body.program)};
    return incoming;
}

Result<Incoming> convert(wire::Message& message, wire::Ready& body, const Origin& origin,
                         FactFinder&) {
    if (origin.session == 0) return hello_first();
    Incoming incoming{command_of(message, origin), {}};
    core::Renew renew;
    renew.session = origin.session;
    renew.free = body.free;
    renew.seen = body.seen;
    incoming.command.body = std::move(renew);
    return incoming;
}

Result<Incoming> convert(wire::Message& message, wire::Heartbeat& body, const Origin& origin,
                         FactFinder&) {
    if (auto ok = check_speaker(message, origin); !ok) return Failure(ok.error());
    Incoming incoming{command_of(message, origin), {}};
    if (message.header.client.empty()) {
        incoming.command.body =
            core::Renew{origin.session,         body.free, body.seen, true, tokens_of(body.leases),
                        tokens_of(body.reports)};
        return incoming;
    }
    if (body.free != 0) {
        return fail(ErrorCode::INVALID, "only a worker's session has free slots", "free");
    }
    incoming.command.body = core::RenewByHand{tokens_of(body.leases)};
    return incoming;
}

Result<Incoming> convert(wire::Message& message, wire::Goodbye&, const Origin& origin,
                         FactFinder&) {
    Incoming incoming{command_of(message, origin), {}};
    incoming.command.body = core::CloseSession{origin.session, core::CloseCause::kGoodbye};
    return incoming;
}

Result<Incoming> convert(wire::Message& message, wire::Progress& body, const Origin& origin,
                         FactFinder& facts) {
    if (auto ok = check_speaker(message, origin); !ok) return Failure(ok.error());
    Incoming incoming{command_of(message, origin), {}};
    if (auto ok = add_task_fact(incoming.command, body.task, facts); !ok) {
        return Failure(ok.error());
    }
    redact(body);
    incoming.command.body = core::NoteProgress{std::move(body.task), body.lease, body.percent,
                                               std::move(body.step), std::move(body.message)};
    return incoming;
}

Result<Incoming> convert(wire::Message& message, wire::Spend& body, const Origin& origin,
                         FactFinder& facts) {
    if (auto ok = check_speaker(message, origin); !ok) return Failure(ok.error());
    Incoming incoming{command_of(message, origin), {}};
    if (auto ok = add_task_fact(incoming.command, body.task, facts); !ok) {
        return Failure(ok.error());
    }
    incoming.command.body =
        core::NoteUsage{std::move(body.task), body.lease, std::move(body.usage)};
    return incoming;
}

Result<Incoming> convert(wire::Message& message, wire::Checkpoint& body, const Origin& origin,
                         FactFinder& facts) {
    if (auto ok = check_speaker(message, origin); !ok) return Failure(ok.error());
    Incoming incoming{command_of(message, origin), {}};
    if (auto ok = add_task_fact(incoming.command, body.task, facts); !ok) {
        return Failure(ok.error());
    }
    redact(body);
    core::SaveCheckpoint save;
    ContentSorter sorter{origin, incoming, facts, save.contents};
    std::string* data = body.artifact.data ? &body.artifact.data->data : nullptr;
    if (auto ok = sorter.sort(body.artifact.ref, data); !ok) return Failure(ok.error());
    if (auto ok = check_policy(body.artifact.ref, origin, "artifact"); !ok) {
        return Failure(ok.error());
    }
    save.task = std::move(body.task);
    save.token = body.lease;
    save.ref = std::move(body.artifact.ref);
    incoming.command.body = std::move(save);
    return incoming;
}

Result<Incoming> convert(wire::Message& message, wire::Ask& body, const Origin& origin,
                         FactFinder& facts) {
    if (auto ok = check_speaker(message, origin); !ok) return Failure(ok.error());
    Incoming incoming{command_of(message, origin), {}};
    if (auto ok = add_task_fact(incoming.command, body.task, facts); !ok) {
        return Failure(ok.error());
    }
    redact(body.question);
    incoming.command.body =
        core::AskPerson{std::move(body.task), body.lease, std::move(body.question)};
    return incoming;
}

Result<Incoming> convert(wire::Message& message, wire::AnswerQuestion& body, const Origin& origin,
                         FactFinder& facts) {
    Incoming incoming{command_of(message, origin), {}};
    if (auto ok = add_task_fact(incoming.command, body.task, facts); !ok) {
        return Failure(ok.error());
    }
    incoming.command.body = core::AnswerPerson{std::move(body.task),
                                               std::move(body.question),
                                               std::move(body.choice),
                                               std::move(body.answer),
                                               body.digest,
                                               body.allow_secrets};
    return incoming;
}

Result<Incoming> convert(wire::Message& message, wire::Claim& body, const Origin& origin,
                         FactFinder& facts) {
    Incoming incoming{command_of(message, origin), {}};
    if (!body.task.empty()) {
        auto ok = add_task_fact(incoming.command, body.task, facts);
        if (!ok) return Failure(ok.error());
    }
    redact_from(body.from);
    incoming.command.body = core::ClaimTask{std::move(body.role), std::move(body.task),
                                            std::move(body.from), body.lease};
    return incoming;
}

Result<Incoming> convert(wire::Message& message, wire::Cancel& body, const Origin& origin,
                         FactFinder& facts) {
    Incoming incoming{command_of(message, origin), {}};
    if (auto ok = add_task_fact(incoming.command, body.task, facts); !ok) {
        return Failure(ok.error());
    }
    redact_reason(body.reason);
    incoming.command.body =
        core::CancelTask{std::move(body.task), std::move(body.reason), body.cascade};
    return incoming;
}

/// What REPLAY, EDIT and REMOVE share: the command with all facts, and without its body.
Result<Incoming> about_ended(const wire::Message& message, const TaskId& task,
                             const wire::Changes& changes, const Origin& origin,
                             FactFinder& facts) {
    Incoming incoming{command_of(message, origin), {}};
    core::Command& command = incoming.command;
    if (auto ok = add_task_fact(command, task, facts); !ok) return Failure(ok.error());
    auto ok = facts.add_ended({command.ns, task}, changes, command.facts);
    if (!ok) return Failure(ok.error());
    return incoming;
}

Result<Incoming> convert(wire::Message& message, wire::Replay& body, const Origin& origin,
                         FactFinder& facts) {
    auto incoming = about_ended(message, body.task, body.changes, origin, facts);
    if (!incoming) return incoming;
    redact_reason(body.reason);
    incoming->command.body =
        core::ReplayTask{std::move(body.task), body.fresh, body.keep_checkpoints, body.dead_only,
                         std::move(body.reason)};
    return incoming;
}

Result<Incoming> convert(wire::Message& message, wire::Edit& body, const Origin& origin,
                         FactFinder& facts) {
    auto incoming = about_ended(message, body.task, body.changes, origin, facts);
    if (!incoming) return incoming;
    redact_reason(body.reason);
    incoming->command.body = core::EditTask{std::move(body.task), std::move(body.reason)};
    return incoming;
}

Result<Incoming> convert(wire::Message& message, wire::Remove& body, const Origin& origin,
                         FactFinder& facts) {
    auto incoming = about_ended(message, body.task, {}, origin, facts);
    if (!incoming) return incoming;
    redact_reason(body.reason);
    core::Command& command = incoming->command;
    command.body = core::RemoveTask{body.task, body.reason};
    if (!body.erase) return incoming;
    auto ok = facts.add_erasable({command.ns, body.task}, command.facts);
    if (!ok) return Failure(ok.error());
    command.body = core::EraseTask{body.task, body.reason};
    return incoming;
}

Result<Incoming> convert(wire::Message& message, wire::SetControl& body, const Origin& origin,
                         FactFinder&) {
    Incoming incoming{command_of(message, origin), {}};
    redact_reason(body.reason);
    incoming.command.body = to_set_control(std::move(body));
    return incoming;
}

template <class T>
Result<Incoming> convert(wire::Message&, T&, const Origin&, FactFinder&) {
    return fail(ErrorCode::UNKNOWN_TYPE, std::string(T::kType) + " is no command");
}

}  // namespace

Result<Incoming> to_command(wire::Message&& message, const Origin& origin, FactFinder& facts) {
    return std::visit([&](auto& body) { return convert(message, body, origin, facts); },
                      message.body);
}

}  // namespace zq::edge
