# To be sourced: runs ctest on a build folder and counts. Sets ctest_passed, ctest_failed and
# ctest_skipped; a run that produced no report, or no tests, counts as one failure.

# run_ctest BUILD_FOLDER [CTEST ARGUMENTS…]; a command in ctest_prefix goes before ctest.
ctest_prefix=()
run_ctest() {
    local folder=$1 report
    shift
    report=$folder/ctest-report.xml
    rm -f "$report"
    "${ctest_prefix[@]}" ctest --test-dir "$folder" -j"$(($(nproc) + 1))" --output-on-failure --timeout 900 --no-tests=error \
        --output-junit "$PWD/$report" "$@" </dev/null || true
    count_ctest_report "$report"
}

# count_ctest_report JUNIT_FILE
count_ctest_report() {
    ctest_passed=0 ctest_failed=1 ctest_skipped=0
    [[ -s "$1" ]] || return 0
    local total failed skipped disabled
    total=$(junit_number "$1" tests)
    failed=$(junit_number "$1" failures)
    skipped=$(junit_number "$1" skipped)
    disabled=$(junit_number "$1" disabled)
    [[ $total -gt 0 ]] || return 0
    ctest_failed=$failed
    ctest_skipped=$((skipped + disabled))
    ctest_passed=$((total - failed - ctest_skipped))
}

# The number of one attribute of the report's first <testsuite>.
junit_number() {
    sed -n "/<testsuite/,/>/ s/.*[[:space:]]$2=\"\([0-9]*\)\".*/\1/p" "$1" | sed -n 1p | grep . || echo 0
}

# print_ctest_summary NAME SECONDS: one line, and the names of what was skipped.
print_ctest_summary() {
    echo "$1: $ctest_passed passed, $ctest_failed failed, $ctest_skipped skipped in $2 s"
}
