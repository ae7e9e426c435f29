"""PySyncObj's connections between nodes, put right where PySyncObj 0.3.17 is careless.

Whoever is refused a connection must close the socket all the same. And one rule of Raft is left out:

A leader that is behind with its acknowledgements sends again what a node has. Raft says to keep it; PySyncObj cuts it
off the log, puts the same back, and warns of a diverged node each time, which drowns the one time when it is true.
"""

from __future__ import annotations

import os
from typing import Any

from shared.raft import CONNECTION_STATE, SyncObj, TCPTransport, TcpUtility


def without_what_is_there(message: dict[str, Any], last: tuple[int, int]) -> dict[str, Any]:
    """That message of a leader, less the entries that the node's log has already.

    Within one term a leader never changes its log. So if our last entry is of its term, all of ours are its own.

    Args:
        message: any message between nodes.
        last: index and term of the last entry of the node's log.
    """
    index, term = last
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
