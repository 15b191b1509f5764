#!/usr/bin/python3
"""A TCP proxy between peers and a coordinator, as a process of its own that can be told to misbehave.

chaos_proxy.py UPSTREAM_HOST PORTS LINK…   PORTS: two ports joined by a comma; LINK: NAME=ADDRESS

Each link is one peer's way to the coordinator: the same ports as the coordinator's, on a loopback address
of the peer's own, so that a peer which learns the artifacts port from a reply comes through the proxy too.
Orders come on stdin, a JSON map a line: {"link": NAME, "do": WORD}, with the words of `ORDERS`. Prints
`ready` once every link listens; ends with its stdin. Owns connections and bytes, no schedule: which fault
comes when is chaos_faults.py's.
"""

import asyncio
import contextlib
import json
import random
import socket
import struct
import sys

PIECE_BYTES = 64 * 1024
SLOW_BYTES = 2048
SLOW_S = 0.05
TEAR_BYTES = 400


class Connection:
    """One accepted connection and its continuation to the coordinator."""

    def __init__(self, link, peer_writer):
        self.link = link
        self.peer = peer_writer
        self.coordinator = None
        self.swallows = False  # what comes is taken and goes nowhere
        self.tear_after = None  # bytes that still pass before it is cut

    def abort(self, *writers) -> None:
        """Resets sides of the connection (both, unless named): the other end sees ECONNRESET."""
        for writer in writers or (self.peer, self.coordinator):
            if writer is None or writer.transport.is_closing():
                continue
            with contextlib.suppress(OSError):
                opened = writer.get_extra_info("socket")
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def carry(self, reader, writer) -> None:
        """Moves bytes one way until an end closes or the link does something to them."""
        while data := await reader.read(PIECE_BYTES):
            await self.link.flowing.wait()
            if self.swallows:
                continue
            if self.tear_after is not None:
                data, rest = data[: self.tear_after], self.tear_after - len(data)
                self.tear_after = max(0, rest)
                writer.write(data)
                if rest <= 0:
                    return
                continue
            # Fixed for this piece: the fault may end while it is being passed on.
            length = SLOW_BYTES if self.link.slow else PIECE_BYTES
            for at in range(0, len(data), length):
                if length == SLOW_BYTES:
                    await asyncio.sleep(SLOW_S)
                writer.write(data[at : at + length])
                await writer.drain()

    async def serve(self, peer_reader, host: str, port: int) -> None:
        try:
            if self.swallows:
                await self.carry(peer_reader, self.peer)
                return
            coordinator_reader, self.coordinator = await asyncio.open_connection(host, port)
            ways = [
                asyncio.ensure_future(self.carry(peer_reader, self.coordinator)),
                asyncio.ensure_future(self.carry(coordinator_reader, self.peer)),
            ]
            # The end of one way is the end of both, unless the link hides it from the other side.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if self.swallows:
                await asyncio.wait(ways)
            for way in ways:
                way.cancel()
                with contextlib.suppress(OSError, asyncio.CancelledError):
                    await way
        except OSError:
            pass  # the coordinator is not there: the peer is told so by the reset
        finally:
            self.abort()
            self.link.connections.discard(self)


class Link:
    """One peer's listeners, and what is wrong with them."""

    def __init__(self, name: str, address: str, host: str, ports: list[int]):
        self.name, self.address, self.host, self.ports = name, address, host, ports
        self.connections: set[Connection] = set()
        self.listeners: list = []
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.slow = False
        self.half_open = False

    async def listen(self) -> None:
        for port in self.ports if not self.listeners else []:
            self.listeners.append(await asyncio.start_server(self.accepted(port), self.address, port))

    def accepted(self, port: int):
        async def accept(reader, writer):
            connection = Connection(self, writer)
            connection.swallows = self.half_open
            self.connections.add(connection)
            await connection.serve(reader, self.host, port)
        return accept

    # The orders.

    def cut(self) -> None:
        """Resets every connection; new ones are welcome."""
        for connection in list(self.connections):
            connection.abort()

    def tear(self) -> None:
        """Resets every connection after some more bytes of it: in the middle of a frame, mostly."""
        for connection in list(self.connections):
            connection.tear_after = random.randint(1, TEAR_BYTES)

    def stall(self) -> None:
        """Nothing moves; what was sent meanwhile comes afterwards."""
        self.flowing.clear()

    def slow_down(self) -> None:
        self.slow = True

    def half_open_all(self) -> None:
        """Connections, and those made from now on, stay open and dead at one end or at both, for good.
        Only who gives up by himself gets a new one that works, after `heal`."""
        self.half_open = True
        for connection in list(self.connections):
            connection.swallows = True
            forgotten = random.choice(["peer", "coordinator", "neither"])
            if forgotten == "peer":
                connection.abort(connection.peer)
            elif forgotten == "coordinator" and connection.coordinator is not None:
                connection.abort(connection.coordinator)

    def refuse(self) -> None:
        """Resets every connection, and nobody listens."""
        for listener in self.listeners:
            listener.close()
        self.listeners.clear()
        self.cut()

    async def heal(self) -> None:
        """Ends the fault. Connections that lost bytes stay dead."""
        self.flowing.set()
        self.slow = self.half_open = False
        await self.listen()


ORDERS = {
    "cut": Link.cut,
    "tear": Link.tear,
    "stall": Link.stall,
    "slow": Link.slow_down,
    "half-open": Link.half_open_all,
    "refuse": Link.refuse,
    "heal": Link.heal,
}


async def obey(links: dict[str, Link]) -> None:
    """Carries out orders until stdin ends."""
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        order = json.loads(line)
        done = ORDERS[order["do"]](links[order["link"]])
        if asyncio.iscoroutine(done):
            await done


async def main(host: str, ports: list[int], places: list[str]) -> None:
    links = {}
    for place in places:
        name, _, address = place.partition("=")
        links[name] = Link(name, address, host, ports)
        await links[name].listen()
    print("ready", flush=True)
    await obey(links)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], [int(port) for port in sys.argv[2].split(",")], sys.argv[3:]))
