#!/usr/bin/python3
"""The golden vectors of tests/vectors, read and written with Debian's msgpack: bytes that only our own
codec agreed with would prove nothing."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
try:
    import zq_client
except ImportError as error:
    print(f"skipped: {error} (apt-get install python3-zmq python3-msgpack)")
    sys.exit(77)

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors"


def read_blocks(name):
    """Blocks of `key: value` lines; `#` starts a comment line."""
    blocks = []
    for block in (VECTORS / f"{name}.txt").read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if lines:
            blocks.append(dict(line.split(": ", 1) for line in lines))
    return blocks


def read_frames(text):
    """`7a71 00*3 -` as bytes."""
    def frame(word):
        if word == "-":
            return b""
        hexed, star, count = word.partition("*")
        return bytes.fromhex(hexed) * (int(count) if star else 1)
    return [frame(word) for word in text.split()]


def from_json(text):
    def hook(pairs):
        return bytes.fromhex(pairs[0][1]) if pairs and pairs[0][0] == "$bin" else dict(pairs)
    return json.loads(text, object_pairs_hook=hook)


def has_float(value):
    if isinstance(value, dict):
        return any(has_float(v) for v in value.values())
    return any(has_float(v) for v in value) if isinstance(value, list) else isinstance(value, float)


class GoldenVectors(unittest.TestCase):
    def test_are_read_and_written_alike_by_another_msgpack(self):
        seen = 0
        for name in ("worker", "client", "reading", "control", "artifacts"):
            for block in read_blocks(name):
                with self.subTest(block["name"]):
                    frames = read_frames(block["frames"])
                    fields = from_json(block["json"])
                    self.assertEqual(frames[:2], [b"zq/1", block["type"].encode()])
                    self.assertEqual(zq_client.unpack(frames[2]), fields)
                    self.assertEqual(zq_client.pack(fields), frames[2], "not the shortest forms, in this order")
                    self.assertFalse(has_float(zq_client.unpack(frames[2])))
                    seen += 1
        self.assertGreater(seen, 50)


if __name__ == "__main__":
    unittest.main()
