#!/usr/bin/env bash
# A worker whose agent is Claude Code (https://docs.claude.com/en/docs/claude-code):
#
#     zq-worker --role review-worker --agent claude --env ANTHROPIC_API_KEY \
#         -- /path/to/claude.sh {resume_id}
#
# The prompt is the task's prompt.md. The adapter (--agent claude) reads result, error, cost, tokens,
# model and session from what is printed. `{resume_id}` is the session of an earlier attempt of the
# same task on this worker; in a first attempt the word is not there.
#
# What the agent may do is yours to say: ZQ_CLAUDE_FLAGS (pass it with --env) holds more flags, such as
# `--allowedTools Read,Grep,Edit --max-turns 30`. Nothing is allowed here beyond the tool's own defaults.
set -euo pipefail

if ! command -v claude >/dev/null; then
    echo "claude.sh: the command 'claude' is not installed or not in PATH;" \
        "see https://docs.claude.com/en/docs/claude-code/setup" >&2
    exit 127 # the worker's fault: the task goes back, no attempt is charged
fi

resume=()
[[ $# -gt 0 && -n $1 ]] && resume=(--resume "$1")
# One word each: the flags are the owner's, not the task's.
read -ra flags <<<"${ZQ_CLAUDE_FLAGS:-}"

# The stream is a sign of life for --stall-timeout; its last line is what --output-format json prints.
exec claude --print --verbose --output-format stream-json "${resume[@]}" "${flags[@]}" <"$ZQ_PROMPT_FILE"
