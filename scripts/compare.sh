#!/usr/bin/env bash
# zq against Redis Streams with an append-only file that is synced always: the same load loops, the same number in
# flight, in turns, on this machine. Prints medians and ranges, and as its last line the ratios as JSON (zq over Redis;
# for times and memory less is better). Takes about ten minutes.
#   scripts/compare.sh [--repetitions N] [--seconds S] [--backlog TASKS] [--folder DIR]
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v redis-server >/dev/null; then
    as_root=()
    [[ $(id -u) -eq 0 ]] || as_root=(sudo)
    # For its program: whether Debian starts a server of its own with it is of no concern here.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq update </dev/null
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install -y --no-install-recommends redis-server </dev/null >/dev/null
fi
scripts/install-packages.sh
mkdir -p build
cmake --preset release >build/compare-configure.log 2>&1 || { cat build/compare-configure.log; exit 1; }
ninja -C build/release bin/zq bin/zq-coordinator bin/zq-compare >build/compare-build.log 2>&1 ||
    { tail -n 40 build/compare-build.log; exit 1; }

folder=$(mktemp -d "${TMPDIR:-$PWD/build}/compare-XXXXXX")
trap 'rm -rf "$folder"' EXIT
redis-server --version
build/release/bin/zq version 2>/dev/null || build/release/bin/zq --version
echo "$(nproc) cores, $(uname -sr), $(df --output=fstype "$folder" | tail -n 1)"
build/release/bin/zq-compare --folder "$folder" --redis "$(command -v redis-server)" "$@"
