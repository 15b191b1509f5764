// The program zq-worker: a worker that runs a command per task, without handlers.
#include "worker/handler.h"

int main(int argc, char** argv) {
    return zq::worker::run_main(argc, argv, {});
}
