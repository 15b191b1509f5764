#!/usr/bin/python3
"""One hostile peer in a process of its own: says one thing as fast as it can, over a few connections, for a
bounded time. Lower in the machine's favour than the rest: it stands for one on another machine."""
import os
import sys
import time

from ground import message, zmq
from zq_client import make_task_id

BURST = 50
BIG = "x" * 200_000


def words(kind, number):
    request = {"id": number, "client": "flooder"}
    return {
        "garbage": lambda: [b"zq/1", b"SUBMIT", b"\xc1"],
        "ping": lambda: message("PING", request),
        "large": lambda: message("SUBMIT", {**request, "task": {"task_id": "../x", "to": "r", "instructions": BIG}}),
        "submit": lambda: message("SUBMIT", {**request, "task": {"task_id": make_task_id(), "to": "flooded"}}),
        "status": lambda: message("STATUS", request),
        "list": lambda: message("LIST", {**request, "limit": 1000}),
        "events": lambda: message("EVENTS", {**request, "after": 0, "limit": 1000}),
        "get": lambda: message("GET", {**request, "task_id": "large", "spec": True}),
    }[kind]()


def main(endpoint, kind, seconds, sockets, reads):
    os.nice(10)
    context = zmq.Context()
    peers = [context.socket(zmq.DEALER) for _ in range(int(sockets))]
    for peer in peers:
        peer.linger = 0
        peer.connect(endpoint)
    end = time.monotonic() + float(seconds)
    sent = read = 0
    while time.monotonic() < end:
        for peer in peers:
            try:
                for _ in range(BURST):
                    peer.send_multipart(words(kind, sent + 1), zmq.DONTWAIT)
                    sent += 1
            except zmq.Again:
                pass
            try:
                while reads == "reads":
                    peer.recv_multipart(zmq.DONTWAIT)
                    read += 1
            except zmq.Again:
                pass
    print(f"sent {sent}, read {read}", flush=True)
    os._exit(0)  # without waiting for what is queued


if __name__ == "__main__":
    main(*sys.argv[1:])
