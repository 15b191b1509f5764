#!/usr/bin/python3
"""Texts that are made for the terminal, the log or the script that shows them: what `zq` prints on a terminal, and
what the coordinator logs. In `--json` and on pipes they are what they are, escaped as JSON does it."""
import json
import os
import pty
import re
import subprocess

from ground import Ground, expect_error, family, main, message, tests_of
from zq_client import make_task_id, sha256

ATTACKS, attack = family()
TRICKS = ("\x1b[2J\x1b[31mred", "\x1b]52;c;cm0gLXJm\x07", "\x1b]0;title\x07", "over\rwritten", "two\nlines", "\u202efdp.exe", "\u2066x\u2069",
          "\u009b31m", "bell\x07", "back\b\b\b", "\x1bP+q544e\x1b\\", "\x7f")
EVIL = "|".join(TRICKS)
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Terminal(Ground):
    """With a task that has evil in every text."""

    def start(self):
        super().start()
        client = self.neighbour.client
        self.task = make_task_id()
        self.neighbour.tasks.add(self.task)
        client.submit("shown", task_id=self.task, instructions=EVIL, **{"from": EVIL[:100], "type": EVIL[:40], "labels": {"k": EVIL[:200]},
                                                                        "trace_id": EVIL[:100], "reply_to": EVIL[:100]})
        lease = client.call("CLAIM", to="shown")[1]["lease"]
        held = {"task_id": self.task, "attempt": 1, "lease": lease}
        client.call("PROGRESS", **held, percent=1, step=EVIL[:40], message=EVIL)
        data = EVIL.encode()
        artifacts = [{"name": name, "digest": sha256(data), "size": len(data), "media": "text/plain", "data": data}
                     for name in ("result.md", "stdout.log", "stderr.log")]
        client.call("FAIL", **held, reason=EVIL, artifacts=artifacts, output={"summary": EVIL}, **{"class": "permanent"})

    def shown(self, *arguments, terminal=True):
        """What `zq` prints, on a terminal of its own."""
        program = self.coordinator.program.with_name("zq")
        env = {"PATH": os.environ["PATH"], "HOME": str(self.coordinator.folder), "ZQ_CONNECT": self.endpoint, "NO_COLOR": "1", "TERM": "xterm",
               "LANG": "C.UTF-8"}
        if not terminal:
            return subprocess.run([program, *arguments], env=env, capture_output=True, timeout=30, check=False).stdout.decode()
        leader, follower = pty.openpty()
        process = subprocess.Popen([program, *arguments], env=env, stdin=subprocess.DEVNULL, stdout=follower, stderr=follower)
        os.close(follower)
        printed = b""
        try:
            while piece := os.read(leader, 65536):
                printed += piece
        except OSError:
            pass
        process.wait(30)
        os.close(leader)
        return printed.decode(errors="backslashreplace").replace("\r\n", "\n")

    def is_clean(self, *arguments):
        printed = self.shown(*arguments)
        found = FORBIDDEN.search(printed)
        assert not found, f"{arguments}: {found.group()!r} in {printed[max(0, found.start() - 60):found.end() + 20]!r}"
        return printed


@attack("escape codes, OSC 52, CR, bidi and C1 in every text of a task: `zq show`", "escaped, on one line each", "messages")
def texts_in_show(ground):
    assert "\\x1b" in ground.is_clean("show", ground.task)


@attack("the same in `zq ls`, `zq dlq`, `zq events`, `zq why`", "escaped; a row stays one line", "messages")
def texts_in_listings(ground):
    for arguments in (("ls", "--all"), ("ls", "--state", "dead"), ("dlq", "ls"), ("events",), ("why", ground.task), ("stats",), ("status",)):
        ground.is_clean(*arguments)


@attack("the same in a result and in logs: `zq result`, `zq logs`", "escaped on a terminal; whole on a pipe, and with --raw", "messages")
def texts_in_results_and_logs(ground):
    for arguments in (("result", ground.task), ("logs", ground.task), ("artifact", "ls", ground.task)):
        ground.is_clean(*arguments)
    assert "\x1b[2J" in ground.shown("logs", ground.task, terminal=False)


@attack("the same in --json and in rows of a script's format", "JSON's own escapes; a row stays one line, a field one field", "messages")
def texts_in_records(ground):
    record = json.loads(ground.shown("show", ground.task, "--json", terminal=False))
    assert record["reason"] == EVIL
    for form in ("jsonl", "tsv"):
        rows = ground.shown("ls", "--state", "dead", "-o", form, terminal=False)
        assert len(rows.splitlines()) <= 2 and "\x1b" not in rows, rows


@attack("the same in error messages: of a claim for it, of a role like that", "escaped", "refused_INVALID")
def texts_in_errors(ground):
    for arguments in (("show", "\x1b[31mx"), ("submit", "--to", "a\x1b]0;x\x07b"), ("claim", "--role", "r\rs"), ("logs", "\u202ex")):
        ground.is_clean(*arguments)
    ground.refused(message("SUBMIT", {"id": 1, "task": {"task_id": TRICKS[0], "to": "r"}}), "INVALID")


@attack("the same in everything a peer may say that the coordinator logs", "its log has one line a fact, in ASCII without control characters", "refused_INVALID")
def texts_in_the_coordinators_log(ground):
    for text in TRICKS:
        ground.refused_request("HELLO", "INVALID", worker=text, state_id="0" * 32, incarnation=1, roles=["r"], slots=1)
        ground.send(message("HELLO", {"id": 1, "worker": "logged", "state_id": "b" * 32, "incarnation": 1, "roles": ["neighbour"], "slots": 1, "program": text}))
        ground.send([b"zq/1", text.encode(), b"\x80"])
        ground.send(message("BACKUP", {"id": 1, "client": "x", "folder": text}))
    log = ground.coordinator.log.read_bytes()
    assert not re.search(rb"[^\n\x20-\x7e]", log), re.search(rb".{0,80}[^\n\x20-\x7e].{0,20}", log)


Terminals = tests_of("Terminals", ATTACKS, Terminal)

if __name__ == "__main__":
    main()
