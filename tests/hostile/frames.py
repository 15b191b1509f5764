#!/usr/bin/python3
"""Frames that are no message of the protocol."""
import os
import socket
import struct
import time

from ground import drain, family, main, message, tests_of, zmq
from zq_client import pack, sha256, unpack

ATTACKS, attack = family()
FRAME_BYTES = 1024 * 1024
GREETING = b"\xff" + b"\0" * 8 + b"\x7f\x03\x00NULL" + b"\0" * 16 + b"\0" + b"\0" * 31


def tcp(endpoint):
    host, port = endpoint.rsplit("/", 1)[1].rsplit(":", 1)
    connection = socket.create_connection((host, int(port)), timeout=5)
    connection.settimeout(5)
    return connection


def dealer(ground, endpoint=None):
    context = zmq.Context()
    made = context.socket(zmq.DEALER)
    made.linger = 0
    made.connect(endpoint or ground.endpoint)
    return context, made


@attack("5,000 frames in one message", "`MALFORMED`; all behind the twelfth are dropped unread", "refused_MALFORMED")
def too_many_frames(ground):
    ground.refused([b"x"] * 5000, "MALFORMED")


@attack("a good PING with 1,000 frames behind it", "`MALFORMED`", "refused_MALFORMED")
def a_good_message_and_a_thousand_frames(ground):
    ground.refused(message("PING", {"id": 1}) + [b""] * 1000, "MALFORMED")


@attack("the protocol's name alone; with a type alone", "`MALFORMED`, twice", "refused_MALFORMED", times=2)
def too_few_frames(ground):
    ground.refused([b"zq/1"], "MALFORMED")
    ground.refused([b"zq/1", b"PING"], "MALFORMED")


@attack("one empty frame; six of them", "`MALFORMED`, twice", "refused_MALFORMED", times=2)
def empty_frames(ground):
    ground.refused([b""], "MALFORMED")
    ground.refused([b""] * 6, "MALFORMED")


@attack("a body where no type has one", "`MALFORMED`", "refused_MALFORMED")
def a_body_that_nobody_asked_for(ground):
    ground.refused(message("PING", {"id": 1}, b"x"), "MALFORMED")


@attack("a frame of 1 MiB and one byte", "the connection is cut before the frame is read; no answer, nobody else's is touched", "connections_ended")
def a_giant_frame(ground):
    assert ground.send(message("PING", {"id": 1, "pad": "x" * FRAME_BYTES}), patience=1.0) is None


@attack("a raw ZMTP frame that claims 2^62 bytes", "the connection is cut; no memory is taken for it", "connections_ended")
def a_frame_that_claims_four_exabytes(ground):
    before = ground.rss_mib()
    with tcp(ground.endpoint) as peer:
        hand_shake(peer)
        peer.sendall(b"\x02" + struct.pack(">Q", 2 ** 62) + b"x" * 1000)
        assert is_cut(peer)
    assert ground.rss_mib() - before < 16


@attack("twelve frames of 1 MiB, five hundred times over, never read", "`MALFORMED` each; what waits is bounded, so is memory", "refused_MALFORMED")
def giant_messages(ground):
    before = ground.rss_mib()
    context, peer = dealer(ground)
    frames = [b"\0" * FRAME_BYTES] * 11
    for _ in range(60):
        peer.send_multipart(frames, copy=False)
    time.sleep(0.5)
    assert ground.rss_mib() - before < 256, f"{before} -> {ground.rss_mib()} MiB"
    peer.close(0)
    context.term()


@attack("a DEALER that sends no delimiter, one that sends three", "served: what comes before the protocol's frame goes back as it came", "messages", times=2)
def envelopes_of_every_kind(ground):
    for envelope in ([], [b""], [b"a", b"b", b""], [b"", b"", b""]):
        context, peer = dealer(ground)
        peer.send_multipart(envelope + message("PING", {"id": 1}))
        answers = drain(peer, 1)
        assert [frames[:len(envelope)] for frames in answers] == [envelope], answers
        assert answers[0][len(envelope) + 1] == b"PONG"
        peer.close(0)
        context.term()


