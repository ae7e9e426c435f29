"""What all shoppers of one load process share: the config, the plan, the zero of time, the books.

A planned load waits until the harness says go, ends by itself when everybody has been audited, and exits 0 then and
only then: failed requests are data. An open load (plain `locust -f`) goes on for as long as Locust does.
"""

import heapq
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from uuid import uuid4

import gevent
import msgspec
from gevent.event import Event
from locust.env import Environment
from locust.exception import StopTest

from loadtests.behaviours.workload import Habits, ShopperDraw, generator_of, spread
from loadtests.load.application_client import ApplicationClient, AskedApplication, PreparedApplication
from loadtests.load.client import StrictSession
from loadtests.load.recorder import Recorder
from loadtests.load.worker_config import END_FILE, GO_FILE, EndSignal, StartSignal, VisitConfig, WorkerConfig
from loadtests.model.plan import Action, ClientLimits, read_plan
from shared.demo_accounts import account_name
from shared.errors import UsageError

LOOK_FOR_GO_EVERY_S = 0.02  # the zero is told a good deal further ahead than this
FREE_HABITS = Habits(think_ms=1000, login_within_ms=0)
EXIT_GAVE_UP = 4  # of the command line's codes: the environment was not what it must be
NEVER_US = 1 << 62
STOPPED_WITHIN_S = 2.0  # whoever is interrupted has only to write down what it did not do any more
_decode_application = msgspec.json.Decoder(AskedApplication).decode
_decode_end_signal = msgspec.json.Decoder(EndSignal).decode
_decode_start_signal = msgspec.json.Decoder(StartSignal).decode


class GreenletJob:
    """One thing that is being done beside others; what it raises is for whoever joins it."""

    def __init__(self, do: Callable[[], object]) -> None:
        self._do = do
        self._raised: BaseException | None = None
        self._greenlet = gevent.spawn(self._run)

    def join(self) -> None:
        """Wait until it is done; raises what it raised."""
        self._greenlet.join()
        if self._raised is not None:
            raise self._raised

    def stop(self) -> None:
        """Interrupt it, and wait until it has taken note. No-op if it is done."""
        self._greenlet.kill(timeout=STOPPED_WITHIN_S)

    def _run(self) -> None:
        try:
            self._do()
        except BaseException as error:  # noqa: BLE001 - a greenlet that raises would print it and tell nobody
            self._raised = error


FLUSH_EVERY_S = 0.25
GO_WITHIN_S = 120.0
LIVE_GO_WITHIN_S = 3 * 3600.0  # a room of people may take its time to predict
# A shopper of a live window sleeps no longer than this without looking whether the window ends before it wakes.
LIVE_NAP_S = 0.1


class LoadClock:
    """Microseconds since the zero, and waiting that lets the other shoppers go on. No time passes before the zero."""

    def __init__(self, *, end_us: int = NEVER_US, nap_s: float = math.inf) -> None:
        self.zero_ns = time.monotonic_ns()
        self.began = Event()
        self.end_us = end_us
        """When the load window ends, as far as is known: it may be ended early."""
        self._nap_s = nap_s

    def now_us(self) -> int:
        """Now."""
        return (time.monotonic_ns() - self.zero_ns) // 1000

    def wait_until(self, at_us: int) -> None:
        """Sleep until then; not at all if it is past."""
        self.began.wait()
        left_us = at_us - self.now_us()
        if left_us > 0:
            gevent.sleep(left_us / 1e6)

    def reach(self, at_us: int) -> bool:
        """The same, and True; False as soon as it is known that the load window ends before."""
        self.began.wait()
        # Looked at anew with each nap: a live window may be ended while somebody sleeps.
        while at_us < self.end_us and (left_us := at_us - self.now_us()) > 0:
            gevent.sleep(min(left_us / 1e6, self._nap_s))
        return at_us < self.end_us

    def wait_for_end(self) -> None:
        """Sleep until the window ends, though it may be ended early."""
        self.began.wait()
        while (left_us := self.end_us - self.now_us()) > 0:
            gevent.sleep(min(left_us / 1e6, self._nap_s))

    def begin(self, zero_ns: int) -> None:
        self.zero_ns = zero_ns
        self.began.set()


