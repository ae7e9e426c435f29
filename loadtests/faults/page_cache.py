"""A cache before the balancer keeps pages that say whose they are, and gives them to whoever asks next."""

from loadtests.faults.bases import Condition
from loadtests.faults.contract import Cure, Evidence, Target
from loadtests.faults.effects import PagesKept
from loadtests.model.results import Cause

PAGE_KEPT = Cause(
    "page_kept",
    "A cache before the balancer kept a page that was made for one shopper, with the session's cookie if one came with "
    "it, and gave it to another.",
)


class PageCache(Condition):
    """`proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;` and a second of life for every page."""

    kind = "page-cache"
    colour = "#8a5a9c"
    doing = "Keeping pages in a cache before"
    done = "behind a cache that keeps every page"
    causes = (PAGE_KEPT,)
    brings = (PagesKept,)
    cures = (
        Cure(
            "A cache keeps a page, and the next one who asks is given somebody else's session.",
            "The cache keeps nothing of what the shop forbids: of this shop, everything but pictures.",
            "page-cache",
            "page-cache-obeys",
            measure="wrong_user",
        ),
    )
    sets = ("page_cache", "ignores")
    sentence = "A cache between people and the balancer keeps each page for a second, whatever the shop says of that."

    def observe(self, target: Target) -> Evidence | None:
        # The first fills the cache, if no shopper has; the second is answered by a page that was made for another one.
        first, second = (f"kept-{target.cluster.spec.run}-{number}" for number in (1, 2))
        target.cluster.ask_as_shopper(first)
        headers = target.cluster.ask_as_shopper(second)
        made_for = headers.get("x-request-id", "")
        if not made_for or made_for.endswith(second):
            return None
        return (f"a page that everybody is shown, as probe-{second}: the page that was made for {made_for}",)
