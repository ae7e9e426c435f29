"""Small values that every node of a cluster keeps in its memory: PySyncObj (Raft) tells the others of each change.

A change is done when a majority of the nodes has it and this node has applied it. Reading asks nobody: it is this
node's own copy. Nothing is on a disk: a node that comes back is empty and gets everything from the others.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.util import Finalize
from queue import SimpleQueue
from typing import Any, NamedTuple

import msgspec
from cachelib.base import BaseCache

from shared.replication.entries import Entries
from shared.replication.peers import Joining, close_pipe, listen, no_beginner_any_more
from shared.replication.raft import FAIL_REASON

TICK_S = 0.02
"""The longest that the thread of the protocol sleeps; messages and changes of our own wake it at once."""
BROKEN_OFF_S = 0.5
"""Connections may be away for so long before it is said that no majority is connected, and changes fail at once."""
LEAVE_WITHIN_S = 0.6
"""Handing over the lead and leaving; a node that is stopped has 2 s in all."""
_ASK_AGAIN_S = 0.005

_log = logging.getLogger(__name__)


class StateUnavailable(Exception):
    """No majority of nodes took a change in time (it may still happen later), or this node has not caught up yet."""


class ReplicaStatus(NamedTuple):
    """How this node stands in its cluster, as of the last tick."""

    leader: str = ""
    """The address of the node that leads; empty: none is known."""
    leads: bool = False
    """This node does."""
    majority: bool = False
    """It is, or was a moment ago, connected to a majority of the nodes (itself included)."""
    caught_up: bool = False
    """It has had everything that there was when it came; true ever after."""
    members: int = 1
    connected: int = 0
    """How many of the others are."""


class _Answer:
    """What became of one change."""

    def __init__(self) -> None:
        self.result: Any = None
        self.reason: int = FAIL_REASON.SUCCESS
        self.done = threading.Event()

    def take(self, result: object, reason: int) -> None:
        self.result, self.reason = result, reason
        self.done.set()


class ReplicatedState:
    """One node's copy of the values, and its part in the protocol, which runs in a thread of its own.

    Each change raises `StateUnavailable` if no majority took it in time; it may still happen later.
    """

    def __init__(
        self,
        address: str,
        peers: Iterable[str],
        *,
        password: str,
        cap: int = 100_000,
        timeout_s: float = 1.0,
        other_port: bool = False,
    ) -> None:
        """Listen and begin; returns at once, `ready` says when the others' values are here.

        Args:
            address: `host:port` where the others reach this node; it listens there and nowhere else.
            peers: the addresses of the other nodes, as far as they are known. A node that they do not know asks them
                to be let in.
            password: the same on all nodes. Messages are pickles: without it, whoever reaches the port could run code.
            cap: the most values kept; beyond it the longest untouched one goes.
            timeout_s: the longest that a change may take.
            other_port: if another process of this node listens there already, listen on any other port of that host,
                and be one more that asks to be let in.

        Raises:
            UsageError: it cannot listen there.
        """
        self._timeout_s = timeout_s
        self._entries = Entries(cap)
        self._raft = listen(self._entries, address, sorted(set(peers) | {address}), password, other_port)
        self.address = str(self._raft.selfNode)
        others = sorted(map(str, self._raft.otherNodes))
        self.standing = ReplicaStatus()
        self.ahead_s = 0
        """How wrong this node's clock is on purpose."""
        self._majority_until = 0.0
        self._closing = threading.Event()
        self._errands: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="replicated-state", daemon=True)
        self._thread.start()
        self._joining = Joining(self.address, others, password, lambda: self.standing.caught_up)
        # At the end of a worker process Python runs these, but no `atexit` functions.
        self._at_exit = Finalize(None, self.close, exitpriority=10)

    def now(self) -> float:
        """The time, as this node takes it to be."""
        return time.time() + self.ahead_s

    # Reading

    def get(self, key: str) -> bytes | None:
        """This node's copy of the value, if it has one whose time is not over.

        Raises:
            StateUnavailable: this node has not caught up, so that it cannot know.
        """
        self._must_know()
        entry = self._entries.entries.get(key)
        return entry.value if entry is not None and entry.expires > self.now() else None

    def has(self, key: str) -> bool:
        """Whether this node has a value, even one whose time is over."""
        return key in self._entries.entries

    def items(self) -> list[tuple[str, bytes]]:
        """All values whose time is not over: O(values)."""
        now = self.now()
        with self._entries.lock:
            entries = list(self._entries.entries.items())
        return [(key, entry.value) for key, entry in entries if entry.expires > now]

    def __len__(self) -> int:
        return len(self._entries.entries)

    # Changing

    def set(self, key: str, value: bytes, *, lifetime_s: float, owner: str = "") -> None:
        """Keep it on every node, until its time is over by this node's clock of now."""
        now = self.now()
        self._change(self._entries.put, key, value, now + lifetime_s, owner, now)

    def delete(self, key: str) -> bool:
        """Drop it from every node; whether it was there."""
        return bool(self._change(self._entries.drop, key))

    def delete_owned(self, owner: str) -> int:
        """Drop every value with that owner from every node, in one change; how many there were."""
        return int(self._change(self._entries.drop_owned, owner))

    def hold_at_most(self, values: int) -> None:
        """Keep so many from now on, on this node only, as when its memory is short: the longest untouched ones go."""
        self._entries.hold_at_most(values)

    # Its place among the nodes

    def ready(self) -> bool:
        """It has caught up with the others once: what it does not have does not exist."""
        return self.standing.caught_up

    def reachable(self) -> bool:
        """A change would be taken now: it has caught up, a leader is known, and a majority is connected."""
        standing = self.standing
        return standing.caught_up and standing.majority and standing.leader != ""

    def close(self) -> None:
        """Leave the cluster (the others then are fewer, and need fewer for a majority), and stop. May be repeated."""
        if self._closing.is_set():
            return
        self._joining.close()  # first, or it would ask to be let in again
        self._leave()
        self._closing.set()
        self._thread.join()
        self._at_exit.cancel()

    # How

    def _must_know(self) -> None:
        if not self.standing.caught_up:
            raise StateUnavailable("this node has not caught up with the others yet")

    def _change(self, change: Callable[..., None], *arguments: object) -> Any:
        """Have it carried out everywhere, and what it gave.

        If the leader is lost in between, the next one is asked, while there is time: a change done twice is done once.
        """
        deadline = time.monotonic() + self._timeout_s
        self._must_know()
        while not self._closing.is_set():
            if not self.standing.majority:
                raise StateUnavailable("no majority of nodes is connected")
            answer = _Answer()
            change(*arguments, callback=answer.take)
            if not answer.done.wait(max(0.0, deadline - time.monotonic())):
                break
            if answer.reason == FAIL_REASON.SUCCESS:
                return answer.result
            if time.monotonic() + _ASK_AGAIN_S > deadline:
                break
            self._closing.wait(_ASK_AGAIN_S)
        raise StateUnavailable(f"no majority of nodes took the change within {self._timeout_s:g} s")

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                # PySyncObj takes changes from any thread, and nothing else: the rest is done between two ticks.
                while not self._errands.empty():
                    self._errands.get()()
                self._raft.doTick(TICK_S)
                self.standing = self._look()
            except Exception:  # noqa: BLE001 - a thread that ends would leave the node deaf for good
                _log.exception("replication goes on after an error")
                self._closing.wait(TICK_S)
        self._raft.destroy()
        close_pipe(self._raft)

    def _look(self) -> ReplicaStatus:
        raft = self._raft
        leader = raft._getLeader()
        if leader is not None:  # there is somebody who has something, so this node may stand for election like all
            no_beginner_any_more(raft.conf)
        others = raft.otherNodes
        if raft.hasQuorum:
            self._majority_until = time.monotonic() + BROKEN_OFF_S
        return ReplicaStatus(
            leader=str(leader) if leader is not None else "",
            leads=raft._isLeader(),
            majority=time.monotonic() < self._majority_until,
            caught_up=self.standing.caught_up or (raft.isReady() and raft.hasQuorum and leader is not None),
            members=len(others) + 1,
            connected=sum(map(raft.isNodeConnected, others)),
        )

    def _leave(self) -> None:
        """Best effort: a cluster without a majority, or two that leave at once, stay as they are."""
        if not self._thread.is_alive() or self.standing.members == 1 or not self.reachable():
            return
        deadline = time.monotonic() + LEAVE_WITHIN_S
        if self.standing.leads:
            self._errands.put(self._raft.transferLeadership)
            self._wait(lambda: self.standing.leader != "" and not self.standing.leads, deadline)
        if self.standing.leads:
            return  # nobody took the lead over; a leader is not let go, so the others count it on, as a killed one
        self._raft.removeNodeFromCluster(self._raft.selfNode)
        # Whoever is let go is hung up on, and so never hears that it was.
        self._wait(lambda: self.standing.connected == 0, deadline)

    def _wait(self, condition: Callable[[], bool], deadline: float) -> None:
        while not condition() and time.monotonic() < deadline:
            self._closing.wait(_ASK_AGAIN_S)


