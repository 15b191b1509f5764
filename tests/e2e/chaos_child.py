#!/usr/bin/python3
"""What the workers of the chaos test run: a task whose `type` says how it behaves, as MODE-MILLISECONDS.

chaos_child.py RECORD WORKER: appends what it does to the file RECORD, which all children share, one line a
write (O_APPEND): `WHAT WHO TASK ATTEMPT LEASE PID WORKER TIME [DETAIL]`, TIME in milliseconds of
CLOCK_BOOTTIME. WHAT is `start`, `tick` (every 50 ms while it runs: a stopped process gives none), `result`
(DETAIL: SHA-256 of the bytes it is about to leave as its result), `context` (of what it was given) or
`end`; WHO is `main` or `daemon`.
"""

import hashlib
import os
import select
import signal
import sys
import time

TICK_S = 0.05
BIG_BYTES = 300_000


class Child:
    def __init__(self, record: str, worker: str):
        self.record = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.worker = worker
        self.task, self.lease = os.environ["ZQ_TASK_ID"], os.environ["ZQ_LEASE"]
        self.attempt = int(os.environ["ZQ_ATTEMPT"])
        self.who = "main"

    def say(self, what: str, detail: str = "") -> None:
        at = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
        line = f"{what} {self.who} {self.task} {self.attempt} {self.lease} {os.getpid()} {self.worker} {at} {detail}"
        os.write(self.record, line.rstrip().encode() + b"\n")

    def run_for(self, milliseconds: int) -> None:
        end = time.clock_gettime(time.CLOCK_BOOTTIME) + milliseconds / 1000
        while time.clock_gettime(time.CLOCK_BOOTTIME) < end:
            self.say("tick")
            select.select([], [], [], TICK_S)

    def leave_daemon(self) -> None:
        """A process of a session and a group of its own, which would tick for an hour."""
        if os.fork() == 0:
            os.setsid()
            if os.fork() != 0:
                os._exit(0)
            self.who = "daemon"
            self.say("start")
            self.run_for(3_600_000)
            os._exit(0)
        os.wait()

    def note_context(self) -> None:
        folder = os.path.join(os.environ["ZQ_TASK_DIR"], "context")
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name), "rb") as file:
                self.say("context", hashlib.sha256(file.read()).hexdigest())

    def leave_result(self, size: int = 0) -> None:
        content = f"{self.task} {self.attempt} {self.lease} {os.getpid()} ".encode() + os.urandom(16).hex().encode()
        content += b"." * max(0, size - len(content))
        self.say("result", hashlib.sha256(content).hexdigest())
        with open(os.environ["ZQ_RESULT"], "wb") as result:
            result.write(content)

    def behave(self, mode: str, milliseconds: int) -> int:
        if mode == "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if mode == "daemon":
            self.leave_daemon()
        self.note_context()
        self.run_for(milliseconds)
        if mode == "fail" or (mode == "flaky" and self.attempt == 1):
            return 1
        if mode == "permanent":
            return 65
        if mode == "later" and self.attempt == 1:
            return 75
        if mode == "crash" and self.attempt % 2 == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if mode == "skip":
            with open(os.environ["ZQ_OUTPUT"], "a", encoding="ascii") as output:
                output.write("status=skipped\n")
            return 0
        self.leave_result(BIG_BYTES if mode == "big" else 0)
        return 0


def main() -> int:
    child = Child(sys.argv[1], sys.argv[2])
    mode, _, milliseconds = os.environ["ZQ_TYPE"].partition("-")
    child.say("start")
    code = child.behave(mode, int(milliseconds))
    child.say("end", str(code))
    return code


if __name__ == "__main__":
    sys.exit(main())
