#!/usr/bin/python3
"""Who says to be somebody else, or to hold what others hold; on a coordinator without keys, where the only
proof is what a peer knows. With keys: keys.py."""
import contextlib

from ground import LEASE, expect_error, family, main, message, tests_of
from zq_client import Client, Worker, make_task_id, sha256

ATTACKS, attack = family()
REPORTS = (("COMPLETE", {}), ("SKIP", {}), ("FAIL", {"reason": "x"}), ("RELEASE", {}))
WORDS = (("PROGRESS", {"percent": 1}), ("SPEND", {"input_tokens": 5}),
         ("CHECKPOINT", {"artifact": {"name": "a", "digest": sha256(b"x"), "size": 1, "data": b"x"}}))


@contextlib.contextmanager
def victim(ground):
    """A worker that runs a task; afterwards the task has to be its own still, and completes."""
    name = f"victim-{len(ground.neighbour.roles)}"
    ground.neighbour.roles.add(name)
    with Client(ground.endpoint) as client, Worker(ground.endpoint, name, [name]) as worker:
        task_id = make_task_id()
        ground.neighbour.tasks.add(task_id)
        client.submit(name, task_id=task_id)
        worker.hello()
        worker.ready()
        assign = worker.next_assign()
        yield worker, assign
        assert worker.heartbeat() == {assign["lease"]: "ok"}
        assert worker.report("COMPLETE", assign)["state"] == "completed"


def shifted(lease, by):
    journal, number = lease.split("-")
    return f"{journal}-{(int(number, 16) + by) % 2 ** 64:016x}"


@attack("reports of a running task under tokens one and two off, and of zero", "`STALE_LEASE` each; the task stays its holder's", "refused_STALE_LEASE", times=16)
def tokens_counted_up_and_down(ground):
    with victim(ground) as (_, assign):
        for by in (1, -1, 2, 2 ** 32):
            for kind, more in REPORTS:
                ground.refused_request(kind, "STALE_LEASE", "lease", task_id=assign["task"]["task_id"], attempt=1,
                                       lease=shifted(assign["lease"], by), **more)


@attack("reports under the right number of another journal's id", "`STALE_LEASE` each", "refused_STALE_LEASE", times=4)
def tokens_of_another_journal(ground):
    with victim(ground) as (_, assign):
        lease = "f" * 16 + assign["lease"][16:]
        for kind, more in REPORTS:
            ground.refused_request(kind, "STALE_LEASE", "lease", task_id=assign["task"]["task_id"], attempt=1, lease=lease, **more)


@attack("the right token with another task's id, with another attempt", "`STALE_LEASE` or `NOT_FOUND`", "refused_NOT_FOUND")
def tokens_for_other_tasks(ground):
    with victim(ground) as (_, assign), victim(ground) as (_, other):
        ground.refused_request("COMPLETE", "STALE_LEASE", task_id=other["task"]["task_id"], attempt=1, lease=assign["lease"])
        ground.refused_request("COMPLETE", "NOT_FOUND", task_id=make_task_id(), attempt=1, lease=assign["lease"])


@attack("progress, checkpoints and costs of others' tasks under guessed tokens", "`STALE_LEASE` each", "refused_STALE_LEASE", times=3)
def words_about_others_tasks(ground):
    with victim(ground) as (_, assign):
        for kind, more in WORDS:
            ground.refused_request(kind, "STALE_LEASE", task_id=assign["task"]["task_id"], attempt=1,
                                   lease=shifted(assign["lease"], 1), **more)


@attack("the token of an attempt that was lost, after the next one began", "`CONFLICT`: that attempt has its report", "refused_CONFLICT")
def tokens_of_the_past(ground):
    with Client(ground.endpoint) as client:
        task_id = make_task_id()
        ground.neighbour.tasks.add(task_id)
        client.submit("past", task_id=task_id)
        old = client.call("CLAIM", to="past")[1]["lease"]
        client.call("RELEASE", task_id=task_id, attempt=1, lease=old)
        new = client.call("CLAIM", to="past")[1]
        ground.refused_request("COMPLETE", "CONFLICT", task_id=task_id, attempt=1, lease=old)
        client.call("COMPLETE", task_id=task_id, attempt=new["attempt"], lease=new["lease"])


@attack("a heartbeat that lists 2,048 guessed leases", "`stale` each: none is renewed, none is found out", "stale_verdicts", times=2_000)
def heartbeats_for_guessed_leases(ground):
    with victim(ground) as (_, assign), Client(ground.endpoint) as client:
        held = [{"task_id": assign["task"]["task_id"], "attempt": 1, "lease": shifted(assign["lease"], by)} for by in range(1, 2049)]
        beat = client.call("HEARTBEAT", free=0, leases=held)[1]
        assert {row["verdict"] for row in beat["leases"]} == {"stale"} and len(beat["leases"]) == 2048


