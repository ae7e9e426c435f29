"""More let through than the limit allows: whoever counts does not count everything."""

from loadtests.checks.contract import Tally
from loadtests.checks.witness import answered_as_shopper
from loadtests.model.history import Exchange
from loadtests.model.measures import Measure, events_of
from loadtests.session_model.timeline import RunTimeline

WINDOWS = 2
"""Any time as long as a window touches at most so many windows, wherever they begin; each allows the limit."""


class OverLimit(Tally):
    """The least that was too much: a single counter, whatever the moment at which its windows begin, allows no more.

    A request was certainly counted between its sending and its answer, so that only those count together whose sending
    and answer lie within one window's length.
    """

    name = "over_limit"
    rule = (
        "Within one window of the scenario's rate limit, from the sending of the first to the answer of the last, more "
        "than twice the limit's number of a shopper's requests are let through: each one beyond that."
    )
    measures = (
        Measure(
            "over_limit",
            "Requests let through beyond the most that a limit could have allowed which counts them all.",
            events_of("over_limit"),
            sort="count",
            group="Actions",
            label="Over the limit",
            meaning="Requests that were let through although a limit that counts all of them could not have allowed so "
            "many: more than twice its number within one of its windows (a window’s end and the next one’s beginning).",
            headline="requests let through beyond the limit",
            counted="requests",
            place=42,
        ),
    )

    def __init__(self, scene: RunTimeline) -> None:
        super().__init__(scene)
        self._allowed, self._window_us = _allowed(scene.limits.rate_limit)
        self.hears_all = self._window_us > 0  # quick oks are what it counts; runs without a limit do not pay for that
        self._since_us: dict[int, int] = {}
        self._let_through: dict[int, int] = {}

    def saw(self, exchange: Exchange) -> None:
        """The limit is the user's, whichever cookies are used."""
        if not self.hears_all or not answered_as_shopper(exchange):
            return
        shopper, since_us = exchange.shopper, self._since_us.get(exchange.shopper)
        if since_us is None or exchange.done_us >= since_us + self._window_us:
            self._since_us[shopper], self._let_through[shopper] = exchange.sent_us, 1
        # One that was sent before this window's first may have been counted before it.
        elif exchange.sent_us >= since_us:
            self._let_through[shopper] += 1
            if self._let_through[shopper] > self._allowed:
                self.count(exchange)


def _allowed(rate_limit: str) -> tuple[int, int]:
    """How many requests within how many microseconds; without a limit, none within none."""
    if not rate_limit:
        return 0, 0
    from limits import parse  # late: it is Flask-Limiter's, and only needed here if a scenario has a limit

    limit = parse(rate_limit)
    return WINDOWS * limit.amount, limit.get_expiry() * 1_000_000
