#!/usr/bin/env bash
# A review worker: runs cppcheck over the sources that the task's context file names, and reports what
# it found as `file:line`. Start it in the tree that is to be reviewed:
#
#     zq-worker --role review-worker --workdir ~/src/project -- /path/to/review.sh
#
# The context file is Markdown. Two of its lists steer the review; all other text is for people:
#
#     ## Paths                      files, globs or folders, relative to the tree
#     - coordinator/core/*.cc
#     ## Checks                     what cppcheck is to enable
#     - warning
#     - performance
set -euo pipefail

# Exit 65 (bad data) sends a task to the dead-letter queue at once: trying again would not help.
refuse() {
    echo "review: $*" >&2
    exit 65
}

# The items of the list under one `## Heading` of the context file.
items_under() {
    awk -v wanted="$1" '
        /^#/ { heading = tolower($0); gsub(/^#+[ \t]*|[ \t]+$/, "", heading); inside = heading == wanted }
        inside && /^[-*] / { sub(/^[-*][ \t]+/, ""); sub(/[ \t]+$/, ""); gsub(/`/, ""); print }
    ' "$context"
}

# The C++ sources that the listed paths stand for, sorted. A path may not leave the tree.
sources() {
    local path match
    while read -r path; do
        [[ $path != /* && /$path/ != */../* ]] || refuse "path leaves the tree: $path"
        while read -r match; do
            find "$match" -type f \( -name '*.cc' -o -name '*.cpp' -o -name '*.h' \)
        done < <(compgen -G "$path" || true)
    done < <(items_under paths) | LC_ALL=C sort -u
}

report() {
    echo "# Review: ${title:-untitled}"
    echo
    echo "$files files, checks: ${checks//,/, }. $findings findings."
    if [[ $findings -gt 0 ]]; then
        echo
        echo "## By kind"
        echo
        cut -d ' ' -f 2,3 "$found" | LC_ALL=C sort | uniq -c | LC_ALL=C sort -k1,1nr -k2 |
            awk '{ printf "- %d × %s %s\n", $1, $2, $3 }'
        echo
        echo "## Findings"
        echo
        sed 's/^/- /' "$found"
    fi
    echo
    echo "## Files read"
    echo
    sed 's/^/- /' "$list"
}

context=$(find "$ZQ_TASK_DIR/context" -type f -name 'context*' | sed -n 1p)
[[ -n $context ]] || refuse "the task has no context file (zq submit --file)"
title=$(sed -n 's/^# *//p' "$context" | sed -n 1p)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
list=$scratch/files found=$scratch/findings

sources >"$list"
files=$(wc -l <"$list")
[[ $files -gt 0 ]] || refuse "no C++ source matches the context file's paths"
checks=$(items_under checks | paste -sd ,)
checks=${checks:-warning}
[[ $checks =~ ^(warning|style|performance|portability|,)+$ ]] || refuse "unknown check in: $checks"

cppcheck --quiet --language=c++ --std=c++20 --enable="$checks" --inline-suppr -I . -j 2 \
    --suppress=missingIncludeSystem --template='{file}:{line} {severity} {id}: {message}' \
    --file-list="$list" 2>&1 >/dev/null | LC_ALL=C sort -u >"$found"
findings=$(wc -l <"$found")

report >"$ZQ_RESULT"
{
    echo "summary=$findings findings in $files files ($checks)"
    echo "findings=$findings"
    echo "files=$files"
} >>"$ZQ_OUTPUT"
