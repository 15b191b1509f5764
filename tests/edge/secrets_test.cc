// Secrets over the control conversation: envelopes are refused, words are redacted, artifacts are
// flagged. The samples are made by count, so that nothing in this file is a key.
#include "common/platform/digest.h"
#include "coordinator/store/event_codec.h"
#include "tests/edge/control_rig.h"

namespace zq::coordinator {
namespace {

std::string token() {
    std::string text = "ghp_";
    while (text.size() < 40) text += "aB3dE5gH7j";
    return text.substr(0, 40);
}

constexpr const char* kMark = "[redacted:github-token]";

class Secrets : public ControlTest {
  protected:
    template <class Answer>
    Answer ask(wire::Body body) {
        tell("c", std::move(body), ++request_, "one");
        turn_and_sync();
        turn_and_sync();
        return expect<Answer>("c");
    }
    wire::TaskReply shown(const std::string& id) {
        return ask<wire::TaskReply>(wire::Get{TaskId(id), false});
    }
    /// Nothing that was journaled holds it.
    void expect_not_journaled() {
        for (const auto& [seq, bytes] : journaled()) {
            EXPECT_EQ(bytes.find(token()), std::string::npos) << "event " << seq;
        }
    }
    std::map<Seq, std::string> journaled() {
        std::map<Seq, std::string> all;
        auto events = reader_->events(0, 1000, std::nullopt);
        EXPECT_TRUE(events);
        for (const store::ChainedEvent& chained : *events) {
            all[chained.event.seq] = store::encode_body(chained.event.body);
        }
        return all;
    }
    static wire::ReportArtifact artifact(const std::string& name, const std::string& data) {
        wire::ReportArtifact one;
        one.ref.name = name;
        one.ref.digest = sha256(data);
        one.ref.size = data.size();
        one.data = Bytes{data};
        return one;
    }
    static wire::Complete complete(const std::string& id) {
        wire::Complete done;
        done.report.task = TaskId(id);
        done.report.from = "me";
        return done;
    }

