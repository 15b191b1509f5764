"""Everything that is known about a chaos run after its healing, gathered in one value: what clients were
told, what children did, what the harness did to whom, and what the coordinator has on record. Owns its
shape and the reading of files; chaos_reader.py asks the coordinator, chaos_checker.py judges."""

import collections
import dataclasses
import os
import sys

from chaos_history import Submit


@dataclasses.dataclass(frozen=True)
class Life:
    """A line of a child's record (chaos_child.py)."""
    what: str
    who: str
    task: str
    attempt: int
    lease: str
    pid: int
    worker: str
    at: int
    detail: str = ""


@dataclasses.dataclass
class Evidence:
    # Told to clients.
    tried: dict[str, Submit]
    acknowledged: dict[str, int]
    cancels: list[tuple[str, str]]
    ended: dict[str, tuple[str, int]]
    hashes: dict[int, bytes]
    results: list[tuple[str, str]]
    # Done by children; not watched by a live worker: worker -> spans of time.
    lives: list[Life]
    unwatched: dict[str, list[tuple[int, int]]]
    # On record: rows and attempts by task, as TASK gives them; events as EVENT_ROWS does; fetched results.
    rows: dict[str, dict]
    attempts: dict[str, list[dict]]
    events: list[dict]
    fetched: dict[str, str]  # task -> SHA-256 of the winning result's bytes, read at the end
    roles: list[dict]

    def events_of(self, kind: str) -> list[dict]:
        return [event for event in self.events if event["kind"] == kind]


def parse_lives(path: str) -> list[Life]:
    if not os.path.exists(path):
        return []
    lives = []
    with open(path, encoding="ascii") as record:
        for line in record:
            what, who, task, attempt, lease, pid, worker, at, *detail = line.split()
            lives.append(Life(what, who, task, int(attempt), lease, int(pid), worker, int(at), *detail))
    return lives


# After a worker is resumed or started again, until it has frozen or killed what ran unwatched: it has to
# read /proc for that, on a machine that is busy.
CATCH_UP_MS = 2000


def unwatched_spans(diary: list[tuple[int, str, str, int]]) -> dict[str, list[tuple[int, int]]]:
    """When each process was stopped or dead, and a little longer."""
    spans = collections.defaultdict(list)
    since: dict[str, int] = {}
    for at, what, who, _ in diary:
        if what in ("kill", "pause"):
            since.setdefault(who, at)
        elif what in ("start", "resume") and who in since:
            spans[who].append((since.pop(who), at + CATCH_UP_MS))
    for who, at in since.items():
        spans[who].append((at, sys.maxsize))
    return dict(spans)


def result_of(attempt: dict) -> dict | None:
    """The artifact that is the attempt's result."""
    named = (each for each in attempt.get("artifacts", []) if each["name"].partition(".")[0] == "result")
    return next(named, None)
