// Who may say what: the whole table of messages and keys, and the rules about single tasks.
#include "coordinator/edge/access.h"

#include <gtest/gtest.h>

#include "common/platform/digest.h"
#include "coordinator/edge/possession.h"
#include "coordinator/edge/upload_proofs.h"

namespace zq::edge {
namespace {

constexpr Instant kNow{1'800'000'000'000};

/// Keys of the table, each by its fingerprint.
struct Key {
    std::string name;
    std::vector<std::string> permissions;
};
const std::vector<Key> kKeys = {
    {"admin", {"admin"}},
    {"client", {"submit:*", "read:own", "put"}},
    {"worker", {"work:review", "submit:*", "read:own", "put"}},
    {"reader", {"read:all"}},
    {"operator", {"operate"}},
    {"approver", {"approve"}},
    {"nothing", {}},
};

class AccessTest : public testing::Test {
  protected:
    AccessTest() {
        for (const Key& key : kKeys) know(key.name, key.permissions);
    }

    void know(const std::string& name, const std::vector<std::string>& permissions,
              Instant expires = {}) {
        book_.put(name, {KeyKind::kClient, Identity(name + "@1"),
                         *parse_permissions(permissions, "permissions"), expires});
    }
    Peer peer(const std::string& name) const {
        if (name == "local") return peer_of({Trust::kLocal, ""}, book_, kNow);
        if (name == "invitation") {
            return peer_of({Trust::kAuthenticated, user_id_of_invitation("KEY")}, book_, kNow);
        }
        return peer_of({Trust::kAuthenticated, name}, book_, kNow);
    }
    /// `ok`, or the code of the refusal.
    std::string says(const std::string& name, const wire::Body& body,
                     Door door = Door::kControl) const {
        auto result = check_access(peer(name), door, body);
        return result ? "ok" : std::string(to_string(result.error().code));
    }

