"""What a node says of itself on its control page, `GET /-/state`: asked past the balancer."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from compose.changes import Key, Trouble
from compose.probes.http import Unanswered, ask

ANSWERS_WITHIN_S = 0.6


class NodeState(msgspec.Struct, frozen=True):
    """One process of a node, in its own words."""

    boot: str
    pid: int
    pids: tuple[int, ...] = ()
    """Of all processes that serve the node's address, where one of them knows."""
    key: Key | None = None
    """What it signs with; None: a key that the cluster does not know."""
    fallback: Key | None = None
    clock_us: int = 0
    """Its wall clock as sessions read it: microseconds since 1970."""
    trouble: Trouble = Trouble()


class _Said(msgspec.Struct):
    """As the page says it."""

    boot: str
    pid: int
    pids: tuple[int, ...] = ()
    key: str = ""
    fallback: str = ""
    clock_us: int = 0
    trouble: Trouble = Trouble()


def state_of(url: str, control_token: str, keys: Mapping[str, Key]) -> NodeState | None:
    """The state of the node at that address; `keys` names the cluster's keys by their fingerprints."""
    try:
        answer = ask(f"{url}/-/state", headers={"X-Control-Token": control_token}, within_s=ANSWERS_WITHIN_S)
        said = msgspec.json.decode(answer.body, type=_Said) if answer.status == 200 else None
    except (Unanswered, msgspec.DecodeError):
        return None
    if said is None:
        return None
    return NodeState(
        boot=said.boot,
        pid=said.pid,
        pids=said.pids,
        key=keys.get(said.key),
        fallback=keys.get(said.fallback),
        clock_us=said.clock_us,
        trouble=said.trouble,
    )
