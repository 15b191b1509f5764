#include "cli/batch_request.h"

#include <set>

namespace zq::cli {
namespace {

constexpr int kMissingTries = 3;

tl::unexpected<CallError> call_error(const Problem& problem) {
    return tl::unexpected(CallError{problem.error, {}});
}

/// Contents that are put once for all submissions.
tl::expected<void, CallError> put_all(Session& session, std::vector<Submission*>& submissions) {
    for (const Submission* submission : submissions) {
        auto put = put_contents(session, submission->contents, {}, {});
        if (!put) return call_error(put.error());
    }
    return {};
}

wire::Batch request_of(const std::vector<Submission*>& submissions, const BatchMode& mode) {
    wire::Batch batch;
    batch.atomic = mode.atomic;
    batch.dry_run = mode.dry_run;
    batch.tasks.reserve(submissions.size());
    std::set<Digest> added;
    for (const Submission* submission : submissions) {
        batch.tasks.push_back(submission->spec);
        for (const Content& content : submission->contents) {
            if (!content.data || !added.insert(content.ref.digest).second) continue;
            batch.contents.push_back({content.ref.digest, Bytes{*content.data}});
        }
    }
    return batch;
}

tl::unexpected<CallError> unexpected_reply(const wire::Message& reply) {
    return tl::unexpected(
        CallError{Error{ErrorCode::UNSUPPORTED_VERSION,
                        "the coordinator answered with " + std::string(wire::type_of(reply.body)),
                        {},
                        {}},
                  {}});
}

/// True if one of the refusals is for a content that is ours: it is put before the next sending.
bool send_missing_of(std::vector<Submission*>& submissions, const wire::Batched& reply) {
    bool ours = false;
    for (std::size_t i = 0; i < reply.items.size(); ++i) {
        const auto& error = reply.items[i].error;
        if (!error || error->code != ErrorCode::MISSING_CONTENT) continue;
        std::vector<Content>& contents = submissions[i]->contents;
        for (Content& content : contents) {
            if (!spill(content)) return false;
        }
        if (send_missing(contents, error->missing)) ours = true;
    }
    return ours;
}

/// The worker around this command takes one at a time.
tl::expected<wire::Batched, CallError> one_by_one(Session& session,
                                                  const std::vector<Submission*>& submissions,
                                                  const BatchMode& mode) {
    wire::Batched batched;
    for (Submission* submission : submissions) {
        wire::Submit submit{submission->spec, {}, mode.dry_run};
        submit.contents = request_of({submission}, mode).contents;
        wire::BatchItem item;
        item.task = submission->spec.id;
        auto reply = session.try_call(submit);
        if (!reply && reply.error().error.code == ErrorCode::UNREACHABLE) {
            return tl::unexpected(reply.error());
        }
        if (!reply) {
            const CallError& refused = reply.error();
            item.error =
                wire::ErrorReply{refused.error.code, refused.error.message, refused.error.field,
                                 refused.error.retry_after, refused.missing};
            batched.items.push_back(std::move(item));
            continue;
        }
        const auto* said = std::get_if<wire::Submitted>(&reply->body);
        if (said == nullptr) return unexpected_reply(*reply);
        item.task = said->task;
        item.state = said->state;
        item.duplicate = said->duplicate;
        item.role_served = said->role_served;
        item.nearest_role = said->nearest_role;
        batched.items.push_back(std::move(item));
    }
    return batched;
}

tl::expected<wire::Batched, CallError> send(Session& session,
                                            const std::vector<Submission*>& submissions,
                                            const BatchMode& mode) {
    if (!session.spool().empty()) return one_by_one(session, submissions, mode);
    auto reply = session.try_call(request_of(submissions, mode));
    if (!reply) return tl::unexpected(reply.error());
    auto* batched = std::get_if<wire::Batched>(&reply->body);
    if (batched == nullptr || batched->items.size() != submissions.size()) {
        return unexpected_reply(*reply);
    }
    return std::move(*batched);
}

}  // namespace

tl::expected<wire::Batched, CallError> exchange_batch(Session& session,
                                                      std::vector<Submission*> submissions,
                                                      const BatchMode& mode) {
    for (int tries = 0;; ++tries) {
        // A dry run sends no contents: the coordinator need not have them for it.
        if (!mode.dry_run) {
            if (auto put = put_all(session, submissions); !put) return tl::unexpected(put.error());
        }
        auto reply = send(session, submissions, mode);
        if (!reply || mode.dry_run || tries >= kMissingTries) return reply;
        if (!send_missing_of(submissions, *reply)) return reply;
    }
}

}  // namespace zq::cli
