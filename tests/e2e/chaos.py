#!/usr/bin/python3
"""The real programs under chaos: a coordinator, 8 workers and 4 clients behind TCP proxies, while
processes are killed and stopped and links are cut, for a bounded time; then healing, and a check of the
whole history.

  chaos.py --seconds 120 --seed S            one run, healing included
  chaos.py --minutes 30                      a long one
  chaos.py --profile coordinator-kills --until-kills 100 --minutes 20

The programs are those of ZQ_BIN_DIR, or of this tree's release build. Prints the seed first and the
ledger's line last. Exit codes: 0 nothing was violated, 1 something was (the folder of the run stays, and its
name is printed).
"""

import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

# Before zq_e2e is read, which takes the folder from there.
os.environ.setdefault("ZQ_BIN_DIR", os.path.abspath(os.path.join(os.path.dirname(__file__),
                                                                 "../../build/release/bin")))
try:
    import chaos_clients
    import chaos_reader
except ImportError as error:
    print(f"skipped: {error} (apt-get install python3-zmq python3-msgpack)")
    sys.exit(77)
import chaos_checker
import zq_e2e
from chaos_evidence import Evidence
from chaos_faults import PROFILES, Faults
from chaos_history import History
from chaos_world import World

STEP_S = 0.02
HEALING_S = 40  # of a run's time; more is waited, see `heal`
LEAST_COMPLETED = 20  # a run with fewer, or without any of these, has tested nothing
LEAST_FAULTS = ("kill_coordinator", "kill_worker", "kill_zq", "pause_worker")
SILENCE_MS = 1000  # of a child that ticks every 50 ms
PAUSES = ("pause_coordinator", "pause_worker")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--seconds", type=int, help="of the whole run, healing included (120)")
    length.add_argument("--minutes", type=int)
    parser.add_argument("--until-kills", type=int, help="end the faults after so many kills of the coordinator")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--profile", choices=sorted(PROFILES), default="mixed")
    parser.add_argument("--keep", action="store_true", help="keep the folder of the run")
    arguments = parser.parse_args()
    arguments.seconds = arguments.minutes * 60 if arguments.minutes else arguments.seconds or 120
    return arguments


