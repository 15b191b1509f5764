#!/usr/bin/python3
"""What the workers of these tests run: a task that lasts until the test lets it go.

child.py FOLDER: appends a line to FOLDER/TASK.ATTEMPT.PID at its start, every 10 ms while it lives, and
at its end; ends with a result when FOLDER/go or FOLDER/go-TASK appears. The lines carry the time of
CLOCK_MONOTONIC in milliseconds, which all processes of a machine share, so that the test can tell
whether two children of one task ever ran at the same time.
"""

import os
import select
import signal
import sys
import time

BEAT_S = 0.01


def main() -> int:
    folder, task, attempt = sys.argv[1], os.environ["ZQ_TASK_ID"], os.environ["ZQ_ATTEMPT"]
    # Real agents ignore SIGTERM: only a kill ends this one early.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(f"{folder}/{task}.{attempt}.{os.getpid()}", "w", buffering=1, encoding="ascii") as life:
        while True:
            life.write(f"{time.monotonic_ns() // 1_000_000}\n")
            if os.path.exists(f"{folder}/go") or os.path.exists(f"{folder}/go-{task}"):
                break
            select.select([], [], [], BEAT_S)
        with open(os.environ["ZQ_RESULT"], "w", encoding="ascii") as result:
            result.write(f"{task} attempt {attempt}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
