#!/usr/bin/python3
"""Names that lead somewhere else, hide something, or are kept for the system."""
from ground import LEASE, family, main, message, tests_of
from zq_client import make_task_id, sha256

ATTACKS, attack = family()
REF = {"digest": sha256(b"x"), "size": 1}


def task(**more):
    return {"task_id": make_task_id(), "to": "nobody", **more}


def hello(worker="attacker", **more):
    return {"worker": worker, "state_id": "0" * 32, "incarnation": 1, "roles": ["r"], "slots": 1, **more}


def everywhere(ground, names):
    """The same names wherever a peer may give one; gives how many were tried."""
    for name in names:
        ground.refused_request("SUBMIT", "INVALID", "task.task_id", task=task(task_id=name))
        ground.refused_request("SUBMIT", "INVALID", "task.to", task=task(to=name))
        ground.refused_request("HELLO", "INVALID", "worker", **hello(name))
        ground.refused_request("HELLO", "INVALID", "roles", **hello(roles=[name]))
        ground.refused_request("SUBMIT", "INVALID", "task.inputs[0].name", task=task(inputs=[{"name": name, **REF}]))
        ground.refused_request("COMPLETE", "INVALID", "artifacts[0].name", task_id="x", attempt=1, lease=LEASE,
                               artifacts=[{"name": name, **REF, "data": b"x"}])
        ground.refused_request("FETCH", "INVALID", "name", endpoint=ground.artifacts, task_id="x", attempt=1, name=name,
                               offset=0, length=1)


def names(run_name, does, list_of_names):
    def run(ground):
        everywhere(ground, list_of_names)
    run.__name__ = run_name
    attack(does + ": as id, role, worker, input, output, read", "`INVALID` with the field", "refused_INVALID",
           times=7 * len(list_of_names))(run)


names("control characters in names", "ESC, BEL, newline, tab, DEL", ["a\x1b[2Jb", "a\x07", "a\nb", "\tx", "x\x7f"])
names("NUL in names", "a NUL before an ending that looks right", ["a\0b", "result.md\0.sh", "\0"])
names("names that change direction", "U+202E, U+2066, and a zero-width space", ["a\u202efdp.exe", "\u2066a", "a\u200bb"])
names("letters that look like others", "Cyrillic a, fullwidth slash, ligatures", ["\u0430dmin", "a\uff0fb", "\ufb01le"])
names("paths upwards", "`../`, its kin, and empty parts", ["../x", "a/../../b", "..", ".", "a//b", "a/", "./a"])
names("absolute paths and other systems' paths", "/etc/shadow, a drive, backslashes, a home", ["/etc/shadow", "C:/x", "a\\..\\b", "~/x"])
names("hidden files and flags", "names that begin with a dot, a dash, an underscore", [".git", "-rf", "--config=x", "_x", "a/.ssh"])
names("names of 10 KiB", "10 KiB of letters, and of parts", ["x" * 10_240, "/".join(["x" * 60] * 160)])


@attack("task ids and roles that mean something to us: an empty one, `*`, another namespace", "`INVALID` with the field", "refused_INVALID", times=5)
def reserved_names(ground):
    ground.refused_request("SUBMIT", "INVALID", "task.task_id", task=task(task_id=""))
    ground.refused_request("SUBMIT", "INVALID", "task.to", task=task(to="*"))
    ground.refused_request("SUBMIT", "INVALID", "task.ns", task=task(ns="system"))
    ground.refused_request("SUBMIT", "INVALID", "task.ns", task=task(ns="../default"))
    ground.refused_request("GET", "INVALID", "task_id", task_id="*")


@attack("`from`, `reply_to`, `type`, keys and a trace of 10 KiB", "`TOO_LARGE` with the field", "refused_TOO_LARGE", times=6)
def texts_beyond_their_bounds(ground):
    for key in ("from", "reply_to", "type", "idempotency_key", "unique_key", "trace_id"):
        ground.refused_request("SUBMIT", "TOO_LARGE", f"task.{key}", task=task(**{key: "x" * 10_240}))


@attack("32 labels more than there may be, a key of 10 KiB, a value of 10 KiB", "`TOO_LARGE` or `INVALID`", "refused_TOO_LARGE")
def labels_without_end(ground):
    for labels in ({f"k{i}": "v" for i in range(64)}, {"k": "v" * 10_240}, {"k" * 10_240: "v"}):
        kind, fields = ground.send(message("SUBMIT", {"id": 9, "task": task(labels=labels)}))
        assert kind == "ERROR" and fields["code"] in ("TOO_LARGE", "INVALID"), fields


@attack("an input by reference at http://, and at file:///etc/shadow with a digest that is not its own",
        "`INVALID`; the other is taken: the worker opens it with its own rights and tells nothing of what is not that content",
        "refused_INVALID", journals=("task_submitted", "task_cancelled"))
def references_to_files(ground):
    def asked(uri):
        return task(inputs=[{"name": "a", "uri": uri, "by_reference": True, **REF}])
    ground.refused_request("SUBMIT", "INVALID", "task.inputs[0].uri", task=asked("http://169.254.169.254/latest\nHost: b"))
    taken = asked("file:///etc/shadow")
    ground.neighbour.client.call("SUBMIT", task=taken)
    ground.refused_request("FETCH", "NOT_FOUND", endpoint=ground.artifacts, task_id=taken["task_id"], attempt=0, name="a", offset=0,
                           length=100)
    ground.neighbour.client.call("CANCEL", task_id=taken["task_id"])


Names = tests_of("Names", ATTACKS)

if __name__ == "__main__":
    main()
