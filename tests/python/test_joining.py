#!/usr/bin/python3
"""Keys: who is let in, as whom, and what an invitation may do. In a network namespace of its own, on an
address that is no loopback, where the coordinator insists on CURVE."""
import hashlib
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
try:
    import zq_client
except ImportError as error:
    print(f"skipped: {error} (apt-get install python3-zmq python3-msgpack)")
    sys.exit(77)
import zmq  # noqa: E402
from fixture import Coordinator  # noqa: E402
from zq_client import Artifacts, Client, NoAnswer, Worker, ZqError, sha256  # noqa: E402
from zmq.utils import z85  # noqa: E402

ADDRESS = "10.77.0.1"
INSIDE = "ZQ_TEST_NAMESPACE"


def enter_namespace():
    """Runs this file again where it may have addresses of its own."""
    if os.environ.get(INSIDE):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["ip", "address", "add", f"{ADDRESS}/32", "dev", "lo"], check=True)
        return
    unshare = ["unshare", "--net"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    if subprocess.run(unshare + ["true"], check=False, capture_output=True).returncode != 0:
        print("skipped: no network namespace can be made here")
        sys.exit(77)
    os.execvpe("unshare", unshare + [sys.executable, "-B", os.path.abspath(sys.argv[0]), *sys.argv[1:]], {**os.environ, INSIDE: "1"})


class Place:
    """A coordinator with keys, and invitations to it."""

    def __init__(self):
        self.coordinator = Coordinator(ADDRESS)
        self.data = self.coordinator.folder / "data"
        self.home = {**os.environ, "HOME": str(self.coordinator.folder), "XDG_CONFIG_HOME": "", "ZQ_CONFIG": ""}
        self.zq("init", "--bind", self.coordinator.endpoint, "--artifacts-bind", self.coordinator.artifacts)
        self.server, _ = self.invite("--submit")
        self.coordinator.curve = self.known_pair("starter")
        self.coordinator.start()

    def zq(self, *arguments):
        done = subprocess.run([self.coordinator.program.with_name("zq"), *arguments, "--data", self.data], env=self.home,
                              capture_output=True, text=True, timeout=30, check=False, cwd=self.coordinator.folder)
        if done.returncode != 0:
            raise RuntimeError(f"zq {arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def admin(self, *arguments):
        """`zq` as whoever has made the data folder."""
        return subprocess.run([self.coordinator.program.with_name("zq"), *arguments], env=self.home, capture_output=True, text=True,
                              timeout=30, check=True, cwd=self.coordinator.folder).stdout

    def invite(self, *what):
        """The two keys of a join line: the server's public one, the invitation's secret one; as Z85."""
        words = next(line for line in self.zq("invite", *what).splitlines() if "zq join" in line).split()
        return tuple(z85.encode(bytes.fromhex(words[words.index(flag) + 1])) for flag in ("--server-key", "--credential"))

    def known_pair(self, name):
        """Before the coordinator runs nobody can JOIN: an invitation's key may at least PING."""
        secret = self.invite("--submit", "--name", name)[1]
        return self.server, zmq.curve_public(secret), secret

    def join(self, name, *what):
        """Redeems a new invitation; gives what a socket needs, and JOINED."""
        secret = self.invite(*what)[1]
        public, own_secret = zmq.curve_keypair()
        with Client(self.coordinator.endpoint, (self.server, zmq.curve_public(secret), secret)) as client:
            joined = client.call("JOIN", public_key=public.decode(), name=name)[1]
        return (self.server, public, own_secret), joined


class Joining(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.endpoint = cls.place.coordinator.endpoint

    @classmethod
    def tearDownClass(cls):
        code, check = cls.place.coordinator.stop()
        cls.place.coordinator.clean_up()
        assert (code, check.returncode) == (0, 0), check.stdout + check.stderr

    def assert_no_answer(self, curve, endpoint=None):
        with Client(endpoint or self.endpoint, curve) as client, self.assertRaises(NoAnswer):
            client.call("PING", patience=1.0, give_up=0)

    def assert_denied(self, code, call, *args, **fields):
        with self.assertRaises(ZqError) as caught:
            call(*args, **fields)
        self.assertEqual(caught.exception.code, code, caught.exception)

    def test_strangers_and_peers_without_encryption_hear_nothing_at_both_sockets(self):
        for endpoint in (self.endpoint, self.place.coordinator.artifacts):
            self.assert_no_answer(None, endpoint)
            self.assert_no_answer((self.place.server, *zmq.curve_keypair()), endpoint)

    def test_an_invitation_joins_once_and_does_nothing_else(self):
        secret = self.place.invite("--role", "review-worker")[1]
        invited = (self.place.server, zmq.curve_public(secret), secret)
        public, _ = zmq.curve_keypair()
        with Client(self.endpoint, invited) as client:
            self.assertEqual(client.call("PING")[0], "PONG")
            for kind, fields in (("SUBMIT", {"task": {"task_id": "a", "to": "r"}}), ("STATUS", {}), ("LIST", {}),
                                 ("CLAIM", {"to": "r"}), ("EVENTS", {})):
                self.assert_denied("DENIED", client.call, kind, **fields)
            self.assert_denied("INVALID", client.call, "JOIN", public_key="short", name="x")
            self.assert_denied("INVALID", client.call, "JOIN", public_key=public.decode(), name="../x")
            joined = client.call("JOIN", public_key=public.decode(), name="gpu-2")[1]
            self.assertEqual(joined["to"], "review-worker")
            fingerprint = hashlib.sha256(z85.decode(public)).hexdigest()[:16]
            self.assertEqual(joined["identity"], f"gpu-2@{fingerprint}")
            self.assert_denied("DENIED", client.call, "JOIN", public_key=zmq.curve_keypair()[0].decode(), name="again")
        self.assert_no_answer(invited)

    def test_a_joined_key_is_its_identity_and_nobody_elses_lease_serves_it(self):
        anna, joined = self.place.join("anna", "--submit")
        bob, _ = self.place.join("bob", "--submit")
        with Client(self.endpoint, anna) as a, Client(self.endpoint, bob) as b:
            self.assertEqual(a.call("PING")[1]["you"], joined["identity"])
            task_id = a.submit("role-a", **{"from": "somebody else"})["task_id"]
            self.assertEqual(a.task(task_id)["row"]["submitter"], joined["identity"])
            self.assert_denied("DENIED", a.call, "CLAIM", to="role-a")  # it may submit, and not work
            self.place.admin("access", "grant", "anna", "work:role-a")
            claimed = a.call("CLAIM", to="role-a")[1]
            held = {"task_id": task_id, "attempt": 1, "lease": claimed["lease"]}
            self.assert_denied("STALE_LEASE", b.call, "COMPLETE", **held)
            self.assertEqual(b.call("HEARTBEAT", free=0, leases=[held])[1]["leases"][0]["verdict"], "stale")
            self.assertEqual(a.call("COMPLETE", **held)[1]["state"], "completed")

    def test_a_backup_is_made_for_the_admin_and_for_nobody_else_who_comes_by_the_network(self):
        anna, _ = self.place.join("anna-2", "--submit")
        gpu, _ = self.place.join("gpu-4", "--role", "role-c")
        folder = self.place.coordinator.folder / "backup"
        for curve in (anna, gpu):
            with Client(self.endpoint, curve) as client:
                self.assert_denied("DENIED", client.call, "BACKUP", folder=str(folder))
        self.assertFalse(folder.exists())
        # The profile that `zq init` has written has the admin's key.
        zq = self.place.coordinator.program.with_name("zq")
        done = subprocess.run([zq, "backup", "create", folder, "--json"], env=self.place.home, capture_output=True,
                              text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(subprocess.run([zq, "backup", "verify", folder], capture_output=True, check=False).returncode, 0)

    def test_retention_is_begun_by_the_admin_and_by_nobody_else_who_comes_by_the_network(self):
        anna, _ = self.place.join("anna-3", "--submit")
        gpu, _ = self.place.join("gpu-5", "--role", "role-d")
        for curve in (anna, gpu):
            with Client(self.endpoint, curve) as client:
                for dry_run in (True, False):
                    self.assert_denied("DENIED", client.call, "GC", dry_run=dry_run)
        zq = self.place.coordinator.program.with_name("zq")

        def gc(home):
            return subprocess.run([zq, "gc", "--json"], env=home, capture_output=True, text=True, timeout=30, check=False)
        # A machine that has joined says so as every refusal: exit code 4, and what to do.
        words = next(line for line in self.place.zq("invite", "--submit").splitlines() if "zq join" in line).split()
        theirs = {**self.place.home, "HOME": str(self.place.coordinator.folder / "theirs")}
        joined = subprocess.run([zq, *words[words.index("join"):]], env=theirs, capture_output=True, text=True, timeout=30,
                                check=False)
        self.assertEqual(joined.returncode, 0, joined.stderr)
        refused = gc(theirs)
        self.assertEqual(refused.returncode, 4, refused.stdout + refused.stderr)
        self.assertIn("with an admin's key", refused.stderr)
        done = gc(self.place.home)  # with the profile that `zq init` has written
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_joined_worker_works_and_its_artifacts_travel_encrypted(self):
        curve, joined = self.place.join("gpu-3", "--role", "role-b")
        with Client(self.endpoint, curve) as client, Worker(self.endpoint, "gpu-3", ["role-b"], curve=curve) as worker:
            task_id = client.submit("role-b")["task_id"]
            worker.hello()
            worker.ready()
            assign = worker.next_assign()
            self.assertEqual(assign["submitter"], joined["identity"])
            data = os.urandom(700_000)
            with Artifacts(client.artifacts, curve) as artifacts:
                artifacts.put(data, task_id=task_id, lease=assign["lease"])
                worker.report("COMPLETE", assign, artifacts=[{"name": "big", "digest": sha256(data), "size": len(data)}])
                self.assertEqual(artifacts.fetch(task_id, 1, "big"), data)


if __name__ == "__main__":
    enter_namespace()
    unittest.main()
