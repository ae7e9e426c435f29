"""One node's part in PySyncObj's protocol: with which times and rules, and listening where."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import UsageError
from shared.raft import SyncObj, SyncObjConf, SyncObjException
from shared.replica_transport import ReplicaTransport
from shared.replicated_entries import Entries

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
        autoTick=False,
        password=password,
        bindAddress=address,
        maxBindRetries=1,
        raftMinTimeout=shortest,
        raftMaxTimeout=longest,
        appendEntriesPeriod=min(HEARTBEAT_S, shortest / 4),
        appendEntriesUseBatch=False,  # each change at once: a shopper is waiting for it
        connectionTimeout=DEAF_S,
        connectionRetryTime=RECONNECT_S,
        leaderFallbackTimeout=NO_MAJORITY_S,
        logCompactionMinEntries=COMPACT_AFTER,
        commandsWaitLeader=False,
        commandsQueueSize=10_000,
        dynamicMembershipChange=True,
        dnsCacheTime=NAMES_KEPT_S,
        dnsFailCacheTime=NO_NAME_S,
    )
