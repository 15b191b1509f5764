#!/usr/bin/env bash
# Installs what is missing, builds everything (preset `release`) and runs every test.
# The last line is `N passed, N failed`; the exit code is 0 only if none failed.
# `scripts/test.sh ARGS…` hands ARGS to ctest, such as `-R Journal` or `-LE heavy`.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/ctest-summary.sh

started=$SECONDS
scripts/install-packages.sh

cmake --preset release >/dev/null
cmake --build --preset release -j "$(nproc)"
echo "built in $((SECONDS - started)) s; testing"

run_ctest build/release "$@"
print_ctest_summary release $((SECONDS - started))
echo "$ctest_passed passed, $ctest_failed failed"
[[ $ctest_failed -eq 0 ]]
