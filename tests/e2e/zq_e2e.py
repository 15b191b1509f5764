"""Real programs in a folder of their own: starts coordinators, workers and `zq`, awaits conditions, and
ends everything it started by process id. Owns no expectations; the tests do.

ZQ_BIN_DIR names the folder of the programs. Python's standard library only.
"""

import contextlib
import glob
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

BIN = os.environ.get("ZQ_BIN_DIR", "")
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CHILD = [sys.executable, os.path.join(SOURCE, "tests/e2e/child.py")]
# Sanitizer builds are several times slower: their presets stretch every limit.
PATIENCE = float(os.environ.get("ZQ_TEST_PATIENCE", "1"))
SKIPPED = 77  # exit code: every test was skipped


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def is_free(port: int) -> bool:
    """True if nobody listens there on loopback."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
        return True
    except OSError:
        return False


def await_that(condition, what: str, seconds: float = 20):
    """Calls `condition` until it gives something true, and gives that; fails after `seconds`."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds * PATIENCE:.0f} s: {what}")
        select.select([], [], [], 0.02)


def process_state(pid: int) -> str:
    """The letter of /proc/PID/stat (R, S, T, Z, …); empty when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def is_alive(pid: int) -> bool:
    return process_state(pid) not in ("", "Z", "X")


def is_frozen(pid: int) -> bool:
    """True for a process that was stopped by a signal or whose control group is frozen."""
    if process_state(pid) == "T":
        return True
    try:
        with open(f"/proc/{pid}/cgroup", encoding="ascii") as groups:
            group = next(line.strip()[3:] for line in groups if line.startswith("0::"))
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            mount = next(line.split()[4] for line in mounts if " - cgroup2 " in line)
        with open(f"{mount}{group}/cgroup.events", encoding="ascii") as events:
            return "frozen 1" in events.read().splitlines()
    except (OSError, StopIteration):
        return False


def high_water_kib(pid: int) -> int:
    """The most memory the process ever had resident (VmHWM)."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


class Program:
    """A program in the background, its output in a log file."""

    def __init__(self, sandbox, name: str, argv: list[str], env: dict):
        self.name, self.argv = name, argv
        self.log = os.path.join(sandbox.folder, f"{name}.log")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, cwd=sandbox.folder
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def ended(self) -> bool:
        return self.process.poll() is not None

    def wait(self, seconds: float = 20) -> int:
        return self.process.wait(seconds * PATIENCE)

    def kill(self) -> None:
        """kill -9, and reaped."""
        if not self.ended():
            self.process.kill()
        self.process.wait(20)

    def output(self) -> str:
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()


