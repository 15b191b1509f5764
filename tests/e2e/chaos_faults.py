"""What goes wrong in a chaos run, and when: a schedule drawn from a seed. Owns the choice of faults and
their figures; carries them out through chaos_world.py.

The same seed gives the same choices; what they hit depends on the machine's timing.
"""

import collections
import dataclasses
import os
import random
import signal
import time

from chaos_world import CLIENTS, WORKERS, World

LINK_FAULTS = {"cut": 5, "tear": 5, "stall": 6, "slow": 4, "half-open": 4, "refuse": 3}
AT_ONCE = ("cut", "tear")  # over as soon as they are done: nothing to heal


WEATHER_S = 15  # one kind of trouble, then another: a lease cannot end while coordinators come and go

ANYTHING = {"kill_coordinator": 5, "pause_coordinator": 3, "kill_worker": 9, "pause_worker": 8, "kill_zq": 10,
            "kill_child": 4, "kill_proxy": 3, "trouble_link": 24, "partition": 2}
WORKERS_ONLY = {"kill_worker": 10, "pause_worker": 10, "kill_child": 3, "kill_zq": 5}
LINKS_ONLY = {"trouble_link": 20, "partition": 3, "kill_zq": 4}
COORDINATOR = {"kill_coordinator": 30, "pause_coordinator": 1, "kill_worker": 3, "pause_worker": 2, "kill_zq": 4,
               "kill_child": 1, "kill_proxy": 1, "trouble_link": 8}


@dataclasses.dataclass(frozen=True)
class Profile:
    """How often something happens (mean seconds), and the kinds of weather: weights of what it is."""
    every_s: float
    weathers: tuple[dict, ...]


PROFILES = {
    "mixed": Profile(0.5, (ANYTHING, ANYTHING, WORKERS_ONLY, LINKS_ONLY)),
    # Kills of the coordinator for the ledger, under enough other trouble that there is something to lose.
    "coordinator-kills": Profile(0.4, (COORDINATOR,)),
}


class Faults:
    """The schedule. `step` does what is due; `counts` says what was done."""

    def __init__(self, world: World, seed: int, profile: str):
        self.world, self.profile = world, PROFILES[profile]
        self.chance = random.Random(seed)
        self.counts: collections.Counter = collections.Counter()
        self.next_at = time.monotonic() + 2
        self.heal_at: dict[str, float] = {}  # link -> when its fault is over
        self.weather: dict = {}
        self.clears_at = 0.0

    def step(self) -> None:
        now = time.monotonic()
        for link in [link for link, at in self.heal_at.items() if now >= at]:
            del self.heal_at[link]
            self.world.proxy_of(link).order(link, "heal")
        if now < self.next_at:
            return
        self.next_at = now + self.chance.expovariate(1 / self.profile.every_s)
        if now >= self.clears_at:
            self.weather, self.clears_at = self.chance.choice(self.profile.weathers), now + WEATHER_S
        name = self.chance.choices(list(self.weather), list(self.weather.values()))[0]
        if getattr(self, f"_{name}")():
            self.counts[name] += 1

    def _span(self, *ranges: tuple[float, float, float]) -> float:
        """A length from one of (weight, least, most) ranges."""
        _, least, most = self.chance.choices(ranges, [weight for weight, _, _ in ranges])[0]
        return self.chance.uniform(least, most)

    def _some_worker(self):
        return self.world.workers[self.chance.choice(list(WORKERS))]

    # Processes. Mostly they are back at once; now and then a lease (4 s) ends before that.

    def _kill_coordinator(self) -> bool:
        return self.world.coordinator.kill(self._span((7, 0, 0.2), (2, 0.2, 2), (0.5, 3, 7)))

    def _pause_coordinator(self) -> bool:
        return self.world.coordinator.pause(self._span((6, 0.1, 2), (2, 2, 8)))

    def _kill_worker(self) -> bool:
        return self._some_worker().kill(self._span((5, 0, 0.5), (2, 0.5, 3), (3, 7, 12)))

    def _pause_worker(self) -> bool:
        return self._some_worker().pause(self._span((6, 0.1, 3), (3, 5, 12)))

    def _kill_proxy(self) -> bool:
        return self.chance.choice(self.world.proxies).kill(self._span((5, 0, 0.3), (1, 1, 4)))

    def _kill_zq(self) -> bool:
        with self.world.lock:
            running = sorted(self.world.zq_processes, key=lambda each: each.pid)
            if not running:
                return False
            self.chance.choice(running).kill()  # nothing, where it has ended meanwhile
        return True

    def _kill_child(self) -> bool:
        """A command of a worker, if one of the latest still runs."""
        with open(self.world.record, "rb") as record:
            record.seek(max(0, os.fstat(record.fileno()).st_size - 20_000))
            lines = [line.split() for line in record.read().splitlines()[1:]]
        pids = sorted({int(line[5]) for line in lines if len(line) >= 8 and line[1] == b"main"})
        pids = [pid for pid in pids if _is_child_of(self.world, pid)]
        if not pids:
            return False
        pid = self.chance.choice(pids)
        self.world.note("kill", "child", pid)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    # Links.

    def _trouble(self, link: str) -> bool:
        word = self.chance.choices(list(LINK_FAULTS), list(LINK_FAULTS.values()))[0]
        if link in self.heal_at or not self.world.proxy_of(link).order(link, word):
            return False
        self.counts[word] += 1
        if word not in AT_ONCE:
            self.heal_at[link] = time.monotonic() + self._span((6, 0.2, 3), (3, 5, 14))
        return True

    def _trouble_link(self) -> bool:
        """Workers' more often than clients': theirs carry the leases."""
        return self._trouble(self.chance.choice([*WORKERS, *WORKERS, *CLIENTS]))

    def _partition(self) -> bool:
        """Half of all links at once."""
        links = self.chance.sample([*WORKERS, *CLIENTS], (len(WORKERS) + len(CLIENTS)) // 2)
        return any([self._trouble(link) for link in links])


def _is_child_of(world: World, pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as command:
            return world.record.encode() in command.read()
    except OSError:
        return False
