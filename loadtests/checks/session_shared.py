"""Somebody else shares a shopper's session: they planted its id before the login (session fixation)."""

from loadtests.checks.contract import Check
from loadtests.checks.witness import answered_as_shopper, witness_event
from loadtests.model.history import Exchange
from loadtests.model.measures import Measure
from loadtests.session_model.causes import reason_of_shared_session
from loadtests.session_model.circumstances import Circumstances
from loadtests.session_model.shopper_trace import ShopperTrace


class SessionShared(Check):
    """A session that was opened by a stranger has become the login of the shopper to whom it was given."""

    kind = "session_shared"
    rule = (
        "Somebody opens a session as a stranger, plants its cookies on a shopper, never logs in, and is answered as "
        "that shopper after the shopper has logged in. Counted once for each login of the shopper."
    )
    happened = "shared the login with whoever had planted the session"
    singular = "login shared with whoever had planted the session"
    plural = "logins shared with whoever had planted the session"
    field = "sessions_shared"
    measures = (
        Measure(
            "sessions_shared",
            "Logins that whoever had planted the session before could use as well.",
            lambda it: it.sessions_shared,
            sort="loss",
            group="Security",
            label="Shared logins",
            meaning="Logins that somebody else could use as well, who had opened the session and planted it before "
            "(session fixation).",
            headline="logins shared with a stranger",
            kinds=("session_shared",),
            counted="each time",
            place=48,
        ),
    )

    def __init__(self, around: Circumstances) -> None:
        super().__init__(around)
        self._arrived: dict[int, Exchange] = {}
        self._own_login: set[int] = set()
        self._accused: set[tuple[int, str]] = set()

    def elsewhere(self, person: ShopperTrace, exchange: Exchange) -> None:
        """Proved by the session's opening, the shopper's login, and the answer to whoever planted it."""
        shopper, login = exchange.shopper, person.login
        if exchange.jar != "planted":
            return
        if exchange.do == "login" and exchange.outcome != "failed":
            self._own_login.add(shopper)  # from then on, being known proves nothing
        elif exchange.do == "arrive" and exchange.outcome == "ok":
            self._arrived[shopper] = exchange
        elif login is not None and shopper not in self._own_login and answered_as_shopper(exchange):
            case = (shopper, login.request)  # each login was a chance to change the id
            if case in self._accused:
                return
            self._accused.add(case)
            witness = [witness_event(self._arrived.get(shopper)), witness_event(login), witness_event(exchange)]
            self.lose(exchange, reason_of_shared_session(self.around), witness)
