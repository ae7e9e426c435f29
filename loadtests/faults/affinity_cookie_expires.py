"""The balancer's cookie has a lifetime of its own, and it is over before the session is."""

from compose.cluster import Limits
from compose.engines.contract import Cluster
from loadtests.faults.bases import Condition
from loadtests.faults.contract import Evidence, Target
from loadtests.faults.effects import FOREVER_US, AffinityCookieEnds, Effect, FaultMarks
from loadtests.model.results import Cause

COOKIE_OVER = Cause(
    "affinity_cookie_over", "The balancer's cookie that led to the node was over before the session was."
)
LASTS_S = 3  # whole seconds, as a cookie has them; over well within a window


class AffinityCookieExpires(Condition):
    kind = "affinity-cookie-expires"
    colour = "#b0631f"
    doing = "Letting the affinity cookie expire in"
    done = "with an affinity cookie that expires"
    button = "Cookie expires"
    asks_of_balancer = "cookie_lifetime"
    causes = (COOKIE_OVER,)
    sets = ("affinity_cookie_s", LASTS_S)
    sentence = f"The balancer's cookie that leads to a node is over {LASTS_S} s after it was set; the session is not."

    def nothing_there(self, cluster: Cluster) -> str:
        architecture = cluster.spec.architecture
        affine = architecture.affinity == "cookie"
        return "" if affine else f"the balancer of {architecture.name} sets no cookie that leads to a node"

    def observe(self, target: Target) -> Evidence | None:
        # As a stranger: whoever has the cookie is given none by most balancers.
        given = target.cluster.ask_as_shopper("cookie").get("set-cookie", "")
        # Balancers write the lifetime either way, or both.
        lasts = any(word in given.lower() for word in ("max-age=", "expires="))
        return (f"a page that everybody is shown, as a stranger: Set-Cookie: {given}",) if lasts else None

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        lasts_us = limits.affinity_cookie_s * 1_000_000
        return (AffinityCookieEnds(marks.since_us, FOREVER_US, COOKIE_OVER.name, lasts_us),) if lasts_us else ()
