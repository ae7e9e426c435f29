"""PySyncObj's connections between nodes, put right where PySyncObj 0.3.17 is careless.

Whoever is refused a connection must close the socket all the same. And one rule of Raft is left out:

A leader that is behind with its acknowledgements sends again what a node has. Raft says to keep it; PySyncObj cuts it
off the log, puts the same back, and warns of a diverged node each time, which drowns the one time when it is true.
"""

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from shared.errors import UsageError
from shared.replication.entries import Entries
from shared.replication.raft import (
    CONNECTION_STATE,
    SyncObj,
    SyncObjConf,
    SyncObjException,
    TCPTransport,
    TcpUtility,
    UtilityException,
)


def without_what_is_there(message: dict[str, Any], last: tuple[int, int]) -> dict[str, Any]:
    """That message of a leader, less the entries that the node's log has already.

    Within one term a leader never changes its log. So if our last entry is of its term, all of ours are its own.

    Args:
        message: any message between nodes.
        last: index and term of the last entry of the node's log.
    """
    index, term = last
    # Of the leader's messages neither its values in place of a log, nor an entry that comes in pieces.
    if message.get("type") != "append_entries" or "prevLogIdx" not in message or "transmission" in message:
        return message
    if message["term"] != term or message["prevLogIdx"] is None or message["prevLogIdx"] >= index:
        return message
    new = [entry for entry in message["entries"] if entry[1] > index]
    return {**message, "prevLogIdx": index, "prevLogTerm": term, "entries": new}


class ReplicaTransport(TCPTransport):  # type: ignore[misc]
    """Connections that do not bring what is there already, and leave no socket behind."""

    def _onMessageReceived(self, node: object, message: dict[str, Any]) -> None:  # noqa: N802
        super()._onMessageReceived(node, without_what_is_there(message, last_entry(self._syncObj)))

    def _connectIfNecessarySingle(self, node: object) -> bool:  # noqa: N802
        connected = bool(super()._connectIfNecessarySingle(node))
        connection = self._connections.get(node)
        if connection is not None and connection.state == CONNECTION_STATE.DISCONNECTED:
            connection.disconnect()
        return connected


# Names that PySyncObj calls private: the version is pinned, and tests fail if it has them no longer.


def last_entry(raft: SyncObj) -> tuple[int, int]:
    """Index and term of the last entry of its log."""
    _, index, term = raft._SyncObj__raftLog[-1]
    return index, term


def close_pipe(raft: SyncObj) -> None:
    """Close the two ends of the pipe that wakes it, which its `destroy` leaves open."""
    notifier = raft._SyncObj__pipeNotifier
    os.close(notifier._PipeNotifier__pipeR)
    os.close(notifier._PipeNotifier__pipeW)


def hang_up(asking: TcpUtility) -> None:
    """Close its connection, also one that was refused."""
    asking._TcpUtility__connection.disconnect()


ASK_AGAIN_S = 0.2
ANSWER_WITHIN_S = 1.0


