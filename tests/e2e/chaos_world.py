"""The processes of a chaos run: a coordinator, workers and proxies, each kept alive by a supervisor that
starts it again when its time has come, and a diary of what was done to whom. Owns processes and times; what
is done when is chaos_faults.py's, what must hold is chaos_checker.py's.

Used by one thread; the registry of `zq` processes is shared with the clients' threads.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import zq_e2e

HERE = os.path.dirname(os.path.abspath(__file__))
LEASE = ("--lease", "4s", "--heartbeat", "1s")
GRACE = "1s"
ORPHAN_HOLD = "3s"  # of every other worker: some frozen children are given up, some come back
LINKS_PER_PROXY = 4
WORKERS = {  # name -> roles, slots
    "w1": (("alpha",), 1), "w2": (("alpha",), 2), "w3": (("alpha", "beta"), 1), "w4": (("beta",), 2),
    "w5": (("beta",), 1), "w6": (("alpha", "beta"), 2), "w7": (("alpha",), 1), "w8": (("beta",), 1),
}
CLIENTS = ("c1", "c2", "c3", "c4")


def boottime_ms() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def pick_ports(count: int) -> list[int]:
    """Ports that no outgoing connection gets by chance while their owner is dead: below that range."""
    ports = []
    while len(ports) < count:
        port = random.SystemRandom().randint(10_000, 32_000)
        if port not in ports and zq_e2e.is_free(port):
            ports.append(port)
    return ports


class Supervised:
    """One process that is started again after each of its ends."""

    def __init__(self, world, name: str, argv: list[str], stdin=subprocess.DEVNULL):
        self.world, self.name, self.argv, self.stdin = world, name, argv, stdin
        self.log = os.path.join(world.folder, f"{name}.log")
        self.process: subprocess.Popen | None = None
        self.start_at = 0.0
        self.resume_at: float | None = None

    def start(self) -> None:
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.argv, stdin=self.stdin, stdout=log, stderr=log, env=self.world.env(), cwd=self.world.folder)
        self.world.note("start", self.name, self.process.pid)

    def is_up(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_paused(self) -> bool:
        return self.resume_at is not None

    def kill(self, down_s: float) -> bool:
        """kill -9, and `down_s` until it is started again."""
        if not self.is_up():
            return False
        self.world.note("kill", self.name, self.process.pid)
        self.process.kill()
        self.process.wait()
        self.process, self.resume_at = None, None
        self.start_at = time.monotonic() + down_s
        return True

    def pause(self, seconds: float) -> bool:
        if not self.is_up() or self.is_paused():
            return False
        self.world.note("pause", self.name, self.process.pid)
        self.process.send_signal(signal.SIGSTOP)
        self.resume_at = time.monotonic() + seconds
        return True

    def resume(self) -> None:
        self.resume_at = None
        if self.is_up():
            self.process.send_signal(signal.SIGCONT)
            self.world.note("resume", self.name, self.process.pid)

    def supervise(self, now: float) -> None:
        """Resumes and restarts what is due. An end that nobody ordered is a finding."""
        if self.resume_at is not None and now >= self.resume_at:
            self.resume()
        if self.process is not None and self.process.poll() is not None:
            self.world.surprise(f"{self.name} ended by itself with exit code {self.process.returncode}: {self.tail()}")
            self.process, self.start_at = None, now + 0.5
        if self.process is None and now >= self.start_at:
            self.start()

    def tail(self) -> str:
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return " / ".join(log.read().splitlines()[-3:])

    def end(self, seconds: float) -> int | None:
        """SIGTERM; gives the exit code, or None if it had to be killed."""
        if not self.is_up():
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None


class Proxy(Supervised):
    """A chaos_proxy.py process: an end of it cuts its links, and they come back healed."""

    def __init__(self, world, name: str, links: dict[str, str]):
        ports = f"{world.ports[0]},{world.ports[1]}"
        places = [f"{link}={address}" for link, address in links.items()]
        argv = [sys.executable, "-B", os.path.join(HERE, "chaos_proxy.py"), "127.0.0.1", ports, *places]
        super().__init__(world, name, argv, stdin=subprocess.PIPE)

    def order(self, link: str, word: str) -> bool:
        if not self.is_up():
            return False
        try:
            self.process.stdin.write(json.dumps({"link": link, "do": word}).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return False
        self.world.note(word, link, 0)
        return True


class World:
    """Everything that runs. `surprises` are violations that need no checker."""

    def __init__(self, folder: str):
        self.folder = folder
        self.ports = pick_ports(2)
        self.data = os.path.join(folder, "data")
        self.record = os.path.join(folder, "children.log")
        self.diary: list[tuple[int, str, str, int]] = []  # boottime in ms, what, who, pid
        self.surprises: list[str] = []
        self.lock = threading.Lock()
        self.zq_processes: set[subprocess.Popen] = set()
        self.addresses = {name: f"127.77.0.{number}" for number, name in enumerate([*WORKERS, *CLIENTS], start=1)}
        bind = [f"tcp://127.0.0.1:{port}" for port in self.ports]
        self.direct = bind[0]
        self.coordinator = Supervised(self, "coordinator", [
            self.bin("zq-coordinator"), "--data", self.data, "--bind", bind[0], "--artifacts-bind", bind[1], *LEASE])
        self.proxies = self._make_proxies()
        self.workers = {name: self._make_worker(name) for name in WORKERS}

    def _make_proxies(self) -> list[Proxy]:
        names = list(self.addresses)
        parts = [names[at : at + LINKS_PER_PROXY] for at in range(0, len(names), LINKS_PER_PROXY)]
        return [Proxy(self, f"proxy{number}", {name: self.addresses[name] for name in part})
                for number, part in enumerate(parts, start=1)]

    def _make_worker(self, name: str) -> Supervised:
        roles, slots = WORKERS[name]
        argv = [self.bin("zq-worker"), "--connect", self.endpoint(name), "--name", name,
                "--state", os.path.join(self.folder, f"state-{name}"), "--slots", str(slots), "--grace", GRACE]
        if list(WORKERS).index(name) % 2:
            argv += ["--orphan-hold", ORPHAN_HOLD]
        for role in roles:
            argv += ["--role", role]
        child = [sys.executable, "-I", "-S", os.path.join(HERE, "chaos_child.py"), self.record, name]
        return Supervised(self, name, [*argv, "--", *child])

    @staticmethod
    def bin(name: str) -> str:
        return os.path.join(zq_e2e.BIN, name)

    def endpoint(self, name: str) -> str:
        """The coordinator as that peer reaches it: through its link."""
        return f"tcp://{self.addresses[name]}:{self.ports[0]}"

    def proxy_of(self, link: str) -> Proxy:
        return self.proxies[list(self.addresses).index(link) // LINKS_PER_PROXY]

    def env(self) -> dict:
        kept = ("PATH", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")
        env = {key: os.environ[key] for key in kept if key in os.environ}
        return env | {"HOME": self.folder, "ZQ_CONFIG": os.path.join(self.folder, "client.toml")}

    def note(self, what: str, who: str, pid: int) -> None:
        self.diary.append((boottime_ms(), what, who, pid))

    def surprise(self, text: str) -> None:
        with self.lock:
            self.surprises.append(text)

    # Life.

    def all(self) -> list[Supervised]:
        return [self.coordinator, *self.proxies, *self.workers.values()]

    def start(self) -> None:
        for each in self.all():
            each.start()

    def supervise(self) -> None:
        now = time.monotonic()
        for each in self.all():
            each.supervise(now)

    def heal(self) -> None:
        """Resumes and starts what is not up, and heals every link."""
        for each in self.all():
            if each.is_paused():
                each.resume()
            each.start_at = 0.0
        self.supervise()
        for link in self.addresses:
            self.proxy_of(link).order(link, "heal")

    def end_workers(self, seconds: float) -> None:
        for worker in self.workers.values():
            if worker.is_up():
                worker.process.send_signal(signal.SIGTERM)
        for name, worker in self.workers.items():
            code = worker.end(seconds)
            if code != 0:
                self.surprise(f"{name} did not end as asked: exit code {code}: {worker.tail()}")

    def end_coordinator(self, seconds: float) -> None:
        code = self.coordinator.end(seconds)
        if code != 0:
            self.surprise(f"the coordinator did not end as asked: exit code {code}: {self.coordinator.tail()}")

    def strays(self) -> dict[int, str]:
        """Processes that name this run's folder in their environment or command: pid -> command."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as environ, open(f"/proc/{pid}/cmdline", "rb") as command:
                    text, line = environ.read(), command.read()
            except OSError:
                continue
            if int(pid) != os.getpid() and self.folder.encode() in text + line and zq_e2e.is_alive(int(pid)):
                found[int(pid)] = line.replace(b"\0", b" ").decode(errors="replace")
        return found

    def end_everything(self) -> None:
        """Whatever happened: nothing of this run lives on."""
        for each in self.all():
            if each.is_up():
                each.process.kill()
                each.process.wait()
        for pid in self.strays():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
