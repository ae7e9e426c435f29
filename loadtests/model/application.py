"""What a run's files say of an application that is none of the twins: how much of it could be seen, and what could not.

Its description itself is in no file of a run: it may hold passwords. Its SHA-256 tells whether two runs had the same.
"""

import msgspec

from compose.applications import SHIPPED
from compose.applications.contract import ApplicationCapabilities, Grade
from compose.architectures import Architecture
from compose.description import Description
from compose.interface import ShopperInterface
from loadtests.model.history import Do


class ApplicationFacts(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the judge has to know of it."""

    name: str
    grade: Grade
    sha256: str
    """Of the description's file."""
    asked: tuple[Do, ...]
    """What shoppers ask of it: only what is described."""
    names_users: bool = False
    """Its answers say who is logged in."""
    in_account: bool = False
    """What it remembers outlives a logout."""


def facts_of(description: Description, sha256: str, grade: Grade) -> ApplicationFacts:
    """What is known of a described application."""
    remember = description.remember
    return ApplicationFacts(
        description.name, grade, sha256, asked_of(description),
        names_users=description.who.user is not None,
        in_account=remember is not None and remember.kept_in == "account",
    )  # fmt: skip


def can_of(facts: ApplicationFacts | None) -> ApplicationCapabilities:
    """What it can, as far as the run's files tell."""
    return SHIPPED.can if facts is None else ApplicationCapabilities(behind_our_balancer=facts.grade != "C")


def interface_of(facts: ApplicationFacts | None) -> ShopperInterface | None:
    """What its shoppers could ask, as far as the run's files tell: what was described is in none of them."""
    return SHIPPED.interface if facts is None else None


def asked_of(description: Description) -> tuple[Do, ...]:
    """The actions that its description makes possible."""
    remember = description.remember
    asked: list[Do] = ["login", "me"]  # without these two nothing can be said of anybody, so no file lacks them
    if remember is not None:
        asked.append("remember" if remember.keeps == "one" else "add")
    if description.recall is not None:
        asked.append("recall")
    if description.logout is not None:
        asked.append("logout")
    return tuple(asked)


BLIND: dict[str, tuple[str, ...]] = {
    "order_lost": ("checkout",),
    "order_duplicated": ("checkout",),
    "orders_lost": ("checkout",),
    "orders_duplicated": ("checkout",),
    "cart_lost": ("recall",),
    "carts_lost": ("recall",),
    "items_lost": ("recall",),
    "units_lost": ("recall",),
    "carts_rolled_back": ("recall",),
    "still_logged_in": ("logout",),
    "sessions_shared": ("arrive",),
    "streams_dropped": ("watch",),
    "streams_lost": ("watch",),
    "read_by_others": ("read_cookie",),
}
"""By measure: what must be asked so that it can be counted."""


def cannot_count(measure: str, facts: ApplicationFacts | None) -> bool:
    """Whether it could happen unseen, what that measure counts: then its 0 is none. What was seen counts all the same:
    without names, values that are read back may still be somebody else's."""
    if facts is None:
        return False
    if measure == "wrong_user":
        return not facts.names_users
    needs = BLIND.get(measure)
    return needs is not None and not set(needs) & set(facts.asked)


def not_measured(facts: ApplicationFacts) -> tuple[str, ...]:
    """What nobody could see, in sentences."""
    asked = set(facts.asked)
    found = []
    if facts.grade == "C":
        found.append(
            "Which node answered, and whom a fault put at risk: nothing of ours stands before the application."
        )
        found.append("What balancer and nodes logged: the shoppers' own record is compared with nothing.")
    if facts.grade == "B":
        found.append("What the nodes themselves logged: client and balancer are compared, the nodes' side is not.")
        found.append("Which sessions a node held, by its own word: at risk is reckoned from the balancer's log.")
    if not facts.names_users:
        found.append("Whose page it is: the description does not say where the user's name stands.")
    if not asked & {"remember", "add"} or "recall" not in asked:
        found.append("Whether what was remembered is lost: the description has no [remember] and [recall].")
    if "logout" not in asked:
        found.append("Whether a session outlives its logout: the description has no [logout].")
    found.append("Orders: no application but the twins has its database read.")
    return tuple(found)


_LIKE = {
    ("memory", "cookie"): "sticky-memory", ("memory", "hash"): "sticky-hash", ("memory", "address"): "sticky-address",
    ("memory", "round-robin"): "roundrobin-memory", ("replicated", "cookie"): "replicated-memory",
    ("token", ""): "signed-token", ("denylist", ""): "token-denylist", ("redis", ""): "redis", ("shared", ""): "redis",
}  # fmt: skip


def like(architecture: Architecture) -> str:
    """The architecture of the twins that lives and routes as this one does, whose predictions hold for it; "": none."""
    store = architecture.store
    # Where sessions are outside of the nodes, it does not matter whom the balancer asks.
    return _LIKE.get((store, architecture.affinity)) or _LIKE.get((store, ""), "")
