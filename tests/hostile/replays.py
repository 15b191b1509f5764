#!/usr/bin/python3
"""A whole recorded session, said again: on another connection, out of order, and to the next run of the
coordinator."""
import random

from ground import Ground, drain, family, main, message, tests_of, zmq
from zq_client import Client, Worker, make_task_id, unpack

ATTACKS, attack = family()


class Tape(Ground):
    """An honest session of a worker, of a client, and of a client that works by hand; every frame kept."""

    def start(self):
        super().start()
        self.frames = []
        self.neighbour.roles.add("taped")
        names = [make_task_id() for _ in range(3)]
        self.neighbour.tasks.update(names)
        with Client(self.endpoint) as client, Worker(self.endpoint, "taped", ["taped"]) as worker:
            for peer in (client, worker):
                self.listen(peer)
            for name in names[:2]:
                client.submit("taped", task_id=name, idempotency_key=f"key-{name}")
            worker.hello()
            worker.ready()
            assign = worker.next_assign()
            worker.heartbeat()
            worker.report("PROGRESS", assign, percent=50)
            worker.report("COMPLETE", assign, summary="done")
            worker.ask("GOODBYE")
            claimed = client.call("CLAIM", to="taped")[1]
            client.call("COMPLETE", task_id=claimed["task"]["task_id"], attempt=1, lease=claimed["lease"])
            client.submit("taped", task_id=names[2])
            client.call("CANCEL", task_id=names[2])
        assert len(self.frames) >= 12

    def listen(self, peer):
        plain = peer.socket

        class Listener:
            def __getattr__(_, name):
                return getattr(plain, name)

            def send_multipart(_, frames, *more):
                self.frames.append(frames)
                return plain.send_multipart(frames, *more)
        peer.socket = Listener()

    def play(self, frames):
        context = zmq.Context()
        peer = context.socket(zmq.DEALER)
        peer.linger = 0
        peer.connect(self.endpoint)
        for each in frames:
            peer.send_multipart(each)
        answers = drain(peer, 1)
        # What was a worker's session once is one again: it ends, so that it holds no name.
        peer.send_multipart(message("GOODBYE", {"id": 10_000}))
        drain(peer, 0.3)
        peer.close(0)
        context.term()
        return [frames[1].decode() for frames in answers]


@attack("the whole session again, three times, on other connections", "the same answers; not one event more", "messages", times=36)
def a_session_again(ground):
    for _ in range(3):
        answers = ground.play(ground.frames)
        assert "SUBMITTED" in answers and "ACCEPTED" in answers, answers
        assert "ASSIGN" not in answers


@attack("the session shuffled, ten times", "answers and refusals; not one event more", "messages", times=100)
def a_session_out_of_order(ground):
    dice = random.Random(7)
    for _ in range(10):
        ground.play(dice.sample(ground.frames, len(ground.frames)))


@attack("its reports under other request ids", "the same answers: a report is known by what it says", "messages", times=2)
def reports_under_other_ids(ground):
    reports = [frames for frames in ground.frames if frames[1] == b"COMPLETE" and "client" in unpack(frames[2])]
    again = [message("COMPLETE", {**unpack(frames[2]), "id": 777}) for frames in reports]
    assert ground.play(again) == ["ACCEPTED"] * len(again)


@attack("its reports with another summary", "`CONFLICT`: an attempt has one report", "refused_CONFLICT")
def reports_that_say_something_else(ground):
    report = [frames for frames in ground.frames if frames[1] == b"COMPLETE"][-1]
    assert ground.play([message("COMPLETE", {**unpack(report[2]), "summary": "something else"})]) == ["ERROR"]


@attack("its SUBMITs with other instructions", "`CONFLICT`: id and idempotency key have their task", "refused_CONFLICT", times=2)
def submits_that_say_something_else(ground):
    for frames in [frames for frames in ground.frames if frames[1] == b"SUBMIT"][:2]:
        fields = unpack(frames[2])
        fields["task"]["instructions"] = "rm -rf /"
        assert ground.play([message("SUBMIT", fields)]) == ["ERROR"]


@attack("the whole session after a kill and a restart", "the same; only the restart itself is in the journal", "messages", times=12, journals=("epoch_started",))
def a_session_after_a_restart(ground):
    ground.coordinator.kill()
    ground.coordinator.start()
    # Counters begin anew with the process.
    for _ in range(3):
        ground.play(ground.frames)
    while ground.counter("messages") < 400:
        ground.play([message("PING", {"id": 1})] * 100)


Replays = tests_of("Replays", ATTACKS, Tape)

if __name__ == "__main__":
    main()
