#!/usr/bin/python3
"""Attacks on a coordinator with keys, in a network namespace of its own, on an address that is no loopback: who
has no key, a wrong one, an old one, and what a good key may not do with what is another's."""
import os
import time

from ground import Ground, Neighbour, await_that, expect_error, family, main, message, tests_of, zmq
from connections import close, crowd, descriptors, is_cut, raise_descriptors
from frames import GREETING, tcp
from test_joining import Place, enter_namespace
from zq_client import Artifacts, Client, NoAnswer, Worker, make_task_id, sha256

ATTACKS, attack = family()


class KeyGround(Ground):
    def __init__(self):
        self.place = Place()
        super().__init__(self.place.coordinator)

    def start(self):
        # They may all work for every role: what is attacked here is what stands behind that.
        able = ("--permissions", "submit:*,work:*,read:own,put")
        self.anna, _ = self.place.join("anna", "--submit", *able)
        self.gpu, _ = self.place.join("gpu", "--role", "neighbour", *able)
        self.mallory, _ = self.place.join("mallory", "--submit", *able)
        self.neighbour = Neighbour(self.endpoint, self.anna, self.gpu)
        self.neighbour.serve()

    def hears_nothing(self, curve, endpoint=None, seconds=0.7):
        with Client(endpoint or self.endpoint, curve) as client:
            try:
                client.call("PING", patience=seconds, give_up=0)
            except NoAnswer:
                return
        raise AssertionError("it was answered")


@attack("a peer without any key, at both sockets", "nothing: the handshake fails", "handshakes_failed", times=2)
def no_key(ground):
    for endpoint in (ground.endpoint, ground.artifacts):
        ground.hears_nothing(None, endpoint)


@attack("a pair that nobody knows, at both sockets", "nothing: ZAP refuses it", "keys_refused", times=2)
def an_unknown_key(ground):
    for endpoint in (ground.endpoint, ground.artifacts):
        ground.hears_nothing((ground.place.server, *zmq.curve_keypair()), endpoint)


@attack("a known key that takes another server for the coordinator", "nothing: the handshake fails", "handshakes_failed")
def a_wrong_server_key(ground):
    ground.hears_nothing((zmq.curve_keypair()[0], *ground.anna[1:]))


@attack("anna's public key with a secret that is not hers", "nothing: the handshake fails", "handshakes_failed")
def a_public_key_without_its_secret(ground):
    with Client(ground.endpoint) as client:
        client.socket.close(0)
        client.socket = client.context.socket(zmq.REQ)
        client.socket.linger = 0
        client.socket.curve_serverkey, client.socket.curve_publickey = ground.place.server, ground.anna[1]
        client.socket.curve_secretkey = zmq.curve_keypair()[1]
        client.socket.connect(ground.endpoint)
        assert client.raw(message("PING", {"id": 1}), patience=0.7) is None


@attack("an invitation that has expired", "nothing: ZAP refuses it", "keys_refused")
def an_expired_invitation(ground):
    secret = ground.place.invite("--submit", "--expires", "1s")[1]
    time.sleep(1.2)
    ground.hears_nothing((ground.place.server, zmq.curve_public(secret), secret))


@attack("an invitation that was used, used again", "nothing: ZAP refuses it", "keys_refused")
def a_used_invitation(ground):
    secret = ground.place.invite("--submit")[1]
    invited = (ground.place.server, zmq.curve_public(secret), secret)
    with Client(ground.endpoint, invited) as client:
        client.call("JOIN", public_key=zmq.curve_keypair()[0].decode(), name="joiner")
        expect_error("DENIED", client.call, "JOIN", public_key=zmq.curve_keypair()[0].decode(), name="again")
    ground.hears_nothing(invited)


@attack("an invitation that submits, claims, reads, cancels, says HELLO, and puts", "`DENIED` each: it may PING and JOIN", "refused_DENIED", times=7)
def an_invitation_that_does_more(ground):
    secret = ground.place.invite("--submit")[1]
    invited = (ground.place.server, zmq.curve_public(secret), secret)
    with Client(ground.endpoint, invited) as client:
        for kind, fields in (("SUBMIT", {"task": {"task_id": "a", "to": "r"}}), ("CLAIM", {"to": "r"}), ("STATUS", {}), ("LIST", {}),
                             ("CANCEL", {"task_id": "a"}), ("HELLO", {"worker": "w", "state_id": "0" * 32, "incarnation": 1, "roles": ["r"], "slots": 1})):
            expect_error("DENIED", client.call, kind, **fields)
    with Artifacts(ground.artifacts, invited) as peer:
        peer.send("PUT", digest=sha256(b"x"), size=1)
        expect_error("DENIED", peer.answer)


@attack("a JOIN with names that are paths, with a key that is none, with the coordinator's own", "`INVALID`", "refused_INVALID", times=3)
def invitations_with_bad_names(ground):
    secret = ground.place.invite("--submit")[1]
    with Client(ground.endpoint, (ground.place.server, zmq.curve_public(secret), secret)) as client:
        for name, key in (("../x", zmq.curve_keypair()[0].decode()), ("a\nb", zmq.curve_keypair()[0].decode()), ("x", "short"), ("x", "\0" * 40)):
            expect_error("INVALID", client.call, "JOIN", public_key=key, name=name)


@attack("mallory's key with the exact lease of another's running task: reports, heartbeat, log", "`STALE_LEASE`, `stale`: a token helps nobody but its holder",
        "refused_STALE_LEASE", times=3)
