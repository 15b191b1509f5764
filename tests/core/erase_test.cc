#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

/// A task that has ended, and whose events are stored.
CoreRig rig_with_ended(const std::string& id) {
    CoreRig rig;
    rig.submit(id);
    const Assignment given = rig.assign_to(1, "w1");
    rig.complete(id, given.lease.token);
    EXPECT_EQ(rig.state_of(id), TaskState::kCompleted);
    return rig;
}

/// What the edge finds of a task that is no longer in memory.
Facts stored_facts(CoreRig& rig, const std::string& id) {
    Facts facts;
    facts.task = rig.task(id);
    forget_projected(rig.state, rig.state.durable.last_seq);
    facts.bodies = {{1, CoreRig::digest(1)}, {4, CoreRig::digest(2)}};
    facts.contents = {CoreRig::digest(7)};
    facts.held.artifacts = {CoreRig::digest(7)};
    return facts;
}

std::vector<std::string> last_kinds(const CoreRig& rig, std::size_t count) {
    std::vector<std::string> kinds;
    for (std::size_t i = rig.journal.size() - count; i < rig.journal.size(); ++i) {
        kinds.emplace_back(kind_of(rig.journal.at(i).body));
    }
    return kinds;
}

TEST(Erase, OfATaskThatHasEndedRemovesItAndSaysWhatIsLeftOfItsEvents) {
    CoreRig rig = rig_with_ended("a");
    rig.facts = stored_facts(rig, "a");
    const Facts facts = rig.facts;
    EXPECT_EQ(CoreRig::answer<ChangedAnswer>(rig.run(EraseTask{TaskId("a"), "a key"})).task,
              TaskId("a"));
    EXPECT_EQ(last_kinds(rig, 3),
              (std::vector<std::string>{"task_removed", "texts_erased", "request_recorded"}));
    const auto& erased = std::get<TextsErased>(rig.journal.at(rig.journal.size() - 2).body);
    EXPECT_EQ(erased.bodies, facts.bodies);
    EXPECT_EQ(erased.contents, facts.contents);
    EXPECT_EQ(erased.reason, "a key");
    rig.submit("a");
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued) << "its id is free";
}

TEST(Erase, IsRefusedWhileTheTaskIsOpen) {
    CoreRig rig;
    rig.submit("a");
    rig.facts.bodies = {{1, CoreRig::digest(1)}};
    EXPECT_EQ(CoreRig::refusal(rig.run(EraseTask{TaskId("a"), ""})), "CONFLICT");
}

TEST(Erase, WaitsUntilTheLastWordOfTheTaskIsStored) {
    CoreRig rig = rig_with_ended("a");
    rig.facts.bodies = {{1, CoreRig::digest(1)}};
    EXPECT_EQ(CoreRig::refusal(rig.run(EraseTask{TaskId("a"), ""})), "BUSY")
        << "the end of its attempt is not among the facts";
}

TEST(Erase, ReachesATaskThatWasRemovedBefore) {
    CoreRig rig;
    rig.facts.known = true;
    rig.facts.bodies = {{1, CoreRig::digest(1)}};
    rig.run(EraseTask{TaskId("gone"), ""});
    EXPECT_EQ(last_kinds(rig, 2), (std::vector<std::string>{"texts_erased", "request_recorded"}));
    EXPECT_EQ(CoreRig::refusal(rig.run(EraseTask{TaskId("never"), ""})), "NOT_FOUND");
}

TEST(Erase, OfOneThatSaidNothingIsSaidAllTheSame) {
    CoreRig rig;
    rig.facts.known = true;  // what it said before may be in the journal's base
    rig.run(EraseTask{TaskId("gone"), ""});
    EXPECT_EQ(last_kinds(rig, 2), (std::vector<std::string>{"texts_erased", "request_recorded"}));
}

TEST(Erase, OfATaskThatOpenOnesWaitForIsRefused) {
    CoreRig rig = rig_with_ended("a");
    TaskSpec spec = CoreRig::spec("b");
    spec.after.tasks = {TaskId("a"), TaskId("c")};
    rig.submit("c");
    rig.facts.upstream[TaskId("a")] = true;
    rig.submit(spec);
    rig.facts = stored_facts(rig, "a");
    EXPECT_EQ(CoreRig::refusal(rig.run(EraseTask{TaskId("a"), ""})), "CONFLICT");
}

TEST(Erase, OfALongHistoryIsSaidInSeveralEvents) {
    CoreRig rig;
    rig.facts.known = true;
    for (Seq seq = 1; seq <= 2'500; ++seq) rig.facts.bodies.push_back({seq, CoreRig::digest(1)});
    rig.run(EraseTask{TaskId("gone"), ""});
    std::size_t bodies = 0;
    for (const Event& event : rig.journal) {
        const auto* erased = std::get_if<TextsErased>(&event.body);
        if (erased == nullptr) continue;
        EXPECT_LE(erased->bodies.size(), 1'000U);
        bodies += erased->bodies.size();
    }
    EXPECT_EQ(bodies, 2'500U);
}

TEST(Erase, SaidAgainIsDoneOnce) {
    CoreRig rig = rig_with_ended("a");
    rig.facts = stored_facts(rig, "a");
    rig.run(EraseTask{TaskId("a"), ""});
    const std::size_t events = rig.journal.size();
    --rig.request;  // the same request
    EXPECT_EQ(CoreRig::answer<ChangedAnswer>(rig.run(EraseTask{TaskId("a"), ""})).task,
              TaskId("a"));
    EXPECT_EQ(rig.journal.size(), events);
}

}  // namespace
}  // namespace zq::core
