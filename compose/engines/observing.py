"""Look at a cluster from outside, whatever engine runs it: does a node answer, and with whose voice; what does the
balancer say of it; does a request through the balancer reach our own shop?
"""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import msgspec

from compose.balancers.envoy_admin import HostState, host_states
from compose.cluster import Observation
from compose.probes.http import Unanswered, ask
from compose.probes.self_reports import PROBE_S, Voice, is_ours, listen_to
from shared.errors import ForeignAnswer
from shared.sessions import HeldSession

__all__ = ["NO_MEMBER", "all_in_rotation", "ask_balancer", "held_by", "listen_to", "observation", "shop_answers"]

NO_MEMBER = "not a member"


class _Held(msgspec.Struct):
    sessions: list[HeldSession]


def observation(part: str, process: bool, words: str, voice: Voice, routed: HostState | None) -> Observation:
    """All that was seen of a part: by the engine's books (`process`, `words`), of itself, and by the balancer."""
    evidence = [words, voice.words]
    if routed is not None:
        evidence.append(f"envoy: {', '.join(routed.trouble) or 'healthy'}")
    return Observation(
        part=part,
        at=time.monotonic(),
        process=process,
        answers=voice.answers,
        in_rotation=voice.answers if routed is None else routed.in_rotation,
        boot=voice.boot,
        evidence=tuple(evidence),
    )


def ask_balancer(admin_url: str, node_url: str) -> HostState:
    """What the balancer says of the node at that address."""
    where = urlsplit(node_url).netloc
    try:
        known = host_states(admin_url, within_s=PROBE_S)
    except (Unanswered, msgspec.DecodeError) as error:
        return HostState(where, (f"the balancer does not say: {error}",))
    return known.get(where) or HostState(where, (NO_MEMBER,))


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
