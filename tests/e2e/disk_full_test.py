#!/usr/bin/python3
"""A full disk under each program: the coordinator refuses submits and takes completions, then waits
for room, and goes on by itself; a worker keeps its completion until it can be written down; `zq`
says so and leaves no half file.

Prints a ledger line at the end. Mounts small tmpfs disks: skipped where that is not allowed.
"""

import contextlib
import os
import signal
import subprocess
import time

from disk_workload import INLINE, LARGE, Promises, Workload
from zq_client import ZqError
from zq_e2e import BIN, Case, await_that, is_alive, is_frozen, main

MIB = 1 << 20
DISK_MIB = 160         # the coordinator wants 64 MiB of free space and 8 MiB of reserve
LEASE_S = 2
SHORT_LEASE = ("--lease", "2s", "--heartbeat", "400ms")
SILENCE_S = 1.0        # after which a request counts as unanswered
REFUSED, FAILED = 7, 1  # exit codes of zq and zq-coordinator
NO_ROOM = "nothing is acknowledged until there is room"


class SmallDisk:
    """A tmpfs of its own."""

    def __init__(self, case, name, mebibytes):
        self.path = case.box.path(name)
        os.mkdir(self.path)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "zq-test", self.path],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            case.skipTest("may not mount a small disk here: " + mounted.stderr.decode().strip())
        case.addCleanup(subprocess.run, ["umount", "-l", self.path], check=False)
        self.filler = os.path.join(self.path, "filler")

    def free(self) -> int:
        info = os.statvfs(self.path)
        return info.f_bavail * info.f_frsize

    def fill(self, leave: int = 0) -> None:
        """Leaves about this many bytes."""
        with open(self.filler, "ab", buffering=0) as file, contextlib.suppress(OSError):
            while (room := self.free() - leave) > 0:
                file.write(b"f" * min(room, MIB))

    def empty(self) -> None:
        os.unlink(self.filler)


