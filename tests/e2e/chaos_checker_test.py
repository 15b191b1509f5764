#!/usr/bin/python3
"""Each rule of the chaos checker catches a history that breaks it, and passes one that does not."""

import unittest

import chaos_checker
from chaos_evidence import CATCH_UP_MS, Evidence, Life, unwatched_spans
from chaos_history import Submit

TOKEN = "0123456789abcdef-{:08x}{:08x}"


def lease(epoch: int, number: int) -> str:
    return TOKEN.format(epoch, number)


def event(seq: int, kind: str, task: str = "", epoch: int = 1, **fields) -> dict:
    return {"seq": seq, "at": 1000 + seq, "epoch": epoch, "kind": kind, "task_id": task, "hash": bytes([seq]),
            "fields": {key: str(value) for key, value in fields.items()}}


def life(what: str, task: str, attempt: int, token: str, at: int, worker: str = "w1", detail: str = "",
         who: str = "main") -> Life:
    return Life(what, who, task, attempt, token, 100 + attempt, worker, at, detail)


DIGEST = "ab" * 32
CONTEXT = "cd" * 32


def history() -> Evidence:
    """Task a: lost once by w1, completed by w2. Task b: cancelled. Task c: failed once, and is done."""
    result = {"name": "result.md", "digest": bytes.fromhex(DIGEST), "size": 5}
    events = [
        event(1, "epoch_started"),
        event(2, "task_submitted", "a", state="queued"),
        event(3, "task_assigned", "a", state="running", worker="w1", attempt=1),
        event(4, "attempt_ended", "a", state="queued", outcome="lost", attempt=1, losses=1),
        event(5, "task_submitted", "b", state="queued"),
        event(6, "task_cancelled", "b", state="cancelled"),
        event(7, "epoch_started", epoch=2),
        event(8, "task_assigned", "a", epoch=2, state="running", worker="w2", attempt=2),
        event(9, "attempt_ended", "a", epoch=2, state="completed", outcome="completed", attempt=2, losses=1),
        event(10, "task_submitted", "c", epoch=2, state="queued"),
        event(11, "task_assigned", "c", epoch=2, state="running", worker="w1", attempt=1),
        event(12, "attempt_ended", "c", epoch=2, state="dead", outcome="failed", attempt=1, failures=1),
    ]
    first, second, third = lease(1, 1), lease(2, 1), lease(2, 2)
    return Evidence(
        tried={"a": Submit("a", "ok", CONTEXT), "b": Submit("b", "ok"), "c": Submit("c", "permanent")},
        acknowledged={"a": 2, "b": 0, "c": 10},
        cancels=[("b", "cancelled")],
        ended={"a": ("completed", 2)},
        hashes={9: bytes([9])},
        results=[("a", DIGEST)],
        lives=[
            life("start", "a", 1, first, 100), life("context", "a", 1, first, 101, detail=CONTEXT),
            life("tick", "a", 1, first, 150),
            life("start", "a", 2, second, 900, "w2"), life("context", "a", 2, second, 901, "w2", CONTEXT),
            life("result", "a", 2, second, 950, "w2", DIGEST), life("end", "a", 2, second, 951, "w2", "0"),
            life("start", "c", 1, third, 1000),
        ],
        unwatched={"w1": [(5000, 6000)]},
        rows={
            "a": {"state": "completed", "to": "r", "attempts": 2, "losses": 1, "max_attempts": 3},
            "b": {"state": "cancelled", "to": "r", "max_attempts": 3},
            "c": {"state": "dead", "to": "r", "dead_reason": "permanent", "attempts": 1, "failures": 1,
                  "max_attempts": 3},
        },
        attempts={
            "a": [{"attempt": 1, "outcome": "lost"}, {"attempt": 2, "outcome": "completed", "artifacts": [result]}],
            "b": [], "c": [{"attempt": 1, "outcome": "failed"}],
        },
        events=events,
        fetched={"a": DIGEST},
        roles=[{"role": "r", "queued": 0, "waiting": 0, "running": 0, "dead": 1}],
    )


def replace_life(evidence: Evidence, at: int, new: Life) -> None:
    evidence.lives[[each.at for each in evidence.lives].index(at)] = new