class Run:
    def __init__(self, arguments: argparse.Namespace):
        self.arguments = arguments
        self.began = time.monotonic()
        self.folder = tempfile.mkdtemp(prefix="zq-chaos-")
        self.world = World(self.folder)
        self.faults = Faults(self.world, arguments.seed, arguments.profile)
        self.history = History()
        self.clients = chaos_clients.make_clients(self.world, self.history, arguments.seed)
        self.violations: list[str] = []
        self.figures: dict = {}

    def go(self) -> None:
        try:
            self.world.start()
            self.trouble()
            self.heal()
            self.check()
        except AssertionError as error:
            self.violations.append(str(error))
        finally:
            self.world.end_everything()
        self.violations += self.world.surprises + self.history.surprises

    def trouble(self) -> None:
        """Clients work while faults happen."""
        for client in self.clients:
            client.start()
        end = self.began + max(20, self.arguments.seconds - HEALING_S)
        enough = self.arguments.until_kills or sys.maxsize
        while time.monotonic() < end and self.faults.counts["kill_coordinator"] < enough:
            self.world.supervise()
            self.faults.step()
            time.sleep(STEP_S)

    def heal(self) -> None:
        """Everything is up and every link is whole: all clients get their answers, all tasks end."""
        began = time.monotonic()
        self.world.heal()
        give_up = began + 3 * HEALING_S * zq_e2e.PATIENCE
        for client in self.clients:
            client.give_up = give_up - 10  # so that it can say itself what it lacks
            client.stopping.set()
        try:
            self.await_that(lambda: not any(client.is_alive() for client in self.clients),
                            "every client gets its answers", give_up)
            with chaos_reader.Reader(self.world.direct) as reader:
                self.await_that(lambda: not reader.open_tasks(), "every task ends", give_up)
        finally:
            self.figures["healing_s"] = round(time.monotonic() - began)

    def await_that(self, condition, what: str, give_up: float) -> None:
        while not condition():
            if time.monotonic() > give_up:
                raise AssertionError(f"healed, and yet not: {what}{self.still_busy()}")
            self.world.supervise()
            time.sleep(STEP_S)

    def still_busy(self) -> str:
        """Where each client is that has not ended, and which `zq` still runs."""
        frames = sys._current_frames()
        where = [f"; {client.name}: {' < '.join(reversed(traceback.format_stack(frames[client.ident], 6)))}"
                 for client in self.clients if client.ident in frames]
        return "".join(where) + "".join(f"; {process.args}" for process in self.world.zq_processes)

    def check(self) -> None:
        evidence = chaos_reader.gather(self.world, self.history)
        self.world.end_workers(30 * zq_e2e.PATIENCE)
        self.world.end_coordinator(30 * zq_e2e.PATIENCE)
        self.violations += chaos_checker.violations(evidence)
        self.violations += self.check_data()
        for proxy in self.world.proxies:
            proxy.end(10)
        self.violations += [f"left behind: {pid} {line}" for pid, line in self.world.strays().items()]
        self.figures |= figures_of(evidence)
        self.violations += self.what_was_too_easy()

    def what_was_too_easy(self) -> list[str]:
        missing = [name for name in LEAST_FAULTS if not self.faults.counts[name]]
        completed = self.figures["states"].get("completed", 0)
        few = [f"only {completed} tasks were completed"] if completed < LEAST_COMPLETED else []
        return few + [f"the run had no {name}" for name in missing]

    def check_data(self) -> list[str]:
        """`zq-coordinator --check`: chain, states and contents."""
        done = subprocess.run([self.world.bin("zq-coordinator"), "--data", self.world.data, "--check"],
                              capture_output=True, text=True, timeout=300, check=False, env=self.world.env())
        return [] if done.returncode == 0 else [f"--check: exit {done.returncode}: {done.stdout} {done.stderr}"]

    # The end.

    def report(self) -> None:
        counts = self.faults.counts
        print(f"figures: {json.dumps(self.figures)}")
        print(f"faults: {json.dumps(dict(sorted(counts.items())))}")
        for violation in self.violations[:40]:
            print(f"violation: {violation}")
        if self.violations or self.arguments.keep:
            self.leave_record()
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        ledger = {
            "machinery": "chaos", "runs": 1, "seconds": round(time.monotonic() - self.began),
            "tasks": len(self.history.acknowledged), "coordinator_kills": counts["kill_coordinator"],
            "worker_kills": counts["kill_worker"], "client_kills": counts["kill_zq"],
            "pauses": sum(counts[name] for name in PAUSES),
            "cuts": sum(counts[name] for name in ("cut", "tear", "refuse", "kill_proxy")),
            "stalls": sum(counts[name] for name in ("stall", "slow", "half-open")),
            "violations": len(self.violations)}
        print("ledger: " + " ".join(f"{key}={value}" for key, value in ledger.items()))

    def leave_record(self) -> None:
        """What a person needs to find out what happened, beside the logs and the data folder."""
        with open(os.path.join(self.folder, "violations"), "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in self.violations)
        with open(os.path.join(self.folder, "diary"), "w", encoding="utf-8") as file:
            file.writelines(f"{at} {what} {who} {pid}\n" for at, what, who, pid in self.world.diary)
        print(f"kept: {self.folder}")


def figures_of(evidence: Evidence) -> dict:
    """What the run went through: whether it was hard enough."""
    outcomes = collections.Counter(each["fields"]["outcome"] for each in evidence.events_of("attempt_ended"))
    return {
        "events": len(evidence.events),
        "states": dict(collections.Counter(row["state"] for row in evidence.rows.values())),
        "outcomes": dict(outcomes),
        "thawed": thawed_children(evidence), "resumed": len(evidence.events_of("lease_resumed")),
        "children": sum(life.what == "start" for life in evidence.lives),
        "unwatched_overlaps": len({(life.task, life.attempt) for life, _ in chaos_checker.overlaps(evidence)}),
        "events_read": len(evidence.hashes), "results_read": len(evidence.results)}


def thawed_children(evidence: Evidence) -> int:
    """How many gave no sign of life for a second, and then one again."""
    last: dict[tuple[str, int], int] = {}
    thawed = set()
    for life in evidence.lives:
        child = (life.lease, life.pid)
        if life.at - last.get(child, life.at) > SILENCE_MS:
            thawed.add(child)
        last[child] = life.at
    return len(thawed)


def main() -> int:
    if not os.access(os.path.join(zq_e2e.BIN, "zq"), os.X_OK):
        sys.exit("ZQ_BIN_DIR must name the folder of zq, zq-coordinator and zq-worker")
    arguments = parse_arguments()
    print(f"seed {arguments.seed} profile {arguments.profile}", flush=True)
    run = Run(arguments)
    run.go()
    run.report()
    return 1 if run.violations else 0


if __name__ == "__main__":
    sys.exit(main())