class Joining:
    """Asks to be let in, in a thread that ends by itself. A node that is in already is told no, which does no harm."""

    def __init__(self, address: str, peers: Sequence[str], password: str, done: Callable[[], bool]) -> None:
        self._address, self._peers, self._done = address, peers, done
        self._password = password
        self.asked = 0
        """How many times it has asked."""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replicated-state-joining", daemon=True)
        if peers:  # a cluster of one asks nobody
            self._thread.start()

    def close(self) -> None:
        """Stop asking."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        asking = TcpUtility(password=self._password, timeout=ANSWER_WITHIN_S)
        while True:
            for peer in self._peers:
                if self._closing.is_set() or self._done():
                    return
                with suppress(UtilityException):  # it is not up yet, or has no leader, or takes us for somebody else
                    asking.executeCommand(peer, ["add", self._address])
                hang_up(asking)  # or it is still connected to this peer when it asks the next
                self.asked += 1
            self._closing.wait(ASK_AGAIN_S)


HEARTBEAT_S = 0.1
"""How often the leader tells the others that it is there."""
ELECTION_S = (0.4, 0.8)
"""Without a word from the leader for a time drawn from this range, a node wants to become it."""
FIRST_ELECTION_S = (0.9, 1.4)
"""The same for a node that has just come, and so is empty: it leaves the lead to any other that has something."""
ALONE_ELECTION_S = (0.005, 0.01)
"""The same for a cluster of one, which has nobody to wait for."""
NO_MAJORITY_S = 1.0
"""A leader that a majority has not answered for so long gives up."""
DEAF_S = 2.0
"""A connection on which nothing was heard for so long is given up."""
RECONNECT_S = 0.2
NAMES_KEPT_S = 60.0
"""How long an address once looked up is believed: while a name is looked up, the protocol stands still."""
NO_NAME_S = 2.0
"""How long a name that was not found is not looked up again."""
COMPACT_AFTER = 5_000
"""Changes after which the log is replaced by the values themselves."""


def listen(entries: Entries, address: str, every: list[str], password: str, other_port: bool) -> SyncObj:
    """The protocol, which does nothing until it is ticked; the arguments are those of `ReplicatedState`.

    Raises:
        UsageError: it cannot listen there.
    """
    try:
        _must_be_free(address)
        others = [other for other in every if other != address]
        settings = _settings(address, password, alone=not others)
        with _without_traceback():
            return SyncObj(address, others, settings, consumers=[entries], transportClass=ReplicaTransport)
    except (OSError, ValueError, SyncObjException) as error:
        if other_port:
            return listen(entries, _any_port(address), every, password, other_port=False)
        raise UsageError(
            f"this node cannot listen on {address} for the other nodes",
            why=str(error),
            next_step="set TWINSHOP_REPLICA_SELF=host:port, with a free port of this machine",
        ) from error


def no_beginner_any_more(settings: SyncObjConf) -> None:
    """The times for a node that has heard of a leader: PySyncObj reads them anew each time."""
    settings.raftMinTimeout, settings.raftMaxTimeout = ELECTION_S
    settings.appendEntriesPeriod = HEARTBEAT_S


def _must_be_free(address: str) -> None:
    """PySyncObj would find out, too, but would leave a socket open."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise ValueError("that is not host:port")
    socket.create_server((host, int(port))).close()


@contextmanager
def _without_traceback() -> Iterator[None]:
    """PySyncObj logs one when it cannot listen, and then raises: that is enough."""
    log = logging.getLogger("pysyncobj.syncobj")
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = False


def _any_port(address: str) -> str:
    host = address.rpartition(":")[0]
    with socket.create_server((host, 0)) as server:
        return f"{host}:{server.getsockname()[1]}"


def _settings(address: str, password: str, *, alone: bool) -> SyncObjConf:
    shortest, longest = ALONE_ELECTION_S if alone else FIRST_ELECTION_S
    return SyncObjConf(
        autoTick=False,  # `ReplicatedState` ticks it, in a thread that also does what others want of it
        password=password,
        bindAddress=address,
        maxBindRetries=1,  # by itself it tries for ever
        raftMinTimeout=shortest,
        raftMaxTimeout=longest,
        appendEntriesPeriod=min(HEARTBEAT_S, shortest / 4),  # PySyncObj asks for less than a third
        appendEntriesUseBatch=False,  # each change at once: a shopper is waiting for it
        connectionTimeout=DEAF_S,
        connectionRetryTime=RECONNECT_S,
        leaderFallbackTimeout=NO_MAJORITY_S,
        logCompactionMinEntries=COMPACT_AFTER,
        commandsWaitLeader=False,  # without a leader a change fails at once, and whoever made it asks again in time
        commandsQueueSize=10_000,
        dynamicMembershipChange=True,
        dnsCacheTime=NAMES_KEPT_S,
        dnsFailCacheTime=NO_NAME_S,
    )