# What the finding says -> how the history is broken.
BREAKS = {
    "acknowledged and is not there": lambda e: e.rows.pop("b"),
    "is still queued": lambda e: e.rows["b"].update(state="queued"),
    "nobody submitted it": lambda e: e.tried.pop("b"),
    "never acknowledged": lambda e: e.acknowledged.pop("b"),
    "and task_ready followed": lambda e: e.events.append(event(13, "task_ready", "a", epoch=2)),
    "ended 2 times": lambda e: e.events.append(event(13, "task_cancelled", "b", epoch=2, state="cancelled")),
    "ended 0 times": lambda e: e.events[5]["fields"].clear(),
    "is on record as dead": lambda e: e.rows["a"].update(state="dead"),
    "was submitted 2 times": lambda e: e.events.append(event(13, "task_submitted", "c", epoch=2)),
    "acknowledged with 3": lambda e: e.acknowledged.update(a=3),
    "is missing": lambda e: e.events.pop(4),
    "earlier epoch or time": lambda e: e.events[10].update(at=1),
    "was followed by": lambda e: [each.update(epoch=3) for each in e.events[6:]],
    "event 9 was read": lambda e: e.hashes.update({9: bytes([1])}),
    "a was read as": lambda e: e.ended.update(a=("completed", 1)),
    "attempt 1 was assigned at 8": lambda e: e.events[7]["fields"].update(attempt="1"),
    "is not above": lambda e: replace_life(e, 1000, life("start", "c", 1, lease(2, 0), 1000)),
    "is not of epoch": lambda e: replace_life(e, 1000, life("start", "c", 1, lease(3, 1), 1000)),
    "ran under": lambda e: replace_life(e, 951, life("end", "a", 2, lease(2, 7), 951, "w2", "0")),
    "was assigned to w1": lambda e: replace_life(e, 1000, life("start", "c", 1, lease(2, 2), 1000, "w2")),
    "was assigned to None": lambda e: e.lives.append(life("start", "c", 2, lease(2, 3), 2000)),
    "was begun 2 times": lambda e: e.lives.append(Life("start", "main", "c", 1, lease(2, 2), 999, "w1", 1100)),
    "20 ms after attempt 2 began": lambda e: e.lives.append(life("tick", "a", 1, lease(1, 1), 920)),
    "is completed by []": lambda e: e.attempts["a"].pop(),
    "not what its child wrote": lambda e: replace_life(e, 950, life("result", "a", 2, lease(2, 1), 950, "w2", "ee")),
    "not those of its digest": lambda e: e.fetched.update(a="ee"),
    "another result": lambda e: e.results.append(("a", "ee")),
    "given another context": lambda e: replace_life(e, 901, life("context", "a", 2, lease(2, 1), 901, "w2", "ee")),
    "ran without its context": lambda e: e.lives.pop(4),
    "acknowledged as cancelling": lambda e: e.cancels.append(("a", "cancelling")),
    "of mode skip": lambda e: e.tried.update(a=Submit("a", "skip", CONTEXT)),
    "ended as cancelled": lambda e: e.cancels.clear(),
    "failures on record": lambda e: e.rows["c"].update(failures=2),
    "losses on record": lambda e: e.rows["c"].update(losses=1),
    "where 3 are allowed": lambda e: e.rows["c"].update(dead_reason="attempts_exhausted"),
    "is poison after": lambda e: e.rows["c"].update(dead_reason="poison"),
    "was assigned 2 times": lambda e: e.rows["a"].update(attempts=3),
    "counts 1 running": lambda e: e.roles[0].update(running=1),
    "counts 4 dead": lambda e: e.roles[0].update(dead=4),
}


class Checker(unittest.TestCase):
    def test_passes_a_history_in_which_everything_holds(self):
        self.assertEqual(chaos_checker.violations(history()), [])

    def test_catches_each_way_in_which_a_history_can_be_wrong(self):
        for text, break_it in BREAKS.items():
            with self.subTest(text):
                evidence = history()
                break_it(evidence)
                self.assertIn(text, "\n".join(chaos_checker.violations(evidence)))

    def test_has_a_broken_history_for_every_rule(self):
        caught = set()
        for break_it in BREAKS.values():
            evidence = history()
            break_it(evidence)
            caught |= {violation.partition(":")[0] for violation in chaos_checker.violations(evidence)}
        self.assertEqual(caught, {rule.__name__ for rule in chaos_checker.RULES})

    def test_allows_two_children_at_once_only_while_the_first_ones_worker_is_dead_or_stopped(self):
        evidence = history()
        replaced = life("tick", "a", 1, lease(1, 1), 920)
        evidence.lives.append(replaced)
        evidence.unwatched = unwatched_spans([(100, "start", "w1", 1), (500, "pause", "w1", 1)])
        self.assertEqual(chaos_checker.violations(evidence), [])
        evidence.unwatched = unwatched_spans([(100, "pause", "w1", 1), (910 - CATCH_UP_MS, "resume", "w1", 1)])
        self.assertIn("one_child_of_a_task_at_a_time", chaos_checker.violations(evidence)[0])


if __name__ == "__main__":
    unittest.main()
