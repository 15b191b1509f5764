"""What the clients of a chaos run were told: the record that the checker holds the coordinator to. Shared
by the clients' threads; owns no opinion, except on answers that are wrong by themselves (`surprise`)."""

import dataclasses
import threading

FINAL = frozenset({"completed", "skipped", "cancelled", "expired", "dead"})


@dataclasses.dataclass(frozen=True)
class Submit:
    """A submit as it was first tried."""
    task: str
    mode: str  # chaos_child.py's
    context: str = ""  # SHA-256 of the context that goes along
    ttl_ms: int = 0


class History:
    def __init__(self):
        self.lock = threading.Lock()
        self.tried: dict[str, Submit] = {}
        self.acknowledged: dict[str, int] = {}  # task -> sequence number it was told, 0: not told
        self.cancels: list[tuple[str, str]] = []  # (task, state) of acknowledged cancels
        self.ended: dict[str, tuple[str, int]] = {}  # task -> (final state, attempts), as first read
        self.hashes: dict[int, bytes] = {}  # sequence number -> hash of events that were read
        self.results: list[tuple[str, str]] = []  # (task, SHA-256) of results that were read
        self.surprises: list[str] = []

    def surprise(self, text: str) -> None:
        with self.lock:
            self.surprises.append(text)

    def try_submit(self, submit: Submit) -> None:
        with self.lock:
            self.tried[submit.task] = submit

    def acknowledge(self, task: str, seq: int) -> None:
        with self.lock:
            self.acknowledged.setdefault(task, seq)

    def note_cancel(self, task: str, state: str) -> None:
        with self.lock:
            self.cancels.append((task, state))

    def note_row(self, task: str, state: str, attempts: int) -> None:
        """A task as a read showed it: once final, the same for ever."""
        if state not in FINAL:
            return
        with self.lock:
            first = self.ended.setdefault(task, (state, attempts))
            if first != (state, attempts):
                self.surprises.append(f"{task} was read as {first} and later as {(state, attempts)}")

    def note_event(self, seq: int, digest: bytes) -> None:
        """An event that a read showed: the same for ever."""
        with self.lock:
            if self.hashes.setdefault(seq, digest) != digest:
                self.surprises.append(f"event {seq} was read with two hashes")

    def note_result(self, task: str, digest: str) -> None:
        with self.lock:
            self.results.append((task, digest))

    def open_tasks(self) -> int:
        """Acknowledged tasks that nobody has read as ended yet."""
        with self.lock:
            return len(self.acknowledged.keys() - self.ended.keys())
