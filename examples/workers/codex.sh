#!/usr/bin/env bash
# A worker whose agent is Codex (https://developers.openai.com/codex/cli):
#
#     zq-worker --role fix-worker --agent codex --git-worktree ~/src/project \
#         -- /path/to/codex.sh {resume_id}
#
# With --git-worktree it works in a tree of its own, and what it changes becomes the artifact patch.diff.
# The prompt is the task's prompt.md. The adapter (--agent codex) reads the last message, the tokens and
# the thread from what is printed. `{resume_id}` is the thread of an earlier attempt of the same task on
# this worker; in a first attempt the word is not there.
#
# ZQ_CODEX_FLAGS (pass it with --env) holds more flags for `codex exec`, such as `--sandbox workspace-write`.
set -euo pipefail

if ! command -v codex >/dev/null; then
    echo "codex.sh: the command 'codex' is not installed or not in PATH;" \
        "see https://developers.openai.com/codex/cli" >&2
    exit 127 # the worker's fault: the task goes back, no attempt is charged
fi

# One word each: the flags are the owner's, not the task's.
read -ra flags <<<"${ZQ_CODEX_FLAGS:-}"

# A prompt of `-` is read from stdin.
if [[ $# -gt 0 && -n $1 ]]; then
    exec codex exec --json --skip-git-repo-check "${flags[@]}" resume "$1" - <"$ZQ_PROMPT_FILE"
fi
exec codex exec --json --skip-git-repo-check "${flags[@]}" - <"$ZQ_PROMPT_FILE"
