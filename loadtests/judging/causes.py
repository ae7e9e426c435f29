"""Why something was lost: a closed table, and the rules that pick from it, using nothing but history and events."""

from __future__ import annotations

from loadtests.history import Exchange
from loadtests.judging.person import Person
from loadtests.judging.scene import Scene, Strike

CAUSES: dict[str, str] = {
    "node_killed": "The node that held the session in its memory was killed, and the session with it.",
    "other_node": "Another node answered than the one that holds the session in its memory, and it does not know it.",
    "session_gone_with_login": "The cart was part of the session that was lost with the login before.",
    "request_repeated": "One request reached the shop twice: something between client and shop sent it again.",
    "key_ignored": "The shop made a second order for an idempotency key that it had already seen.",
    "unexplained": "Nothing that the events or the answers show explains it.",
}
"""Every cause a loss can have, and what it means."""


def home_of(person: Person) -> str:
    """The node that acknowledged the login: where a session in memory lives."""
    return person.login.node if person.login else ""


def strike_on_home(scene: Scene, person: Person, exchange: Exchange) -> Strike | None:
    """The observed fault that hit the session's home after the shop last knew the shopper, and before this answer.

    Counted from the *sending* of what was last answered: its answer may have left just before the blow.
    """
    if person.known is None:
        return None
    return scene.struck(home_of(person), person.known.sent_us, exchange.done_us)


def cause_of_logout(scene: Scene, person: Person, exchange: Exchange) -> str:
    """Why this answer did not know a shopper whose login was acknowledged."""
    if scene.store == "memory":
        if strike_on_home(scene, person, exchange):
            return "node_killed"
        if exchange.node and exchange.node != home_of(person):
            return "other_node"
    return "unexplained"


def cause_of_cart_loss(scene: Scene, person: Person, exchange: Exchange) -> str:
    """Why this answer showed another cart than the acknowledged one."""
    if person.out is not None:
        return "session_gone_with_login"
    last = person.cart or person.login
    if scene.store == "memory" and last is not None and exchange.node != last.node:
        return "other_node"
    return "unexplained"
