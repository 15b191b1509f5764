#!/usr/bin/env bash
# From a fresh clone to the main job on real input: builds zq, starts a coordinator and two workers on
# this machine, has this repository's sources reviewed and a failing test of a small project repaired,
# checks the results, and stops everything it started. Works in build/quickstart alone. With ZQ_BIN_DIR set,
# the programs of that folder are taken and nothing is built.
set -euo pipefail
cd "$(dirname "$0")/.."
repo=$PWD
bin=${ZQ_BIN_DIR:-$repo/build/release/bin}
folder=$repo/build/quickstart

bold='' dim='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; fi
title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
# Shows a command as one would type it, then runs it.
run() { printf '%s$ %s%s\n' "$dim" "${*//$repo\//}" "$plain"; "$@"; }
die() { echo "quickstart: $*" >&2; exit 1; }

started_pids=()
start() { # NAME COMMAND…: in the background, its output in NAME.log
    local name=$1
    shift
    printf '%s$ %s &%s\n' "$dim" "${*//$repo\//}" "$plain"
    "$@" >"$folder/$name.log" 2>&1 </dev/null &
    started_pids+=($!)
}
stop_all() {
    local status=$? index pid
    for ((index = ${#started_pids[@]} - 1; index >= 0; index--)); do
        pid=${started_pids[index]}
        kill -TERM "$pid" 2>/dev/null || continue
        timeout 20 tail --pid="$pid" -f /dev/null || kill -KILL "$pid" 2>/dev/null || true
    done
    if [[ $status -ne 0 ]]; then
        echo "quickstart: stopped with exit code $status; the logs' ends:" >&2
        tail -n 15 "$folder"/*.log >&2 || true
    fi
    exit "$status"
}

build() {
    title "Build"
    scripts/install-packages.sh
    mkdir -p build
    cmake --preset release >build/configure.log 2>&1 || { cat build/configure.log >&2; exit 1; }
    cmake --build --preset release --target zq zq-coordinator zq-worker -j "$(nproc)" >build/build.log 2>&1 ||
        { tail -n 60 build/build.log >&2; die "the build failed: build/build.log"; }
}
[[ -n ${ZQ_BIN_DIR:-} ]] || build
"$bin/zq" version

rm -rf "$folder"
mkdir -p "$folder/client"
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Two free ports, and a configuration file of our own instead of the user's.
read -r control artifacts < <(/usr/bin/python3 -c '
import socket
ports = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(port.getsockname()[1] for port in ports))')
export ZQ_CONFIG=$folder/client/config.toml ZQ_CONNECT=tcp://127.0.0.1:$control
PATH=$bin:$PATH

title "1. A coordinator and two workers, as processes of this machine"
start coordinator zq-coordinator --data "$folder/data" \
    --bind "$ZQ_CONNECT" --artifacts-bind "tcp://127.0.0.1:$artifacts"
run zq ping
start review-worker zq-worker --role review-worker --state "$folder/review-worker" \
    --workdir "$repo" -- "$repo/examples/workers/review.sh"
start implementation-worker zq-worker --role implementation-worker --state "$folder/implementation-worker" \
    -- "$repo/examples/workers/implement.py"
for _ in $(seq 100); do
    [[ $(zq worker ls -q | wc -l) -ge 2 ]] && break
    read -rt 0.1 <> <(:) || true
done
run zq worker ls

title "2. Three tasks: two reviews of these sources, one failing test"
tar -C examples -cf "$folder/project.tar" failing-project
submit() { # VARIABLE ARGUMENTS…
    local -n id=$1
    shift
    printf '%s$ zq submit %s%s\n' "$dim" "${*//$repo\//}" "$plain"
    id=$(zq submit -q --from quickstart --group quickstart "$@")
    echo "$id"
}
submit correctness --to review-worker --type review --file examples/contexts/review-correctness.md --expect result,summary
submit style --to review-worker --type review --file examples/contexts/review-style.md --expect result,summary
submit repair --to implementation-worker --type implementation --file examples/contexts/fix-slug.md \
    --artifact "$folder/project.tar" --expect patch,test-output

title "3. Wait for them"
run zq wait "$correctness" "$style" "$repair" --timeout 300s

title "4. The two reviews: the same worker, another context file, another report"
for id in "$correctness" "$style"; do
    run zq result "$id" --verify --fields name,size,digest,verdict
    zq result "$id" >"$folder/review-$id.md"
    # Reads to the end: a reader that stops early would end the writer, and with it this script.
    awk '/^(# |[0-9]+ files|- .*:[0-9]+ )/ && ++shown <= 8' "$folder/review-$id.md"
    echo "${dim}… the whole report: build/quickstart/review-$id.md$plain"
done
! cmp -s "$folder/review-$correctness.md" "$folder/review-$style.md" || die "the reports do not differ"

title "5. The repair: its patch on a fresh copy, with the test that failed before"
run zq result "$repair" --verify --out "$folder/repair" --fields name,size,digest,verdict
cat "$folder/repair/patch.diff"
cp -r examples/failing-project "$folder/fresh"
if (cd "$folder/fresh" && ./run-tests.sh) >"$folder/before.txt" 2>&1; then die "the test did not fail before"; fi
echo "before: $(tail -n 1 "$folder/before.txt")"
patch --quiet -p1 -d "$folder/fresh" <"$folder/repair/patch.diff"
(cd "$folder/fresh" && ./run-tests.sh) >"$folder/after.txt" 2>&1 || die "the test still fails: $folder/after.txt"
echo "after:  $(tail -n 1 "$folder/after.txt")"

title "6. What the coordinator remembers of it"
run zq show "$repair"
run zq ls --group quickstart

title "Done. To go on by hand"
cat <<END
This run's tasks are kept in build/quickstart/data. Start the server again, and in other terminals:
  export PATH=$bin:\$PATH
  zq-coordinator --data build/quickstart/data
  zq-worker --role review-worker --workdir . -- examples/workers/review.sh
  zq submit --to review-worker --file examples/contexts/review-style.md
  zq ls
README.md walks through one machine and two; \`zq help\` lists all commands.
END
