"""Reads a healed coordinator's whole record by the protocol, directly, and joins it with what the clients,
the children and the harness know: the evidence that chaos_checker.py judges."""

import os
import sys

from chaos_evidence import Evidence, parse_lives, result_of, unwatched_spans
from chaos_history import History
from chaos_world import World

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "python"))
import zq_client  # noqa: E402

OPEN = ["scheduled", "queued", "running", "retry_wait", "cancelling"]


class Reader:
    """Reads the healed coordinator's whole record, directly."""

    def __init__(self, endpoint: str):
        self.client = zq_client.Client(endpoint)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

    def open_tasks(self) -> list[str]:
        """Some of the tasks that have not ended; `["?"]` where the coordinator does not say."""
        try:
            return [row["task_id"] for row in self.client.call("LIST", patience=3, states=OPEN, limit=10)[1]["rows"]]
        except zq_client.NoAnswer:
            return ["?"]

    def events(self) -> list[dict]:
        events, last = [], 0
        while rows := self.client.call("EVENTS", after=last, limit=1000)[1]["rows"]:
            events += rows
            last = rows[-1]["seq"]
        return events

    def rows(self) -> dict[str, dict]:
        rows, before = {}, 0
        while True:
            answer = self.client.call("LIST", before=before, limit=1000)[1]
            rows |= {row["task_id"]: row for row in answer["rows"]}
            if not answer.get("more"):
                return rows
            before = answer["rows"][-1]["submitted_seq"]

    def tasks(self, rows: dict[str, dict]) -> dict[str, list[dict]]:
        return {task: self.client.task(task).get("attempts", []) for task in rows}

    def results(self, rows: dict[str, dict], attempts: dict[str, list[dict]]) -> dict[str, str]:
        found = {}
        with zq_client.Artifacts(self.client.artifacts) as artifacts:
            for task in (task for task, row in rows.items() if row["state"] == "completed"):
                attempt = attempts[task][-1]
                if result := result_of(attempt):
                    content = artifacts.fetch(task, attempt["attempt"], result["name"])
                    found[task] = zq_client.sha256(content).hex()
        return found


def gather(world: World, history: History) -> Evidence:
    with Reader(world.direct) as reader:
        events, rows, roles = reader.events(), reader.rows(), reader.client.status()["roles"]
        attempts = reader.tasks(rows)
        fetched = reader.results(rows, attempts)
    return Evidence(
        history.tried, history.acknowledged, history.cancels, history.ended, history.hashes, history.results,
        parse_lives(world.record), unwatched_spans(world.diary), rows, attempts, events, fetched, roles)
