// A whole worker program: the role `word-count` served by C++. Leases, heartbeats, the outbox,
// uploads and reports are the library's; what the handler writes to its out folder is kept. Try it:
//
//     word-counter &
//     zq run --to word-count --instructions "to be or not to be"
#include <fstream>
#include <map>
#include <sstream>

#include "worker/handler.h"

zq::worker::HandlerResult count_words(const zq::worker::HandlerTask& task) {
    std::istringstream text(task.spec().instructions);
    std::map<std::string, int> counts;
    for (std::string word; text >> word;) ++counts[word];
    std::ofstream result(task.out_folder() + "/result.md");
    for (const auto& [word, count] : counts) result << count << ' ' << word << '\n';
    zq::worker::HandlerResult answer;
    answer.summary = std::to_string(counts.size()) + " different words";
    return answer;
}

int main(int argc, char** argv) {
    return zq::worker::run_main(argc, argv, {{"word-count", count_words}});
}
