#!/usr/bin/python3
"""Uploads and reads that lie, never end, or ask for what is another's."""
import os
import time

from ground import LEASE, Ground, expect_error, family, main, message, tests_of
from zq_client import Artifacts, make_task_id, sha256

ATTACKS, attack = family()
MIB = 1024 * 1024


def answer_of(peer, kind, body=None, **fields):
    peer.send(kind, body, **fields)
    return peer.answer()


def refused(ground, code, kind, body=None, **fields):
    with Artifacts(ground.artifacts) as peer:
        expect_error(code, answer_of, peer, kind, body, **fields)


def honest_upload(ground):
    """What a neighbour puts is stored, and read back by nobody else's leave."""
    data = os.urandom(600_000)
    with Artifacts(ground.artifacts) as peer:
        peer.put(data)


@attack("300 uploads that are begun and poked, and never end", "`BUSY` from the 65th of one peer on: others find a place", "refused_BUSY", times=230,
        journals=("content_stored",))
def uploads_that_never_end(ground):
    with Artifacts(ground.artifacts) as peer:
        kinds = []
        for i in range(300):
            peer.send("PUT", digest=sha256(b"never %d" % i), size=10 * MIB)
            kinds.append(peer.receive(5)[0])
        assert kinds == ["PULL"] * 64 + ["ERROR"] * 236, (kinds.count("PULL"), kinds[:80])
        honest_upload(ground)


@attack("one chunk with a byte more than was announced, one of 256 KiB and a byte", "`TOO_LARGE`; nothing beyond the announced size is written", "refused_TOO_LARGE", times=2)
def chunks_beyond_their_size(ground):
    digest = sha256(b"beyond")
    with Artifacts(ground.artifacts) as peer:
        assert answer_of(peer, "PUT", digest=digest, size=100)[0] == "PULL"
        expect_error("TOO_LARGE", answer_of, peer, "CHUNK", bytes(101), digest=digest, offset=0, size=100)
        expect_error("TOO_LARGE", answer_of, peer, "CHUNK", bytes(256 * 1024 + 1), digest=digest, offset=0, size=MIB)


@attack("chunks out of order, overlapping, beyond the end, and the first one again", "each is answered with the offset that is wanted, and dropped; other bytes in the end: `DIGEST_MISMATCH`",
        "refused_DIGEST_MISMATCH")
def chunks_out_of_order(ground):
    data = os.urandom(1000)
    digest = sha256(data)
    with Artifacts(ground.artifacts) as peer:
        assert answer_of(peer, "PUT", digest=digest, size=1000)[0] == "PULL"
        for offset in (500, 999, 1000):
            kind, fields, _ = answer_of(peer, "CHUNK", data[:100], digest=digest, offset=offset, size=1000)
            assert (kind, fields.get("offset", 0)) == ("PULL", 0), fields
        assert answer_of(peer, "CHUNK", data[:600], digest=digest, offset=0, size=1000)[1]["offset"] == 600
        for offset in (0, 300, 599):  # over what is there
            kind, fields, _ = answer_of(peer, "CHUNK", b"evil" * 50, digest=digest, offset=offset, size=1000)
            assert (kind, fields["offset"]) == ("PULL", 600), fields
        expect_error("DIGEST_MISMATCH", answer_of, peer, "CHUNK", b"e" * 400, digest=digest, offset=600, size=1000)


@attack("an upload of other bytes than its digest's, three times", "`DIGEST_MISMATCH`; nothing of it stays, nothing is stored under that digest", "refused_DIGEST_MISMATCH", times=3)
def lying_digests(ground):
    for _ in range(3):
        with Artifacts(ground.artifacts) as peer:
            assert answer_of(peer, "PUT", digest=sha256(b"the truth"), size=9)[1].get("offset", 0) == 0
            expect_error("DIGEST_MISMATCH", answer_of, peer, "CHUNK", b"the lie..", digest=sha256(b"the truth"), offset=0, size=9)


@attack("sizes of 2^40 and a byte, 2^63, 2^64-1, and one that the disk does not have", "`TOO_LARGE`, `STORAGE_FULL`: no room is promised that is not there", "refused_TOO_LARGE", times=3)
def impossible_sizes(ground):
    for size in (2 ** 40 + 1, 2 ** 63, 2 ** 64 - 1):
        refused(ground, "TOO_LARGE", "PUT", digest=sha256(b"size"), size=size)
    with Artifacts(ground.artifacts) as peer:
        peer.send("PUT", digest=sha256(b"disk"), size=2 ** 40)
        assert peer.receive(5)[1].get("code") == "STORAGE_FULL"


@attack("digests of 0, 31, 33 and 64 bytes, and as hex", "`INVALID` with the field", "refused_INVALID", times=5)
def digests_of_wrong_sizes(ground):
    for digest in (b"", b"x" * 31, b"x" * 33, b"x" * 64, "0" * 64):
        refused(ground, "INVALID", "PUT", digest=digest, size=1)


