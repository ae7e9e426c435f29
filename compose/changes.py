"""What can be changed about a running cluster on purpose, as data: `compose.cluster.Cluster` carries it out.

Each of these, made without arguments, is how a cluster is by itself: handing it over undoes the change.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Key = Literal["own", "next"]
"""Each cluster is started with two signing keys: the one that all nodes use, and the one that they could change to."""
FIRST_FORMAT = "first"  # of sessions, with which every node is started (`shared.shop.session_format.FORMATS`)


class NodeChanges(msgspec.Struct, frozen=True):
    """Settings that a node has from its next start on."""

    key: Key = "own"
    """Signs tokens and forms."""
    fallback: Key | None = None
    """Accepted, not used for signing."""
    session_format: str = FIRST_FORMAT
    """The version of the shop's code, as far as sessions are concerned."""


class Trouble(msgspec.Struct, frozen=True):
    """What a living node is told to suffer from; its health check and its control pages never do."""

    delay_ms: int = 0
    """Every answer takes that much longer."""
    errors: Literal["none", "instead", "afterwards"] = "none"
    """instead: 500, and nothing is done; afterwards: all is done and saved, and the answer is 500 all the same."""
    session_cap: int = 0
    """The most sessions it keeps in its memory from now on; 0: as it was started."""
    clock_ahead_s: int = 0
    """How far its clock is ahead, as far as sessions read it; behind, if negative."""
    dies_before_saving: bool = False
    """Its process is gone as soon as it has committed an order, before the session is saved and anybody is answered."""


OF_A_CANARY = 4  # so many newcomers go to each other node for one that goes to the canary


class Balancing(msgspec.Struct, frozen=True):
    """How the running balancer routes."""

    affinity: bool = True
    """False: each request goes to the next node in turn (on a ring: to one by chance), whatever the cookie says."""
    retries: int | None = None
    """Of a request that failed, on another node; None: as it was started."""
    canary: str = ""
    """A node that is sent one newcomer where each of the others is sent `OF_A_CANARY`; "": all are sent as many."""


class Wire(msgspec.Struct, frozen=True):
    """The connection between a part (a node, or the replica) and the session store."""

    delay_ms: float = 0.0
    """Added to each answer's way back."""
    cut: bool = False
    """Nothing comes through, connections stay open, new ones get no answer: as when a cable is cut."""


class Reply(msgspec.Struct, frozen=True):
    """What came of asking a part something."""

    ok: bool
    took_ms: float
    words: str
    """For an evidence: "GET /products: 500 after 3 ms"."""
    status: int = 0
    """The HTTP status, where it was HTTP that was spoken; 0 if no answer came."""
