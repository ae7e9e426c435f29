"""Look at a cluster from outside, whatever engine runs it: does a node answer, and with whose voice; what does the
balancer say of it; does a request through the balancer reach our own shop?
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from compose.balancer_admin import HostState, host_states
from compose.http_probe import Answer, Unanswered, ask
from shared.errors import ForeignAnswer
from shared.sessions import HeldSession

PROBE_S = 0.3
"""One look: three of them make an observation, which may take at most 1 s."""


class _Health(msgspec.Struct):
    boot: str


class _Held(msgspec.Struct):
    sessions: list[HeldSession]


class Voice(msgspec.Struct, frozen=True):
    """What a node's own address answered."""

    answers: bool
    """200, with our run's id."""
    boot: str | None
    words: str
    foreign: bool = False
    """Something answers, but it is not ours."""


def listen_to(url: str, run: str) -> Voice:
    """Ask a node for its health, past the balancer."""
    where = urlsplit(url).netloc
    try:
        answer = ask(f"{url}/healthz", within_s=PROBE_S)
    except Unanswered as silence:
        return Voice(False, None, f"connect to {where}: {silence.reason}")
    if not is_ours(answer, run):
        return Voice(False, None, f"{where} is not ours: its X-Run is {answer.headers.get('x-run')!r}", foreign=True)
    if answer.status != 200:
        return Voice(False, None, f"{where}/healthz: {answer.status}")
    try:
        boot = msgspec.json.decode(answer.body, type=_Health).boot
    except msgspec.DecodeError as error:
        return Voice(False, None, f"{where}/healthz: {error}")
    return Voice(True, boot, f"{where}/healthz: 200, boot {boot}")


def is_ours(answer: Answer, run: str) -> bool:
    """Whether an answer carries our run's id."""
    return answer.headers.get("x-run") == run


def ask_balancer(admin_url: str, node_url: str) -> HostState:
    """What the balancer says of the node at that address."""
    where = urlsplit(node_url).netloc
    try:
        known = host_states(admin_url, within_s=PROBE_S)
    except (Unanswered, msgspec.DecodeError) as error:
        return HostState(where, (f"the balancer does not say: {error}",))
    return known.get(where) or HostState(where, ("not a member",))


def all_in_rotation(admin_url: str, count: int) -> bool:
    """Whether the balancer knows that many nodes and calls all of them healthy."""
    try:
        known = host_states(admin_url, within_s=PROBE_S)
    except (Unanswered, msgspec.DecodeError):
        return False
    return len(known) == count and all(state.in_rotation for state in known.values())


def shop_answers(url: str, run: str) -> bool:
    """Whether a request through the balancer reaches a node of ours.

    Raises:
        ForeignAnswer: something that is not ours answers there.
    """
    try:
        answer = ask(f"{url}/healthz", headers={"X-Request-Id": f"ready-{run}"}, within_s=PROBE_S)
    except Unanswered:
        return False
    if not is_ours(answer, run):
        raise ForeignAnswer(
            f"somebody else's server answers at {url}",
            why=f"this run is {run}, the answer's X-Run is {answer.headers.get('x-run', 'missing')}",
            next_step="find it with `lsof -i`, stop it, or choose another port",
        )
    return answer.status == 200 and "x-node" in answer.headers


def held_by(url: str, control_token: str) -> list[HeldSession] | None:
    """The logged-in sessions that a node says it holds; None if it does not answer."""
    try:
        answer = ask(f"{url}/-/sessions", headers={"X-Control-Token": control_token}, within_s=2 * PROBE_S)
        return msgspec.json.decode(answer.body, type=_Held).sessions if answer.status == 200 else None
    except (Unanswered, msgspec.DecodeError):
        return None
