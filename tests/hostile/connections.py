#!/usr/bin/python3
"""Connections by the thousand: silent ones, half greetings, garbage, one byte at a time, more than there are
descriptors. Raw TCP, as no ZeroMQ peer does it."""
import resource
import socket
import statistics
import threading
import time

from frames import GREETING, hand_shake, is_cut, tcp
from ground import Coordinator, Ground, Neighbour, await_that, family, main, tests_of

ATTACKS, attack = family()
MANY = 5_000
SPARE = 200  # descriptors that this process needs itself


def raise_descriptors():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(MANY, hard - SPARE)


def crowd(endpoint, count, says=b""):
    """So many connections at once; each says the same, and no more."""
    host, port = endpoint.rsplit("/", 1)[1].rsplit(":", 1)
    peers = []
    for _ in range(count):
        peer = socket.socket()
        try:
            peer.settimeout(5)
            peer.connect((host, int(port)))
            if says:
                peer.sendall(says)
        except OSError:
            peer.close()
            continue
        peers.append(peer)
    return peers


def measured(ground, count, says):
    """A crowd, the neighbour's latency beside it, and what it costs in memory; then the crowd goes."""
    idle = statistics.median(ground.neighbour.round_trips(40))
    before = ground.rss_mib()
    peers = crowd(ground.endpoint, count, says)
    try:
        busy = statistics.median(ground.neighbour.round_trips(60))
        served = ground.neighbour.serve()
        during = ground.rss_mib()
        print(f"  {len(peers)} connections that said {says[:12]!r}: neighbour {idle:.2f} ms idle, {busy:.2f} ms beside them: {busy / idle:.1f}"
              f" times; a whole task {served * 1000:.0f} ms; {before} -> {during} MiB", flush=True)
        assert len(peers) >= count * 0.9, f"only {len(peers)} got in"
        assert busy < max(5 * idle, idle + 8), f"{busy / idle:.1f} times the idle latency"
        assert during - before < 300, f"{during - before} MiB"
        return peers
    except BaseException:
        close(peers)
        raise


def close(peers):
    for peer in peers:
        peer.close()


def descriptors(ground):
    import os
    return len(os.listdir(f"/proc/{ground.coordinator.process.pid}/fd"))


@attack("5,000 TCP connections that say nothing", "each is closed after the 5 s that a handshake may take", "handshakes_failed", times=4_000)
def silent_connections(ground):
    peers = measured(ground, raise_descriptors(), b"")
    await_that(lambda: descriptors(ground) < 1000, "they are closed", 30)
    assert all(is_cut(peer) for peer in peers[:50])
    close(peers)


@attack("5,000 connections with half a ZMTP greeting", "each is closed after 5 s", "handshakes_failed", times=4_000)
def half_greetings(ground):
    peers = measured(ground, raise_descriptors(), GREETING[:20])
    await_that(lambda: descriptors(ground) < 1000, "they are closed", 30)
    close(peers)


@attack("2,000 connections with a whole greeting and no READY behind it", "each is closed after 5 s", "handshakes_failed", times=1_500)
def greetings_without_an_end(ground):
    peers = measured(ground, min(2000, raise_descriptors()), GREETING)
    await_that(lambda: descriptors(ground) < 1000, "they are closed", 30)
    close(peers)


@attack("1,000 connections that speak HTTP and TLS", "closed: no ZMTP", "connections", times=900)
def other_protocols(ground):
    for says in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200):
        close(measured(ground, 500, says))


@attack("300 slow ones: a byte of their greeting every quarter of a second", "closed after 5 s in all: bytes do not buy time", "handshakes_failed", times=250)
def slow_greetings(ground):
    peers = crowd(ground.endpoint, 300)
    end = time.monotonic() + 7
    at = 0
    while time.monotonic() < end:
        for peer in peers:
            try:
                peer.sendall(GREETING[at % 64:at % 64 + 1])
            except OSError:
                pass
        at += 1
        ground.neighbour.serve()
        time.sleep(0.2)
    assert sum(is_cut(peer) for peer in peers[:20]) == 20
    close(peers)


@attack("3,000 whole handshakes and closings, one after the other, over eight threads", "served and forgotten: no descriptor stays", "connections", times=2_900)
def come_and_go(ground):
    before = descriptors(ground)

    def churn():
        for _ in range(375):
            with tcp(ground.endpoint) as peer:
                peer.sendall(GREETING)
    threads = [threading.Thread(target=churn) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        ground.neighbour.serve()
    await_that(lambda: descriptors(ground) < before + 50, "their descriptors are free again", 20)


@attack("2,000 peers with a whole handshake that then say nothing", "they stay: about 30 KiB each; the neighbour does not notice", "connections", times=1_900)
def idle_peers(ground):
    before = ground.rss_mib()
    peers = crowd(ground.endpoint, 2000)
    for peer in peers:
        peer.sendall(GREETING)
    for peer in peers:
        ready = b"\x05READY\x0bSocket-Type\0\0\0\x06DEALER"
        peer.sendall(b"\x04" + bytes([len(ready)]) + ready)
    idle = statistics.median(ground.neighbour.round_trips(60))
    print(f"  2000 idle peers: {before} -> {ground.rss_mib()} MiB, a submit {idle:.2f} ms", flush=True)
    assert ground.rss_mib() - before < 160
    assert descriptors(ground) > 1900, "they are there"
    close(peers)
    await_that(lambda: descriptors(ground) < 1000, "they are forgotten", 20)


class FewDescriptors(Ground):
    def __init__(self):
        super().__init__(Coordinator(prefix=("prlimit", "--nofile=160:160")))


FEW, attack_few = family()


@attack_few("400 connections to a coordinator that has 160 descriptors", "refused by the system while none is left; who is connected is served; all goes on when they are closed",
            "accepts_failed")
def more_connections_than_descriptors(ground):
    peers = crowd(ground.endpoint, 400)
    for _ in range(20):
        ground.neighbour.serve()
        time.sleep(0.05)
    close(peers)
    await_that(lambda: descriptors(ground) < 120, "they are closed", 30)
    another = Neighbour(ground.endpoint)
    another.client.call("PING")
    another.close()


Connections = tests_of("Connections", ATTACKS)
OutOfDescriptors = tests_of("OutOfDescriptors", FEW, FewDescriptors)

if __name__ == "__main__":
    main()
