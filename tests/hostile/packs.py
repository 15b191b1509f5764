#!/usr/bin/python3
"""MessagePack that is a bomb, a lie, or no MessagePack."""
import struct

from ground import family, main, message, tests_of
from zq_client import make_task_id, pack

ATTACKS, attack = family()


def submit(tail):
    """A SUBMIT whose map is `id` and what follows."""
    return [b"zq/1", b"SUBMIT", b"\x82\xa2id\x09" + tail]


def task_with(key, value):
    """A SUBMIT whose task is good but for one more raw token."""
    good = {"task_id": make_task_id(), "to": "nobody"}
    inner = b"\x83" + b"".join(pack({k: v})[1:] for k, v in good.items()) + pack({key: 0})[1:-1] + value
    return submit(b"\xa4task" + inner)


def packs(name, does, gets, code, *frames):
    def run(ground):
        for each in frames:
            ground.refused(each() if callable(each) else each, code)
    run.__name__ = name
    attack(does, gets, f"refused_{code}", times=len(frames))(run)


packs("arrays 10000 deep", "10,000 arrays, each in the one before, as a whole map and as an unknown field",
      "`TOO_LARGE` at the 17th level: no recursion beyond it", "TOO_LARGE",
      submit(b"\xa4task" + b"\x91" * 10_000 + b"\xc0"), submit(b"\xa3odd" + b"\x91" * 10_000 + b"\xc0"))
packs("maps a million deep", "a frame full of one-entry maps, each in the one before", "`TOO_LARGE`", "TOO_LARGE",
      submit(b"\xa4task" + b"\x81\xa1k" * 340_000 + b"\xc0"))
packs("a map of four billion entries", "a map32 that claims 2^32-1 entries in a frame of 20 bytes, known and unknown",
      "`TOO_LARGE`: nothing is allocated by a claim", "TOO_LARGE",
      submit(b"\xa4task\xdf\xff\xff\xff\xff"), submit(b"\xa3odd\xdf\xff\xff\xff\xff"), [b"zq/1", b"PING", b"\xdf\xff\xff\xff\xff"])
packs("an array of four billion entries", "an array32 that claims 2^32-1 entries, as inputs and unknown", "`TOO_LARGE`", "TOO_LARGE",
      submit(b"\xa8contents\xdd\xff\xff\xff\xff"), submit(b"\xa3odd\xdd\xff\xff\xff\xff"))
packs("texts longer than their frame", "str32 and bin32 that claim 4 GiB, str8 one byte too long", "`MALFORMED` or `TOO_LARGE`; no memory is taken",
      "MALFORMED", task_with("instructions", b"\xd9\xff" + b"x" * 254), submit(b"\xa3odd\xc5\xff\xff" + b"x" * 9))
packs("extension types", "fixext, ext8 and ext32 where a text stands, the timestamp type too", "`TOO_LARGE`: the bound on them is none",
      "TOO_LARGE", task_with("instructions", b"\xd4\x01x"), task_with("instructions", b"\xc7\x03\x05abc"),
      task_with("instructions", b"\xd6\xff" + b"\0" * 4))
packs("floats where numbers are", "NaN, infinity, -0.0 and 1e308, as 32 and as 64 bits", "`INVALID`: no field takes a float", "INVALID",
      task_with("priority", b"\xcb" + struct.pack(">d", float("nan"))), task_with("priority", b"\xca" + struct.pack(">f", float("inf"))),
      task_with("ttl_ms", b"\xcb" + struct.pack(">d", 1e308)), task_with("max_attempts", b"\xcb" + struct.pack(">d", -0.0)))
packs("numbers beyond their field", "2^64-1 as a priority, as a time to live, as attempts; -2^63 as each", "`INVALID` with the field", "INVALID",
      *(task_with(key, token) for key in ("priority", "ttl_ms", "max_attempts") for token in
        (b"\xcf" + b"\xff" * 8, b"\xd3\x80" + b"\0" * 7)))
packs("texts that are not UTF-8", "0xff, a lone surrogate, an overlong slash, a truncated sequence", "`MALFORMED`", "MALFORMED",
      *(task_with("instructions", bytes([0xa0 | len(text)]) + text) for text in
        (b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf", b"ok\xe2\x82")))
packs("a map cut off everywhere", "a good SUBMIT without its last 1, 2, 3 … bytes", "`MALFORMED` each", "MALFORMED",
      *([b"zq/1", b"SUBMIT", message("SUBMIT", {"id": 9, "task": {"task_id": "cut", "to": "nobody"}})[2][:-cut]] for cut in range(1, 30)))
packs("two maps in one frame", "a good map with another behind it, with 64 KiB of zeros behind it", "`MALFORMED`", "MALFORMED",
      [b"zq/1", b"PING", b"\x80\x80"], [b"zq/1", b"PING", b"\x80" + b"\0" * 65536])
packs("no map at all", "nil, a number, a text, an array, the byte that MessagePack never uses", "`MALFORMED`", "MALFORMED",
      *([b"zq/1", b"PING", token] for token in (b"\xc0", b"\x07", b"\xa1x", b"\x90", b"\xc1", b"")))
packs("a task of wrong types", "an array for a text, a text for a list, a map for a number, bin for str", "`INVALID` with its path", "INVALID",
      task_with("instructions", b"\x90"), task_with("inputs", b"\xa1x"), task_with("priority", b"\x80"), task_with("type", b"\xc4\x01x"))
packs("too much of everything", "17,000 labels, 17,000 inputs, 17,000 unknown keys", "`TOO_LARGE` before anything is looked at", "TOO_LARGE",
      *(task_with(key, b"\xdc" + struct.pack(">H", 17_000) + b"\xc0" * 17_000) for key in ("inputs", "needs", "odd")),
      task_with("labels", b"\xde" + struct.pack(">H", 17_000) + b"\xa1a\xa1b" * 17_000))


@attack("one key twice: a harmless role first, another one second", "the first counts, everywhere alike: what was checked is what is done",
        "messages", journals=("task_submitted", "task_cancelled"))
def duplicate_keys(ground):
    task_id = make_task_id()
    inner = b"\x83" + pack({"task_id": task_id})[1:] + pack({"to": "first"})[1:] + pack({"to": "second"})[1:]
    kind, fields = ground.send(submit(b"\xa4task" + inner))
    assert kind == "SUBMITTED", fields
    task = ground.neighbour.client.task(task_id)
    assert task["row"]["to"] == "first", task["row"]
    ground.neighbour.client.call("CANCEL", task_id=task_id)


Packs = tests_of("Packs", ATTACKS)

if __name__ == "__main__":
    main()
