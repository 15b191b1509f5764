"""One run of the workload on a disk that fails at one call, and what must be true afterwards: the end
is a defined one, a line names the failure, `--check` is clean, a restart without faults knows all
that was acknowledged and takes again all that was not answered.
"""

import dataclasses
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from disk_workload import Artifacts, Client, Ended, Lost, NoAnswer, Promises, Workload, ZqError

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("ZQ_BIN_DIR", os.path.join(SOURCE, "build/release/bin"))
CLEAN, FAILED = 0, 1  # exit codes of zq-coordinator
UNDER_FAULT_S = 10.0   # for one answer
ON_FULL_DISK_S = 0.5   # for one that may well wait until there is room

FAILURE_LINE = re.compile(r"(^zq-coordinator:| warning | error ).*(fail|cannot|error|full|could not)",
                          re.IGNORECASE | re.MULTILINE)


@dataclasses.dataclass
class Fault:
    call: str
    number: int
    how: str  # ERROR:MODE

    def __str__(self):
        return f"{self.call}:{self.number}:{self.how}"

    def leaves_waiting(self):
        """Whether requests may stay unanswered while the coordinator lives: the disk stays full."""
        return self.how == "ENOSPC:on"


class Coordinator:
    """One start on a data folder, with or without a fault under it."""

    def __init__(self, folder, data, fault=None, log="log"):
        self.data = data
        self.bind, self.artifacts = f"ipc://{folder}/control", f"ipc://{folder}/artifacts"
        self.log_path, self.fault_log = f"{folder}/{log}", f"{folder}/fault-log"
        env = {"PATH": os.environ["PATH"], "HOME": folder}
        if fault is not None:
            env |= {"LD_PRELOAD": f"{BIN}/libzq_disk_fault.so", "ZQ_FAULT": str(fault),
                    "ZQ_FAULT_FOLDER": data, "ZQ_FAULT_LOG": self.fault_log}
        for path in (self.bind, self.artifacts):
            if os.path.exists(path[6:]):
                os.unlink(path[6:])
        with open(self.log_path, "ab") as log_file:
            self.process = subprocess.Popen(
                [f"{BIN}/zq-coordinator", "--data", data, "--bind", self.bind, "--artifacts-bind", self.artifacts],
                stdin=subprocess.DEVNULL, stdout=log_file, stderr=log_file, env=env, cwd=folder)

    def await_listening(self, seconds=20.0) -> bool:
        """False if it ended first."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if " listening " in self.output():
                return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.003)
        raise Lost("the coordinator neither listens nor ends")

    def output(self) -> str:
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def fault_lines(self, word):
        if not os.path.exists(self.fault_log):
            return []
        with open(self.fault_log, encoding="ascii", errors="replace") as log:
            return [line.split() for line in log if line.startswith(word)]

    def end(self) -> int:
        """SIGTERM, unless it has ended; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired as late:
            raise Lost("it does not end on SIGTERM") from late

    def kill(self):
        self.process.kill()
        self.process.wait(20)


