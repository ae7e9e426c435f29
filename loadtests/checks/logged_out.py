"""A shopper whose login was acknowledged is answered as a stranger."""

from __future__ import annotations

from loadtests.checks.contract import Check
from loadtests.checks.witness import before_loss, told
from loadtests.model.history import Exchange
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

    def contradicted(self, person: ShopperTrace, exchange: Exchange, finding: Contradiction) -> None:
        """Proved by the login, the last answer that knew the shopper, what struck the node, and this answer."""
        why = reason_of_logout(self.around, person, exchange)
        self.lose(exchange, why, [*before_loss(why, person), told(exchange)])
