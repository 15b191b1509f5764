#!/usr/bin/python3
"""Every call that a coordinator makes on its disk fails once: nothing acknowledged is lost by it.

    disk_faults.py                 a sample that fits into --seconds, its offset printed
    disk_faults.py --all           each call number of each function, with each error
    disk_faults.py --only pwrite:17:EIO:once [--scenario fresh] [--keep]
                                   one run again

One run (disk_run.py): a coordinator with disk_fault_preload.cc under it does the standard workload
(disk_workload.py), is told to end, is checked and started again.
"""

import argparse
import concurrent.futures
import random
import sys
import threading
import time

from disk_run import Fault, Fresh, Recovered, Run
from disk_workload import Lost

MISSES = 3                          # call numbers in a row that no run reaches: the end of the range

# What of each function is made to fail. A read gives no ENOSPC; half a write is torn.
ERRORS = {
    "fdatasync": ("EIO:once", "ENOSPC:once", "EIO:on"),
    "fsync": ("EIO:once", "ENOSPC:once", "EIO:on"),
    "pwrite": ("EIO:once", "ENOSPC:once", "EIO:torn"),
    "write": ("EIO:once", "ENOSPC:once", "EIO:torn"),
    "pread": ("EIO:once",),
    "ftruncate": ("EIO:once", "ENOSPC:once"),
    "fallocate": ("EIO:once", "ENOSPC:once"),
    "rename": ("EIO:once", "ENOSPC:once"),
    "open": ("EIO:once", "ENOSPC:once"),
    "mkdir": ("EIO:once", "ENOSPC:once"),
    "unlink": ("EIO:once",),
}
# Ways that differ little from call to call: a part of the numbers is enough.
PARTLY = {"pwrite": ("ENOSPC:torn", "ENOSPC:on", "EIO:on"), "write": ("ENOSPC:on",)}
PARTLY_EVERY = 16


class Sweep:
    """Counts runs, faults and violations; prints each violation with the command that repeats it."""

    def __init__(self, keep=False):
        self.keep = keep
        self.runs = self.faults = self.calls = self.promises = self.violations = 0
        self.exits = {}
        self.lock = threading.Lock()
        self.began = time.monotonic()

    def run(self, scenario, fault) -> bool:
        """One run; true if the fault was met. A run that did not get so far is tried once more."""
        for _ in range(2):
            with Run(scenario, fault, self.keep) as run:
                try:
                    run.perform()
                    lost = None
                except Lost as wrong:
                    lost = wrong
                self._count(run, lost)
                if run.fired:
                    return True
        return False

    def _count(self, run, lost):
        with self.lock:
            self.runs += 1
            self.promises += run.promised
            if run.fired:
                self.faults += 1
                key = (run.fault.call, run.fault.how, run.exit_code)
                self.exits[key] = self.exits.get(key, 0) + 1
            if lost:
                self.violations += 1
                print(f"VIOLATION {run.fault} {run.scenario.name}: {lost}\n    again: tests/e2e/disk_faults.py"
                      f" --only {run.fault} --scenario {run.scenario.name} --keep", flush=True)

    def count_calls(self, scenario):
        """The calls of a run without a fault."""
        with Run(scenario, Fault("none", 0, "EIO:once")) as run:
            run.perform()
            return run.calls

    def cover(self, scenario, call, how, step, first):
        """Call numbers `first`, `first` + `step`, … to the end of what runs reach; gives the one after."""
        number, misses = first, 0
        while misses < MISSES:
            misses = 0 if self.run(scenario, Fault(call, number, how)) else misses + 1
            number += step
        return number

    def ledger(self):
        print(f"ledger: machinery=disk-faults runs={self.runs} faults={self.faults} calls={self.calls}"
              f" promises={self.promises} seconds={time.monotonic() - self.began:.0f}"
              f" violations={self.violations}", flush=True)


def check_the_check(scenario):
    """A disk that says yes and keeps nothing must be found out, or the check is worth nothing."""
    with Run(scenario, Fault("pwrite", 150, "ENOSPC:lie")) as run:
        try:
            run.perform()
        except Lost as found:
            return print(f"a disk that lies is found out: {found}")
    sys.exit("a disk that lies was not found out: the check is broken")


def sweep_all(sweep, scenarios, jobs):
    """Every number of every function, each way; `jobs` runs at a time."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for scenario in scenarios:
            counted = sweep.count_calls(scenario)
            print(f"{scenario.name}: {counted}", flush=True)
            sweep.calls += sum(counted.values())
            ways = [(call, how, 1) for call, hows in ERRORS.items() for how in hows]
            ways += [(call, how, PARTLY_EVERY) for call, hows in PARTLY.items() for how in hows]
            for call, how, step in ways:
                numbers = range(1, counted[call] + 1, step)
                known = [pool.submit(sweep.run, scenario, Fault(call, number, how)) for number in numbers]
                for each in known:
                    each.result()
                # Runs differ a little in their number of calls: on to where none is met.
                until = sweep.cover(scenario, call, how, step, first=len(numbers) * step + 1)
                print(f"{scenario.name} {call}:{how} up to {until - step * MISSES - 1}", flush=True)


def sweep_sample(sweep, scenarios, seconds, seed):
    """Faults by chance over all calls and ways, until the time is over."""
    print(f"sample: --seed {seed}", flush=True)
    chance, space = random.Random(seed), []
    for scenario in scenarios:
        counted = sweep.count_calls(scenario)
        sweep.calls += sum(counted.values())
        space += [(scenario, call, how, counted[call]) for call, ways in ERRORS.items() for how in ways
                  if counted.get(call)]
    space += [(scenario, call, how, 200) for scenario in scenarios for call, ways in PARTLY.items() for how in ways]
    chance.shuffle(space)
    at, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        # Each function and error in turn, so that rare calls are not drowned by frequent ones.
        scenario, call, how, count = space[at % len(space)]
        sweep.run(scenario, Fault(call, chance.randint(1, count), how))
        at += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seconds", type=float, default=45)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time, of --all")
    parser.add_argument("--only", metavar="CALL:NUMBER:ERROR:MODE")
    parser.add_argument("--scenario", choices=("fresh", "recovered"), default="fresh")
    parser.add_argument("--keep", action="store_true", help="keep the folders")
    arguments = parser.parse_args()
    fresh, recovered, sweep = Fresh(), Recovered(), Sweep(arguments.keep)
    try:
        if arguments.only:
            call, number, how = arguments.only.split(":", 2)
            with Run(recovered if arguments.scenario == "recovered" else fresh,
                     Fault(call, int(number), how), arguments.keep) as run:
                try:
                    run.perform()
                finally:
                    print(f"{run.folder}: met {run.fired}, exit {run.exit_code}, {run.promised} promises, {run.calls}")
            sys.exit(0 if run.fired else "the fault was not met")
        check_the_check(fresh)
        if arguments.all:
            sweep_all(sweep, (fresh, recovered), arguments.jobs)
        else:
            sweep_sample(sweep, (fresh, recovered), arguments.seconds, arguments.seed)
        for (call, how, code), count in sorted(sweep.exits.items()):
            print(f"  {call}:{how} exit {code}: {count}")
        sweep.ledger()
    finally:
        recovered.close()
    sys.exit(1 if sweep.violations else 0)


if __name__ == "__main__":
    main()
