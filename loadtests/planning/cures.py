"""The cures: each loss that has one, the switch, and the pair of scenarios that shows it before and after."""

from compose.cluster import Limits
from loadtests.faults import FAULTS
from loadtests.faults.contract import Cure
from loadtests.model.scenario import Scenario, as_set

_REFRESHED = ("refresh-token", "refresh-token-database")

CURES: tuple[Cure, ...] = (  # what no fault causes is cured here; each fault's own file has the cures of what it does
    Cure(
        "A planted session id becomes the shopper's login.",
        "Nothing: it is on by default, and is switched off only to show what it prevents.",
        "session-fixation-unprotected",
        "session-fixation",
    ),
    Cure(
        "A slow page that changes nothing saves its old copy of the session over a newer one.",
        "A session's lifetime is counted from its last change instead of its last use.",
        "slow-page-refresh",
        "slow-page",
    ),
    Cure(
        "Two tabs add at once, and one of the two articles is lost.",
        "Writes of one shopper wait for each other. A token cannot be locked: it is in the browser.",
        "two-tabs",
        "two-tabs-lock",
    ),
    Cure(
        "A cart in a token no longer fits into a cookie, and stops growing.",
        "Each request carries all of it; what is in front of the nodes has its own limit on headers.",
        "growing-cart",
        "growing-cart-chunked",
        on=("signed-token",),
    ),
    Cure(
        "Nobody is let in while the list of revoked tokens cannot be asked.",
        "Revocations come late: a node that cannot ask lets in who has logged out meanwhile (`still_logged_in`).",
        "store-away",
        "store-away-remembered",
    ),
    Cure(
        "A checkout that is sent again makes a second order.",
        "The shop must remember the keys that it has seen.",
        "checkout-retried-without-keys",
        "checkout-retried",
    ),
    Cure(
        "A token is accepted after its logout.",
        "Each request asks the shared server: the token is stateless no more.",
        "replay-after-logout",
        "replay-after-logout",
        on=("signed-token",),
        instead="token-denylist",
    ),
    Cure(
        "A node comes back, and a hash ring moves its former shoppers back to it, where nobody knows them.",
        "The balancer writes a cookie with the node's name.",
        "hash-there-and-back",
        "hash-there-and-back",
        measure="logged_out_more_than_once",
        on=("sticky-hash",),
        instead="sticky-memory",
    ),
    Cure(
        "Several requests of one page show the same refresh token, and its second use ends the session.",
        "For so long a stolen token can be used beside its owner, and nobody notices.",
        "refresh-race",
        "refresh-race-grace",
        on=_REFRESHED,
    ),
    Cure(
        "The same, cured in the client: one refresh at a time, and the rest of the page when it was answered.",
        "A round trip before each page that needs one; it helps nobody who has two browsers' tabs apart.",
        "refresh-race",
        "refresh-race-single-flight",
        on=_REFRESHED,
    ),
    Cure(
        "A client takes an error for a logout, and throws the session away.",
        "Nothing: the client must only tell a 401 from everything else.",
        "outage-taken-for-logout",
        "outage-told-from-logout",
    ),
    Cure(
        "A deploy renames a field of the session, and two versions are strangers to each other's sessions.",
        "Three deploys instead of one, and between the last two as long as a session lives.",
        "deploy-renamed-field",
        "deploy-in-three-steps",
    ),
    Cure(
        "A canary is a stranger to whoever lands there by chance.",
        "An affinity: the balancer must remember, and the canary's share is no longer even.",
        "canary",
        "canary-with-affinity",
        measure="logged_out_more_than_once",
        on=("signed-token",),
        instead="signed-token-sticky",
    ),
    *(cure for fault in FAULTS.values() for cure in fault.cures),
)


def switch(cure: Cure, before: Scenario, after: Scenario) -> str:
    """What differs between the two, in the scenarios' own words; empty if nothing does."""
    if cure.instead:
        return f"architecture `{cure.instead}` instead of {', '.join(f'`{name}`' for name in cure.on)}"
    names = list({**before.settings, **after.settings})
    changed = [name for name in names if before.settings.get(name) != after.settings.get(name)]
    words = [f"`{as_set(name, after.settings.get(name, getattr(Limits(), name)))}`" for name in changed]
    kinds = [" and ".join(dict.fromkeys(f"`{fault.kind}`" for fault in it.fault)) for it in (before, after)]
    if kinds[0] != kinds[1]:
        words.append(" instead of ".join(filter(None, reversed(kinds))) if kinds[1] else f"no {kinds[0]}")
    if before.load.behaviour != after.load.behaviour:
        words.append(f"shoppers `{after.load.behaviour}` instead of `{before.load.behaviour}`")
    return ", ".join(words)


def shown_on(cure: Cure, before: Scenario, after: Scenario) -> tuple[str, ...]:
    """The architectures that show it."""
    return cure.on or tuple(name for name in before.architectures if name in after.architectures)