class LoadWorker:
    """What planned and open loads have in common: the clock and the books."""

    def __init__(
        self, config: WorkerConfig, limits: ClientLimits, clock: LoadClock, *,
        addresses: int = 0, window_us: int = 0, gives_up: bool = False,
    ) -> None:  # fmt: skip
        self.config = config
        self.clock = clock
        self.recorder = Recorder(config.history, config.progress)
        told = config.application
        app = AskedApplication() if told is None else _decode_application(told.read_bytes())
        self.application = PreparedApplication(app)
        self.terms = VisitConfig(
            config.architecture, config.run if app.http.run_header else "", config.prefix, limits, app.http,
            addresses=addresses, window_us=window_us, gives_up=gives_up, in_account=app.interface.in_account,
        )  # fmt: skip

    def client_of(self, shopper: int, session: StrictSession, origin: str) -> ApplicationClient:
        accounts = self.application.accounts
        account = accounts[shopper - 1] if accounts else (self.user_of(shopper), self.config.password)
        return ApplicationClient(self.application, account, shopper, self.terms.prefix, session.pocket, origin)

    def user_of(self, shopper: int) -> str:
        """By which name the history knows a shopper."""
        return account_name(shopper)

    def enter(self) -> tuple[int, Iterable[Action]]:
        """The next shopper, and what they do."""
        raise NotImplementedError

    def open(self, environment: Environment, **_: object) -> None:
        # The hub loads these at the first name that is looked up: that shopper, and all others, would wait for it.
        _loaded = (gevent.get_hub().resolver, gevent.get_hub().threadpool)
        gevent.spawn(self.attend, environment)

    def everybody_is_here(self, **_: object) -> None:
        """All shoppers are spawned; the first progress line says that this process is ready."""
        self.recorder.tell()

    def close(self, **_: object) -> None:
        self.recorder.close()  # all shoppers have ended by now: nothing that was recorded may be missing

    def give_up(self, why: str) -> None:
        # The first reason only: what follows from it would hide it.
        if not self.recorder.problem:
            logging.getLogger(__name__).error("giving up: %s", why)
            self.recorder.problem = why

    def stumbled(self, exception: BaseException, **_: object) -> None:
        """A shopper failed in its own code."""
        self.give_up(f"a shopper failed: {type(exception).__name__}: {exception}")

    def attend(self, environment: Environment) -> None:
        """Keep the books written, for as long as this process runs."""
        raise NotImplementedError

    def keep_books(self) -> None:
        """Write what has come in since the last time; if that fails, this run is void."""
        try:
            self.recorder.flush()
            self.recorder.tell()
        except OSError as error:
            self.give_up(f"cannot write the history: {error}")


class OpenLoad(LoadWorker):
    """Any number of shoppers, who come and go."""

    def __init__(self, config: WorkerConfig) -> None:
        super().__init__(config, ClientLimits(), LoadClock())
        self._free_numbers: list[int] = []
        self._next_number = count(1)
        self._process = uuid4().hex[:8]  # not seeded: the shop may remember checkouts of the process before
        self.clock.begin(time.monotonic_ns())
        self.recorder.begin(self.clock.zero_ns)

    def attend(self, environment: Environment) -> None:
        while not self.recorder.problem:
            gevent.sleep(FLUSH_EVERY_S)
            self.keep_books()
        if environment.runner is not None:
            environment.process_exit_code = EXIT_GAVE_UP
            environment.runner.quit()

    def enter(self) -> tuple[int, Iterable[Action]]:
        # The lowest that nobody has: there are only so many accounts.
        shopper = heapq.heappop(self._free_numbers) if self._free_numbers else next(self._next_number)
        return shopper, self._actions_of(shopper)

    def leave(self, shopper: int) -> None:
        """The shopper has left; its number is free again."""
        heapq.heappush(self._free_numbers, shopper)

    def user_of(self, shopper: int) -> str:
        # More shoppers than accounts share them: Locust's own page lets anybody ask for any number.
        return account_name((shopper - 1) % self.config.accounts + 1)

    def _actions_of(self, shopper: int) -> Iterator[Action]:
        """What a shopper does from now on, for ever."""
        began_ms = self.clock.now_us() // 1000
        drawn = ShopperDraw(generator_of(self.config.seed, shopper), shopper, FREE_HABITS)
        for number, step in enumerate(drawn.shopping()):
            key = f"{self._process}-{shopper:04d}-{began_ms}-{number}" if step.do == "checkout" else ""
            yield Action(began_ms + step.at_ms, step.do, step.sku, step.quantity, key)


