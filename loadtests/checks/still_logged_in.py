"""A session is accepted after its end was acknowledged."""

from msgspec.structs import replace

from loadtests.checks.contract import Check
from loadtests.checks.witness import affected_by, answered_as_shopper, witness_event
from loadtests.model.history import Exchange
from loadtests.model.measures import Measure
from loadtests.session_model.causes import reason_of_use_after_end, reason_refuted, refused_for_its_end
from loadtests.session_model.circumstances import Circumstances
from loadtests.session_model.shopper_trace import ShopperTrace
from loadtests.session_model.stores import Outlived


class StillLoggedIn(Check):
    """Cookies that were copied before a logout, or those of a device that was logged out from another one."""

    kind = "still_logged_in"
    rule = (
        "A request is sent after a logout was acknowledged and is answered as the shopper: with a copy of the cookies, "
        "taken before that logout, or from a second device after a logout everywhere. "
        "Counted once for each logout and copy or device."
    )
    happened = "could still be impersonated after logging out"
    singular = "session that outlived its logout"
    plural = "sessions that outlived their logout"
    field = "still_logged_in"
    measures = (
        Measure(
            "still_logged_in",
            "Times that a session was accepted after its logout was acknowledged.",
            lambda it: it.still_logged_in,
            sort="loss",
            group="Security",
            label="Outlived their logout",
            meaning="Sessions that were accepted after their logout had been acknowledged: with a copy of the cookies, "
            "or on another device after a logout everywhere.",
            headline="sessions that outlived their logout",
            kinds=("still_logged_in",),
            counted="each time",
            place=47,
        ),
    )

    def __init__(self, around: Circumstances) -> None:
        super().__init__(around)
        self._second_logins: dict[int, Exchange] = {}
        self._accused: set[tuple[str, str]] = set()
        self._refused: Exchange | None = None
        """The first answer of the run that refused a session for its end."""

    def elsewhere(self, person: ShopperTrace, exchange: Exchange) -> None:
        """Proved by the login, its acknowledged end, and the answer to what was sent after it."""
        if exchange.jar == "second" and exchange.do == "login":
            self._log_in_second(exchange)
            return
        login, end = self._session(person, exchange)
        # Sent after the end was acknowledged: before that, to be let in is no fault.
        if end is None or exchange.sent_us <= end.done_us:
            return
        if not answered_as_shopper(exchange):
            self._see_refused(person, exchange)
            return
        if (case := (exchange.jar, end.request)) not in self._accused:
            self._accused.add(case)
            why = reason_of_use_after_end(self.around, Outlived(login, end, exchange))
            self.lose(
                exchange,
                why,
                [witness_event(login), witness_event(end), *map(affected_by, why.faults), witness_event(exchange)],
            )

    def close(self) -> None:
        """That no node asks whether a session was ended, one that was refused for its end refutes, before or after."""
        if self._refused is not None:
            why = reason_refuted(self._refused)
            refuted = {"cause": why.cause, "because": (), "counterfactual": "", "considered": why.considered}
            told = self.losses
            self.losses = [replace(loss, **refuted) if loss.cause == "not_revoked" else loss for loss in told]

    def _see_refused(self, person: ShopperTrace, exchange: Exchange) -> None:
        # Of a copy it is known that it was the session's own: it was made when that was ended.
        life = person.left_life if exchange.jar == "stolen" and exchange.as_stranger else None
        if self._refused is None and life is not None and refused_for_its_end(self.around, life, exchange):
            self._refused = exchange

    def _log_in_second(self, login: Exchange) -> None:
        if login.outcome == "ok":
            self._second_logins[login.shopper] = login
        elif login.outcome == "unknown":  # whose session the device has from now on, nobody knows
            self._second_logins.pop(login.shopper, None)

    def _session(self, person: ShopperTrace, exchange: Exchange) -> tuple[Exchange | None, Exchange | None]:
        """The login of the session that was used, and its acknowledged end; None where there is none to speak of."""
        if exchange.jar == "stolen":
            # The owner may have logged in again since: that login is another session's, and no witness.
            login, end = person.login, person.left
            return (login if login and end and login.done_us <= end.sent_us else None), end
        if exchange.jar == "second":
            # A device that logged in after the logout everywhere is rightly known: nothing has ended for it.
            login, end = self._second_logins.get(exchange.shopper), person.left_everywhere
            return (login, end) if login and end and login.done_us <= end.sent_us else (login, None)
        return None, None
