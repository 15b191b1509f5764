// Prints the samples as vector files, to add new ones. Not run by the tests: what it prints is to
// be read and compared with protocol.md before it is committed.
//
//     zq_print_vectors worker|client|reading|control|artifacts     a whole vector file
//     zq_print_vectors example NAME                        the listing for protocol.md
#include <cstdio>

#include "tests/vectors/samples.h"
#include "tests/vectors/vector_file.h"

namespace {

using zq::vectors::Sample;

std::vector<Sample> samples_of(const std::string& file) {
    if (file == "worker") return zq::vectors::worker_samples();
    if (file == "client") return zq::vectors::client_samples();
    if (file == "reading") return zq::vectors::reading_samples();
    if (file == "control") return zq::vectors::control_samples();
    if (file == "artifacts") return zq::vectors::artifact_samples();
    return {};
}

void print_file(const std::vector<Sample>& samples) {
    std::printf(
        "# Golden vectors (form: vector_file.h). Changing a line here changes the protocol.\n");
    for (const Sample& sample : samples) {
        const auto frames = zq::wire::encode(sample.message);
        std::printf("\nname: %s\ntype: %s\nframes: %s\njson: %s\n", sample.name.c_str(),
                    frames[1].c_str(), zq::vectors::print_frames(frames).c_str(),
                    zq::vectors::to_json(frames[2]).c_str());
    }
}

int print_example(const std::string& name) {
    for (const char* file : {"worker", "client", "reading", "control", "artifacts"}) {
        for (const Sample& sample : samples_of(file)) {
            if (sample.name != name) continue;
            const auto frames = zq::wire::encode(sample.message);
            std::printf("```hex %s\n%s```\n", name.c_str(), zq::vectors::annotate(frames).c_str());
            return 0;
        }
    }
    std::fprintf(stderr, "no sample is called %s\n", name.c_str());
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "example" && argc == 3) return print_example(argv[2]);
    const auto samples = samples_of(what);
    if (samples.empty()) {
        std::fprintf(
            stderr,
            "usage: zq_print_vectors worker|client|reading|control|artifacts|example NAME\n");
        return 2;
    }
    print_file(samples);
    return 0;
}
