"""Somebody with a copy of a shopper's cookies is taken for the shopper, until the end."""

from loadtests.checks.contract import Check
from loadtests.checks.witness import answered_as_shopper, witness_event
from loadtests.model.history import Exchange
from loadtests.model.measures import Measure, losses_of
from loadtests.model.results import Cause
from loadtests.session_model.causes import Reason
from loadtests.session_model.circumstances import Circumstances
from loadtests.session_model.shopper_trace import ShopperTrace

STOLEN = Cause("cookies_stolen", "Whoever shows the cookies is taken for the shopper, and nothing told the two apart.")


class Impersonated(Check):
    """A thief who was found out is none any more: what counts is the last try."""

    kind = "impersonated"
    rule = "The last request with a copy of a shopper's cookies, taken while they shopped, is answered as the shopper."
    happened = "was impersonated with stolen cookies until the end"
    singular = "shopper impersonated until the end"
    plural = "shoppers impersonated until the end"
    causes = (STOLEN,)
    measures = (
        Measure(
            "impersonated",
            "Shoppers whose stolen cookies were still good at the thief's last try.",
            losses_of("impersonated"),
            sort="loss",
            group="Security",
            label="Impersonated",
            headline="shoppers impersonated until the end",
            kinds=("impersonated",),
            place=50,
        ),
    )

    def __init__(self, around: Circumstances) -> None:
        super().__init__(around)
        self._last: dict[int, tuple[Exchange | None, Exchange]] = {}

    def elsewhere(self, person: ShopperTrace, exchange: Exchange) -> None:
        """Proved by the shopper's login, and the answer to the thief."""
        # Only what asks who it is: the stealing itself asks nobody anything.
        if exchange.jar == "thief" and exchange.do == "me":
            # With the login of that moment: until the history ends, the owner may have logged in anew.
            self._last[exchange.shopper] = person.login, exchange

    def close(self) -> None:
        """The last tries are known now."""
        for login, tried in self._last.values():
            if answered_as_shopper(tried):
                self.lose(tried, Reason(STOLEN.name), [witness_event(login), witness_event(tried)])
