#!/usr/bin/python3
"""A worker in Python that shows the whole contract in a page: reads its task, saves its steps, listens
for a cancel, writes a result, names its cost.

    zq-worker --role digest-worker -- /path/to/digest.py

It counts the words of everything that was handed over with the task. Exit codes: 0 done; 65 the task
has no inputs and never will; 75 asked to stop: give the task back for later.
"""

import collections
import json
import os
import pathlib
import re
import signal
import sys

stop_asked = False


def ask_to_stop(_signal, _frame) -> None:
    """SIGTERM: the worker wants this attempt to end. After --grace it is killed."""
    global stop_asked
    stop_asked = True


def main() -> int:
    signal.signal(signal.SIGTERM, ask_to_stop)
    task = json.load(sys.stdin)
    inputs = sorted(path for path in pathlib.Path(os.environ["ZQ_TASK_DIR"], "context").rglob("*") if path.is_file())
    if not inputs:
        print("digest: the task has no inputs (zq submit --file)", file=sys.stderr)
        return 65
    words = collections.Counter()
    for path in inputs:
        # Between steps is the place to stop: nothing is half done.
        if stop_asked or os.path.exists(os.environ["ZQ_CANCEL_FILE"]):
            print("digest: asked to stop", file=sys.stderr)
            return 75
        print(f"reading {path.name}", flush=True)  # a sign of life: --stall-timeout counts from here
        words.update(re.findall(r"\w+", path.read_text(encoding="utf-8", errors="replace").lower()))
    rows = "".join(f"- {word}: {count}\n" for word, count in words.most_common(20))
    pathlib.Path(os.environ["ZQ_RESULT"]).write_text(
        f"# Words of {task['task_id']}\n\n{sum(words.values())} words in {len(inputs)} files.\n\n{rows}",
        encoding="utf-8",
    )
    with open(os.environ["ZQ_OUTPUT"], "a", encoding="utf-8") as keys:
        keys.write(f"summary={sum(words.values())} words in {len(inputs)} files\ncost_usd=0\nstatus=completed\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
