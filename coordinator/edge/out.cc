#include "coordinator/edge/out.h"

#include <algorithm>

#include "coordinator/edge/controls.h"
#include "coordinator/edge/rows.h"

namespace zq::edge {
namespace {

std::vector<wire::LeaseVerdict> verdicts_of(const std::vector<core::LeaseWord>& words) {
    std::vector<wire::LeaseVerdict> verdicts;
    verdicts.reserve(words.size());
    for (const core::LeaseWord& word : words) verdicts.push_back({word.token, word.verdict});
    return verdicts;
}

/// Missing contents that the answer to a batch names: more than are named are asked for again.
constexpr std::size_t kMissingNamed = 10'000;

/// A batch has many of them: each error's text is bounded. Of a batch that was refused nothing has
/// a state.
wire::BatchItem batch_item(const core::BatchItem& item, bool refused) {
    wire::BatchItem out;
    if (const auto* rejected = std::get_if<core::Rejected>(&item.said)) {
        out.task = item.task;
        out.error = error_message(rejected->error, rejected->missing);
        out.error->message = cut_text(out.error->message, limits::kBatchErrorBytes);
        return out;
    }
    const auto& taken = std::get<core::SubmitAnswer>(item.said);
    out.task = taken.task;
    out.duplicate = taken.duplicate;
    out.role_served = taken.role_served;
    out.nearest_role = taken.nearest_role;
    if (!refused) out.state = taken.state;
    return out;
}

/// One overload per answer.
struct AnswerToMessage {
    const Self& self;
    const Specs& specs;

    Result<wire::Body> operator()(const core::Rejected& a) const {
        return error_message(a.error, a.missing);
    }
    Result<wire::Body> operator()(const core::SubmitAnswer& a) const {
        return wire::Submitted{a.task, a.state, a.duplicate, a.role_served, a.nearest_role};
    }
    Result<wire::Body> operator()(const core::BatchAnswer& a) const {
        wire::Batched reply;
        reply.refused = a.refused;
        reply.items.reserve(a.items.size());
        std::size_t missing = 0;
        for (const core::BatchItem& item : a.items) {
            reply.items.push_back(batch_item(item, a.refused));
            auto& error = reply.items.back().error;
            if (!error) continue;
            error->missing.resize(std::min(error->missing.size(), kMissingNamed - missing));
            missing += error->missing.size();
        }
        return reply;
    }
    Result<wire::Body> operator()(const core::WelcomeAnswer& a) const {
        return wire::Welcome{to_hex(self.journal), a.lease, a.heartbeat, verdicts_of(a.leases),
                             self.program};
    }
    Result<wire::Body> operator()(const core::BeatAnswer& a) const {
        return wire::Beat{verdicts_of(a.leases), a.drain};
    }
    Result<wire::Body> operator()(const core::AcceptedAnswer& a) const {
        return wire::Accepted{a.task, a.state, a.attempt};
    }
    Result<wire::Body> operator()(const core::ClaimAnswer& a) const {
        auto spec = specs.get(a.spec_seq);
        if (!spec) return Failure(spec.error());
        return wire::Claimed{a.token,       a.attempt,   a.term,     std::move(*spec),
                             a.checkpoints, a.questions, a.feedback, a.run_timeout};
    }
    Result<wire::Body> operator()(const core::QuestionAnswer& a) const {
        return wire::Asked{a.task, a.token, a.question};
    }
    Result<wire::Body> operator()(const core::ChangedAnswer& a) const {
        return wire::Changed{a.task};
    }
    Result<wire::Body> operator()(const core::ControlAnswer& a) const {
        return wire::ControlSet{view_of(a.kind, a.name, a.control)};
    }
    Result<wire::Body> operator()(const core::GoodbyeAnswer&) const { return wire::Goodbye{}; }
    Result<wire::Body> operator()(const core::StoredAnswer& a) const {
        return wire::Stored{a.digest, a.size};
    }
};

struct PushToMessage {
    const Specs& specs;

    Result<wire::Body> operator()(const core::Assignment& push) const {
        auto spec = specs.get(push.spec_seq);
        if (!spec) return Failure(spec.error());
        return wire::Assign{push.lease.token, push.lease.attempt, push.lease.term,
                            push.answers,     push.submitter,     push.submitted_at,
                            std::move(*spec), push.checkpoints,   push.questions,
                            push.feedback,    push.run_timeout};
    }
    Result<wire::Body> operator()(const core::LeaseWord& push) const {
        return wire::Beat{verdicts_of({push}), false};
    }
    Result<wire::Body> operator()(const core::DrainWord&) const { return wire::Beat{{}, true}; }
    Result<wire::Body> operator()(const core::QuestionNews& push) const {
        return wire::Asked{push.task, push.token, push.question};
    }
};

}  // namespace

Result<TaskSpec> Specs::get(Seq spec_seq) const {
    if (const TaskSpec* spec = cache.find(spec_seq)) return *spec;
    auto spec = trailing.spec(spec_seq);
    if (spec && !*spec) spec = reader.spec(spec_seq);
    if (!spec) return Failure(spec.error());
    if (*spec) return std::move(**spec);
    return fail(ErrorCode::NOT_FOUND,
                "the task's envelope is not in the journal, seq " + std::to_string(spec_seq));
}

Result<wire::Body> to_message(const core::AnswerBody& answer, const Self& self,
                              const Specs& specs) {
    return std::visit(AnswerToMessage{self, specs}, answer);
}

Result<wire::Body> to_message(const core::PushBody& push, const Specs& specs) {
    return std::visit(PushToMessage{specs}, push);
}

wire::ErrorReply error_message(const Error& error, std::vector<Digest> missing) {
    return {error.code, error.message, error.field, error.retry_after, std::move(missing)};
}

wire::Frames encode_bounded(const wire::Message& message) {
    wire::Frames frames = wire::encode(message);
    if (frames[2].size() <= limits::kMessageBytes) return frames;
    const Error error{ErrorCode::TOO_LARGE, "the answer exceeds 1 MiB: ask for less", {}, {}};
    return wire::encode({message.header, error_message(error), {}});
}

}  // namespace zq::edge