class FullCoordinator(Case):
    """Its data folder lies on a small disk."""

    def setUp(self):
        super().setUp()
        self.disk = SmallDisk(self, "disk", DISK_MIB)
        self.box.data = os.path.join(self.disk.path, "data")
        self.reserve = os.path.join(self.box.data, "reserve")
        self.promises = Promises()
        self.coordinator = self.box.coordinator(*SHORT_LEASE)

    def converse(self) -> Workload:
        workload = Workload(self.coordinator.process, self.box.bind, self.box.artifacts_bind, self.promises, SILENCE_S)
        self.addCleanup(workload.close)
        return workload

    def await_submits_refused(self) -> None:
        await_that(lambda: "full: submits are refused" in self.box.zq("status"), "the status says that the disk is full")

    def fill(self) -> None:
        """While the coordinator has nothing to write: the reserve that it gives up must not be taken from it."""
        self.box.zq("stats")
        self.disk.fill()

    def spend_reserve(self, workload: Workload) -> None:
        """Fills the disk and writes until the reserve has been given up for it."""
        self.fill()
        while os.path.exists(self.reserve):
            workload.report("RELEASE", "released", workload.claim("hand"))
            self.assertFalse(workload.silent, "the reserve takes it")

    def await_waiting(self, workload: Workload, claimed: list) -> None:
        """Takes the room of the reserve too, and completes tasks until one is not answered."""
        self.disk.fill()
        while not workload.silent:
            workload.report("RELEASE", "released", workload.claim("hand"))
            workload.report("COMPLETE", "completed", claimed.pop(), {"result": INLINE})
        await_that(lambda: NO_ROOM in self.coordinator.output(), "the log says that it waits for room")

    def begin(self, count: int) -> tuple[Workload, list]:
        """A conversation in which so many tasks were submitted and claimed."""
        workload = self.converse()
        for number in range(count + 2):
            workload.submit("hand", f"task {number}")
        return workload, [workload.claim("hand") for _ in range(count)]

    def assert_kept(self) -> None:
        """Everything that was acknowledged is there; what was not answered is taken now."""
        workload = self.converse()
        self.promises.check(workload.client, workload.artifacts)
        self.promises.repeat_unanswered(workload.client)

    def test_submits_are_refused_completions_land_and_service_resumes_by_itself(self):
        workload, claimed = self.begin(6)
        waiter = self.box.spawn("waiter", ["zq", "wait", claimed[0], "--timeout", "60s"])
        self.fill()
        self.await_submits_refused()
        refused = self.box.run(["zq", "submit", "--to", "hand", "--id", "late", "--json"], ok=(REFUSED,))
        self.assertIn(b"STORAGE_FULL", refused.stderr)
        self.box.zq("ping")
        with self.assertRaises(ZqError) as put:
            workload.artifacts.put(LARGE)
        self.assertEqual(put.exception.code, "STORAGE_FULL")
        self.assertEqual(os.listdir(os.path.join(self.box.data, "artifacts/incoming")), [])
        self.spend_reserve(workload)
        for task in claimed:
            workload.report("COMPLETE", "completed", task, {"result": INLINE})
        self.assertTrue(all(self.promises.ended[task][1] == "completed" for task in claimed), "completions land")
        self.assertFalse(os.path.exists(self.reserve), "from the reserve")
        self.assertEqual(waiter.wait(), 0, "a long poll is woken")
        self.assertEqual(self.box.state_of(claimed[0]), "completed")
        self.disk.empty()
        await_that(lambda: os.path.exists(self.reserve), "the reserve is there again")
        await_that(lambda: self.box.run(["zq", "submit", "--to", "hand", "--id", "late"], ok=None).returncode == 0,
                   "submits are taken again")
        self.assertTrue(workload.put(LARGE))
        self.assert_kept()
        self.assertFalse(self.coordinator.ended(), "without a restart")
        for line in ("submits are refused, completions still land", "no room for artifacts", "submits are taken"):
            self.assertIn(line, self.coordinator.output())

    def test_with_the_reserve_spent_nothing_is_acknowledged_leases_last_and_it_goes_on_when_there_is_room(self):
        self.box.worker("w1", "build")
        task = self.box.submit("build")
        child = self.box.await_child(task, 1)
        self.box.await_confirmed(task)
        workload, claimed = self.begin(40)
        self.spend_reserve(workload)
        self.await_waiting(workload, claimed)
        end = time.monotonic() + 3 * LEASE_S
        while time.monotonic() < end:
            self.assertTrue(is_alive(child) and not is_frozen(child), "heartbeats are answered")
            time.sleep(0.05)
        self.disk.empty()
        await_that(lambda: "commits go on" in self.coordinator.output(), "it goes on")
        self.assert_kept()
        self.box.let_go()
        self.box.zq("wait", task, "--timeout", "30s")
        self.assertEqual(self.box.attempts_of(task), [(1, "completed")])
        self.assertFalse(self.coordinator.ended(), "without a restart")
        self.coordinator.signal(signal.SIGTERM)
        self.assertEqual(self.coordinator.wait(), 0)
        self.box.check()

    def end_while_it_waits(self, number: int, code: int) -> None:
        """A signal ends it; a start on the full disk says what to do, unless the room of its log, which it may write over
        when there is nothing in it to bring over, is enough to serve with; with room all is there."""
        workload, claimed = self.begin(40)
        self.spend_reserve(workload)
        self.await_waiting(workload, claimed)
        self.coordinator.signal(number)
        self.assertEqual(self.coordinator.wait(5), code)
        self.disk.fill()
        early = self.box.coordinator(*SHORT_LEASE, wait=False)
        await_that(lambda: early.ended() or "listening" in early.output(), "it starts or ends")
        if early.ended():
            self.assertEqual(early.wait(), FAILED)
            self.assertRegex(early.output().splitlines()[-1], "full")
        else:
            await_that(lambda: "submits are refused" in early.output(), "it says how it stands")
            early.kill()
        self.disk.empty()
        self.box.check()
        self.coordinator = self.box.coordinator(*SHORT_LEASE)
        self.assert_kept()

    def test_told_to_end_while_it_waits_for_room_it_ends_and_a_restart_with_room_knows_all(self):
        self.end_while_it_waits(signal.SIGTERM, FAILED)
        self.assertRegex(self.coordinator.output(), "the coordinator ends code=STORAGE_FULL")

    def test_killed_while_it_waits_for_room_a_restart_with_room_knows_all(self):
        self.end_while_it_waits(signal.SIGKILL, -signal.SIGKILL)