def a_stolen_lease(ground):
    task_id = make_task_id()
    ground.neighbour.tasks.add(task_id)
    with Client(ground.endpoint, ground.anna) as anna, Client(ground.endpoint, ground.mallory) as mallory:
        anna.submit("stolen", task_id=task_id)
        held = {"task_id": task_id, "attempt": 1, "lease": anna.call("CLAIM", to="stolen")[1]["lease"]}
        for kind, more in (("COMPLETE", {}), ("FAIL", {"reason": "x"}), ("PROGRESS", {"percent": 99})):
            expect_error("STALE_LEASE", mallory.call, kind, **held, **more)
        assert mallory.call("HEARTBEAT", free=0, leases=[held])[1]["leases"][0]["verdict"] == "stale"
        with Artifacts(ground.artifacts, ground.mallory) as peer:
            peer.send("LOG", **held, pieces=[{"seq": 1, "stream": "stdout", "offset": 0, "data": b"forged"}])
            expect_error("STALE_LEASE", peer.answer)
        assert anna.call("COMPLETE", **held)[1]["state"] == "completed"


@attack("mallory's key says HELLO with another worker's name, state id and a higher incarnation", "refused, or a session of its own: nothing of the other's is released to it",
        "messages", journals=())
def a_stolen_state_id(ground):
    ground.neighbour.roles.add("mine")
    task_id = make_task_id()
    ground.neighbour.tasks.add(task_id)
    with Worker(ground.endpoint, "honest", ["mine"], curve=ground.gpu) as worker, Client(ground.endpoint, ground.anna) as anna:
        anna.submit("mine", task_id=task_id)
        worker.hello()
        worker.ready()
        assign = worker.next_assign()
        held = list(worker.held.values())
        with Worker(ground.endpoint, "honest", ["mine"], state_id=worker.state_id, incarnation=99, curve=ground.mallory) as thief:
            try:
                verdicts = thief.ask("HELLO", worker="honest", state_id=worker.state_id, incarnation=99, roles=["mine"], slots=1, leases=held, reports=[])[1]
                assert [row["verdict"] for row in verdicts.get("leases", [])] == ["stale"], verdicts
                thief.ask("GOODBYE")
            except Exception as refusal:
                assert getattr(refusal, "code", "") in ("NAME_IN_USE", "SUPERSEDED", "DENIED"), refusal
        worker.hello()
        assert worker.report("COMPLETE", assign)["state"] == "completed"


@attack("operators' requests with a plain key: BACKUP into /etc, GC, SET_CONTROL", "`DENIED`; no folder is made", "refused_DENIED", times=3)
def requests_of_operators(ground):
    with Client(ground.endpoint, ground.mallory) as mallory:
        expect_error("DENIED", mallory.call, "BACKUP", folder="/etc/zq-backup")
        expect_error("DENIED", mallory.call, "GC", dry_run=False)
        answer = mallory.raw(message("SET_CONTROL", {"id": 99, "client": mallory.client, "kind": "role", "name": "neighbour", "paused": True}))
        assert answer and answer[1].get("code") == "DENIED", answer
    assert not os.path.exists("/etc/zq-backup")


@attack("3,000 connections to the port with keys: silent, plain ZMTP, half a CURVE greeting", "closed within 5 s", "handshakes_failed", times=2_000)
def a_crowd_without_keys(ground):
    count = min(3000, raise_descriptors()) // 3
    curve = b"\xff" + b"\0" * 8 + b"\x7f\x03\x00CURVE" + b"\0" * 15 + b"\0" + b"\0" * 31
    idle = sorted(ground.neighbour.round_trips(40))[20]
    peers = [peer for says in (b"", GREETING, curve) for peer in crowd(ground.endpoint, count, says)]
    busy = sorted(ground.neighbour.round_trips(60))[30]
    print(f"  {len(peers)} connections at the port with keys: neighbour {idle:.2f} ms idle, {busy:.2f} ms beside them: {busy / idle:.1f} times", flush=True)
    assert busy < max(5 * idle, idle + 8)
    await_that(lambda: descriptors(ground) < 500, "they are closed", 30)
    close(peers)


@attack("200 whole handshakes with unknown keys", "refused one by one, 20 log lines a minute; the neighbour is served beside", "keys_refused", times=150)
def many_unknown_keys(ground):
    before = ground.counter("keys_refused")
    context = zmq.Context()
    peers = []
    for _ in range(200):
        peer = context.socket(zmq.DEALER)
        peer.linger = 0
        peer.curve_serverkey = ground.place.server
        peer.curve_publickey, peer.curve_secretkey = zmq.curve_keypair()
        peer.connect(ground.endpoint)
        peers.append(peer)
    for _ in range(20):
        ground.neighbour.serve()
    await_that(lambda: ground.counter("keys_refused") >= before + 150, "150 refusals")
    for peer in peers:
        peer.close(0)
    context.term()
    lines = ground.coordinator.log.read_text(errors="replace").count("connection refused")
    assert 1 <= lines <= 60, f"{lines} lines"  # of two minutes, and the other attacks


@attack("a peer that gives itself a routing id which begins with a zero byte, without a key", "nothing: the door is shut before it may name itself", "handshakes_failed")
def a_routing_id_of_the_library(ground):
    with tcp(ground.endpoint) as peer:
        peer.sendall(GREETING)
        name = b"\0" + os.urandom(4)
        ready = b"\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0" + bytes([len(name)]) + name
        peer.sendall(b"\x04" + bytes([len(ready)]) + ready)
        assert is_cut(peer)


Keys = tests_of("Keys", ATTACKS, KeyGround)


if __name__ == "__main__":
    enter_namespace()
    main()
