// Who a worker is after its folder's files were damaged: somebody a coordinator takes.
#include "worker/state_folder.h"

#include "tests/worker/folder_rig.h"

namespace zq::worker {
namespace {

constexpr const char* kId = "00112233445566778899aabbccddeeff";

StateFolder open(const FolderRig& folder) {
    auto state = open_state_folder(folder.path(), "w", "role");
    EXPECT_TRUE(state) << state.error().message;
    return std::move(*state);
}

void write(const FolderRig& folder, const std::string& id, const std::string& incarnation) {
    ASSERT_TRUE(write_file(folder.file("state_id"), id, 0600, Durability::kNone));
    ASSERT_TRUE(write_file(folder.file("incarnation"), incarnation, 0600, Durability::kNone));
}

TEST(StateFolder, KeepsItsIdAndCountsItsStarts) {
    FolderRig folder;
    write(folder, std::string(kId) + "\n", "41\n");
    const StateFolder state = open(folder);
    EXPECT_EQ(state.state_id.text, kId);
    EXPECT_EQ(state.incarnation, 42U);
}

TEST(StateFolder, WithADamagedFileIsANewOne) {
    const std::pair<std::string, std::string> damaged[] = {
        {std::string(32, '\0'), "41\n"},  // a coordinator would refuse the id
        {"0011", "41\n"},
        {kId, "18446744073709551614"},  // one more would be the last
        {kId, ""},                      // and call the incarnation superseded
        {kId, "x"},
        {kId, "18446744073709551615"},
    };
    for (const auto& [id, incarnation] : damaged) {
        FolderRig folder;
        write(folder, id, incarnation);
        const StateFolder state = open(folder);
        EXPECT_EQ(state.state_id.text.find_first_not_of("0123456789abcdef"), std::string::npos);
        EXPECT_EQ(state.state_id.text.size(), 32U);
        EXPECT_NE(state.state_id.text, kId);
        EXPECT_GT(state.incarnation, 0U);
    }
}

}  // namespace
}  // namespace zq::worker
