// Rights: their spelling, and what follows from them.
#include "common/base/access.h"

#include <gtest/gtest.h>

namespace zq {
namespace {

Permissions of(const std::vector<std::string>& texts) {
    auto permissions = parse_permissions(texts, "permissions");
    EXPECT_TRUE(permissions) << permissions.error().message;
    return permissions ? *permissions : Permissions();
}

Permission one(const std::string& text) {
    return *parse_permission(text, "permission");
}

TEST(Permissions, AreSpelledAsTheyAreRead) {
    for (const std::string& text :
         {"submit:review-worker", "submit:*", "submit:review-*", "work:a", "read:own", "read:all",
          "read:group:nightly", "read:group:*", "put", "operate", "approve", "admin"}) {
        auto permission = parse_permission(text, "permission");
        ASSERT_TRUE(permission) << text;
        EXPECT_EQ(to_string(*permission), text);
    }
}

TEST(Permissions, WhatIsNoneIsRefusedWithWhatCouldStandThere) {
    for (const std::string& text :
         {"", "submit", "submit:", "submit:a b", "submit:*x", "read", "read:some", "read:group",
          "read:group:", "put:x", "admin:all", "Submit:a", "write:a", "submit:a/b", "operate:"}) {
        auto permission = parse_permission(text, "grant");
        ASSERT_FALSE(permission) << text;
        EXPECT_EQ(permission.error().field, "grant");
        EXPECT_NE(permission.error().message.find("read:group:NAME"), std::string::npos);
    }
    EXPECT_EQ(parse_permissions(std::vector<std::string>(257, "put"), "grant").error().code,
              ErrorCode::TOO_LARGE);
}

TEST(Permissions, ARoleIsMetByItsNameByABeginningAndByAll) {
    const Permissions some = of({"submit:review-*", "work:write"});
    EXPECT_TRUE(some.may_submit(RoleName("review-worker")));
    EXPECT_FALSE(some.may_submit(RoleName("write")));
    EXPECT_TRUE(some.may_work(RoleName("write")));
    EXPECT_FALSE(some.may_work(RoleName("writer")));
    EXPECT_TRUE(of({"work:*"}).may_work(RoleName("anything")));
    EXPECT_FALSE(of({"submit:*"}).may_work(RoleName("anything")));
}

TEST(Permissions, NothingIsAllowedByNone) {
    const Permissions none;
    EXPECT_FALSE(none.may_submit(RoleName("a")) || none.may_work(RoleName("a")) || none.may_put() ||
                 none.may_operate() || none.may_approve() || none.is_admin() || none.may_read() ||
                 none.may_read_all() || none.may_read_own() || none.may_read_group(GroupName("g")));
}

TEST(Permissions, AnAdminMayEverything) {
    const Permissions admin = Permissions::all();
    EXPECT_TRUE(admin.may_submit(RoleName("a")) && admin.may_work(RoleName("a")) &&
                admin.may_put() && admin.may_operate() && admin.may_approve() && admin.is_admin() &&
                admin.may_read() && admin.may_read_all() && admin.may_read_own() &&
                admin.may_read_group(GroupName("g")));
}

TEST(Permissions, OperatorsReadEverythingAndNobodyReadsMoreThanItMay) {
    EXPECT_TRUE(of({"operate"}).may_read_all());
    EXPECT_FALSE(of({"operate"}).may_approve());
    EXPECT_FALSE(of({"approve"}).may_read());
    const Permissions group = of({"read:group:night*"});
    EXPECT_TRUE(group.may_read_group(GroupName("nightly")));
    EXPECT_FALSE(group.may_read_group(GroupName("daily")));
    EXPECT_FALSE(group.may_read_group(GroupName())) << "a task without a group is in none";
    EXPECT_FALSE(group.may_read_own());
    EXPECT_FALSE(of({"read:group:*"}).may_read_all());
    EXPECT_TRUE(of({"read:all"}).may_read_own());
}

TEST(Permissions, IncludeWhatFollowsFromThem) {
    EXPECT_TRUE(of({"submit:*"}).include(one("submit:review")));
    EXPECT_TRUE(of({"submit:re*"}).include(one("submit:review-*")));
    EXPECT_FALSE(of({"submit:review-*"}).include(one("submit:re*")));
    EXPECT_FALSE(of({"submit:review"}).include(one("submit:*")));
    EXPECT_TRUE(of({"read:all"}).include(one("read:group:x")));
    EXPECT_TRUE(of({"read:group:*"}).include(one("read:group:x")));
    EXPECT_FALSE(of({"read:group:x"}).include(one("read:own")));
    EXPECT_TRUE(of({"operate"}).include(one("read:all")));
    EXPECT_TRUE(of({"admin"}).include(one("approve")));
    EXPECT_FALSE(of({"approve"}).include(one("admin")));
}

TEST(Permissions, AreASetThatGrowsAndShrinks) {
    const Permissions some = of({"put", "read:own", "put"});
    EXPECT_EQ(some.texts(), (std::vector<std::string>{"put", "read:own"}));
    EXPECT_EQ(some.with(one("admin")).texts(),
              (std::vector<std::string>{"admin", "put", "read:own"}));
    EXPECT_EQ(some.without(one("put")).texts(), (std::vector<std::string>{"read:own"}));
    EXPECT_EQ(some.without(one("read:all")), some) << "as it stands in the list, or not at all";
}

TEST(Permissions, TheUsualOnesAreOfEachKind) {
    EXPECT_EQ(default_permissions(KeyKind::kAdmin, {}).texts(),
              (std::vector<std::string>{"admin"}));
    EXPECT_EQ(default_permissions(KeyKind::kClient, {}).texts(),
              (std::vector<std::string>{"put", "read:own", "submit:*"}));
    EXPECT_EQ(default_permissions(KeyKind::kWorker, RoleName("review")).texts(),
              (std::vector<std::string>{"put", "read:own", "submit:*", "work:review"}));
    EXPECT_TRUE(default_permissions(KeyKind::kInvitation, {}).list().empty());
}

}  // namespace
}  // namespace zq
