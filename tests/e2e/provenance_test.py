#!/usr/bin/python3
"""Provenance, with real programs: who did what by which command, from which inputs to which outputs, and where the journal has it; for
people, for programs, and for the worker that is given it."""

import hashlib
import json

from zq_e2e import Case, main

FIRST = ["sh", "-c", "echo found > $ZQ_OUT/result.md"]
SECOND = ["sh", "-c", "cp deps/first/task.json $ZQ_OUT/result.json"]


def digest_of(words):
    return hashlib.sha256(b"".join(word.encode() + b"\0" for word in words)).hexdigest()


class Provenance(Case):
    def test_a_result_says_where_it_comes_from(self):
        box = self.box
        box.coordinator()
        box.worker("finder", "find", FIRST)
        box.worker("reporter", "report", SECOND)
        context = box.write("context.md", "look here")
        box.submit("find", "--id", "first", "--file", context, "--approval", "before")
        box.zq("approve", "first", "--note", "go on")
        box.submit("report", "--id", "second", "--after", "first", "--format", "json")
        box.zq("wait", "first", "second")

        given = json.loads(box.zq("result", "second"))["provenance"]
        self.assertEqual((given["worker"], given["identity"]), ("finder", "local"))
        self.assertEqual(given["command_digest"], digest_of(FIRST))
        self.assertEqual(given["outputs"]["result.md"], hashlib.sha256(b"found\n").hexdigest())

        shown = box.show("first")["provenance"]
        self.assertEqual(shown["submitter"], "local")
        self.assertEqual([each["digest"] for each in shown["inputs"]], [hashlib.sha256(b"look here").hexdigest()])
        self.assertEqual([(each["kind"], each["choice"], each["note"]) for each in shown["answers"]], [("approval", "approve", "go on")])
        attempt = shown["attempts"][0]
        self.assertEqual((attempt["worker"], attempt["incarnation"], attempt["command_digest"]), ("finder", 1, digest_of(FIRST)))
        self.assertEqual(len(attempt["state_id"]), 32)
        event = next(row for row in box.rows("events", "--task", "first", "--type", "attempt_ended"))
        self.assertEqual((attempt["journal"]["seq"], attempt["journal"]["hash"]), (event["seq"], event["hash"]))
        self.assertEqual(box.show("second")["provenance"]["after"], ["first"])

        text = box.zq("show", "first", "--provenance")
        for part in ("finder", digest_of(FIRST), event["hash"], hashlib.sha256(b"found\n").hexdigest(), "approve, by local"):
            self.assertIn(part, text)


if __name__ == "__main__":
    main()
