"""The clients of a chaos run, a thread each: they submit, cancel, wait and read through their own links,
and repeat every write under the same task id until it is acknowledged. What they are told goes into the
history. What a client does is here; how it says so is chaos_speech.py's."""

import hashlib
import random
import threading
import time

import chaos_speech
from chaos_history import History, Submit
from chaos_world import World

ROLES = ("alpha", "beta")
MODES = {"ok": 12, "big": 2, "flaky": 3, "fail": 1, "skip": 2, "permanent": 1, "later": 2, "crash": 1,
         "stubborn": 2, "daemon": 3}
DEEDS = {"submit": 60, "cancel": 7, "wait": 12, "read": 12, "follow": 8, "result": 6}
MOST_OPEN = 60  # of all clients: enough that no worker is idle
PAUSE_S = 0.05


class Client(threading.Thread):
    """`stop` ends it after what it is doing; `give_up` (monotonic) bounds that."""

    def __init__(self, name: str, speech: "chaos_speech.Speech", history: History, seed: str):
        super().__init__(name=name, daemon=True)
        self.speech, self.history = speech, history
        self.chance = random.Random(seed)
        self.mine: list[str] = []
        self.stopping = threading.Event()
        self.give_up: float | None = None

    def run(self) -> None:
        deeds = {"submit": self.submit, "cancel": self.cancel, "wait": self.wait, "read": self.read,
                 "follow": self.follow, "result": self.result}
        try:
            while not self.stopping.wait(PAUSE_S):
                deeds[self.chance.choices(list(DEEDS), list(DEEDS.values()))[0]]()
        except Exception as error:  # a thread's end has to be seen
            self.history.surprise(f"{self.name}: {type(error).__name__}: {error}")
        finally:
            self.speech.close()

    def repeat(self, what: str, attempt):
        """Calls `attempt` until it is answered; None where the time is over."""
        while (answer := attempt()) is None:
            if self.give_up is not None and time.monotonic() > self.give_up:
                self.history.surprise(f"{self.name}: no answer to {what} though everything is healed; last: "
                                      f"{self.speech.last_refusal}")
                return None
            time.sleep(self.chance.uniform(0.05, 0.4))
        return answer

    def some_task(self, recent: int = 1000) -> str | None:
        return self.chance.choice(self.mine[-recent:]) if self.mine else None

    # Deeds.

    def submit(self) -> None:
        if self.history.open_tasks() >= MOST_OPEN:
            return
        task = f"{self.name}-{len(self.mine):05}"
        spec, context = self._some_spec(task)
        self.history.try_submit(Submit(task, spec["type"].partition("-")[0],
                                       hashlib.sha256(context).hexdigest() if context else "",
                                       spec.get("ttl_ms", 0)))
        seq = self.repeat(f"the submit of {task}", lambda: self.speech.submit(task, spec, context))
        if seq is not None:
            self.history.acknowledge(task, seq)
            self.mine.append(task)

    def _some_spec(self, task: str) -> tuple[dict, bytes]:
        chance = self.chance
        mode = chance.choices(list(MODES), list(MODES.values()))[0]
        # A quarter outlasts a lease, so that it can be lost under them.
        length = chance.randint(4000, 12_000) if chance.random() < 0.25 else chance.randint(50, 2000)
        spec = {"to": chance.choice(ROLES), "type": f"{mode}-{length}", "instructions": f"Do {task}.",
                "priority": chance.randint(0, 10), "group": "chaos", "from": "chaos",
                "backoff": {"kind": "fixed", "min_ms": 200, "max_ms": 200}}
        if chance.random() < 0.05:
            spec["ttl_ms"] = chance.randint(500, 4000)
        if chance.random() < 0.1:
            spec["delay_ms"] = chance.randint(100, 3000)
        size = chance.choices([0, chance.randint(1, 8000), chance.randint(20_000, 400_000)], [70, 15, 15])[0]
        return spec, chance.randbytes(size)

    def cancel(self) -> None:
        """A recent task: queued or running, mostly."""
        if task := self.some_task(recent=12):
            state = self.repeat(f"the cancel of {task}", lambda: self.speech.cancel(task))
            if state:
                self.history.note_cancel(task, state)

    def wait(self) -> None:
        if task := self.some_task(recent=8):
            self.speech.wait(task)

    def read(self) -> None:
        if task := self.some_task():
            self.speech.read(task)

    def follow(self) -> None:
        self.speech.follow()

    def result(self) -> None:
        if task := self.some_task():
            self.speech.result(task)


def make_clients(world: World, history: History, seed: int) -> list[Client]:
    """Two that speak the protocol, and two that run `zq`."""
    voices = {"c1": chaos_speech.Protocol, "c2": chaos_speech.Protocol, "c3": chaos_speech.Command,
              "c4": chaos_speech.Command}
    return [Client(name, voice(world, name, history, random.Random(f"{seed} {name} speech")), history,
                   f"{seed} {name}") for name, voice in voices.items()]
