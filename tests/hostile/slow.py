#!/usr/bin/python3
"""Peers that are slow, or say nothing, at the wrong moment."""
import socket
import struct
import time

from frames import GREETING, hand_shake, read, tcp
from ground import Ground, await_that, family, main, message, tests_of, zmq
from zq_client import Client, Worker, ZqError, make_task_id

ATTACKS, attack = family()


class SlowGround(Ground):
    def start(self):
        super().start()
        self.neighbour.client.submit("nobody", task_id="large", instructions="y" * 250_000, payload='"' + "z" * 250_000 + '"')


def zmtp(frames):
    """A message in ZMTP 3 framing."""
    packed = b""
    for i, frame in enumerate(frames):
        more = 1 if i + 1 < len(frames) else 0
        packed += bytes([more | 2]) + struct.pack(">Q", len(frame)) + frame
    return packed


@attack("a raw peer that asks for 100 answers of half a megabyte and shuts its window", "cut off after 30 s; the memory is free again", "connections_ended")
def a_window_that_stays_closed(ground):
    before = ground.rss_mib()
    ended = ground.counter("connections_ended")
    with tcp(ground.endpoint) as peer:
        hand_shake(peer)
        for i in range(100):
            peer.sendall(zmtp(message("GET", {"id": i + 1, "task_id": "large", "spec": True})))
        time.sleep(2)
        during = ground.rss_mib()
        for _ in range(5):
            ground.neighbour.serve()
        await_that(lambda: ground.counter("connections_ended") > ended, "it is cut off", 60)
    print(f"  a closed window: {before} -> {during} -> {ground.rss_mib()} MiB", flush=True)
    assert during - before < 160


@attack("half a message: its first frame, and nothing more", "nobody waits for it: others' messages come between", "messages")
def half_a_message(ground):
    with tcp(ground.endpoint) as peer:
        hand_shake(peer)
        peer.sendall(b"\x03" + struct.pack(">Q", 4) + b"zq/1")
        for _ in range(5):
            ground.neighbour.serve()
        peer.sendall(b"\x00\x10abc")  # a frame of 16 bytes, three of them


@attack("a worker that takes a task and then says nothing at all", "its lease ends after its term; the task goes to another one", "messages",
        journals=("role_served",))
def a_worker_that_falls_silent(ground):
    task_id = make_task_id()
    ground.neighbour.tasks.add(task_id)
    ground.neighbour.client.submit("silent", task_id=task_id)
    with Worker(ground.endpoint, "silent", ["silent"]) as worker:
        worker.hello()
        worker.ready()
        worker.next_assign()
        await_that(lambda: ground.neighbour.client.task(task_id)["row"]["state"] != "running", "its lease is over", 20)
    claimed = ground.neighbour.client.call("CLAIM", to="silent", wait_ms=5_000)[1]
    ground.neighbour.client.call("COMPLETE", task_id=task_id, attempt=claimed["attempt"], lease=claimed["lease"])


@attack("a worker with 1,024 slots that says READY and takes nothing of what it is sent", "it gets what it has credit for; what it never confirms goes to another one, free of charge",
        "messages", journals=("role_served", "task_submitted", "task_assigned", "lease_ended", "task_released", "attempt_ended"))
def credit_without_end(ground):
    client = ground.neighbour.client
    tasks = [make_task_id() for _ in range(200)]
    ground.neighbour.tasks.update(tasks)
    with tcp(ground.endpoint) as peer:
        hand_shake(peer)
        for kind, fields in (("HELLO", {"worker": "greedy", "state_id": "a" * 32, "incarnation": 1, "roles": ["greed"], "slots": 1024}),
                             ("READY", {"free": 1024})):
            peer.sendall(zmtp(message(kind, {"id": 1, **fields})))
        time.sleep(0.3)
        client.call("BATCH", tasks=[{"task_id": task, "to": "greed", "instructions": "y" * 4_000} for task in tasks])
        for _ in range(5):
            ground.neighbour.serve()

    def another_has_one():
        try:
            return client.call("CLAIM", to="greed", wait_ms=3_000)[1]["task"]["task_id"] in tasks
        except ZqError as refusal:
            assert refusal.code == "NOTHING_TO_CLAIM", refusal  # the leases of the greedy one have not ended
            return False
    await_that(another_has_one, "another one may have them", 40)
    for task in tasks:
        client.call("CANCEL", task_id=task)


SlowPeers = tests_of("SlowPeers", ATTACKS, SlowGround)

if __name__ == "__main__":
    main()
