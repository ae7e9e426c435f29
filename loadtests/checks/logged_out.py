"""A shopper whose login was acknowledged is answered as a stranger."""

from loadtests.checks.contract import Check
from loadtests.checks.witness import before_loss, witness_event
from loadtests.model.history import Exchange
from loadtests.model.measures import Measure
from loadtests.session_model.carts import Contradiction
from loadtests.session_model.causes import reason_of_logout
from loadtests.session_model.shopper_trace import ShopperTrace


class LoggedOut(Check):
    """The first 401 after an acknowledged login, without a logout in between."""

    kind = "logged_out"
    rule = (
        "A shopper whose login was acknowledged, and who has not logged out since, is answered 401. "
        "Further 401s before the next acknowledged login are the same event."
    )
    happened = "was logged out"
    singular = "logout"
    plural = "logouts"
    measures = (
        Measure(
            "logged_out",
            "Shoppers logged out involuntarily at least once.",
            lambda it: it.logged_out.shoppers,
            sort="loss",
            group="People",
            meaning="Shoppers who were answered as strangers (401 or the login page) although their login had been "
            "acknowledged and they had not logged out. A session that ended because its lifetime was over counts, too, "
            "with the cause expired. Each is counted once, of all shoppers.",
            headline="shoppers logged out",
            of_all=True,
            kinds=("logged_out",),
            report="always",
            terminal="always",
            compared=True,
            place=10,
        ),
        Measure(
            "logged_out_events",
            "Involuntary logouts; one shopper can have several.",
            lambda it: it.logged_out.events,
            sort="loss",
            group="People",
            label="Logouts",
            meaning="How often that happened: somebody who logs in again can be logged out again.",
            headline="involuntary logouts",
            kinds=("logged_out",),
            report="always",
            terminal="never",
            anchor="logouts",
            counted="each time",
            place=11,
        ),
        Measure(
            "logged_out_more_than_once",
            "Shoppers logged out involuntarily at least twice.",
            lambda it: it.logged_out.more_than_once,
            sort="loss",
            group="People",
            label="More than once",
            meaning="Shoppers who were logged out at least twice.",
            headline="shoppers logged out twice or more",
            report="never",
            terminal="never",
            anchor="more-than-once",
            place=12,
        ),
        Measure(
            "logged_out_before_fault",
            "Shoppers logged out involuntarily before the first fault was injected (without a fault: at all).",
            lambda it: it.logged_out_before_fault,
            sort="loss",
            group="People",
            label="Before the fault",
            meaning="Shoppers who were logged out at least once before anything was broken on purpose.",
            report="never",
            terminal="never",
            anchor="before-fault",
            place=13,
        ),
    )

    def contradicted(self, person: ShopperTrace, exchange: Exchange, finding: Contradiction) -> None:
        """Proved by the login, the last answer that knew the shopper, what struck the node, and this answer."""
        why = reason_of_logout(self.around, person.life, exchange)
        self.lose(exchange, why, [*before_loss(why, person), witness_event(exchange)])