@attack("an envelope of 64 KiB before a good message", "`MALFORMED`, without the envelope: nothing large is kept for an answer", "refused_MALFORMED")
def a_giant_envelope(ground):
    context, peer = dealer(ground)
    peer.send_multipart([b"e" * 65536, b""] + message("PING", {"id": 1}))
    answer = drain(peer, 1)[0]
    assert answer[:2] == [b"zq/1", b"ERROR"] and unpack(answer[2])["code"] == "MALFORMED", answer
    peer.close(0)
    context.term()


@attack("an envelope that looks like a protocol frame, an older and a newer version", "`UNSUPPORTED_VERSION`", "refused_UNSUPPORTED_VERSION", times=3)
def other_versions(ground):
    for version in (b"zq/0", b"zq/2", b"zq/" + b"9" * 1000):
        ground.refused([version, b"PING", b"\x80"], "UNSUPPORTED_VERSION")


@attack("types that no one has: lower case, 64 KiB of them, NUL, another socket's", "`UNKNOWN_TYPE` or `MALFORMED`", "refused_UNKNOWN_TYPE", times=3)
def types_that_do_not_exist(ground):
    for kind, fields in ((b"ping", {}), (b"PING\0", {}), (b"PUT", {"digest": sha256(b"x"), "size": 1}), (b"BEAT", {})):
        answer = ground.send([b"zq/1", kind, pack({"id": 1, **fields})])
        assert answer and answer[1]["code"] in ("UNKNOWN_TYPE", "MALFORMED"), answer
    assert ground.send([b"zq/1", b"X" * 65536, b"\x80"])[1]["code"] in ("UNKNOWN_TYPE", "MALFORMED")


@attack("1,000 messages of random frames of random lengths", "`MALFORMED` each", "refused_MALFORMED", times=900)
def random_frames(ground):
    context, peer = dealer(ground)
    for i in range(1000):
        peer.send_multipart([os.urandom(i % 97) for _ in range(1 + i % 9)])
    assert len(drain(peer, 3)) >= 900
    peer.close(0)
    context.term()


@attack("a second socket that gives itself the routing id of a connected peer, on a door without keys",
        "heard by nobody: the first peer keeps its id and its answers", "connections", times=2)
def a_routing_id_that_is_taken(ground):
    context, first = zmq.Context(), None
    first, second = context.socket(zmq.DEALER), context.socket(zmq.DEALER)
    for peer in (first, second):
        peer.linger = 0
        peer.routing_id = b"somebody"
    first.connect(ground.endpoint)
    first.send_multipart(message("PING", {"id": 1}))
    assert drain(first, 0.5)
    second.connect(ground.endpoint)
    second.send_multipart(message("PING", {"id": 2}))
    assert not drain(second, 0.5)
    first.send_multipart(message("PING", {"id": 3}))
    answers = drain(first, 0.5)
    assert [unpack(frames[2])["id"] for frames in answers] == [3], answers
    for peer in (first, second):
        peer.close(0)
    context.term()


def hand_shake(peer):
    """ZMTP 3.0 with NULL, as a DEALER."""
    peer.sendall(GREETING)
    read(peer, 64)
    ready = b"\x05READY\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER"
    peer.sendall(b"\x04" + bytes([len(ready)]) + ready)
    read(peer, 2)
    time.sleep(0.1)


def read(peer, count):
    got = b""
    while len(got) < count:
        more = peer.recv(count - len(got))
        if not more:
            break
        got += more
    return got


def is_cut(peer):
    """Whether the other side closes."""
    try:
        while peer.recv(65536):
            pass
        return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False


Frames = tests_of("Frames", ATTACKS)

if __name__ == "__main__":
    main()
