#!/usr/bin/python3
"""The chaos test's proxy does to connections what it was told, and nothing else: a proxy that garbles
bytes would be found in the product, day after day."""

import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
import unittest

import chaos_proxy
import zq_e2e

ADDRESS = "127.77.1.1"
LINK = "peer"
PATIENCE_S = 20


class Echo:
    """A server that sends back what it gets."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    @staticmethod
    def serve(connection: socket.socket) -> None:
        try:
            while data := connection.recv(65536):
                connection.sendall(data)
        except OSError:
            pass
        connection.close()


class Proxy(unittest.TestCase):
    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.listener.close)
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "chaos_proxy.py")
        self.proxy = subprocess.Popen(
            [sys.executable, "-B", program, "127.0.0.1", str(self.echo.port), f"{LINK}={ADDRESS}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(self.end_proxy)
        self.assertEqual(self.proxy.stdout.readline(), b"ready\n")

    def end_proxy(self) -> None:
        self.proxy.stdin.close()
        self.assertEqual(self.proxy.wait(PATIENCE_S), 0, "it ends with its stdin")
        self.proxy.stdout.close()

    def order(self, word: str) -> None:
        self.proxy.stdin.write(json.dumps({"link": LINK, "do": word}).encode() + b"\n")
        self.proxy.stdin.flush()

    def connect(self) -> socket.socket:
        connection = socket.create_connection((ADDRESS, self.echo.port), timeout=PATIENCE_S)
        self.addCleanup(connection.close)
        return connection

    def echoed(self, connection: socket.socket, data: bytes) -> bytes:
        """What comes back of what is sent, until all is there or the connection is over."""
        threading.Thread(target=connection.sendall, args=(data,), daemon=True).start()
        return self.receive(connection, len(data))

    @staticmethod
    def receive(connection: socket.socket, length: int) -> bytes:
        got = b""
        while len(got) < length and (part := connection.recv(65536)):
            got += part
        return got

    def connects(self) -> bool:
        try:
            return self.echoed(self.connect(), b"x") == b"x"
        except OSError:
            return False

    def assert_reset(self, connection: socket.socket) -> None:
        with self.assertRaises(ConnectionResetError):
            while connection.recv(65536):
                pass
            raise AssertionError("it was closed in order")

    def test_bytes_come_whole_and_in_order_where_a_slow_link_becomes_quick_in_the_middle_of_them(self):
        connection, data = self.connect(), random.Random(1).randbytes(300_000)
        self.order("slow")
        zq_e2e.await_that(lambda: self.seconds_for(connection, 6_000) > 0.15, "the link is slow")
        threading.Thread(target=connection.sendall, args=(data,), daemon=True).start()
        got = self.receive_exactly(connection, 10_000)
        self.order("heal")
        self.assertEqual(got + self.receive_exactly(connection, len(data) - len(got)), data)
        self.assertEqual(self.echoed(connection, b"the end"), b"the end")

    def seconds_for(self, connection: socket.socket, length: int) -> float:
        began = time.monotonic()
        self.echoed(connection, b"a" * length)
        return time.monotonic() - began

    def receive_exactly(self, connection: socket.socket, length: int) -> bytes:
        got = b""
        while len(got) < length:
            part = connection.recv(length - len(got))
            self.assertTrue(part, "the connection ended")
            got += part
        return got

    def test_a_stalled_link_passes_nothing_until_it_is_healed_and_then_everything(self):
        connection = self.connect()
        self.assertEqual(self.echoed(connection, b"before"), b"before")
        self.order("stall")
        connection.sendall(b"meanwhile")
        connection.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            connection.recv(100)
        connection.settimeout(PATIENCE_S)
        self.order("heal")
        self.assertEqual(self.receive(connection, 9), b"meanwhile")

    def test_a_cut_resets_connections_and_lets_new_ones_in(self):
        connection = self.connect()
        self.assertEqual(self.echoed(connection, b"x"), b"x")
        self.order("cut")
        self.assert_reset(connection)
        self.assertTrue(self.connects())

    def test_a_torn_connection_ends_in_the_middle_of_what_is_sent(self):
        connection = self.connect()
        self.assertEqual(self.echoed(connection, b"x"), b"x")
        self.order("tear")
        self.order("heal")
        # Both ways count against what still passes: at the most so much of it is seen here.
        got = b""
        with self.assertRaises(OSError):
            while True:
                connection.sendall(b"y" * 200)
                got += connection.recv(65536) or self.fail("it was closed in order")
        self.assertLessEqual(len(got), chaos_proxy.TEAR_BYTES)

    def test_a_half_open_connection_is_dead_for_good_and_one_made_after_the_healing_works(self):
        connection = self.connect()
        self.assertEqual(self.echoed(connection, b"x"), b"x")
        self.order("half-open")
        made_meanwhile = []
        zq_e2e.await_that(lambda: not self.answers(made_meanwhile), "a connection that is swallowed")
        self.order("heal")
        zq_e2e.await_that(self.connects, "a connection that works again")
        for dead in (connection, made_meanwhile[-1]):
            dead.settimeout(0.3)
            with self.assertRaises((TimeoutError, ConnectionResetError, BrokenPipeError)):
                dead.sendall(b"z")
                self.assertEqual(dead.recv(10), b"never")

    def answers(self, made: list[socket.socket]) -> bool:
        made.append(self.connect())
        made[-1].settimeout(0.3)
        try:
            return self.echoed(made[-1], b"x") == b"x"
        except TimeoutError:
            return False

    def test_a_refusing_link_lets_nobody_in_until_it_is_healed(self):
        connection = self.connect()
        self.assertEqual(self.echoed(connection, b"x"), b"x")
        self.order("refuse")
        self.assert_reset(connection)
        zq_e2e.await_that(lambda: not self.connects(), "nobody is let in")
        self.order("heal")
        zq_e2e.await_that(self.connects, "somebody is let in again")


if __name__ == "__main__":
    unittest.main()
