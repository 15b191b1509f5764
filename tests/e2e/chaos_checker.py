"""What must hold of a chaos run, a rule each: functions from the evidence to violations in words. No
sockets, no files, no clock: chaos_checker_test.py shows each rule a history that breaks it."""

import collections
from typing import Iterator

from chaos_evidence import Evidence, Life, result_of
from chaos_history import FINAL

Violations = Iterator[str]

# Modes of chaos_child.py whose work can be accepted as done.
CAN_COMPLETE = {"ok", "big", "flaky", "later", "crash", "stubborn", "daemon"}


def acknowledged_submits_are_on_record_and_final(e: Evidence) -> Violations:
    for task in e.acknowledged:
        if task not in e.rows:
            yield f"{task} was acknowledged and is not there"
        elif e.rows[task]["state"] not in FINAL:
            yield f"{task} was acknowledged and is still {e.rows[task]['state']}"


def no_task_is_unknown(e: Evidence) -> Violations:
    for task in e.rows.keys() - e.tried.keys():
        yield f"{task} is on record and nobody submitted it"
    for task in e.rows.keys() - e.acknowledged.keys():
        if task in e.tried:
            yield f"{task} is on record and its submit was never acknowledged, though it was repeated"


def state_after(event: dict) -> str:
    """The state that an event says its task has from then on; empty: it says none."""
    return event.get("fields", {}).get("state", "")


def each_task_ends_once_and_nothing_follows(e: Evidence) -> Violations:
    ends = collections.defaultdict(list)
    for event in e.events:
        task, state = event.get("task_id", ""), state_after(event)
        if not task:
            continue
        if ends[task] and event["kind"] != "content_stored":
            yield f"{task} ended at {ends[task][-1]} and {event['kind']} followed at {event['seq']}"
        if state in FINAL:
            ends[task].append(f"{event['seq']} as {state}")
            if task in e.rows and e.rows[task]["state"] != state:
                yield f"{task} ended as {state} and is on record as {e.rows[task]['state']}"
    for task in e.rows:
        if e.rows[task]["state"] in FINAL and len(ends[task]) != 1:
            yield f"{task} ended {len(ends[task])} times: {ends[task]}"


def submits_are_journaled_once_where_they_were_acknowledged(e: Evidence) -> Violations:
    submitted = collections.defaultdict(list)
    for event in e.events_of("task_submitted"):
        submitted[event["task_id"]].append(event["seq"])
    for task, seq in e.acknowledged.items():
        if len(submitted[task]) != 1:
            yield f"{task} was submitted {len(submitted[task])} times: {submitted[task]}"
        elif seq and submitted[task] != [seq]:
            yield f"{task} was acknowledged with {seq} and submitted at {submitted[task][0]}"


def the_journal_has_no_gap_and_time_and_epochs_never_fall(e: Evidence) -> Violations:
    for number, event in enumerate(e.events, start=1):
        if event["seq"] != number:
            yield f"event {number} is missing: {event['seq']} stands in its place"
            return
    for before, after in zip(e.events, e.events[1:]):
        if after["epoch"] < before["epoch"] or after["at"] < before["at"]:
            yield f"event {after['seq']} is of an earlier epoch or time than the one before"
        if after["kind"] == "epoch_started" and after["epoch"] != before["epoch"] + 1:
            yield f"epoch {before['epoch']} was followed by {after['epoch']}"


def what_was_read_is_still_there(e: Evidence) -> Violations:
    journal = {event["seq"]: event["hash"] for event in e.events}
    for seq, digest in e.hashes.items():
        if journal.get(seq) != digest:
            yield f"event {seq} was read, and now it is another one or gone"
    for task, (state, attempts) in e.ended.items():
        row = e.rows.get(task)
        now = row and (row["state"], row.get("attempts", 0))
        if now != (state, attempts):
            yield f"{task} was read as {(state, attempts)}, and now it is {now}"


def attempts_only_grow(e: Evidence) -> Violations:
    last: dict[str, int] = {}
    for event in e.events_of("task_assigned"):
        task, attempt = event["task_id"], int(event["fields"]["attempt"])
        if attempt <= last.get(task, 0):
            yield f"{task}: attempt {attempt} was assigned at {event['seq']}, after attempt {last[task]}"
        last[task] = attempt