class ReplicatedCache(BaseCache):
    """Holds dictionaries of plain values; `owner_of` says whose one is.

    All of it raises `StateUnavailable` where its state does.
    """

    def __init__(
        self, state: ReplicatedState, *, lifetime_s: int, owner_of: Callable[[Mapping[str, Any]], str]
    ) -> None:
        super().__init__(lifetime_s)
        self.state = state
        self._owner_of = owner_of

    def get(self, key: str) -> Any:
        """What is kept under that key; None if nothing is, or if its time is over."""
        packed = self.state.get(key)
        return None if packed is None else msgspec.msgpack.decode(packed)

    def set(self, key: str, value: Any, timeout: Any = None) -> bool:
        """Keep it on every node."""
        self.state.set(
            key, msgspec.msgpack.encode(value), lifetime_s=self._normalize_timeout(timeout), owner=self._owner_of(value)
        )
        return True

    def delete(self, key: str) -> bool:
        """Drop it from every node. What this node does not have is not asked for: ids are random, nobody has them."""
        return self.state.has(key) and self.state.delete(key)

    def has(self, key: str) -> bool:
        """Whether it is kept, and its time is not over."""
        return self.state.get(key) is not None

    def living(self) -> list[tuple[str, dict[str, Any]]]:
        """Everything that has not expired, by key: O(values)."""
        return [(key, msgspec.msgpack.decode(packed)) for key, packed in self.state.items()]
