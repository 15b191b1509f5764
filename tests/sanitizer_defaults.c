// What the sanitizers of a build are told, compiled into every program of it: a program that is started
// inside a task has no environment but what its worker passes on. The variables of the environment
// (`TSAN_OPTIONS` and the rest) still add to it.

// Little is kept back of what was freed, so that bounds on memory can be tested; limits on core files
// are a worker's to hand on.
const char *__asan_default_options(void) {
    return "detect_leaks=1:exitcode=86:quarantine_size_mb=16:disable_coredump=0";
}

const char *__ubsan_default_options(void) {
    return "halt_on_error=1:print_stacktrace=1:exitcode=86";
}

const char *__tsan_default_options(void) {
    return "ignore_noninstrumented_modules=1:halt_on_error=1:exitcode=86:disable_coredump=0";
}

// libzmq of Debian is not instrumented: its own hand-over between threads looks like a race.
const char *__tsan_default_suppressions(void) {
    return "called_from_lib:libzmq.so\n"
           "race:libzmq.so\n";
}
