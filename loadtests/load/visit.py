"""One shopper's visit: what it does when, and what not, from the first action of its plan to the last audit.

    visit                when an action is due, whether it is sent, who logs in again
    action_sender        sends the requests that an action takes
    application_client   which these are, and what came of it: ok, failed or unknown
    jars                 whose cookies there are
    shopper_history      what is recorded

Needs no Locust and no gevent to run: it is given a browser, a clock, somewhere to hand its records to, and a way to do
things at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from loadtests.load.action_sender import ActionSender
from loadtests.load.application_client import ApplicationClient
from loadtests.load.at_once import ConcurrentGroup, concurrent_groups
from loadtests.load.jars import ShopperJars
from loadtests.load.shopper_history import DueAction, Saw, ShopperHistory, planned
from loadtests.load.worker_config import VisitConfig
from loadtests.model.history import ENDS_SESSION, NOT_ASKED, NOT_LOGGED_IN, Do, Exchange
from loadtests.model.plan import Action
from loadtests.session_model.expectations import ExpectedSession
from shared.demo_accounts import account_name

if TYPE_CHECKING:  # both import gevent, which patches the process
    from loadtests.load.client import StrictSession
    from loadtests.load.load_worker import GreenletJob, LoadClock

NEEDS_NO_LOGIN: frozenset[Do] = NOT_ASKED | {"browse", "login", "arrive"}
OPENS_A_JAR: frozenset[Do] = frozenset({"login", "arrive", "read_cookie"})
TOO_MANY = 429  # come again later: who is told so at the audit does
RECONNECT_US = 50_000  # after its event stream was dropped it is opened again, as a browser does


class ShopperVisit:
    """One shopper in one shop, from its login to the last audit."""

    def __init__(
        self, shopper: int, actions: Iterable[Action], terms: VisitConfig, browser: StrictSession, clock: LoadClock,
        saw: Saw, start_job: Callable[[Callable[[], object]], GreenletJob], client: ApplicationClient, user: str = "",
    ) -> None:  # fmt: skip
        """`start_job` does something beside the visit."""
        self.shopper = shopper
        self.memory = ExpectedSession(user or account_name(shopper), in_account=terms.in_account)
        self._actions = actions
        self._terms = terms
        self._clock = clock
        self._start_job = start_job
        self._audits = client.audits
        self._jars = ShopperJars(browser)
        self._history = ShopperHistory(shopper, terms, clock, self.memory, saw)
        self._sender = ActionSender(shopper, terms, browser, clock, client, self._jars, self._history)
        self._next_step = 0
        self._jobs: list[GreenletJob] = []

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
        for do in self._audits:
            self._look(do, due_us)
            if not self.memory.logged_in:
                break
            due_us = self._clock.now_us()

    def _begin(self, action: Action, beside: tuple[Action, ...]) -> None:
        step = self._next_step
        self._next_step += 1 + len(beside)  # first: from here on the history answers for these, and not the plan
        self._history.begin(step, (action, *beside))
        if beside:
            self._together(planned(action, step), beside)
        else:
            self._carry_out(planned(action, step))

    def _carry_out(self, due: DueAction) -> None:
        action = due.action
        if why_not := self._why_not(action):
            self._history.not_sent(due, why_not)
        elif action.do == "forget_node":
            self._jars.forget("node")
            self._history.done(due)
        elif action.do == "read_cookie":
            self._read_cookie(due)
        elif action.do == "watch":
            self._jobs.append(self._start_job(partial(self._watch, due)))
        else:
            was_known = self.memory.logged_in
            exchange = self._sender.send(due)
            self._give_up_on_error(exchange)
            self._log_in_again_if_lost(was_known, action, exchange.done_us)

    def _together(self, due: DueAction, beside: tuple[Action, ...]) -> None:
        """An action and what is done beside it; nothing else is, until all of them are answered."""
        company = ConcurrentGroup()
        why_not = self._why_not(due.action)  # before the others begin: it may log in again, which is beside nothing
        was_known = self.memory.logged_in
        watching = len(self._jobs)
        self._jobs += [
            self._start_job(partial(self._do_beside, planned(each, due.step + number), company))
            for number, each in enumerate(beside, 1)
        ]
        if why_not:
            self._history.not_sent(due, why_not)
        else:
            self._sender.send(due, company)
        for job in self._jobs[watching:]:  # an event stream that was opened before goes on
            job.join()
        del self._jobs[watching:]
        if not any(each.do in ENDS_SESSION for each in beside):
            self._log_in_again_if_lost(was_known, due.action, self._clock.now_us())

    def _do_beside(self, due: DueAction, company: ConcurrentGroup) -> None:
        if not self._clock.reach(due.due_us):
            self._history.drop(due.step)
            return
        # Not `_why_not`: two at once must not both log in again.
        why_not = "late" if self._late(due.action) else "" if self._may(due.action) else NOT_LOGGED_IN
        if why_not:
            self._history.not_sent(due, why_not)
        else:
            self._sender.send(due, company)

    def _watch(self, due: DueAction) -> None:
        """Hold the event stream open until the window ends; whenever it is dropped, open it again."""
        while True:
            self._sender.send(due)
            due_us = self._clock.now_us() + RECONNECT_US
            self._clock.wait_until(due_us)
            while not self.memory.logged_in and due_us < self._terms.window_us:
                due_us += RECONNECT_US  # the next action logs in again
                self._clock.wait_until(due_us)
            if due_us >= self._terms.window_us:
                return
            # Only the first one is the planned step; to open it again is what a browser does by itself.
            due = DueAction(due.action, "recovery", due_us)

    def _read_cookie(self, due: DueAction) -> None:
        """Somebody copies the shopper's cookies, and looks for the shopper's name."""
        jar, name = due.action.jar, self.memory.user
        self._jars.copy_to(jar)
        self._history.done(due, user=name if self._jars.shows(name, jar) else "")

    def _why_not(self, action: Action) -> str:
        """Why this action is not sent; "" if it is. A shopper who is not logged in tries once to be."""
        if action.jar != "main":
            if not self._may(action):
                return NOT_LOGGED_IN
        elif not self._may(action) and not self._late(action):
            self._log_in_again(action.at_ms * 1000)
            if not self.memory.logged_in:
                return NOT_LOGGED_IN
        return "late" if self._late(action) else ""

    def _may(self, action: Action) -> bool:
        """Whether it makes sense to ask for that with these cookies, as far as the shopper knows."""
        if action.jar == "main":
            return self.memory.logged_in or action.do in NEEDS_NO_LOGIN
        return action.do in OPENS_A_JAR or self._jars.has(action.jar)

    def _late(self, action: Action) -> bool:
        return self._clock.now_us() > (action.at_ms + self._terms.limits.late_ms) * 1000

    def _give_up_on_error(self, exchange: Exchange) -> None:
        """A client that cannot tell an error from a logout throws its cookies away, whatever the shop still knows."""
        no_use = exchange.status == 0 or exchange.status >= 500
        if self._terms.gives_up and no_use and exchange.jar == "main" and self.memory.logged_in:
            self._jars.forget("session")
            self._history.done(DueAction(Action(0, "forget_session"), "recovery", exchange.done_us))

    def _log_in_again_if_lost(self, was_known: bool, action: Action, due_us: int) -> None:
        if was_known and not self.memory.logged_in and action.do not in ENDS_SESSION:
            self._log_in_again(due_us)

    def _log_in_again(self, due_us: int) -> None:
        self._sender.send(DueAction(Action(0, "login"), "recovery", due_us))

    def _look(self, do: Do, due_us: int) -> None:
        limits = self._terms.limits
        for _ in range(limits.audit_tries):
            exchange = self._sender.send(DueAction(Action(0, do), "audit", due_us))
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
            self._history.begin(self._next_step, self._actions[self._next_step :])
            for due in self._history.unrecorded():
                if due.due_us < self._clock.end_us:
                    self._history.not_sent(due, "stopped")