class Sandbox:
    """A folder, and every process that a test starts in it."""

    def __init__(self, test: unittest.TestCase):
        self.test = test
        self.folder = tempfile.mkdtemp(prefix="zq-e2e-")
        self.children = os.path.join(self.folder, "children")
        os.mkdir(self.children)
        self.programs: list[Program] = []
        control, artifacts = free_ports(2)
        self.bind = f"tcp://127.0.0.1:{control}"
        self.artifacts_bind = f"tcp://127.0.0.1:{artifacts}"
        self.data = os.path.join(self.folder, "data")
        test.addCleanup(self._tear_down)

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def write(self, name: str, text: str) -> str:
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def env(self, **more) -> dict:
        kept = ("PATH", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")
        env = {key: os.environ[key] for key in kept if key in os.environ}
        env |= {"HOME": self.folder, "ZQ_CONNECT": self.bind, "ZQ_CONFIG": self.path("client/config.toml"), **more}
        return {key: value for key, value in env.items() if value is not None}

    # Programs in the background.

    def spawn(self, name: str, argv: list[str], env: dict | None = None, prefix: tuple = ()) -> Program:
        argv = [*prefix, os.path.join(BIN, argv[0]), *argv[1:]]
        program = Program(self, name, argv, env or self.env())
        self.programs.append(program)
        return program

    def coordinator(self, *flags: str, wait: bool = True) -> Program:
        argv = ["zq-coordinator", "--data", self.data, "--bind", self.bind,
                "--artifacts-bind", self.artifacts_bind, *flags]
        program = self.spawn("coordinator", argv)
        if wait:
            self.zq("ping")
        return program

    def worker(self, name: str, role: str, command: list[str] | None = None, flags: tuple = (), **spawn) -> Program:
        argv = ["zq-worker", "--role", role, "--name", name, "--state", self.path(f"state-{name}"), *flags,
                "--", *(command or [*CHILD, self.children])]
        return self.spawn(f"worker-{name}", argv, **spawn)

    # The command line.

    def run(self, argv: list[str], ok: tuple | None = (0,), stdin: bytes | None = None, seconds: float = 60,
            env: dict | None = None, prefix: tuple = ()) -> subprocess.CompletedProcess:
        """Runs a program to its end; `ok` names the exit codes to accept (None: any)."""
        done = subprocess.run(
            [*prefix, os.path.join(BIN, argv[0]), *argv[1:]], input=stdin, capture_output=True, check=False,
            timeout=seconds * PATIENCE, env=env or self.env(), cwd=self.folder,
        )
        if ok is not None and done.returncode not in ok:
            raise AssertionError(
                f"{' '.join(argv)}: exit {done.returncode}, not {ok}\n{done.stdout.decode(errors='replace')[-2000:]}"
                f"\n{done.stderr.decode(errors='replace')[-2000:]}"
            )
        return done

    def zq(self, *argv: str, **run) -> str:
        """Runs `zq` and gives its standard output, stripped."""
        return self.run(["zq", *argv], **run).stdout.decode().strip()

    def submit(self, role: str, *flags: str, **run) -> str:
        return self.zq("submit", "-q", "--to", role, *flags, **run)

    def show(self, task: str, **run) -> dict:
        return json.loads(self.zq("show", task, "--json", **run))

    def rows(self, *argv: str, **run) -> list[dict]:
        """The records that a listing command prints."""
        return [json.loads(line) for line in self.zq(*argv, "-o", "jsonl", **run).splitlines()]

    def state_of(self, task: str, **run) -> str:
        return self.show(task, **run)["state"]

    def attempts_of(self, task: str, **run) -> list[tuple[int, str]]:
        return [(each["attempt"], each["outcome"]) for each in self.show(task, **run).get("attempts", [])]

    def check(self) -> str:
        """`zq-coordinator --check` on the stopped coordinator's folder; fails unless it is clean."""
        return self.run(["zq-coordinator", "--data", self.data, "--check"]).stdout.decode()

    # Children of the workers (child.py).

    def lives(self, task: str) -> dict[tuple[int, int], list[int]]:
        """Every child of a task: (attempt, pid) -> the times at which it ran, in milliseconds."""
        found = {}
        for path in glob.glob(os.path.join(self.children, f"{glob.escape(task)}.*")):
            attempt, pid = path.rsplit(".", 2)[1:]
            with open(path, encoding="ascii") as life:
                found[int(attempt), int(pid)] = [int(line) for line in life if line.endswith("\n")]
        return found

    def await_child(self, task: str, attempt: int, seconds: float = 20) -> int:
        """The pid of the attempt's child, once it has begun to run."""
        def begun():
            return next((pid for (number, pid), times in self.lives(task).items() if number == attempt and times), 0)
        return await_that(begun, f"a child of attempt {attempt} of {task}", seconds)

    def await_confirmed(self, task: str) -> None:
        """Waits until the holder of the task's lease has listed it to this run of the coordinator."""
        await_that(
            lambda: any(lease["id"] == task and lease["confirmed"] for lease in self.rows("leases")),
            f"the lease of {task} is confirmed",
        )

    def let_go(self, task: str | None = None) -> None:
        """Lets one task's children end, or all."""
        with open(os.path.join(self.children, f"go-{task}" if task else "go"), "w", encoding="ascii"):
            pass

    def assert_never_two_at_once(self, task: str) -> None:
        """No child of the task ran at a time between two signs of life of another one. A frozen
        child gives no signs of life: it may be there while another runs."""
        lives = self.lives(task)
        for one, times in lives.items():
            for other, others in lives.items():
                if one != other and times and others:
                    inside = [at for at in times if others[0] < at < others[-1]]
                    self.test.assertFalse(inside, f"{one} ran at {inside[:3]} while {other} ran")

    # The end.

    def _tear_down(self) -> None:
        for program in reversed(self.programs):
            with contextlib.suppress(ProcessLookupError):
                program.signal(signal.SIGCONT)
            program.kill()
        for path in glob.glob(os.path.join(self.children, "*.*.*")):
            pid = int(path.rsplit(".", 1)[1])
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/cmdline", encoding="utf-8") as line:
                    if self.children in line.read():
                        os.kill(pid, signal.SIGKILL)
        if _failed(self.test):
            for program in self.programs:
                print(f"--- {program.name} (exit {program.process.returncode}): {' '.join(program.argv)}")
                print(program.output()[-4000:])
        shutil.rmtree(self.folder, ignore_errors=True)


def _failed(test: unittest.TestCase) -> bool:
    outcome = getattr(test, "_outcome", None)
    result = getattr(outcome, "result", None)
    return any(case is test for case, _ in [*getattr(result, "failures", []), *getattr(result, "errors", [])])


class Case(unittest.TestCase):
    """A test with a sandbox of its own."""

    def setUp(self):
        self.box = Sandbox(self)


def main(machinery: str = "") -> None:
    """Runs the tests of the calling file; exit code 77 if every one was skipped. Machinery that
    counts in the ledger says so in its last line."""
    if not os.access(os.path.join(BIN, "zq"), os.X_OK):
        sys.exit("ZQ_BIN_DIR must name the folder of zq, zq-coordinator and zq-worker")
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    if machinery:
        print(f"ledger: machinery={machinery} runs={result.testsRun - len(result.skipped)}"
              f" violations={len(result.failures) + len(result.errors)}", flush=True)
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun and len(result.skipped) == result.testsRun:
        sys.exit(SKIPPED)
