"""One shopper's visit: carries out a plan in time, remembers what the shop acknowledged, and records every action once.

Needs no Locust and no gevent to run: it is given a browser, a clock, somewhere to hand its records to, and a way to do
things at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from loadtests.load.answers import HttpRequest, Reading, ShopAnswer, brings_session, foreign, made_for
from loadtests.load.application_client import ApplicationClient
from loadtests.load.at_once import ConcurrentGroup, OpenRequest, concurrent_groups
from loadtests.load.cookies import stands_in
from loadtests.load.worker_config import VisitConfig
from loadtests.model.history import (
    ENDS_SESSION,
    NOT_ASKED,
    NOT_LOGGED_IN,
    WRITES,
    Do,
    Exchange,
    Jar,
    Outcome,
    Why,
    trace_of,
)
from loadtests.model.plan import Action, address_of
from loadtests.session_model.carts import Contradiction
from loadtests.session_model.expectations import ExpectedSession
from shared.demo_accounts import account_name
from shared.errors import ForeignAnswer

if TYPE_CHECKING:  # both import gevent, which patches the process
    from loadtests.load.client import StrictSession
    from loadtests.load.load_worker import GreenletJob, LoadClock

NEEDS_NO_LOGIN: frozenset[Do] = NOT_ASKED | {"browse", "login", "arrive"}
_CHANGES_JARS: frozenset[Do] = frozenset({"login", "logout", "arrive"})
OPENS_A_JAR: frozenset[Do] = frozenset({"login", "arrive", "read_cookie"})
TOO_MANY = 429  # come again later: who is told so at the audit does
RECONNECT_US = 50_000  # after its event stream was dropped it is opened again, as a browser does


class ShopperVisit:
    """One shopper in one shop, from its login to the last audit."""

    def __init__(
        self, shopper: int, actions: Iterable[Action], terms: VisitConfig, browser: StrictSession, clock: LoadClock,
        saw: Callable[[Exchange, ShopAnswer | None, tuple[Contradiction, ...]], None],
        start_job: Callable[[Callable[[], object]], GreenletJob], client: ApplicationClient, user: str = "",
    ) -> None:  # fmt: skip
        """`saw` takes each exchange, with the answer if anything was sent; `start_job` does something beside it."""
        self.shopper = shopper
        self.memory = ExpectedSession(user or account_name(shopper), in_account=terms.in_account)
        self._actions = actions
        self._terms = terms
        self._browser = browser
        self._clock = clock
        self._saw = saw
        self._start_job = start_job
        self._client = client
        self._address = address_of(shopper, terms.addresses)
        self._requests = f"{terms.prefix}-{shopper:04d}-"
        self._trace = trace_of(f"{self._requests}0")[:-10]  # without the number of the request, in which it ends
        self._asked = 0
        self._next_step = 0
        self._begun: dict[int, Action] = {}
        """Planned actions that have begun and are not in the history yet."""
        self._jobs: list[GreenletJob] = []
        self._logins = 0
        self._jars: set[Jar] = set()
        """Those, beside the shopper's own, that have cookies."""

    def shop(self) -> None:
        """Carry out the plan. Whatever ends it early, the rest of a finite plan is recorded as not sent.

        Raises:
            ForeignAnswer: somebody else's server answered.
        """
        try:
            for action, beside in concurrent_groups(self._actions):
                # A shopper who is late does not skip anything: `_why_not` says of each action whether it is too late.
                if not self._clock.reach(action.at_ms * 1000):
                    break  # the window was ended early: what lies beyond it was never planned
                self._begin(action, beside)
            for job in self._jobs:  # what is still being watched
                job.join()
            self._jobs.clear()
        except BaseException:  # a kill by Locust, too: whatever was planned ends in the history exactly once
            self._break_off()
            raise

    def audit(self, due_us: int) -> None:
        """The last look: who am I, and what do the books say of me? A stranger is not logged in again.

        Raises:
            ForeignAnswer: somebody else's server answered.
        """
        self._clock.wait_until(due_us)
        for do in self._client.audits:
            self._look(do, due_us)
            if not self.memory.logged_in:
                break
            due_us = self._clock.now_us()

    def _begin(self, action: Action, beside: tuple[Action, ...]) -> None:
        step = self._next_step
        self._next_step += 1 + len(beside)  # first: from here on `_begun` answers for these, and not the plan
        self._begun[step] = action
        if beside:
            self._begun.update(enumerate(beside, step + 1))
            self._together(action, beside, step)
        else:
            self._carry_out(action, step)

    def _carry_out(self, action: Action, step: int) -> None:
        if why_not := self._why_not(action):
            self._nothing_sent(action, step, "not_sent", why_not)
        elif action.do == "forget_node":
            self._browser.pocket("main").forget("node")
            self._nothing_sent(action, step)
        elif action.do == "read_cookie":
            self._read_cookie(action, step)
        elif action.do == "watch":
            self._jobs.append(self._start_job(partial(self._watch, action, step)))
        else:
            was_known = self.memory.logged_in
            exchange = self._exchange(action, "plan", action.at_ms * 1000, step)
            self._gave_up(exchange)
            self._log_in_again_if_lost(was_known, action, exchange.done_us)

    def _together(self, action: Action, beside: tuple[Action, ...], step: int) -> None:
        """An action and what is done beside it; nothing else is, until all of them are answered."""
        company = ConcurrentGroup()
        why_not = self._why_not(action)  # before the others begin: it may log in again, which is beside nothing
        was_known = self.memory.logged_in
        watching = len(self._jobs)
        self._jobs += [
            self._start_job(partial(self._do_beside, each, step + number, company))
            for number, each in enumerate(beside, 1)
        ]
        if why_not:
            self._nothing_sent(action, step, "not_sent", why_not)
        else:
            self._exchange(action, "plan", action.at_ms * 1000, step, company)
        for job in self._jobs[watching:]:  # an event stream that was opened before goes on
            job.join()
        del self._jobs[watching:]
        if not any(each.do in ENDS_SESSION for each in beside):
            self._log_in_again_if_lost(was_known, action, self._clock.now_us())

    def _do_beside(self, action: Action, step: int, company: ConcurrentGroup) -> None:
        if not self._clock.reach(action.at_ms * 1000):
            del self._begun[step]  # it was never planned
            return
        # Not `_why_not`: two at once must not both log in again.
        known = action.do in NEEDS_NO_LOGIN or (
            self.memory.logged_in if action.jar == "main" else action.jar in self._jars
        )
        why_not = "late" if self._late(action) else "" if known else NOT_LOGGED_IN
        if why_not:
            self._nothing_sent(action, step, "not_sent", why_not)
        else:
            self._exchange(action, "plan", action.at_ms * 1000, step, company)

    def _watch(self, action: Action, step: int) -> None:
        """Hold the event stream open until the window ends; whenever it is dropped, open it again."""
        why: Why = "plan"
        due_us = action.at_ms * 1000
        while True:
            self._exchange(action, why, due_us, step)
            # Only the first one is the planned step; to open it again is what a browser does by itself.
            due_us, why, step = self._clock.now_us() + RECONNECT_US, "recovery", -1
            self._clock.wait_until(due_us)
            while not self.memory.logged_in and due_us < self._terms.window_us:
                due_us += RECONNECT_US  # the next action logs in again
                self._clock.wait_until(due_us)
            if due_us >= self._terms.window_us:
                return

    def _why_not(self, action: Action) -> str:
        """Why this action is not sent; "" if it is. A shopper who is not logged in tries once to be."""
        if action.jar != "main":
            if not (action.do in OPENS_A_JAR or action.jar in self._jars):
                return NOT_LOGGED_IN
        elif not self._late(action) and not self.memory.logged_in and action.do not in NEEDS_NO_LOGIN:
            self._log_in_again(action.at_ms * 1000)
            if not self.memory.logged_in:
                return NOT_LOGGED_IN
        return "late" if self._late(action) else ""

    def _late(self, action: Action) -> bool:
        return self._clock.now_us() > (action.at_ms + self._terms.limits.late_ms) * 1000

    def _gave_up(self, exchange: Exchange) -> None:
        """A client that cannot tell an error from a logout throws its cookies away, whatever the shop still knows."""
        failed = exchange.status >= 500 or (exchange.status == 0 and exchange.request != "")  # sent, and no answer
        if self._terms.gives_up and failed and exchange.jar == "main" and self.memory.logged_in:
            self._browser.pocket("main").forget("session")
            self._nothing_sent(Action(exchange.done_us // 1000, "forget_session"), -1, why="recovery")

    def _log_in_again_if_lost(self, was_known: bool, action: Action, due_us: int) -> None:
        if was_known and not self.memory.logged_in and action.do not in ENDS_SESSION:
            self._log_in_again(due_us)

    def _log_in_again(self, due_us: int) -> None:
        self._exchange(Action(0, "login"), "recovery", due_us)

    def _look(self, do: Do, due_us: int) -> None:
        limits = self._terms.limits
        for _ in range(limits.audit_tries):
            exchange = self._exchange(Action(0, do), "audit", due_us)
            # A stranger's answer is one: only who was told nothing at all of the shopper asks again.
            if exchange.status and exchange.status < 500 and exchange.status != TOO_MANY:
                return
            due_us = exchange.done_us + limits.audit_pause_ms * 1000
            self._clock.wait_until(due_us)

    def _break_off(self) -> None:
        """Stop what is done at the same time, and record what is not done any more."""
        for job in self._jobs:
            job.stop()
        self._jobs.clear()
        if isinstance(self._actions, tuple):  # the actions of a free shopper have no end
            for step, action in enumerate(self._actions[self._next_step :], self._next_step):
                self._begun[step] = action
            for step, action in sorted(self._begun.items()):
                if action.at_ms * 1000 < self._clock.end_us:
                    self._nothing_sent(action, step, "not_sent", "stopped")

    def _exchange(
        self, action: Action, why: Why, planned_us: int, step: int = -1, company: ConcurrentGroup | None = None
    ) -> Exchange:
        """Send what an action takes and record it, whatever comes of it: mostly one request."""
        if action.do in _CHANGES_JARS:
            self._before(action, why)
        mine = OpenRequest(writes=False) if company is None else company.begin(action.do in WRITES)
        steps = self._client.steps(action)
        asked = next(steps)
        while True:
            self._asked += 1
            request = f"{self._requests}{self._asked:04d}"
            sent_us = self._clock.now_us()
            try:
                answer = self._send(action, asked, request)
            except BaseException:  # stopped in the middle: the request is out, its answer will never be read
                zero_ns = self._clock.zero_ns
                answer = ShopAnswer(zero_ns + sent_us * 1000, zero_ns + self._clock.now_us() * 1000, error="stopped")
                reading = Reading("unknown" if action.do in WRITES else "failed", error=answer.error)
                self._record(action, why, planned_us, step, request, answer, reading, mine)
                raise
            try:
                asked = steps.send(answer)
            except StopIteration as end:
                reading = end.value
                break
            self._record_page(action, planned_us, request, answer)
        if company is not None:
            company.end(mine)
        # Before anything is raised about it: an answer that is not ours was received all the same.
        exchange = self._record(action, why, planned_us, step, request, answer, reading, mine)
        self._check_ours(asked, answer)
        if action.do in _CHANGES_JARS and exchange.outcome == "ok":
            self._after(action)
        return exchange

    def _check_ours(self, asked: HttpRequest, answer: ShopAnswer) -> None:
        if stranger := foreign(answer, self._terms.run, self._terms.http.run_header):
            raise ForeignAnswer(
                f"{asked.method} {asked.path}: {stranger}",
                why="another server listens on the shop's address",
                next_step="stop it, and run again",
            )

    def _send(self, action: Action, asked: HttpRequest, request: str) -> ShopAnswer:
        headers = asked.headers
        headers["X-Request-Id"] = request
        headers["X-Forwarded-For"] = self._address  # all are on one machine, and affinity by address needs many
        headers["traceparent"] = f"00-{self._trace}{self._asked:010d}-{self.shopper:08d}{self._asked:08d}-01"
        if action.do == "watch":
            return self._browser.watch(asked.path, headers, self._clock.zero_ns + self._terms.window_us * 1000)
        return self._browser.ask(asked.method, asked.path, headers, asked.body, action.jar)

    def _before(self, action: Action, why: Why) -> None:
        """What happens to the jars before a request."""
        if action.jar == "main" and action.do == "login" and why == "plan":
            self._logins += 1
            if self._logins > 1:  # another visit, and to the shop somebody who was never here before
                self._browser.pocket("main").empty()
        elif action.jar == "main" and action.do == "logout":
            # Before it is sent: the answer may take the cookies away, and a copy of nothing proves nothing.
            self._copy_jar("main", "stolen")
            self._jars.add("stolen")

    def _copy_jar(self, source: Jar, to: Jar) -> None:
        self._browser.pocket(to).fill_from(self._browser.pocket(source))

    def _after(self, action: Action) -> None:
        """What happens to the jars when it was answered well."""
        if action.jar != "main":
            self._jars.add(action.jar)
            if action.do == "arrive":
                self._copy_jar(action.jar, "main")

    def _record(
        self, action: Action, why: Why, planned_us: int, step: int, request: str, answer: ShopAnswer, reading: Reading,
        open_request: OpenRequest,
    ) -> Exchange:  # fmt: skip
        zero_ns, shown = self._clock.zero_ns, reading.shown
        kept_from = made_for(answer, request) if self._terms.run else ""
        exchange = Exchange(
            architecture=self._terms.architecture,
            shopper=self.shopper,
            request=request,
            why=why,
            do=action.do,
            outcome=reading.outcome,
            planned_us=planned_us,
            sent_us=(answer.sent_ns - zero_ns) // 1000,
            done_us=(answer.done_ns - zero_ns) // 1000,
            step=step,
            jar=action.jar,
            cookie_bytes=answer.cookie_bytes,
            body_bytes=answer.streamed or len(answer.body),  # a stream is counted, and not kept
            cookie_refused=answer.cookie_refused,
            overlapped=open_request.overlapped,
            beside=open_request.beside,
            dropped=answer.dropped,
            status=answer.status,
            error=reading.error,
            # A page that was kept names the node that made it, for somebody else and long ago.
            node="" if kept_from else answer.header(self._terms.http.node_header),
            sku=action.sku,
            quantity=action.quantity,
            key=action.key,
            user=shown.user,
            cart=shown.cart,
            order=shown.order,
            orders=shown.orders,
            stranger=reading.stranger and answer.status != 401,  # which says so itself
            kept_from=kept_from,
            kept_session=bool(kept_from) and brings_session(answer),
        )
        self._hand_over(exchange, answer)
        return exchange

    def _record_page(self, action: Action, planned_us: int, request: str, answer: ShopAnswer) -> None:
        """A page on the way to what an action wants: the one with its form, or one that only leads on."""
        page = Action(action.at_ms, "page", jar=action.jar)
        reading = Reading("ok" if 200 <= answer.status < 400 else "failed", error=answer.error)
        self._record(page, "way", planned_us, -1, request, answer, reading, OpenRequest(writes=False))

    def _nothing_sent(
        self, action: Action, step: int, outcome: Outcome = "ok", error: str = "", why: Why = "plan", user: str = ""
    ) -> None:
        """Record what was done without a request, or not done."""
        exchange = Exchange(
            architecture=self._terms.architecture,
            shopper=self.shopper,
            request="",
            why=why,
            do=action.do,
            outcome=outcome,
            planned_us=action.at_ms * 1000,
            done_us=self._clock.now_us(),
            step=step,
            jar=action.jar,
            error=error,
            sku=action.sku,
            quantity=action.quantity,
            key=action.key,
            user=user,
        )
        self._hand_over(exchange, None)

    def _read_cookie(self, action: Action, step: int) -> None:
        """Somebody copies the shopper's cookies, and looks for the shopper's name."""
        self._copy_jar("main", action.jar)
        self._jars.add(action.jar)
        found = stands_in(self.memory.user, self._browser.pocket(action.jar).by_name().values())
        self._nothing_sent(action, step, user=self.memory.user if found else "")

    def _hand_over(self, exchange: Exchange, answer: ShopAnswer | None) -> None:
        if exchange.step >= 0:
            self._begun.pop(exchange.step, None)
        # Live findings are only counted, for progress: the judge replays the history, and finds them again.
        findings = self.memory.saw(exchange) if exchange.outcome != "not_sent" else ()
        self._saw(exchange, answer, findings)
