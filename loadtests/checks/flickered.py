"""Answered as a stranger, and recognised again by the very same session."""

from loadtests.checks.contract import Tally
from loadtests.model.history import ENDS_SESSION, NEEDS_LOGIN, Exchange
from loadtests.model.measures import Measure, events_of, shoppers_of
from loadtests.session_model.timeline import RunTimeline


class Flickered(Tally):
    """A session that some nodes know and others do not.

    Shoppers who log in again at once after being answered as strangers never show it: they have a new session by then.
    """

    name = "flickered"
    rule = (
        "A shopper whose login was acknowledged is answered 401, and a request sent later is answered as to somebody "
        "known, with no login and no logout in between. A loss of its own (logged_out) is counted beside it."
    )
    measures = (
        Measure(
            "flickered",
            "Shoppers answered as strangers and then recognised again without a new login.",
            shoppers_of("flickered"),
            sort="count",
            group="People",
            meaning="Shoppers who were answered as strangers and then, without a new login, recognised again: some "
            "nodes know the session and others do not. Counted apart from being logged out; only those show it who do "
            "not log in again.",
            headline="shoppers forgotten and then known again",
            of_all=True,
            place=30,
        ),
        Measure(
            "flickers",
            "How often that happened.",
            events_of("flickered"),
            sort="count",
            group="People",
            report="never",
            terminal="never",
            place=31,
        ),
    )

    def __init__(self, scene: RunTimeline) -> None:
        super().__init__(scene)
        self._logged_in: set[int] = set()
        self._stranger_us: dict[int, int] = {}

    def saw(self, exchange: Exchange) -> None:
        """Only what the shopper's own cookies did."""
        if exchange.jar != "main":
            return
        shopper = exchange.shopper
        if exchange.as_stranger and exchange.do != "login":
            if shopper in self._logged_in and shopper not in self._stranger_us:
                # The first 401: those after it, until somebody knows the shopper again, are the same flicker.
                self._stranger_us[shopper] = exchange.done_us
                # From here on quick oks count, too, for this shopper alone: they are all that can show it.
                self.following.add(shopper)
        elif exchange.do == "login" or exchange.do in ENDS_SESSION:
            self._changed(exchange)
        elif exchange.outcome == "ok" and exchange.do in NEEDS_LOGIN:
            since_us = self._stranger_us.get(shopper)
            # Sent after the stranger's answer: what was under way beside it proves nothing.
            if since_us is not None and exchange.sent_us >= since_us:
                self.count(exchange)
                self._forget(shopper)  # and still logged in: the next 401 begins another flicker

    def _changed(self, exchange: Exchange) -> None:
        """Another session, or perhaps another one: what comes next tells nothing of the one before."""
        if exchange.outcome in ("ok", "unknown"):
            self._forget(exchange.shopper)
            self._logged_in.discard(exchange.shopper)
        if exchange.do == "login" and exchange.outcome == "ok":
            self._logged_in.add(exchange.shopper)

    def _forget(self, shopper: int) -> None:
        self._stranger_us.pop(shopper, None)
        self.following.discard(shopper)
