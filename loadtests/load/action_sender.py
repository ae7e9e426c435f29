"""Carries out one shopper's actions on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loadtests.load.answers import HttpRequest, Reading, ShopAnswer, foreign
from loadtests.load.application_client import ApplicationClient, read_page
from loadtests.load.at_once import ALONE, ConcurrentGroup
from loadtests.load.jars import CHANGES_JARS, ShopperJars
from loadtests.load.shopper_history import DueAction, ShopperHistory
from loadtests.load.worker_config import VisitConfig
from loadtests.model.history import WRITES, Exchange, trace_of
from loadtests.model.plan import Action, address_of
from shared.errors import ForeignAnswer

if TYPE_CHECKING:  # both import gevent, which patches the process
    from loadtests.load.client import StrictSession
    from loadtests.load.load_worker import LoadClock


class ActionSender:
    """Sends what an action takes, request by request, and has each of them recorded.

    Which requests these are, and what their answers mean, the application's client says.
    """

    def __init__(
        self, shopper: int, terms: VisitConfig, browser: StrictSession, clock: LoadClock, client: ApplicationClient,
        jars: ShopperJars, history: ShopperHistory,
    ) -> None:  # fmt: skip
        self._shopper = shopper
        self._terms = terms
        self._browser = browser
        self._clock = clock
        self._client = client
        self._jars = jars
        self._history = history
        self._address = address_of(shopper, terms.addresses)
        self._requests = f"{terms.prefix}-{shopper:04d}-"
        self._trace = trace_of(f"{self._requests}0")[:-10]  # without the number of the request, in which it ends
        self._asked = 0

    def send(self, due: DueAction, company: ConcurrentGroup | None = None) -> Exchange:
        """What came of the action, once it is in the history. `company`: what else is done at the same time.

        Raises:
            ForeignAnswer: somebody else's server answered.
        """
        action = due.action
        if action.do in CHANGES_JARS:
            self._jars.before(action, due.why)
        mine = ALONE if company is None else company.begin(action.do in WRITES)
        stopped: BaseException | None = None
        steps = self._client.steps(action)
        asked = next(steps)
        while True:
            request = self._mark(asked)
            sent_us = self._clock.now_us()
            try:
                answer = self._ask(asked, action)
            except BaseException as error:  # noqa: BLE001 - it is raised below, when what was sent is in the history
                stopped, answer = error, self._never_read(sent_us)
            try:
                asked = steps.send(answer)
            except StopIteration as end:
                reading: Reading = end.value
                break
            self._history.answered(_page_on_the_way(due), request, answer, read_page(answer))
        if company is not None:
            company.end(mine)
        # Before anything is raised about it: an answer that is not ours was received all the same.
        exchange = self._history.answered(due, request, answer, reading, mine)
        if stopped is not None:
            raise stopped
        self._check_ours(asked, answer)
        if action.do in CHANGES_JARS and exchange.outcome == "ok":
            self._jars.after(action)
        return exchange

    def _mark(self, asked: HttpRequest) -> str:
        """Put on it what every request carries; its id."""
        self._asked += 1
        number, headers = self._asked, asked.headers
        request = headers["X-Request-Id"] = f"{self._requests}{number:04d}"
        headers["X-Forwarded-For"] = self._address  # all are on one machine, and affinity by address needs many
        headers["traceparent"] = f"00-{self._trace}{number:010d}-{self._shopper:08d}{number:08d}-01"
        return request

    def _ask(self, asked: HttpRequest, action: Action) -> ShopAnswer:
        if action.do == "watch":
            until_ns = self._clock.zero_ns + self._terms.window_us * 1000
            return self._browser.watch(asked.path, asked.headers, until_ns)
        return self._browser.ask(asked.method, asked.path, asked.headers, asked.body, action.jar)

    def _never_read(self, sent_us: int) -> ShopAnswer:
        """Of a request that was stopped in the middle: it is out, and nobody waits for its answer any more."""
        zero_ns = self._clock.zero_ns
        return ShopAnswer(zero_ns + sent_us * 1000, zero_ns + self._clock.now_us() * 1000, error="stopped")

    def _check_ours(self, asked: HttpRequest, answer: ShopAnswer) -> None:
        if stranger := foreign(answer, self._terms.run, self._terms.http.run_header):
            raise ForeignAnswer(
                f"{asked.method} {asked.path}: {stranger}",
                why="another server listens on the shop's address",
                next_step="stop it, and run again",
            )


def _page_on_the_way(due: DueAction) -> DueAction:
    """To what an action wants: the page with its form, or one that only leads on."""
    return DueAction(Action(due.action.at_ms, "page", jar=due.action.jar), "way", due.due_us)