@attack("one lease more than may be listed", "`TOO_LARGE`", "refused_TOO_LARGE")
def more_leases_than_may_be_listed(ground):
    held = [{"task_id": "t", "attempt": 1, "lease": LEASE}] * 2049
    ground.refused_request("HEARTBEAT", "TOO_LARGE", "leases", free=0, leases=held)


@attack("HELLO under a live worker's name with a state id of its own", "`NAME_IN_USE`; the worker keeps name and task", "refused_NAME_IN_USE")
def another_state_under_a_live_name(ground):
    with victim(ground) as (worker, _), Worker(ground.endpoint, worker.name, worker.roles) as thief:
        expect_error("NAME_IN_USE", thief.hello)


@attack("HELLO with a live worker's state id and a lower incarnation, with 0, with 2^64-1 twice", "`SUPERSEDED`, `INVALID`; what is lower never takes over", "refused_SUPERSEDED")
def lower_incarnations(ground):
    with victim(ground) as (worker, _):
        worker.incarnation = 7
        worker.hello()
        with Worker(ground.endpoint, worker.name, worker.roles, state_id=worker.state_id, incarnation=3) as thief:
            expect_error("SUPERSEDED", thief.hello)


@attack("credit and heartbeats without a HELLO", "`HELLO_FIRST`", "refused_HELLO_FIRST", times=2)
def workers_without_a_hello(ground):
    with Worker(ground.endpoint, "nobody", ["neighbour"]) as stranger:
        expect_error("HELLO_FIRST", stranger.ready)
        expect_error("HELLO_FIRST", stranger.heartbeat)


@attack("SUBMIT with `identity`, `submitter`, `you` and `from` of somebody else", "the identity is the connection's; `from` is kept as what a peer calls itself",
        "messages", journals=("task_submitted", "task_cancelled"))
def identities_in_messages(ground):
    task_id = make_task_id()
    task = {"task_id": task_id, "to": "nobody", "from": "admin@0000000000000000", "submitter": "system", "identity": "system"}
    kind, fields = ground.send(message("SUBMIT", {"id": 1, "identity": "system", "you": "admin", "task": task}))
    assert kind == "SUBMITTED", fields
    row = ground.neighbour.client.task(task_id)["row"]
    assert row["submitter"] == "local", row
    ground.neighbour.client.call("CANCEL", task_id=task_id)


@attack("epochs and sequence numbers from the past and the future in requests", "ignored: they are the coordinator's to say", "messages", times=4)
def epochs_in_requests(ground):
    for epoch in (0, 1, 2 ** 31, 2 ** 32 - 1):
        kind, fields = ground.send(message("PING", {"id": 1, "epoch": epoch, "seq": 2 ** 64 - 1, "artifacts_endpoint": "tcp://6.6.6.6:1"}))
        assert (kind, fields["epoch"]) == ("PONG", 1) and "6.6.6.6" not in str(fields), fields


@attack("messages that only the coordinator sends: WELCOME, ASSIGN, BEAT, ACCEPTED, TASK", "`UNKNOWN_TYPE`; nobody is told of it", "refused_UNKNOWN_TYPE", times=3)
def words_of_the_coordinator(ground):
    for kind, fields in (("BEAT", {}), ("ACCEPTED", {"task_id": "a", "state": "queued"}), ("PONG", {"program": "x", "journal": "0" * 16, "you": "x", "now": 1})):
        ground.refused_request(kind, "UNKNOWN_TYPE", **fields)


@attack("live log of a running task under a guessed lease", "`STALE_LEASE`: nobody reads a line of it", "refused_STALE_LEASE")
def log_lines_of_others(ground):
    with victim(ground) as (_, assign):
        pieces = [{"seq": 1, "stream": "stdout", "offset": 0, "at": 1, "data": b"forged"}]
        answer = ground.send(message("LOG", {"id": 1, "task_id": assign["task"]["task_id"], "attempt": 1, "lease": shifted(assign["lease"], 1),
                                             "pieces": pieces}), endpoint=ground.artifacts)
        assert answer and answer[1].get("code") == "STALE_LEASE", answer


@attack("JOIN on a coordinator without keys", "`DENIED`: it comes with an invitation's key", "refused_DENIED")
def joining_without_an_invitation(ground):
    ground.refused_request("JOIN", "DENIED", public_key="rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", name="me")


Forged = tests_of("Forged", ATTACKS)

if __name__ == "__main__":
    main()