    KeyBook book_;
};

template <class T>
wire::Body about(const std::string& role) {
    T message;
    if constexpr (std::is_same_v<T, wire::Hello>) message.roles = {RoleName(role)};
    if constexpr (std::is_same_v<T, wire::Claim>) message.role = RoleName(role);
    if constexpr (std::is_same_v<T, wire::Submit>) message.task.role = RoleName(role);
    if constexpr (std::is_same_v<T, wire::Batch>) {
        message.tasks.resize(1);
        message.tasks.front().role = RoleName(role);
    }
    return message;
}

/// A row: the message, and who may say it: l(ocal) a(dmin) c(lient) w(orker) r(eader) o(perator)
/// p (approver) n(othing), i(nvitation). Nobody else may; a stranger may say nothing at all.
struct Row {
    wire::Body body;
    std::string who;
};

std::vector<Row> control_rows() {
    const std::string all = "lacwropn";
    return {
        {wire::Ping{}, all + "i"},
        {wire::Join{}, "i"},
        {about<wire::Hello>("review"), "law"},
        {about<wire::Hello>("other"), "la"},
        {about<wire::Claim>("review"), "law"},
        {about<wire::Claim>("other"), "la"},
        {about<wire::Submit>("review"), "lacw"},
        {about<wire::Batch>("review"), "lacw"},
        // What these say has a lease, or is about one task: looked at further below.
        {wire::Ready{}, all},
        {wire::Heartbeat{}, all},
        {wire::Goodbye{}, all},
        {wire::Complete{}, all},
        {wire::Skip{}, all},
        {wire::Fail{}, all},
        {wire::Release{}, all},
        {wire::Progress{}, all},
        {wire::Spend{}, all},
        {wire::Checkpoint{}, all},
        {wire::Ask{}, all},
        {wire::Cancel{}, all},
        {wire::Replay{}, all},
        {wire::Edit{}, all},
        {wire::Remove{}, all},
        {wire::Remove{{}, {}, true}, "la"},
        {wire::AnswerQuestion{}, all},
        // Whose answers are filtered by what the key may read.
        {wire::Questions{}, all},
        {wire::Access{}, all},
        {wire::Rotate{}, all},
        {wire::Get{}, "lacwrop"},
        {wire::List{}, "lacwrop"},
        {wire::Wait{}, "lacwrop"},
        {wire::Events{}, "lacwrop"},
        {wire::Answers{}, "lacwrop"},
        {wire::UsageQuery{}, "lacwrop"},
        {wire::Workers{}, "lacwrop"},
        {wire::Leases{}, "lacwrop"},
        {wire::Status{}, "lacwrop"},
        {wire::Controls{}, "lacwrop"},
        {wire::Stats{}, "laro"},
        {wire::SetControl{}, "lao"},
        {wire::Backup{}, "la"},
        {wire::Gc{}, "la"},
        {wire::SetAccess{}, "la"},
    };
}

TEST_F(AccessTest, EveryMessageOfTheControlSocketIsForThoseOfItsRow) {
    const std::vector<std::pair<char, std::string>> names = {
        {'l', "local"},    {'a', "admin"},    {'c', "client"},  {'w', "worker"},    {'r', "reader"},
        {'o', "operator"}, {'p', "approver"}, {'n', "nothing"}, {'i', "invitation"}};
    for (const Row& row : control_rows()) {
        for (const auto& [letter, name] : names) {
            const bool may = row.who.find(letter) != std::string::npos;
            EXPECT_EQ(says(name, row.body), may ? "ok" : "DENIED")
                << name << " says " << wire::type_of(row.body);
        }
        EXPECT_EQ(says("stranger", row.body), "DENIED") << wire::type_of(row.body);
    }
}

TEST_F(AccessTest, AKeyWithEveryRightButAdminIsNoAdmin) {
    know("mighty", {"submit:*", "work:*", "read:all", "put", "operate", "approve"});
    for (const wire::Body& body :
         {wire::Body(wire::Backup{}), wire::Body(wire::Gc{}), wire::Body(wire::SetAccess{})}) {
        EXPECT_EQ(says("mighty", body), "DENIED") << wire::type_of(body);
    }
    EXPECT_EQ(says("mighty", wire::SetControl{}), "ok");
}

TEST_F(AccessTest, AtTheArtifactsSocketOneNeedsPutOrALease) {
    EXPECT_EQ(says("client", wire::Put{}, Door::kArtifacts), "ok");
    EXPECT_EQ(says("reader", wire::Put{}, Door::kArtifacts), "DENIED");
    wire::Put held;
    held.task = TaskId("t");
    held.lease = {1, 2};
    EXPECT_EQ(says("nothing", held, Door::kArtifacts), "ok") << "the lease is looked at there";
    EXPECT_EQ(says("invitation", held, Door::kArtifacts), "DENIED");
    EXPECT_EQ(says("stranger", wire::Fetch{}, Door::kArtifacts), "DENIED");
    EXPECT_EQ(says("admin", wire::Submit{}, Door::kArtifacts), "UNKNOWN_TYPE");
    EXPECT_EQ(says("admin", wire::Put{}, Door::kControl), "UNKNOWN_TYPE");
    EXPECT_EQ(says("admin", wire::Submitted{}, Door::kControl), "UNKNOWN_TYPE") << "an answer";
}

TEST_F(AccessTest, AKeyThatIsForgottenOrWhoseTimeIsOverIsAStranger) {
    know("guest", {"submit:*"}, kNow + millis(1));
    EXPECT_EQ(says("guest", about<wire::Submit>("review")), "ok");
    know("guest", {"submit:*"}, kNow);
    EXPECT_EQ(says("guest", about<wire::Submit>("review")), "DENIED");
    book_.forget("client");
    EXPECT_EQ(peer("client").kind, PeerKind::kStranger);
    EXPECT_EQ(says("client", wire::Ping{}), "DENIED");
}

TEST_F(AccessTest, WhoIsMetDoesNotOverwriteWhatIsKnown) {
    book_.learn("client", {KeyKind::kAdmin, Identity("client@1"), Permissions::all(), {}});
    EXPECT_FALSE(peer("client").rights().is_admin());
}

core::Task task_of(const std::string& submitter, const std::string& role,
                   const std::string& group = "") {
    core::Task task;
    task.key = {kDefaultNamespace, TaskId("t")};
    task.submitter = Identity(submitter + "@1");
    task.role = RoleName(role);
    task.group = GroupName(group);
    return task;
}

std::string verdict(const Peer& peer, Wish wish, const core::Task* task) {
    auto result = check_task(peer, {TaskId("t"), wish}, task);
    return result ? "ok" : std::string(to_string(result.error().code));
}

TEST_F(AccessTest, ATaskIsReadByItsSubmitterItsHolderAndWhoeverReadsItsGroup) {
    know("member", {"read:group:nightly*"});
    core::Task task = task_of("client", "review", "nightly-7");
    EXPECT_EQ(verdict(peer("client"), Wish::kRead, &task), "ok");
    EXPECT_EQ(verdict(peer("reader"), Wish::kRead, &task), "ok");
    EXPECT_EQ(verdict(peer("operator"), Wish::kRead, &task), "ok");
    EXPECT_EQ(verdict(peer("member"), Wish::kRead, &task), "ok");
    EXPECT_EQ(verdict(peer("local"), Wish::kRead, &task), "ok");
    EXPECT_EQ(verdict(peer("worker"), Wish::kRead, &task), "NOT_FOUND") << "not told that it is";
    EXPECT_EQ(verdict(peer("approver"), Wish::kRead, &task), "NOT_FOUND");
    task.lease = core::Lease{};
    task.lease->holder.identity = Identity("worker@1");
    EXPECT_EQ(verdict(peer("worker"), Wish::kRead, &task), "ok") << "while it holds it";
    task.group = GroupName("weekly");
    EXPECT_EQ(verdict(peer("member"), Wish::kRead, &task), "NOT_FOUND");
}

TEST_F(AccessTest, ATaskThatIsNotThereLooksLikeOneThatMayNotBeRead) {
    const core::Task task = task_of("somebody", "review");
    auto hidden = check_task(peer("client"), {TaskId("t"), Wish::kChange}, &task);
    auto absent = check_task(peer("client"), {TaskId("t"), Wish::kChange}, nullptr);
    ASSERT_FALSE(hidden);
    ASSERT_FALSE(absent);
    EXPECT_EQ(hidden.error().code, absent.error().code);
    EXPECT_EQ(hidden.error().message, absent.error().message);
}

TEST_F(AccessTest, ATaskIsChangedByItsSubmitterAndByOperators) {
    const core::Task task = task_of("client", "review");
    EXPECT_EQ(verdict(peer("client"), Wish::kChange, &task), "ok");
    EXPECT_EQ(verdict(peer("operator"), Wish::kChange, &task), "ok");
    EXPECT_EQ(verdict(peer("reader"), Wish::kChange, &task), "DENIED") << "which may read it";
    EXPECT_EQ(verdict(peer("worker"), Wish::kChange, &task), "NOT_FOUND");
}

TEST_F(AccessTest, ATaskIsEndedAndTakenByWhoeverWorksForItsRole) {
    const core::Task task = task_of("client", "review");
    for (const Wish wish : {Wish::kEnd, Wish::kTake}) {
        EXPECT_EQ(verdict(peer("worker"), wish, &task), "ok");
        EXPECT_EQ(verdict(peer("client"), wish, &task), "DENIED") << "not even its submitter";
    }
    const core::Task other = task_of("client", "write");
    EXPECT_EQ(verdict(peer("worker"), Wish::kEnd, &other), "NOT_FOUND");
    EXPECT_EQ(verdict(peer("operator"), Wish::kEnd, &other), "ok");
    EXPECT_EQ(verdict(peer("operator"), Wish::kTake, &other), "DENIED");
}

TEST_F(AccessTest, AnApprovalNeedsApproveAndOtherQuestionsAreTheSubmittersToo) {
    core::Task task = task_of("client", "review");
    Question question;
    question.id = "q";
    task.questions = {question};
    EXPECT_EQ(verdict(peer("client"), Wish::kAnswer, &task), "ok");
    EXPECT_EQ(verdict(peer("operator"), Wish::kAnswer, &task), "ok");
    EXPECT_EQ(verdict(peer("approver"), Wish::kAnswer, &task), "ok");
    task.questions.front().kind = QuestionKind::kApproval;
    EXPECT_EQ(verdict(peer("approver"), Wish::kAnswer, &task), "ok");
    EXPECT_EQ(verdict(peer("approver"), Wish::kRead, &task), "ok") << "what it is to approve";
    EXPECT_EQ(verdict(peer("client"), Wish::kAnswer, &task), "DENIED");
    EXPECT_EQ(verdict(peer("operator"), Wish::kAnswer, &task), "DENIED");
}

TEST_F(AccessTest, OnlyWordsWithoutALeaseAreAskedForTheRightToTheTask) {
    wire::Complete complete;
    complete.report.task = TaskId("t");
    ASSERT_TRUE(wish_of(complete));
    EXPECT_EQ(wish_of(complete)->wish, Wish::kEnd);
    complete.report.lease = {1, 2};
    EXPECT_FALSE(wish_of(complete));
    wire::Claim claim;
    claim.role = RoleName("review");
    EXPECT_FALSE(wish_of(claim));
    claim.task = TaskId("t");
    EXPECT_EQ(wish_of(claim)->wish, Wish::kTake);
}

TEST(Possession, IsOfWhoeverHasSentTheBytesAndTheOldestIsForgotten) {
    Possession shown(2);
    const Identity ann("ann@1");
    shown.add(ann, sha256("a"));
    EXPECT_TRUE(shown.has(ann, sha256("a")));
    EXPECT_FALSE(shown.has(Identity("bob@1"), sha256("a")));
    shown.add(ann, sha256("b"));
    shown.add(ann, sha256("b"));
    EXPECT_TRUE(shown.has(ann, sha256("a")));
    shown.add(ann, sha256("c"));
    EXPECT_FALSE(shown.has(ann, sha256("a")));
}

TEST(UploadProofs, AreCompleteWithAllBytesOfTheDigestFromTheirFirst) {
    UploadProofs proofs;
    const Identity ann("ann@1");
    const Digest digest = sha256("abcdef");
    EXPECT_EQ(proofs.take(ann, digest, 0, "abc").error().code, ErrorCode::NOT_FOUND);
    EXPECT_EQ(proofs.begin(ann, digest, 6), 0U);
    EXPECT_EQ(proofs.take(ann, digest, 3, "def")->offset, 0U) << "from the beginning";
    EXPECT_EQ(proofs.take(ann, digest, 0, "abc")->offset, 3U);
    EXPECT_EQ(proofs.begin(ann, digest, 6), 3U) << "resumed";
    EXPECT_EQ(proofs.begin(Identity("bob@1"), digest, 6), 0U) << "nobody else's bytes";
    const auto done = proofs.take(ann, digest, 3, "def");
    ASSERT_TRUE(done);
    EXPECT_TRUE(done->complete);
    EXPECT_EQ(proofs.take(ann, digest, 6, "").error().code, ErrorCode::NOT_FOUND) << "it is over";
}

TEST(UploadProofs, RefuseOtherBytesAndMoreBytes) {
    UploadProofs proofs;
    const Identity ann("ann@1");
    proofs.begin(ann, sha256("abc"), 3);
    EXPECT_EQ(proofs.take(ann, sha256("abc"), 0, "abcd").error().code, ErrorCode::TOO_LARGE);
    EXPECT_EQ(proofs.take(ann, sha256("abc"), 0, "xyz").error().code, ErrorCode::DIGEST_MISMATCH);
    proofs.begin(ann, sha256(""), 0);
    EXPECT_TRUE(proofs.take(ann, sha256(""), 0, "")->complete);
}

TEST(UploadProofs, ForgetTheLeastRecentOne) {
    UploadProofs proofs(2);
    const Identity ann("ann@1");
    for (const std::string text : {"aa", "bb", "cc"}) {
        proofs.begin(ann, sha256(text), 2);
        proofs.take(ann, sha256(text), 0, text.substr(0, 1));
    }
    EXPECT_EQ(proofs.take(ann, sha256("aa"), 1, "a").error().code, ErrorCode::NOT_FOUND);
    EXPECT_TRUE(proofs.take(ann, sha256("cc"), 1, "c")->complete);
}

}  // namespace
}  // namespace zq::edge