class Run:
    """One fault, in a folder of its own."""

    def __init__(self, scenario, fault, keep=False):
        self.scenario, self.fault, self.keep = scenario, fault, keep
        self.folder = tempfile.mkdtemp(prefix="zq-disk-")
        self.data = f"{self.folder}/data"
        self.promises = Promises()
        self.promised = 0
        self.fired = self.exit_code = None
        self.told_to_end_at = 0
        self.calls = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def perform(self):
        """Raises Lost where a promise was not kept or the failure was not handled as it must be."""
        self.scenario.prepare(self)
        coordinator = Coordinator(self.folder, self.data, self.fault)
        try:
            if coordinator.await_listening():
                self._work(coordinator)
            self.told_to_end_at = time.monotonic_ns()
            self.exit_code = coordinator.end()
        finally:
            coordinator.kill()
        self.calls = {call: int(count) for _, call, count in coordinator.fault_lines("calls")}
        met = coordinator.fault_lines("fault")
        if met:
            self.fired = met[0]
            self._check_failure(coordinator.output())
        elif self.exit_code != CLEAN:
            raise Lost(f"exit {self.exit_code} without a fault")
        self._check_folder()
        self._check_restart()

    def _work(self, coordinator):
        patience = ON_FULL_DISK_S if self.fault.leaves_waiting() else UNDER_FAULT_S
        workload = Workload(coordinator.process, coordinator.bind, coordinator.artifacts, self.promises, patience)
        try:
            self.scenario.work(self, workload)
        except Ended:
            pass
        finally:
            workload.close()
        if workload.silent and coordinator.process.poll() is None and not self.fault.leaves_waiting():
            raise Lost("a request got no answer, and the coordinator lives")

    def _check_failure(self, output):
        """A defined end, a line that says why, and no word after a failure of the journal."""
        if self.exit_code not in (CLEAN, FAILED):
            raise Lost(f"exit code {self.exit_code}")
        _, call, _, at, path = self.fired
        if not self._is_passed_over(call, path) and not FAILURE_LINE.search(output):
            raise Lost(f"no line about the failure of {call} on {path}")
        stops = call in ("fdatasync", "pwrite", "fsync") and "EIO" in self.fault.how
        late = [kind for sent, kind in self.promises.answered_at if sent > int(at)]
        if stops and "/journal.db" in path and late:
            raise Lost(f"{late[0]} was acknowledged after {call} of the journal had failed")

    def _is_passed_over(self, call, path):
        """Failures that leave nothing undone, so that nobody is told."""
        if self.fault.how.endswith(":lie"):
            return True  # nobody knows
        if call in ("unlink", "fallocate") or path.endswith("/reserve"):
            return True  # a file stays; or there is no reserve, which the refusing state tells if it lasts
        if self.exit_code == FAILED:
            return False
        if call in ("open", "fdatasync") and path == self.data:
            return True  # SQLite does not insist on syncing the folder: the journal does it again
        if call == "open" and "/journal.db" in path:
            return True  # SQLite opens it again to read only; a writer would fail by that
        # What a full disk leaves undone without loss: the log is copied back later, and a journal
        # that is closed does without its last anchor.
        closing = int(self.fired[3]) > self.told_to_end_at and path.endswith("/journal.db-wal")
        spared = closing or path.endswith("/journal.db")
        return call == "pwrite" and spared and "ENOSPC" in self.fault.how

    def _check_folder(self):
        checked = subprocess.run([f"{BIN}/zq-coordinator", "--check", "--data", self.data], capture_output=True,
                                 text=True, timeout=60, check=False)
        never_began = not self.promises.answered_at and not self.scenario.is_old
        if checked.returncode != CLEAN and not never_began:
            raise Lost(f"--check: exit {checked.returncode}: {checked.stdout[-500:]}{checked.stderr[-500:]}")

    def _check_restart(self):
        coordinator = Coordinator(self.folder, self.data, log="log-after")
        try:
            if not coordinator.await_listening():
                raise Lost("no restart: " + coordinator.output()[-500:])
            with Client(coordinator.process, coordinator.bind) as client, \
                    Artifacts(coordinator.process, coordinator.artifacts) as artifacts:
                self.promised = self.promises.check(client, artifacts)
                self.promises.repeat_unanswered(client)
        except (ZqError, NoAnswer, Ended) as wrong:
            raise Lost(f"after the restart: {type(wrong).__name__} {wrong}") from wrong
        finally:
            coordinator.kill()


class Fresh:
    """An empty folder and the whole workload."""
    name, is_old = "fresh", False

    def prepare(self, run):
        pass

    def work(self, _, workload):
        workload.run()


class Recovered:
    """The folder of a killed coordinator: recovery, a little work, a pause in which the log is
    copied back, the end."""
    name, is_old = "recovered", True

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="zq-disk-old-")
        self.promises = Promises()
        coordinator = Coordinator(self.folder, f"{self.folder}/data")
        coordinator.await_listening()
        workload = Workload(coordinator.process, coordinator.bind, coordinator.artifacts, self.promises)
        workload.run()
        workload.close()
        coordinator.kill()

    def prepare(self, run):
        shutil.copytree(f"{self.folder}/data", run.data)
        old, new = self.promises, run.promises
        new.tasks, new.leases, new.ended = dict(old.tasks), dict(old.leases), dict(old.ended)
        new.contents, new.cancelled = list(old.contents), list(old.cancelled)

    def work(self, run, workload):
        workload.run_shortly(lambda: await_copying(f"{run.data}/journal.db", workload.process))

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def await_copying(database, process):
    """Until the idle coordinator has copied its log back, or has had the time."""
    before, end = os.stat(database).st_mtime_ns, time.monotonic() + 0.8
    while time.monotonic() < end and process.poll() is None:
        if os.stat(database).st_mtime_ns != before:
            return
        time.sleep(0.01)
