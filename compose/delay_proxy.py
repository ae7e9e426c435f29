"""The wires: `python -m compose.delay_proxy FILE` carries what nodes and the session store say to each other.

Each end has a port of its own, so that one of them can be slowed or cut while the others, and the store itself, notice
nothing. A cut wire behaves as a cable that was pulled: connections stay open, nobody is answered, not even those who
connect anew; when it is joined again, what had been sent flows on.

Delays are kept to about a millisecond. The file is looked at every `LOOK_S`.
"""

import asyncio
import secrets
import sys
from pathlib import Path

import msgspec

from compose.wires import Link, WireFile, WireStatus, host_and_port

LOOK_S = 0.01
PIECE = 65_536
AT_ONCE = 256  # pieces of one direction that may be under way; a sender with more has to wait


_decode_wire_file = msgspec.json.Decoder(WireFile).decode


class Carrier:
    """One wire, with all connections over it."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._whole = asyncio.Event()
        self.tell(link)

    def tell(self, link: Link) -> None:
        """From now on it is like that; what is under way already comes when it would have come."""
        self.link = link
        if link.cut:
            self._whole.clear()
        else:
            self._whole.set()

    async def listen(self) -> asyncio.Server:
        """Accept connections at its end."""
        host, port = host_and_port(self.link.listen)
        return await asyncio.start_server(self._carry, host, port, limit=PIECE, backlog=1024)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its beginning to its end."""
        await self._whole.wait()  # over a cut cable a connection is not refused, it just does not come about
        try:
            far_reader, far_writer = await asyncio.open_connection(*host_and_port(self.link.leads_to), limit=PIECE)
        except OSError:
            writer.transport.abort()  # as near to "refused" as one gets who has accepted already
            return
        there = asyncio.create_task(self._flow(reader, far_writer, slow=False))
        back = asyncio.create_task(self._flow(far_reader, writer, slow=True))
        # A client that has said all still waits for answers; a store that has said all is gone.
        await back
        there.cancel()
        for one in (writer, far_writer):
            one.close()

    async def _flow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slow: bool) -> None:
        """One direction: pieces leave in the order in which they came, each not before its time."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(AT_ONCE)
        taking = asyncio.create_task(self._take(reader, under_way, slow=slow))
        loop = asyncio.get_running_loop()
        try:
            while True:
                due, piece = await under_way.get()
                await asyncio.sleep(due - loop.time())
                await self._whole.wait()  # behind the sleep: what is under way when it is cut does not arrive either
                if not piece:
                    writer.write_eof()  # the sender has said all, and may still listen
                    return
                writer.write(piece)
                await writer.drain()
        except (OSError, RuntimeError):  # the other side has gone
            writer.transport.abort()
        finally:
            taking.cancel()

    async def _take(
        self, reader: asyncio.StreamReader, under_way: asyncio.Queue[tuple[float, bytes]], *, slow: bool
    ) -> None:
        loop = asyncio.get_running_loop()
        piece = b"more"
        while piece:
            try:
                piece = await reader.read(PIECE)
            except OSError:
                piece = b""
            # Its time is fixed when it comes: a delay holds back no throughput, only each piece.
            await under_way.put((loop.time() + (self.link.delay_ms / 1000 if slow else 0.0), piece))


class Wires:
    """All of them, as the file says."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._boot = secrets.token_hex(4)
        self._carriers: dict[str, Carrier] = {}
        self._servers: list[asyncio.Server] = []

    async def run(self) -> None:
        """Carry, and follow the file, until the process is ended."""
        told = self._read()
        await self._follow(told)
        self._servers.append(await asyncio.start_server(self._answer, *host_and_port(told.status)))
        seen = self._version()
        while True:
            await asyncio.sleep(LOOK_S)
            if (now := self._version()) != seen:
                seen = now
                await self._follow(self._read())

    def _version(self) -> tuple[int, int]:
        found = self._file.stat()
        # The inode, too: the file is replaced by rename, and two writes can have one time.
        return found.st_ino, found.st_mtime_ns

    def _read(self) -> WireFile:
        return _decode_wire_file(self._file.read_bytes())

    async def _follow(self, told: WireFile) -> None:
        for end, link in told.lines.items():
            if end in self._carriers:
                self._carriers[end].tell(link)
            else:
                carrier = Carrier(link)
                self._servers.append(await carrier.listen())
                self._carriers[end] = carrier  # only now: the status tells of wires that can be used

    async def _answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        status = WireStatus(self._boot, {end: carrier.link for end, carrier in self._carriers.items()})
        writer.write(msgspec.json.encode(status) + b"\n")
        writer.close()


def main(words: list[str]) -> int:
    """Run until killed; 2 if it was not told which file to follow."""
    if len(words) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    asyncio.run(Wires(Path(words[0])).run())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