class FullLog(Case):
    def test_a_log_on_a_full_disk_costs_lines_and_nothing_else(self):
        disk = SmallDisk(self, "disk", 1)
        script = 'exec "$@" 2>' + os.path.join(disk.path, "log")
        self.box.programs.append(self.box.spawn("coordinator", [
            "zq-coordinator", "--data", self.box.data, "--bind", self.box.bind, "--log-level", "debug"],
            prefix=("/bin/sh", "-c", script, "sh")))
        self.box.zq("ping")
        disk.fill()
        task = self.box.submit("build")
        self.box.worker("w1", "build")
        self.box.await_child(task, 1)
        self.box.let_go()
        self.box.zq("wait", task, "--timeout", "30s")


class FullWorker(Case):
    """Its state folder lies on a small disk."""

    COMMAND = 'echo done > "$ZQ_RESULT"; : > "{0}/begun"; until [ -e "{0}/go" ]; do sleep 0.05; done'

    def test_a_completion_that_cannot_be_written_down_is_kept_until_it_can_and_then_delivered(self):
        disk = SmallDisk(self, "disk", 4)
        self.box.coordinator(*SHORT_LEASE)
        command = ["/bin/sh", "-c", self.COMMAND.format(self.box.children)]
        os.symlink(disk.path, self.box.path("state-w1"))
        worker = self.box.worker("w1", "build", command)
        task = self.box.submit("build")
        await_that(lambda: os.path.exists(os.path.join(self.box.children, "begun")), "the command has its result")
        disk.fill()
        self.box.let_go()
        await_that(lambda: "cannot write the outbox" in worker.output(), "the worker says what is wrong")
        end = time.monotonic() + 2 * LEASE_S
        while time.monotonic() < end:
            self.assertEqual(self.box.state_of(task), "running", "not said to be done before it is written down")
        disk.empty()
        self.box.zq("wait", task, "--timeout", "30s")
        self.assertEqual(self.box.attempts_of(task), [(1, "completed")])
        self.assertEqual(self.box.zq("result", task), "done")


class FullCommandLine(Case):
    def setUp(self):
        super().setUp()
        self.disk = SmallDisk(self, "disk", 1)
        self.box.coordinator()
        self.box.worker("w1", "build", ["/bin/sh", "-c", 'head -c 3000000 /dev/zero > "$ZQ_RESULT"'])
        self.task = self.box.submit("build")
        self.box.zq("wait", self.task, "--timeout", "30s")

    def test_a_result_that_does_not_fit_into_its_folder_is_an_error_and_leaves_no_file(self):
        done = self.box.run(["zq", "result", self.task, "--out", os.path.join(self.disk.path, "out")], ok=None)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"no space left", done.stderr)
        self.assertNotIn(b"coordinator's disk", done.stderr)
        self.assertEqual(os.listdir(os.path.join(self.disk.path, "out")), [])

    def test_a_result_printed_into_a_full_disk_is_an_error_that_is_said(self):
        with open(os.path.join(self.disk.path, "printed"), "wb") as printed:
            done = subprocess.run([os.path.join(BIN, "zq"), "result", self.task], stdout=printed,
                                  stderr=subprocess.PIPE, env=self.box.env(), check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"No space left", done.stderr)


if __name__ == "__main__":
    main(machinery="full-disk")