    std::uint64_t request_ = 0;
};

TEST_F(Secrets, InAnyTextOfAnEnvelopeRefuseItAndNameTheField) {
    std::vector<std::pair<std::string, wire::Submit>> all;
    const auto add = [&](const std::string& field, auto change) {
        wire::Submit message = submit("a");
        change(message.task);
        all.emplace_back(field, std::move(message));
    };
    add("task.instructions", [](TaskSpec& t) { t.instructions = "use " + token(); });
    add("task.payload", [](TaskSpec& t) { t.payload = "{\"key\":\"" + token() + "\"}"; });
    add("task.type", [](TaskSpec& t) { t.type = token(); });
    add("task.labels.k", [](TaskSpec& t) { t.labels["k"] = token(); });
    add("task.expected_output.headings[0]", [](TaskSpec& t) {
        t.expected.format = "markdown";
        t.expected.headings = {token()};
    });
    add("task.limit_key", [](TaskSpec& t) { t.limit_key = token(); });
    add("task.reply_to", [](TaskSpec& t) { t.reply_to = token(); });
    for (auto& [field, message] : all) {
        const auto refused = ask<wire::ErrorReply>(message);
        EXPECT_EQ(refused.code, ErrorCode::SECRET_FOUND) << field;
        EXPECT_EQ(refused.field, field);
        EXPECT_EQ(refused.message.find(token()), std::string::npos) << refused.message;
    }
    EXPECT_EQ(ask<wire::ErrorReply>(wire::Get{TaskId("a"), false}).code, ErrorCode::NOT_FOUND);
}

TEST_F(Secrets, ADryRunIsRefusedAlike) {
    wire::Submit message = submit("a");
    message.task.instructions = token();
    message.dry_run = true;
    EXPECT_EQ(ask<wire::ErrorReply>(message).code, ErrorCode::SECRET_FOUND);
}

TEST_F(Secrets, PassWhereTheEnvelopeSaysSoAndTheJournalTellsIt) {
    wire::Submit message = submit("a");
    message.task.instructions = token();
    message.task.allow_secrets = true;
    ask<wire::Submitted>(message);
    EXPECT_TRUE(ask<wire::Submitted>(message).duplicate);
    EXPECT_TRUE(shown("a").spec.allow_secrets);
    bool told = false;
    for (const auto& [seq, text] : journaled()) {
        told = told || text.find("allow_secrets") != std::string::npos;
    }
    EXPECT_TRUE(told);
}

TEST_F(Secrets, InAnInputsInlineTextRefuseTheSubmitOrFlagTheInput) {
    const std::string text = "a context\npassword: " + token() + "\n";
    wire::Submit message = submit("a");
    message.task.inputs = {artifact("context.md", text).ref};
    message.task.inputs[0].secrets = {"not-the-clients-to-say"};
    message.contents = {{sha256(text), Bytes{text}}};
    const auto refused = ask<wire::ErrorReply>(message);
    EXPECT_EQ(refused.code, ErrorCode::SECRET_FOUND);
    EXPECT_EQ(refused.field, "task.inputs");
    EXPECT_NE(refused.message.find("context.md"), std::string::npos);
    message.task.allow_secrets = true;
    ask<wire::Submitted>(message);
    const std::vector<std::string> kinds = {"github-token"};
    EXPECT_EQ(shown("a").spec.inputs[0].secrets, kinds);
    // Stored now: known of it without its bytes.
    wire::Submit again = submit("b");
    again.task.inputs = message.task.inputs;
    EXPECT_EQ(ask<wire::ErrorReply>(again).code, ErrorCode::SECRET_FOUND);
}

TEST_F(Secrets, OfABatchRefuseTheirOwnTaskAlone) {
    wire::Batch batch;
    batch.tasks = {submit("a").task, submit("b").task, submit("c").task};
    batch.tasks[1].instructions = token();
    const std::string text = "key: " + token();
    batch.tasks[2].inputs = {artifact("notes.txt", text).ref};
    batch.contents = {{sha256(text), Bytes{text}}};
    const auto reply = ask<wire::Batched>(batch);
    ASSERT_EQ(reply.items.size(), 3U);
    EXPECT_TRUE(reply.items[0].state);
    ASSERT_TRUE(reply.items[1].error);
    EXPECT_EQ(reply.items[1].error->code, ErrorCode::SECRET_FOUND);
    EXPECT_EQ(reply.items[1].error->field, "task.instructions");
    ASSERT_TRUE(reply.items[2].error);
    EXPECT_EQ(reply.items[2].error->code, ErrorCode::SECRET_FOUND);
}

TEST_F(Secrets, InAnEditRefuseItUnlessItSaysSo) {
    wire::Submit task = submit("a");
    task.task.max_attempts = 1;
    ask<wire::Submitted>(task);
    wire::Fail failed;
    failed.report.task = TaskId("a");
    failed.report.from = "me";
    failed.reason = "no";
    ask<wire::Accepted>(failed);
    wire::Edit edit;
    edit.task = TaskId("a");
    edit.changes.instructions = "now with " + token();
    const auto refused = ask<wire::ErrorReply>(edit);
    EXPECT_EQ(refused.code, ErrorCode::SECRET_FOUND);
    EXPECT_EQ(refused.field, "changes.instructions");
    edit.changes.allow_secrets = true;
    ask<wire::Changed>(edit);
    EXPECT_TRUE(shown("a").spec.allow_secrets);
}

TEST_F(Secrets, InAnAnswerRefuseItUnlessItSaysSo) {
    ask<wire::Submitted>(submit("a"));
    wire::Release asks;
    asks.report.task = TaskId("a");
    asks.report.from = "me";
    asks.cause = ReleaseCause::kInputRequired;
    asks.question = NewQuestion{"q", "Which key? " + token() + " is refused.", {}, {}};
    ask<wire::Accepted>(asks);
    EXPECT_EQ(shown("a").row.question, std::string("Which key? ") + kMark + " is refused.");
    wire::AnswerQuestion answer;
    answer.task = TaskId("a");
    answer.answer = token();
    const auto refused = ask<wire::ErrorReply>(answer);
    EXPECT_EQ(refused.code, ErrorCode::SECRET_FOUND);
    EXPECT_EQ(refused.field, "answer");
    expect_not_journaled();
    answer.allow_secrets = true;
    ask<wire::Accepted>(answer);
}

TEST_F(Secrets, InAReportAreTakenOutBeforeItIsJournaled) {
    ask<wire::Submitted>(submit("a"));
    wire::Complete done = complete("a");
    done.report.summary = "done with " + token();
    done.report.output = {{"session_id", token()}};
    done.report.artifacts = {artifact(token(), "x"), artifact(token() + ".txt", "y"),
                             artifact("redacted-github-token", "z")};
    ask<wire::Accepted>(done);
    const auto task = shown("a");
    EXPECT_EQ(task.row.summary, std::string("done with ") + kMark);
    ASSERT_EQ(task.attempts.size(), 1U);
    EXPECT_EQ(task.attempts[0].output.at("session_id"), kMark);
    std::set<std::string> names;
    for (const ArtifactRef& ref : task.attempts[0].artifacts) names.insert(ref.name);
    EXPECT_EQ(names.size(), 3U);
    EXPECT_TRUE(names.contains("redacted-github-token.txt"));
    expect_not_journaled();
    // Said again with the same words it is the same report; with other ones it is another.
    ask<wire::Accepted>(done);
    done.report.summary = std::string("done with ") + kMark;
    EXPECT_EQ(ask<wire::ErrorReply>(done).code, ErrorCode::CONFLICT);
}

TEST_F(Secrets, InProgressAndReasonsAreTakenOut) {
    ask<wire::Submitted>(submit("a"));
    wire::Claim claim;
    claim.role = RoleName("r");
    const auto claimed = ask<wire::Claimed>(claim);
    ask<wire::Accepted>(wire::Progress{TaskId("a"), claimed.lease, 10, "1/2", "with " + token()});
    EXPECT_EQ(shown("a").progress_message, std::string("with ") + kMark);
    wire::Fail failed;
    failed.report.task = TaskId("a");
    failed.report.lease = claimed.lease;
    failed.reason = "refused: " + token();
    ask<wire::Accepted>(failed);
    ask<wire::Accepted>(wire::Cancel{TaskId("a"), "leaks " + token(), false});
    EXPECT_EQ(shown("a").row.reason, std::string("leaks ") + kMark);
    expect_not_journaled();
}

TEST_F(Secrets, InAnArtifactsTextFlagIt) {
    ask<wire::Submitted>(submit("a"));
    wire::Complete done = complete("a");
    done.report.artifacts = {artifact("leak.txt", "token: " + token()),
                             artifact("fine.txt", "nothing"),
                             artifact("image.png", std::string(1, '\0') + token())};
    done.report.artifacts[1].ref.secrets = {"not-the-workers-to-say"};
    ask<wire::Accepted>(done);
    std::map<std::string, std::vector<std::string>> flags;
    const wire::TaskReply task = shown("a");
    for (const ArtifactRef& ref : task.attempts.at(0).artifacts) flags[ref.name] = ref.secrets;
    EXPECT_EQ(flags["leak.txt"], std::vector<std::string>{"github-token"});
    EXPECT_TRUE(flags["fine.txt"].empty());
    EXPECT_TRUE(flags["image.png"].empty());
}

TEST_F(Secrets, InAnArtifactRefuseTheReportWhereThePolicySaysSo) {
    control_ = std::make_unique<Control>(ControlParts{pipeline_,
                                                      *reader_,
                                                      sender_,
                                                      counters_,
                                                      store_results_,
                                                      {DoorPlace{edge::Trust::kLocal, {5571, ""}}},
                                                      {"test", disk_.journal},
                                                      keys_,
                                                      shown_,
                                                      kNoon,
                                                      0,
                                                      nullptr,
                                                      nullptr,
                                                      nullptr,
                                                      nullptr,
                                                      nullptr,
                                                      edge::ArtifactSecrets::kRefuse});
    ask<wire::Submitted>(submit("a"));
    wire::Complete done = complete("a");
    done.report.artifacts = {artifact("leak.txt", "token: " + token())};
    const auto refused = ask<wire::ErrorReply>(done);
    EXPECT_EQ(refused.code, ErrorCode::SECRET_FOUND);
    EXPECT_EQ(refused.field, "artifacts");
    EXPECT_NE(refused.message.find("leak.txt"), std::string::npos);
    EXPECT_EQ(shown("a").row.state, TaskState::kQueued);
}

TEST_F(Secrets, OfAnUploadAreKnownToTheReportThatNamesIt) {
    ask<wire::Submitted>(submit("a"));
    StoreRequest request;
    request.ticket = 1;
    request.digest = sha256("large");
    request.size = 5;
    request.identity = kLocalIdentity;
    request.secrets = {"github-token", "jwt"};
    control_->handle(request, now_);
    wire::Complete done = complete("a");
    done.report.artifacts = {artifact("large.txt", "large")};
    done.report.artifacts[0].data.reset();
    // Before and after it is on disk.
    tell("c", done, ++request_, "one");
    turn_and_sync();
    expect<wire::Accepted>("c");
    EXPECT_EQ(shown("a").attempts.at(0).artifacts.at(0).secrets, request.secrets);
    ask<wire::Submitted>(submit("b"));
    wire::Complete second = complete("b");
    second.report.artifacts = done.report.artifacts;
    ask<wire::Accepted>(second);
    EXPECT_EQ(shown("b").attempts.at(0).artifacts.at(0).secrets, request.secrets);
}

}  // namespace
}  // namespace zq::coordinator