def token_number(lease: str) -> int:
    return int(lease.partition("-")[2], 16)


def tokens_grow_in_the_order_of_assignment(e: Evidence) -> Violations:
    tokens: dict[tuple[str, int], str] = {}
    for life in e.lives:
        if tokens.setdefault((life.task, life.attempt), life.lease) != life.lease:
            yield f"{life.task} attempt {life.attempt} ran under {tokens[life.task, life.attempt]} and {life.lease}"
    last, of = 0, ""
    for event in e.events_of("task_assigned"):
        key = (event["task_id"], int(event["fields"]["attempt"]))
        if key not in tokens:
            continue
        number = token_number(tokens[key])
        if number <= last:
            yield f"{key}: its token {number:x} is not above {last:x} of {of}, which was assigned before"
        if number >> 32 != event["epoch"]:
            yield f"{key}: its token {number:x} is not of epoch {event['epoch']}"
        last, of = number, str(key)


def every_child_belongs_to_an_assignment(e: Evidence) -> Violations:
    assigned = {(event["task_id"], int(event["fields"]["attempt"])): event["fields"]["worker"]
                for event in e.events_of("task_assigned")}
    mains = collections.defaultdict(set)
    for life in e.lives:
        if life.what != "start":
            continue
        worker = assigned.get((life.task, life.attempt))
        if worker != life.worker:
            yield f"{life.task} attempt {life.attempt} ran at {life.worker} and was assigned to {worker}"
        if life.who == "main":
            mains[life.task, life.attempt].add(life.pid)
    for (task, attempt), pids in mains.items():
        if len(pids) > 1:
            yield f"{task} attempt {attempt} was begun {len(pids)} times"


def was_unwatched(e: Evidence, worker: str, at: int) -> bool:
    return any(since <= at <= until for since, until in e.unwatched.get(worker, ()))


def overlaps(e: Evidence) -> Iterator[tuple[Life, Life]]:
    """Signs of life of an attempt after a later attempt of its task had begun: (sign, that beginning). A
    frozen child gives none, and a child that a later attempt has replaced is never thawed."""
    begun: dict[str, dict[int, Life]] = collections.defaultdict(dict)
    for life in e.lives:
        first = begun[life.task].setdefault(life.attempt, life)
        if life.at < first.at:
            begun[life.task][life.attempt] = life
    for life in e.lives:
        for attempt, first in begun[life.task].items():
            if attempt > life.attempt and life.at > first.at:
                yield life, first


def one_child_of_a_task_at_a_time(e: Evidence) -> Violations:
    """Beside those whose worker could not do anything about it, stopped or dead."""
    told = set()
    for life, first in overlaps(e):
        key = (life.task, life.attempt, first.attempt)
        if key in told or was_unwatched(e, life.worker, life.at):
            continue
        told.add(key)
        yield (f"{life.task}: attempt {life.attempt} ({life.who} {life.pid} of {life.worker}) gave a {life.what} at "
               f"{life.at}, {life.at - first.at} ms after attempt {first.attempt} began at {first.worker}")


def accepted_results_are_what_the_winner_wrote(e: Evidence) -> Violations:
    wrote = collections.defaultdict(set)
    for life in e.lives:
        if life.what == "result":
            wrote[life.task, life.attempt].add(life.detail)
    for task, row in e.rows.items():
        if row["state"] != "completed":
            continue
        winners = [attempt for attempt in e.attempts[task] if attempt["outcome"] == "completed"]
        if len(winners) != 1 or winners[0]["attempt"] != row["attempts"]:
            yield f"{task} is completed by {[attempt['attempt'] for attempt in winners]} of {row['attempts']} attempts"
            continue
        result = result_of(winners[0])
        digest = result["digest"].hex() if result else None
        if digest not in wrote[task, row["attempts"]]:
            yield f"{task}: the accepted result of attempt {row['attempts']} is not what its child wrote"
        if e.fetched.get(task) != digest:
            yield f"{task}: the bytes of its result are not those of its digest"
    for task, digest in e.results:
        if digest != e.fetched.get(task):
            yield f"{task}: a client read another result than the accepted one"


