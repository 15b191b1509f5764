// A target without libFuzzer, for every build: the corpus, the seeds, and a bounded number of
// random mutations of both. The same numbers make the same run.
//
//     zq_replay_TARGET [COUNT [SEED]]         COUNT mutations (default 2000, seed 1)
//     zq_replay_TARGET --input FILE…          these inputs alone, such as libFuzzer's crash-…
//     zq_replay_TARGET --unpack FOLDER        corpus and seeds as files, for libFuzzer
//     zq_replay_TARGET --pack FOLDER          the folder's files as lines for corpus/TARGET.txt
//
// Where an input breaks something, it is printed as a line for corpus/TARGET.txt.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "common/platform/files.h"
#include "common/platform/log.h"
#include "tests/fuzz/corpus_file.h"
#include "tests/fuzz/mutation.h"
#include "tests/fuzz/target.h"

// The sanitizers end the process by themselves; this is how they say it first.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

using namespace zq::fuzz;

std::string_view current;  // the input that is being run

void say_current() {
    std::string line = "broken by this input:\n" + to_line(current.substr(0, kLargestInput)) + "\n";
    if (current.size() > kLargestInput) line += "(the beginning of it: it is a seed)\n";
    static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
}

void on_signal(int signal) {
    say_current();
    std::signal(signal, SIG_DFL);
    ::raise(signal);
}

void run_input(std::string_view input) {
    current = input;
    run(input);
}

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(1);
}

std::vector<std::string> read_files(const std::vector<std::string>& paths) {
    std::vector<std::string> inputs;
    for (const std::string& path : paths) {
        auto input = zq::read_file(path);
        if (!input) give_up(path + ": " + input.error().message);
        inputs.push_back(std::move(*input));
    }
    return inputs;
}

int pack(const std::string& folder) {
    auto names = zq::list_folder(folder);
    if (!names) give_up(names.error().message);
    for (std::string& name : *names) name = folder + "/" + name;
    for (const std::string& input : read_files(*names)) std::puts(to_line(input).c_str());
    return 0;
}

int unpack(const std::string& folder, const std::vector<std::string>& inputs) {
    if (auto ok = zq::make_folders(folder, 0700); !ok) give_up(ok.error().message);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const std::string path = folder + "/" + std::to_string(i);
        auto ok = zq::write_file(path, inputs[i], 0600, zq::Durability::kNone);
        if (!ok) give_up(ok.error().message);
    }
    return 0;
}

/// What every run starts from: the corpus first.
std::vector<std::string> starting_points() {
    auto inputs = read_corpus(ZQ_CORPUS_FILE);
    if (!inputs) give_up(inputs.error().message);
    for (std::string& seed : seeds()) inputs->push_back(std::move(seed));
    if (inputs->empty()) give_up("neither a corpus nor a seed");
    return std::move(*inputs);
}

int replay(const std::vector<std::string>& inputs, unsigned long count, unsigned long seed) {
    Random random(seed);
    for (const std::string& input : inputs) run_input(input);
    for (unsigned long i = 0; i < count; ++i) {
        run_input(mutate(inputs[below(random, inputs.size())], inputs, random));
    }
    std::printf("%zu inputs and %lu mutations of them\n", inputs.size(), count);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    const std::string first = words.empty() ? "" : words[0];
    static_cast<void>(zq::set_log_level("off"));  // what is refused may be logged: here, all day
    if (first == "--pack" && words.size() == 2) return pack(words[1]);
    if (first == "--unpack" && words.size() == 2) return unpack(words[1], starting_points());
    std::signal(SIGABRT, on_signal);
    if (__sanitizer_set_death_callback != nullptr) {
        __sanitizer_set_death_callback(say_current);
    } else {
        std::signal(SIGSEGV, on_signal);
    }
    if (first == "--input") {
        return replay(read_files({words.begin() + 1, words.end()}), 0, 0);
    }
    const unsigned long count = words.empty() ? 2'000 : std::strtoul(words[0].c_str(), nullptr, 10);
    const unsigned long seed = words.size() < 2 ? 1 : std::strtoul(words[1].c_str(), nullptr, 10);
    return replay(starting_points(), count, seed);
}
