// What an export leaves out: machines' names, and where files lie on them.
#include "cli/places.h"

#include <gtest/gtest.h>

namespace zq::cli {
namespace {

TEST(Places, HomesBecomeATildeAndUrisKeepTheirLastPart) {
    const std::pair<const char*, const char*> texts[] = {
        {"/home/ann/src/zq", "~/src/zq"},
        {"see /home/ann", "see ~"},
        {"'/Users/bob/x.md', and /home/ann/y", "'~/x.md', and ~/y"},
        {"HOME=/root", "HOME=~"},
        {"cannot open /root/a.txt", "cannot open ~/a.txt"},
        {"/srv/rootless /rooted", "/srv/rootless /rooted"},
        {"file:///srv/tasks/2026/a.md", "file:///…/a.md"},
        {"file:///a.md file:///b/c.md", "file:///a.md file:///…/c.md"},
        {"no path here: a/b", "no path here: a/b"},
        {"", ""},
    };
    for (const auto& [text, hidden] : texts) EXPECT_EQ(without_paths(text), hidden) << text;
}

TEST(Places, WorkersAndIdentitiesAreToldApartWithoutTheirNames) {
    const Json record = *Json::parse(
        R"({"worker":"host-review-1","identity":"laptop@0123456789abcdef","submitter":"local",)"
        R"("body":{"holder":{"worker":"host-review-1"},"reason":"lost /home/ann/x","n":3},)"
        R"("list":["file:///srv/x/a.md",{"answered_by":"bob@1"}]})",
        "record");
    const Json hidden = without_places(record);
    const std::string worker = *hidden.find("worker")->as_text();
    EXPECT_EQ(worker.rfind("worker-", 0), 0U);
    EXPECT_EQ(worker.size(), 15U);
    EXPECT_EQ(hidden.find("body")->find("holder")->find("worker")->as_text(), worker);
    EXPECT_EQ(hidden.find("identity")->as_text(), "@0123456789abcdef");
    EXPECT_EQ(hidden.find("submitter")->as_text(), "local");
    EXPECT_EQ(hidden.find("body")->find("reason")->as_text(), "lost ~/x");
    EXPECT_EQ(hidden.find("body")->find("n")->as_integer(), 3);
    EXPECT_EQ(hidden.find("list")->at(0).as_text(), "file:///…/a.md");
    EXPECT_EQ(hidden.find("list")->at(1).find("answered_by")->as_text(), "@1");
}

}  // namespace
}  // namespace zq::cli