class PlannedLoad(LoadWorker):
    """This process's share of the shoppers of a plan."""

    def __init__(self, config: WorkerConfig) -> None:
        if config.plan is None or config.folder is None:
            raise UsageError(
                "a plan needs a folder", why="TWINSHOP_LOAD_FOLDER is not set", next_step="twinshop run SCENARIO"
            )
        plan = read_plan(config.plan)
        window_us = plan.window_ms * 1000
        clock = LoadClock(end_us=window_us, nap_s=LIVE_NAP_S if config.live else math.inf)
        super().__init__(
            config, plan.client, clock, addresses=plan.addresses, window_us=window_us, gives_up=plan.gives_up
        )
        self._audit_ms = plan.client.audit_spread_ms * len(plan.shoppers)
        self._gate = config.folder / GO_FILE
        self._end = config.folder / END_FILE
        mine = [each for each in plan.shoppers if config.mine(each.shopper)]
        self._coming = iter(mine)
        self._inside = len(mine)

    def open(self, environment: Environment, **_: object) -> None:
        environment.process_exit_code = EXIT_GAVE_UP  # until everybody was audited, any end is a bad one
        super().open(environment)

    def attend(self, environment: Environment) -> None:
        self._wait_for_go()
        while self._inside and not self.recorder.problem:
            gevent.sleep(FLUSH_EVERY_S)
            self._look_for_end()
            if self.clock.now_us() >= self.clock.end_us:
                self.recorder.phase = "audit"
            self.keep_books()
        if not self.recorder.problem:
            self.recorder.phase = "done"
            self.keep_books()  # nobody is left to record anything: from here on the history is whole, or it is not
        if not self.recorder.problem:  # asked again: that last writing may have failed
            environment.process_exit_code = 0
        if environment.runner is not None:
            environment.runner.quit()

    def enter(self) -> tuple[int, Iterable[Action]]:
        plan = next(self._coming, None)
        if plan is None:
            raise StopTest("Locust was told to spawn more shoppers than the plan has")
        return plan.shopper, plan.actions

    def leave(self) -> None:
        """A shopper has finished its visit."""
        self._inside -= 1

    def audit_at_us(self, shopper: int) -> int:
        """When this shopper takes its last look: always at the same place in the audit."""
        return self.clock.end_us + int(spread(shopper, self._audit_ms) * 1000)

    def _look_for_end(self) -> None:
        """A live window may be ended early; whoever hears of it too late may have begun what was never planned."""
        if not self.config.live or not self._end.exists():
            return
        end_us = _decode_end_signal(self._end.read_bytes()).window_ms * 1000
        if end_us >= self.clock.end_us:  # heard of before; and a window is never made longer than its plan
            return
        now_us = self.clock.now_us()
        if now_us >= end_us:
            self.give_up(f"heard {(now_us - end_us) // 1000} ms too late that the load window was to end")
        self.clock.end_us = end_us

    def _wait_for_go(self) -> None:
        within_s = LIVE_GO_WITHIN_S if self.config.live else GO_WITHIN_S
        deadline = time.monotonic() + within_s
        while not self._gate.exists():
            if time.monotonic() > deadline:
                self.give_up(f"nobody said go within {within_s:.0f} s")
                return
            gevent.sleep(LOOK_FOR_GO_EVERY_S)
        self.clock.begin(_decode_start_signal(self._gate.read_bytes()).zero_monotonic_ns)
        self.recorder.begin(self.clock.zero_ns)
