"""A real zq-coordinator for the tests: own temporary folder, free loopback ports, short leases, ended
and checked at the end. ZQ_BIN_DIR names the folder of the program."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import zq_client

LEASE_S = 3.0


def free_ports(count, host):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind((host, 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Coordinator:
    def __init__(self, host="127.0.0.1", curve=None, flags=(), prefix=()):
        """`curve`: of a key that the coordinator knows, where the host is no loopback. `flags`: more of them;
        `prefix`: words before the program."""
        self.curve = curve
        self.flags, self.prefix = flags, prefix
        self.program = pathlib.Path(os.environ["ZQ_BIN_DIR"]) / "zq-coordinator"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="zq-python-"))
        control, artifacts = free_ports(2, host)
        self.endpoint = f"tcp://{host}:{control}"
        self.artifacts = f"tcp://{host}:{artifacts}"
        self.log = self.folder / "log"
        self.process = None

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, self.program, "--data", self.folder / "data", "--bind", self.endpoint, "--artifacts-bind",
                 self.artifacts, "--lease", f"{LEASE_S:.0f}s", "--heartbeat", "500ms", *self.flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        with zq_client.Client(self.endpoint, self.curve) as client:
            end = time.monotonic() + 20
            while time.monotonic() < end and self.process.poll() is None:
                try:
                    return client.call("PING", patience=0.5, give_up=0)
                except zq_client.NoAnswer:
                    continue
        raise RuntimeError("the coordinator does not answer:\n" + self.log.read_text(errors="replace")[-4000:])

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=10)

    def stop(self):
        """SIGTERM; gives the exit code and what --check says of the folder afterwards."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=20)
        check = subprocess.run([self.program, "--check", "--data", self.folder / "data"], capture_output=True,
                               text=True, timeout=60, cwd=self.folder, check=False)
        return code, check

    def clean_up(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
