// Writes the fixtures of the current journal format: `store_make_fixture FOLDER KILLED` leaves
// FOLDER/journal.db with one task in every state and says the state's hash; KILLED is what a kill
// leaves of the same, all of it in the commit log. A released format's fixtures are committed as
// tests/fixtures/journal-vN.db and commit-log-vN.0, and never made again.
#include <cstdio>
#include <filesystem>

#include "coordinator/store/record_codec.h"
#include "coordinator/store/schema.h"
#include "tests/store/journal_bench.h"
#include "tests/store/story.h"

int main(int argc, char** argv) {
    using namespace zq::store;
    const std::string prefix = "v" + std::to_string(kFormatVersion) + "-";
    if (argc != 3) {
        std::fprintf(stderr, "usage: store_make_fixture FOLDER KILLED\n");
        return 2;
    }
    SqliteJournalOptions options = sqlite_options(argv[1]);
    options.log.project_every = 1'000'000;
    SqliteJournal journal(options);
    Story story(acquire(journal));
    commit_all(journal, tell_everything(story, 0x5a5a000000000001, prefix));
    std::filesystem::create_directories(argv[2]);
    for (const char* name : {"/journal.db", "/journal.db-wal", "/commit-log.0", "/commit-log.1"}) {
        std::filesystem::copy_file(argv[1] + std::string(name), argv[2] + std::string(name));
    }
    auto closed = journal.close();
    if (!closed) {
        std::fprintf(stderr, "%s\n", closed.error().message.c_str());
        return 1;
    }
    std::printf("state %s\n", zq::to_hex(state_hash(story.state())).c_str());
    return 0;
}
