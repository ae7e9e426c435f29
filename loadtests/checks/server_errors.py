"""A planned action that met an error of the shop or of the balancer: what an operator would see in a monitor."""

from loadtests.checks.contract import Tally
from loadtests.model.history import Exchange
from loadtests.model.measures import Measure, events_of


class ServerErrors(Tally):
    """What a silent loss has none of: being answered as a stranger is no error of a server."""

    name = "server_errors"
    rule = (
        "A planned action with the shopper's own cookies is sent, and answered with a status of 500 or more, or never."
    )
    measures = (
        Measure(
            "server_errors",
            "Planned actions answered with a status of 500 or more, or not at all.",
            events_of("server_errors"),
            sort="count",
            group="Service",
            report="never",
            terminal="never",
            place=35,
        ),
    )

    def saw(self, exchange: Exchange) -> None:
        """No answer has the status 0."""
        # Only what was sent has a request id; what never was has met no server.
        sent = exchange.why == "plan" and exchange.jar == "main" and exchange.request
        if sent and (exchange.status >= 500 or exchange.status == 0):
            self.count(exchange)
