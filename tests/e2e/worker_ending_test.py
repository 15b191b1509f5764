#!/usr/bin/python3
"""Commands that do not end as they should: that trap SIGTERM, leave a daemon behind, never exit, hang, or
write without end; and a supervisor that is killed. Real programs; no task is lost or run twice at once.

ZQ_OUTPUT_GIB says how much the writing one writes (1)."""

import contextlib
import os
import signal
import threading

from zq_e2e import Case, await_that, high_water_kib, is_alive, main

SHORT_LEASE = ("--lease", "2s", "--heartbeat", "400ms")


def bash(text: str) -> list[str]:
    return ["/bin/bash", "-c", text]


def number_in(path: str) -> int:
    """The number that a command writes to a file as one line, once it is there."""
    def read():
        if not os.path.exists(path):
            return 0
        with open(path, encoding="ascii") as file:
            text = file.read()
        return int(text) if text.endswith("\n") else 0
    return await_that(read, f"a number in {path}")


class WorkerEnding(Case):
    def setUp(self):
        super().setUp()
        self.box.coordinator(*SHORT_LEASE)

    def attempt(self, task: str, number: int = 1) -> dict:
        return next(each for each in self.box.show(task)["attempts"] if each["attempt"] == number)

    def run_one(self, script: str, *flags: str, ok: tuple = (0,)) -> str:
        """Runs one task through a worker of its own, and gives its id."""
        self.box.worker("w1", "build", bash(script), flags=flags)
        task = self.box.submit("build", "--max-attempts", "1")
        self.box.zq("wait", task, "--timeout", "100s", ok=ok, seconds=110)
        return task

    def test_one_that_traps_sigterm_may_clean_up_and_its_evidence_is_kept(self):
        box = self.box
        up = box.path("up")
        box.worker("w1", "build", bash(
            f"trap 'echo saved > $ZQ_OUT/saved.txt; exit 0' TERM; echo $$ > {up}; while :; do sleep 0.05; done"))
        task = box.submit("build")
        child = number_in(up)
        box.zq("cancel", task, "--reason", "not needed")
        box.zq("wait", task, "--timeout", "30s", ok=(11,))
        self.assertFalse(is_alive(child))
        self.assertEqual(box.zq("artifact", "cat", task, "saved.txt"), "saved")

    def test_one_that_ignores_sigterm_is_killed_after_the_grace_with_its_daemon(self):
        box = self.box
        up, daemon = box.path("up"), box.path("daemon")
        box.worker("w1", "build", bash(
            f"trap '' TERM; (setsid bash -c 'trap \"\" TERM; echo $$ > {daemon}; while :; do sleep 0.05; done' &)"
            f"; echo $$ > {up}; while :; do sleep 0.05; done"), flags=("--grace", "500ms"))
        task = box.submit("build")
        pids = [number_in(up), number_in(daemon)]
        box.zq("cancel", task)
        box.zq("wait", task, "--timeout", "30s", ok=(11,))
        await_that(lambda: not any(is_alive(pid) for pid in pids), "command and daemon are dead")

    def test_a_daemon_that_outlives_its_command_is_reaped(self):
        daemon = self.box.path("daemon")
        task = self.run_one(
            f"(setsid bash -c 'echo $$ > {daemon}; exec sleep 600' </dev/null >/dev/null 2>&1 &);"
            f"while [ ! -s {daemon} ]; do sleep 0.01; done; echo done > $ZQ_RESULT")
        self.assertEqual(self.box.zq("result", task), "done")
        self.assertFalse(is_alive(number_in(daemon)))

    def test_one_that_never_exits_after_its_final_word_counts_as_said(self):
        script = "trap '' TERM; {}; while :; do sleep 0.05; done"
        task = self.run_one(script.format("echo fine > $ZQ_RESULT; echo status=completed > $ZQ_OUTPUT"),
                            "--linger", "500ms")
        self.assertEqual(self.box.zq("result", task), "fine")
        self.assertEqual(self.attempt(task)["outcome"], "completed")

    def test_one_that_hangs_is_stopped_as_stalled(self):
        task = self.run_one("echo begun; exec sleep 600", "--stall-timeout", "1s", "--grace", "1s", ok=(10,))
        attempt = self.attempt(task)
        self.assertEqual(attempt["outcome"], "failed")
        self.assertIn("stalled", attempt["reason"])

    def test_a_second_sigterm_gives_the_task_back(self):
        box = self.box
        up = box.path("up")
        worker = box.worker("w1", "build", bash(f"trap '' TERM; echo $$ > {up}; while :; do sleep 0.05; done"),
                            flags=("--grace", "300ms"))
        task = box.submit("build")
        child = number_in(up)
        worker.signal(signal.SIGTERM)
        await_that(lambda: "draining" in worker.output(), "the worker drains")
        self.assertTrue(is_alive(child))
        worker.signal(signal.SIGTERM)
        self.assertEqual(worker.wait(), 0)
        self.assertFalse(is_alive(child))
        self.assertEqual(box.state_of(task), "queued")
        self.assertEqual(self.attempt(task)["outcome"], "released")

    def test_a_killed_supervisors_agent_is_found_and_ended_before_the_task_runs_again(self):
        box = self.box
        script = (f"trap '' TERM; (setsid bash -c 'trap \"\" TERM; echo $$ > {box.folder}/daemon.$ZQ_ATTEMPT;"
                  f" while :; do sleep 0.05; done' &);"
                  f"for p in $(cat {box.folder}/pids 2>/dev/null); do grep -qs '^State:[[:space:]]*[^ZX[:space:]]' /proc/$p/status && echo $p >> {box.folder}/alive; done;"
                  f"while [ ! -s {box.folder}/daemon.$ZQ_ATTEMPT ]; do sleep 0.01; done; echo $$ > {box.folder}/up.$ZQ_ATTEMPT;"
                  f"[ $ZQ_ATTEMPT = 2 ] && exit 0; while :; do sleep 0.05; done")
        worker = box.worker("w1", "build", bash(script))
        task = box.submit("build")
        pids = [number_in(box.path("up.1")), number_in(box.path("daemon.1"))]
        box.write("pids", " ".join(map(str, pids)))
        worker.kill()
        self.assertTrue(all(is_alive(pid) for pid in pids), "they outlive their supervisor")
        box.worker("w1", "build", bash(script))
        box.zq("wait", task, "--timeout", "60s")
        self.assertFalse(os.path.exists(box.path("alive")), "attempt 2 saw nobody of attempt 1")
        self.assertFalse(any(is_alive(pid) for pid in pids))


