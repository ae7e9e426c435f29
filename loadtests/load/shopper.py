"""The Locust user: a shopper with its own cookies, who carries out a visit and tells Locust's statistics about it."""

from typing import Any, ClassVar

from locust import User, task
from locust.exception import StopTest, StopUser

from loadtests.load.answers import ShopAnswer
from loadtests.load.client import StrictSession
from loadtests.load.load_worker import GreenletJob, LoadWorker, OpenLoad, PlannedLoad
from loadtests.load.visit import ShopperVisit
from loadtests.model.history import Exchange
from loadtests.session_model.carts import Contradiction
from shared.errors import ForeignAnswer


class NotOk(Exception):
    """What Locust's statistics show for an action that was not ok, or whose answer contradicted an earlier one."""


class _Person(User):
    """What planned and free shoppers have in common."""

    abstract = True
    worker: ClassVar[LoadWorker]

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        if self.host is None:
            raise StopTest("nobody said where the shop is: give --host http://127.0.0.1:PORT")
        self._request_event = environment.events.request
        self._visit = self.begin(self.worker)

    def begin(self, worker: LoadWorker) -> ShopperVisit:
        """The visit of whoever is next, with connections and cookie jars of its own."""
        assert self.host is not None
        # Which of these objects carries out which part of a plan makes no difference.
        shopper, actions = worker.enter()
        self._recorder = worker.recorder
        self._locust_names = worker.application.locust_names
        self._session = StrictSession(self.host, worker.terms.limits)
        client = worker.client_of(shopper, self._session, self.host)
        return ShopperVisit(
            shopper, actions, worker.terms, self._session, worker.clock, self.saw, GreenletJob, client,
            worker.user_of(shopper),
        )  # fmt: skip

    def saw(self, exchange: Exchange, answer: ShopAnswer | None, findings: tuple[Contradiction, ...]) -> None:
        """Into the books, and into Locust's statistics."""
        self._recorder.record(exchange, findings)
        if answer is not None and answer.error != "stopped":  # stopping somebody is Locust's doing, not the shop's
            self.tell_locust(exchange, answer, findings)

    def tell_locust(self, exchange: Exchange, answer: ShopAnswer, findings: tuple[Contradiction, ...]) -> None:
        """For Locust's own statistics and web interface; the history does not need it."""
        method, name = self._locust_names[exchange.do]
        self._request_event.fire(
            request_type=method, name=name, url=name, context={}, response=None, start_time=0.0,
            response_time=(answer.done_ns - answer.sent_ns) / 1e6, response_length=exchange.body_bytes,
            exception=None if exchange.outcome == "ok" and not findings else _not_ok(exchange, findings),
        )  # fmt: skip


class PlannedShopper(_Person):
    """Carries out its part of the plan, is audited, and leaves."""

    abstract = True
    worker: ClassVar[PlannedLoad]

    @task
    def visit(self) -> None:
        """The whole visit; there is no second one."""
        try:
            self._visit.shop()
            self.worker.clock.wait_for_end()
            self._visit.audit(self.worker.audit_at_us(self._visit.shopper))
        except ForeignAnswer as foreign:
            self.worker.give_up(str(foreign))
        finally:
            self._session.close()
        self.worker.leave()
        raise StopUser  # or Locust begins the visit again


class FreeShopper(_Person):
    """Shops until Locust stops it, and takes a last look then."""

    abstract = True
    worker: ClassVar[OpenLoad]

    @task
    def visit(self) -> None:
        """Shop for ever."""
        try:
            self._visit.shop()
        except ForeignAnswer as foreign:
            self.worker.give_up(str(foreign))
            raise StopUser from foreign

    def on_stop(self) -> None:
        """The last audit."""
        # Here, because Locust waits for it; what a task does after it was stopped is cut off.
        try:
            self._visit.audit(self.worker.clock.now_us())
        except ForeignAnswer as foreign:
            self.worker.give_up(str(foreign))
        finally:
            self._session.close()
            self.worker.leave(self._visit.shopper)


def _not_ok(exchange: Exchange, findings: tuple[Contradiction, ...]) -> NotOk:
    if findings:
        return NotOk(", ".join(finding.kind for finding in findings))
    return NotOk(f"{exchange.outcome}: {exchange.error or exchange.status}")
