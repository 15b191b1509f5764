"""The ground an attack is fought on: a real coordinator, an honest neighbour that must be served, and the
table that every attack enters itself in. Owns what is asserted of all of them; the attacks own what they
do. What must hold: the journal gets nothing that the attack has not earned (its last sequence number and the
head of its hash chain), a counter of refusals grows, the neighbour's task goes all the way, the process lives.
"""
import dataclasses
import os
import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "python"))
try:
    import zmq
    import zq_client
except ImportError as error:
    print(f"skipped: {error} (apt-get install python3-zmq python3-msgpack)")
    sys.exit(77)
from fixture import Coordinator  # noqa: E402
from zq_client import Client, Worker, ZqError, message  # noqa: E402

PATIENCE = float(os.environ.get("ZQ_TEST_PATIENCE", "1"))
LEASE = "0123456789abcdef-0000000100000001"


@dataclasses.dataclass
class Attack:
    name: str
    does: str
    gets: str
    counter: str     # of STATUS; what grows by it
    times: int       # at least so often
    journals: tuple  # kinds of events that it may cause: what it does is lawful so far
    run: object


def family():
    """A new family's table, and the decorator that enters an attack in it."""
    table = []

    def attack(does, gets, counter, times=1, journals=()):
        def enter(run):
            table.append(Attack(run.__name__.replace("_", " "), does, gets, counter, times, tuple(journals), run))
            return run
        return enter
    return table, attack


class Neighbour:
    """An honest client and an honest worker, each on a connection of its own."""

    def __init__(self, endpoint, client_curve=None, worker_curve=None):
        self.client = Client(endpoint, client_curve)
        self.worker = Worker(endpoint, "neighbour", ["neighbour"], curve=worker_curve or client_curve)
        self.tasks = set()
        self.roles = {"neighbour"}  # that it, or who else is honest, has served

    def serve(self, patience=10.0):
        """A task from its submit to its result; gives the seconds it took."""
        begun = time.monotonic()
        task_id = zq_client.make_task_id()
        self.tasks.add(task_id)
        self.client.call("SUBMIT", patience=patience, task={"to": "neighbour", "task_id": task_id})
        self.worker.hello()
        self.worker.ready()
        while True:
            assign = self.worker.next_assign(patience)
            self.worker.report("COMPLETE", assign)
            if assign["task"]["task_id"] == task_id:
                break
        rows = self.client.wait(task_id)["rows"]
        if rows[0]["state"] != "completed":
            raise AssertionError(f"the neighbour's task is {rows[0]['state']}")
        return time.monotonic() - begun

    def round_trips(self, count):
        """Milliseconds of so many submits, each answered when it is on the disk."""
        times = []
        for _ in range(count):
            task_id = zq_client.make_task_id()
            self.tasks.add(task_id)
            begun = time.monotonic()
            self.client.call("SUBMIT", task={"to": "neighbour-waits", "task_id": task_id})
            times.append((time.monotonic() - begun) * 1000)
        return times

    def close(self):
        self.client.close()
        self.worker.close()


class Ground:
    """A coordinator without keys, and the neighbour."""

    def __init__(self, coordinator=None):
        self.coordinator = coordinator or Coordinator()
        self.endpoint = self.coordinator.endpoint
        self.artifacts = self.coordinator.artifacts
        self.neighbour = None

    def start(self):
        try:
            self.coordinator.start()
            self.neighbour = Neighbour(self.endpoint, self.coordinator.curve)
            self.neighbour.serve()
        except BaseException:
            self.coordinator.clean_up()
            raise

    def stop(self):
        """Ends it; the folder has to be whole."""
        self.neighbour.close()
        code, check = self.coordinator.stop()
        self.coordinator.clean_up()
        assert code == 0, f"SIGTERM ended with {code}"
        assert check.returncode == 0, f"--check: {check.stdout}{check.stderr}"

    def status(self):
        return self.neighbour.client.status()

    def counter(self, name):
        return int(self.status()["counters"].get(name, 0))

    def client(self):
        return Client(self.endpoint)

    def rss_mib(self):
        with open(f"/proc/{self.coordinator.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024

    def events_after(self, seq):
        rows = []
        while True:
            page = self.neighbour.client.call("EVENTS", after=seq, limit=1000)[1]
            rows += page.get("rows", [])
            if not page.get("rows"):
                return rows
            seq = page["last"]

    # What a single attacking peer says, and hears.

    def send(self, frames, patience=5.0, endpoint=None):
        """Frames of a stranger with a connection of its own; the answer's (type, fields), or None."""
        with Client(endpoint or self.endpoint) as client:
            return client.raw(frames, patience)

    def refused(self, frames, code, field=None, endpoint=None):
        answer = self.send(frames, endpoint=endpoint)
        assert answer is not None, "no answer"
        kind, fields = answer
        assert (kind, fields.get("code")) == ("ERROR", code), (kind, str(fields)[:300])
        assert field is None or fields.get("field", "") == field, fields
        return fields

    def refused_request(self, kind, code, field=None, body=None, endpoint=None, **fields):
        return self.refused(message(kind, {"id": 9, "client": "attacker", **fields}, body), code, field, endpoint)


def expect_error(code, call, *args, **fields):
    try:
        call(*args, **fields)
    except ZqError as error:
        assert error.code == code, error
        return error
    raise AssertionError(f"it was not refused with {code}")


def await_that(condition, what, seconds=20.0):
    end = time.monotonic() + seconds * PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not in time: {what}")
        time.sleep(0.05)


def fight(test, ground, attack):
    """One attack, and what must hold after each."""
    before = ground.status()
    attack.run(ground)
    test.assertIsNone(ground.coordinator.process.poll(), "the coordinator is gone")
    grown = [0]

    def is_counted():
        grown[0] = ground.counter(attack.counter) - int(before["counters"].get(attack.counter, 0))
        return grown[0] >= attack.times
    try:
        await_that(is_counted, attack.counter)
    except AssertionError:
        test.fail(f"{attack.counter} has grown by {grown[0]}, not by {attack.times}")
    after = ground.status()
    honest = ground.neighbour

    def is_strange(row):
        if row["kind"] == "role_served" and row["fields"]["role"] in honest.roles:
            return False
        return row.get("task_id") not in honest.tasks and row["kind"] not in attack.journals
    strange = [row for row in ground.events_after(before["last_seq"]) if is_strange(row)]
    test.assertEqual(strange, [], "it got into the journal")
    if after["last_seq"] == before["last_seq"]:
        test.assertEqual(after["chain_head"], before["chain_head"])
    elif not attack.journals:
        test.assertTrue(honest.tasks, "nobody else was there")
    test.assertLess(ground.neighbour.serve(), 5 * PATIENCE)


def tests_of(name, table, make_ground=Ground):
    """A test case of one test for each attack, on one ground."""
    class Family(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            cls.ground = make_ground()
            cls.ground.start()

        @classmethod
        def tearDownClass(cls):
            cls.ground.stop()

    for attack in table:
        setattr(Family, "test_" + attack.name.replace(" ", "_"), lambda self, attack=attack: fight(self, self.ground, attack))
    Family.__name__ = Family.__qualname__ = name
    return Family


def main():
    unittest.main(verbosity=2)


def drain(socket, seconds):
    """Frames of every message that comes within the time."""
    messages = []
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and socket.poll(int(left * 1000) + 1):
        try:
            messages.append(socket.recv_multipart(zmq.DONTWAIT))
        except zmq.Again:
            break
    return messages