class HugeOutput(Case):
    CAP = 32 << 20
    TOTAL = int(os.environ.get("ZQ_OUTPUT_GIB", "1")) << 30

    def test_a_command_that_writes_without_end_costs_neither_memory_nor_disk_nor_its_lease(self):
        box = self.box
        box.coordinator(*SHORT_LEASE)
        worker = box.worker("w1", "build", bash(
            f"echo first; head -c {self.TOTAL - 11} /dev/zero; echo last; echo fine > $ZQ_RESULT"))
        state = box.path("state-w1")
        peaks = {"disk": 0}
        over = threading.Event()

        def watch_disk():
            while not over.wait(0.05):
                peaks["disk"] = max(peaks["disk"], allocated(worker.pid, state))

        watcher = threading.Thread(target=watch_disk)
        watcher.start()
        task = box.submit("build")
        try:
            box.zq("wait", task, "--timeout", "500s", seconds=520)
        finally:
            over.set()
            watcher.join()
        memory = high_water_kib(worker.pid) << 10
        attempt = box.show(task)["attempts"][0]
        print(f"wrote {self.TOTAL >> 20} MiB: worker's memory at most {memory >> 20} MiB, "
              f"its folder at most {peaks['disk'] >> 20} MiB, {attempt['duration_ms']} ms")
        self.assertEqual((attempt["attempt"], attempt["outcome"]), (1, "completed"))
        self.assertEqual(attempt["output"]["stdout_dropped_bytes"], str(self.TOTAL - self.CAP))
        log = box.run(["zq", "artifact", "cat", task, "stdout.log"]).stdout
        self.assertTrue(log.startswith(b"first\n") and log.endswith(b"last\n"))
        self.assertLess(len(log), self.CAP + 100)
        self.assertLess(memory, 96 << 20)
        self.assertLess(peaks["disk"], 3 * self.CAP)


def allocated(pid: int, folder: str) -> int:
    """Bytes of disk that a folder takes, and what a process holds open there without a name."""
    total, seen = 0, set()
    paths = [os.path.join(base, name) for base, _, files in os.walk(folder) for name in files]
    with contextlib.suppress(FileNotFoundError):
        paths += [f"/proc/{pid}/fd/{fd}" for fd in os.listdir(f"/proc/{pid}/fd")
                  if os.readlink(f"/proc/{pid}/fd/{fd}").startswith(folder)]
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            info = os.stat(path)
            if info.st_ino not in seen:
                seen.add(info.st_ino)
                total += info.st_blocks * 512
    return total


if __name__ == "__main__":
    main()