@attack("CHUNK without a PUT; of another's upload under way with other bytes", "`NOT_FOUND`; the digest finds the lie and both begin anew", "refused_NOT_FOUND")
def chunks_of_no_upload(ground):
    refused(ground, "NOT_FOUND", "CHUNK", b"x", digest=sha256(b"nobody's"), offset=0, size=1)


@attack("FETCH by a digest, of a task that is not there, of an attempt that has not ended, at path names", "`NOT_FOUND`, `INVALID`: content is read by place, never by its digest",
        "refused_NOT_FOUND", times=2, journals=("content_stored",))
def reading_what_one_may_not_name(ground):
    data = os.urandom(300_000)
    with Artifacts(ground.artifacts) as peer:
        peer.put(data)
        for fields in ({"task_id": "no-task", "attempt": 1, "name": "a"}, {"task_id": sha256(data).hex(), "attempt": 0, "name": "a"}):
            expect_error("NOT_FOUND", answer_of, peer, "FETCH", offset=0, length=100, digest=sha256(data), **fields)
        for name in ("../../etc/passwd", "/etc/shadow", "a/../../b", "incoming/../x"):
            expect_error("INVALID", answer_of, peer, "FETCH", task_id="x", attempt=1, name=name, offset=0, length=1)


@attack("FETCH at offset 2^63, of length 0 and of 2^32-1", "`INVALID`", "refused_INVALID", times=2)
def reading_beyond_the_end(ground):
    task_id = make_task_id()
    ground.neighbour.tasks.add(task_id)
    for fields in ({"offset": 0, "length": 0}, {"offset": 0, "length": 2 ** 32 - 1}):
        refused(ground, "INVALID", "FETCH", task_id=task_id, attempt=1, name="a", **fields)


@attack("results that name content which was never put, of a size that is not its own", "`MISSING_CONTENT` or a refusal; nothing is accepted",
        "messages", journals=())
def results_without_their_content(ground):
    client = ground.neighbour.client
    task_id = make_task_id()
    ground.neighbour.tasks.add(task_id)
    client.submit("hollow", task_id=task_id)
    lease = client.call("CLAIM", to="hollow")[1]["lease"]
    ref = {"name": "a", "digest": sha256(b"never put"), "size": 100_000}
    held = {"task_id": task_id, "attempt": 1, "lease": lease}
    for artifacts in ([ref], [{**ref, "digest": sha256(b"x"), "size": 2, "data": b"x"}], [{**ref, "size": 9, "data": b"never pot"}], [ref] * 257):
        answer = ground.send(message("COMPLETE", {"id": 1, **held, "artifacts": artifacts}))
        assert answer and answer[0] == "ERROR", answer
    assert client.task(task_id)["row"]["state"] == "running"
    client.call("COMPLETE", **held)


@attack("20,000 reads of 256 KiB that are never taken", "64 wait for the peer, the others are dropped: it asks again or never", "replies_dropped", times=200,
        journals=("content_stored",))
def reads_that_are_never_taken(ground):
    data = os.urandom(MIB)
    client = ground.neighbour.client
    task_id = make_task_id()
    ground.neighbour.tasks.add(task_id)
    with Artifacts(ground.artifacts) as peer:
        peer.put(data)
        client.call("SUBMIT", task={"task_id": task_id, "to": "nobody", "inputs": [{"name": "a", "digest": sha256(data), "size": MIB}]})
        before = ground.rss_mib()
        for _ in range(20_000):
            peer.send("FETCH", task_id=task_id, attempt=0, name="a", offset=0, length=256 * 1024)
        time.sleep(1)
        honest_upload(ground)
        during = ground.rss_mib()
        print(f"  20,000 reads never taken: {before} -> {during} MiB", flush=True)
        assert during - before < 128
    client.call("CANCEL", task_id=task_id)


@attack("wishes for a log, 500 long polls over one connection", "one at a time is kept of a connection; the last one asked for is answered", "messages")
def log_readers_without_end(ground):
    client = ground.neighbour.client
    task_id = make_task_id()
    ground.neighbour.tasks.add(task_id)
    client.submit("logged", task_id=task_id)
    lease = client.call("CLAIM", to="logged")[1]["lease"]
    with Artifacts(ground.artifacts) as peer:
        for _ in range(500):
            peer.send("READ_LOG", task_id=task_id, attempt=1, after=0, wait_ms=1_500)
        answers = [peer.receive(3)]
        assert answers[0] is not None and peer.receive(0.5) is None, "one answer"
    client.call("COMPLETE", task_id=task_id, attempt=1, lease=lease)


ArtifactTricks = tests_of("ArtifactTricks", ATTACKS)

if __name__ == "__main__":
    main()