def children_were_given_what_was_submitted(e: Evidence) -> Violations:
    for life in e.lives:
        if life.what == "context" and life.detail != e.tried[life.task].context:
            yield f"{life.task} attempt {life.attempt} was given another context than was submitted"
    given = {(life.task, life.attempt) for life in e.lives if life.what == "context"}
    for life in e.lives:
        if life.what == "result" and e.tried[life.task].context and (life.task, life.attempt) not in given:
            yield f"{life.task} attempt {life.attempt} ran without its context"


def cancels_hold(e: Evidence) -> Violations:
    for task, state in e.cancels:
        now = e.rows.get(task, {}).get("state")
        if state in ("cancelled", "cancelling") and now != "cancelled":
            yield f"{task}: its cancel was acknowledged as {state}, and it is {now}"


def states_fit_what_the_children_did(e: Evidence) -> Violations:
    cancelled = {task for task, _ in e.cancels}
    for task, row in e.rows.items():
        submit, state = e.tried.get(task), row["state"]
        if submit is None:
            continue
        wrong = (
            (state == "completed" and submit.mode not in CAN_COMPLETE)
            or (state == "skipped" and submit.mode != "skip")
            or (state == "cancelled" and task not in cancelled)
            or (state == "expired" and not submit.ttl_ms)
            or (row.get("dead_reason") == "permanent" and submit.mode != "permanent")
        )
        if wrong:
            yield f"{task} of mode {submit.mode} ended as {state} {row.get('dead_reason', '')}"


def attempts_and_losses_are_counted_right(e: Evidence) -> Violations:
    outcomes = collections.defaultdict(collections.Counter)
    last: dict[str, dict] = {}
    for event in e.events_of("attempt_ended"):
        outcomes[event["task_id"]][event["fields"]["outcome"]] += 1
        last[event["task_id"]] = event["fields"]
    for task, row in e.rows.items():
        seen = outcomes[task]
        failures, losses = row.get("failures", 0), row.get("losses", 0)
        if failures != seen["failed"]:
            yield f"{task} has {failures} failures on record and failed {seen['failed']} times"
        if losses > seen["lost"]:
            yield f"{task} has {losses} losses on record and was lost {seen['lost']} times"
        reason = row.get("dead_reason", "")
        if reason == "attempts_exhausted" and failures != row["max_attempts"]:
            yield f"{task} is dead of {failures} failures where {row['max_attempts']} are allowed"
        if reason == "poison" and losses < 3:
            yield f"{task} is poison after {losses} losses"
    assigned = collections.Counter(event["task_id"] for event in e.events_of("task_assigned"))
    for task, row in e.rows.items():
        if row.get("attempts", 0) != assigned[task]:
            yield f"{task} has {row.get('attempts', 0)} attempts on record and was assigned {assigned[task]} times"


def counters_are_at_rest(e: Evidence) -> Violations:
    dead = collections.Counter(row["to"] for row in e.rows.values() if row["state"] in ("dead", "expired"))
    for role in e.roles:
        for name in ("queued", "waiting", "running"):
            if role[name]:
                yield f"role {role['role']} counts {role[name]} {name} where everything has ended"
        if role["dead"] != dead[role["role"]]:
            yield f"role {role['role']} counts {role['dead']} dead and has {dead[role['role']]}"


RULES = (
    acknowledged_submits_are_on_record_and_final,
    no_task_is_unknown,
    each_task_ends_once_and_nothing_follows,
    submits_are_journaled_once_where_they_were_acknowledged,
    the_journal_has_no_gap_and_time_and_epochs_never_fall,
    what_was_read_is_still_there,
    attempts_only_grow,
    tokens_grow_in_the_order_of_assignment,
    every_child_belongs_to_an_assignment,
    one_child_of_a_task_at_a_time,
    accepted_results_are_what_the_winner_wrote,
    children_were_given_what_was_submitted,
    cancels_hold,
    states_fit_what_the_children_did,
    attempts_and_losses_are_counted_right,
    counters_are_at_rest,
)


def violations(evidence: Evidence) -> list[str]:
    return [f"{rule.__name__}: {text}" for rule in RULES for text in rule(evidence)]
