"""Somebody else's name is shown."""

from loadtests.checks.contract import Check
from loadtests.checks.witness import affected_by, witness_event
from loadtests.model.history import Exchange
from loadtests.model.measures import Measure
from loadtests.session_model.carts import Contradiction
from loadtests.session_model.causes import reason_of_another_name
from loadtests.session_model.shopper_trace import ShopperTrace


class WrongUser(Check):
    """An answer that names another person."""

    kind = "wrong_user"
    rule = (
        "An answer shows another user's name: counted again only when the name shown changes again. Or it shows a "
        "name, a cart or orders and was made for another shopper's request, by its own `X-Request-Id`: counted each "
        "time."
    )
    happened = "was shown somebody else's name or cart"
    singular = "answer meant for somebody else"
    plural = "answers meant for somebody else"
    field = "wrong_user"
    measures = (
        Measure(
            "wrong_user",
            "Times that somebody else's name, or a page that was made for somebody else, was shown.",
            lambda it: it.wrong_user,
            sort="loss",
            group="Security",
            headline="answers with somebody else's name",
            kinds=("wrong_user",),
            report="never",
            terminal="never",
            counted="each time",
            place=24,
        ),
    )

    def contradicted(self, person: ShopperTrace, exchange: Exchange, finding: Contradiction) -> None:
        """Proved by the login, the page that brought another one's session, and the answer."""
        why = reason_of_another_name(self.around, person.life, exchange)
        events = [
            witness_event(person.login),
            witness_event(person.life.kept),
            *map(affected_by, why.faults),
            witness_event(exchange),
        ]
        self.lose(exchange, why, events)
