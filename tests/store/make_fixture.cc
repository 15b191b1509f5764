// Writes the fixture of the current journal format: `store_make_fixture FOLDER` leaves
// FOLDER/journal.db with one task in every state and says the state's hash. A released format's
// fixture is committed as tests/fixtures/journal-vN.db and never made again.
#include <cstdio>

#include "coordinator/store/record_codec.h"
#include "coordinator/store/schema.h"
#include "tests/store/journal_bench.h"
#include "tests/store/story.h"

int main(int argc, char** argv) {
    using namespace zq::store;
    const std::string prefix = "v" + std::to_string(kFormatVersion) + "-";
    if (argc != 2) {
        std::fprintf(stderr, "usage: store_make_fixture FOLDER\n");
        return 2;
    }
    SqliteJournal journal(sqlite_options(argv[1]));
    Story story(acquire(journal));
    commit_all(journal, tell_everything(story, 0x5a5a000000000001, prefix));
    auto closed = journal.close();
    if (!closed) {
        std::fprintf(stderr, "%s\n", closed.error().message.c_str());
        return 1;
    }
    std::printf("state %s\n", zq::to_hex(state_hash(story.state())).c_str());
    return 0;
}
