// Open tasks of which some rest in the store: nobody notices, but for the memory.
#include <gtest/gtest.h>

#include <map>

#include "coordinator/core/open_tasks.h"

namespace zq::core {
namespace {

TaskKey key(const std::string& id) {
    return {kDefaultNamespace, TaskId(id)};
}

Task task(const std::string& id, Seq changed) {
    Task made;
    made.key = key(id);
    made.role = RoleName("review");
    made.submitted_seq = changed;
    made.changed_seq = changed;
    return made;
}

/// A store with every task as it was projected.
struct Records : TaskRecords {
    Task load(const TaskKey& wanted) override {
        ++loads;
        return rows.at(wanted);
    }
    std::map<TaskKey, Task> rows;
    int loads = 0;
};

struct Bench {
    explicit Bench(std::size_t in_memory) { open.rest_in(records, in_memory); }
    void submit(const std::string& id) {
        const Task made = task(id, ++seq);
        open.insert(made);
        records->rows[made.key] = made;
    }
    std::shared_ptr<Records> records = std::make_shared<Records>();
    OpenTasks open;
    Seq seq = 0;
};

TEST(OpenTasks, GiveBackWhatRestsInTheStore) {
    Bench bench(1);
    for (const char* id : {"a", "b", "c"}) bench.submit(id);
    bench.open.rest(bench.seq);
    EXPECT_EQ(bench.open.size(), 3U);
    EXPECT_TRUE(bench.open.contains(key("a")));
    EXPECT_EQ(bench.records->loads, 0) << "a name is known without the record";
    EXPECT_EQ(bench.open.at(key("a")), task("a", 1));
    EXPECT_EQ(bench.records->loads, 1);
    EXPECT_EQ(bench.open.find(key("nobody")), nullptr);
    EXPECT_EQ(bench.records->loads, 1);
}

TEST(OpenTasks, KeepInMemoryWhatTheStoreDoesNotHaveYet) {
    Bench bench(0);
    for (const char* id : {"a", "b"}) bench.submit(id);
    bench.open.change(key("a")).attempts = 7;
    bench.open.change(key("a")).changed_seq = 3;
    bench.open.rest(2);
    EXPECT_EQ(bench.open.at(key("a")).attempts, 7U);
    bench.records->rows[key("a")] = bench.open.at(key("a"));
    bench.open.rest(3);
    EXPECT_EQ(bench.open.at(key("a")).attempts, 7U);
    EXPECT_GT(bench.records->loads, 0) << "it rested in between";
}

TEST(OpenTasks, LetTheOneGoThatWasAskedForLongestAgo) {
    Bench bench(2);
    for (const char* id : {"a", "b", "c"}) bench.submit(id);
    static_cast<void>(bench.open.find(key("a")));
    bench.open.rest(bench.seq);
    static_cast<void>(bench.open.find(key("a")));
    static_cast<void>(bench.open.find(key("c")));
    EXPECT_EQ(bench.records->loads, 0);
    static_cast<void>(bench.open.find(key("b")));
    EXPECT_EQ(bench.records->loads, 1);
}

TEST(OpenTasks, ATaskThatEndsLeavesWithItsRecordWhereverThatWas) {
    Bench bench(0);
    for (const char* id : {"a", "b"}) bench.submit(id);
    bench.open.rest(bench.seq);
    EXPECT_EQ(bench.open.take(key("a")), task("a", 1));
    EXPECT_FALSE(bench.open.contains(key("a")));
    EXPECT_EQ(bench.open.size(), 1U);
    bench.submit("a");
    EXPECT_EQ(bench.open.at(key("a")), task("a", 3)) << "the id may come again";
}

TEST(OpenTasks, AreTheSameInMemoryAndAtRestAndInTheOrderOfKeys) {
    Bench bench(1);
    for (const char* id : {"c", "a", "b"}) bench.submit(id);
    const OpenTasks before = bench.open;
    bench.open.rest(bench.seq);
    EXPECT_EQ(bench.open, before);
    std::string ids;
    bench.open.for_each([&](const Task& each) { ids += each.key.id.text; });
    EXPECT_EQ(ids, "abc");
    bench.open.change(key("a")).attempts = 1;
    EXPECT_FALSE(bench.open == before);
}

TEST(OpenTasks, OfARestartAreInMemoryAsFarAsThereIsRoom) {
    Bench bench(1);
    for (const char* id : {"a", "b"}) {
        const Task made = task(id, ++bench.seq);
        bench.records->rows[made.key] = made;
        bench.open.restore(made);
    }
    EXPECT_EQ(bench.open.at(key("a")), task("a", 1));
    EXPECT_EQ(bench.records->loads, 0);
    EXPECT_EQ(bench.open.at(key("b")), task("b", 2));
    EXPECT_EQ(bench.records->loads, 1);
}

TEST(SharedKey, SortsAndComparesAsTheKeyItWasMadeOf) {
    const TaskKey keys[] = {{Namespace("a"), TaskId("bc")},
                            {Namespace("ab"), TaskId("c")},
                            {Namespace("ab"), TaskId("d")},
                            {Namespace("b"), TaskId("")}};
    for (const TaskKey& a : keys) {
        for (const TaskKey& b : keys) {
            EXPECT_EQ(SharedKey(a) < SharedKey(b), a < b);
            EXPECT_EQ(SharedKey(a) == SharedKey(b), a == b);
        }
        EXPECT_EQ(SharedKey(a).key(), a);
        EXPECT_TRUE(SharedKey(a) == a);
    }
}

}  // namespace
}  // namespace zq::core
