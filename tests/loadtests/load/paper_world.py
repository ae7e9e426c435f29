"""A world on paper in which several things happen at once: time passes only when everybody waits for it.

Greenlets, but no event loop: whoever is due first goes on, so that a day is the same each time it is lived.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable
from itertools import count

from greenlet import GreenletExit, getcurrent, greenlet

from loadtests.load.answers import ShopAnswer
from loadtests.load.cookies import Forgotten
from loadtests.load.visit import ShopperVisit
from loadtests.load.worker_config import VisitConfig
from loadtests.model.history import Exchange, Jar
from loadtests.model.plan import Action, ClientLimits
from loadtests.session_model.carts import Contradiction
from tests.loadtests.load.shop_client import SHOP, shop_client

RUN = "0123abcd"


class PaperTime:
    """The clock, and who waits for what."""

    zero_ns = 5_000_000_000

    def __init__(self) -> None:
        self.us = 0
        self.end_us = 1 << 62
        self._waiting: list[tuple[int, int, greenlet]] = []
        self._numbers = count()

    def now_us(self) -> int:
        return self.us

    def wait_until(self, at_us: int) -> None:
        self.wake(getcurrent(), at_us)
        self._hub.switch()

    def reach(self, at_us: int) -> bool:
        if at_us < self.end_us:
            self.wait_until(at_us)
        return at_us < self.end_us

    def wake(self, whom: greenlet, at_us: int) -> None:
        heapq.heappush(self._waiting, (max(at_us, self.us), next(self._numbers), whom))

    def live(self, day: Callable[[], None]) -> None:
        """Everything that happens, until the day itself is over."""
        self._hub = getcurrent()
        main = greenlet(day)
        self.wake(main, 0)
        while not main.dead:
            at_us, _, next_one = heapq.heappop(self._waiting)
            self.us = max(self.us, at_us)
            if not next_one.dead:
                next_one.parent = self._hub
                next_one.switch()

    def start_job(self, do: Callable[[], object]) -> PaperJob:
        return PaperJob(self, do)


class PaperJob:
    """Something that is done at the same time, as `loadtests.load.load_worker` does it."""

    def __init__(self, time: PaperTime, do: Callable[[], object]) -> None:
        self._time, self._do = time, do
        self._raised: BaseException | None = None
        self._greenlet = greenlet(self._run)
        time.wake(self._greenlet, time.us)

    def join(self) -> None:
        while not self._greenlet.dead:
            self._time.wait_until(self._time.us + 100)
        if self._raised is not None:
            raise self._raised

    def stop(self) -> None:
        if not self._greenlet.dead:
            self._greenlet.parent = getcurrent()
            self._greenlet.throw(GreenletExit)

    def _run(self) -> None:
        try:
            self._do()
        except BaseException as error:  # noqa: BLE001
            self._raised = error


class PaperPocket:
    """One of a browser's jars."""

    def __init__(self, jars: dict[Jar, dict[str, str]], jar: Jar) -> None:
        self.jars, self.jar = jars, jar

    def by_name(self) -> dict[str, str]:
        return dict(self.jars[self.jar])

    def empty(self) -> None:
        self.jars[self.jar] = {}

    def fill_from(self, other: PaperPocket) -> None:
        self.jars[self.jar] = other.by_name()

    def forget(self, what: Forgotten) -> None:
        kept = {name: value for name, value in self.by_name().items() if (name == "node") != (what == "node")}
        self.jars[self.jar] = kept


class PaperBrowser:
    """Jars, and a shop with sessions: each write happens half way between its request and its answer.

    `takes_ms`: how long an answer takes, by path; `fates`: what goes wrong with the n-th request (1, 2, …).
    """

    def __init__(self, time: PaperTime, takes_ms: dict[str, int], fates: dict[int, str]) -> None:
        self.time, self.takes_ms, self.fates = time, takes_ms, fates
        self.jars: dict[Jar, dict[str, str]] = {"main": {}}
        self.sessions: dict[str, dict[str, object]] = {}
        self.revokes = True
        self.regenerates = True
        self.asked: list[tuple[int, str, str, Jar, dict[str, str]]] = []
        self.streams: list[int] = []
        """When each stream is dropped, in ms, in order; none: it is held."""
        self._numbers = count(1)

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"", jar: Jar = "main") -> ShopAnswer:
        cookies = self.jars.setdefault(jar, {})
        self.asked.append((self.time.us, method, path, jar, headers))
        word = self.fates.get(len(self.asked), "")
        sent_us, took_us = self.time.us, self.takes_ms.get(path, 2) * 1000
        carried = dict(cookies)
        self.time.wait_until(sent_us + took_us // 2)
        if word == "stop":
            raise KeyboardInterrupt
        if word == "forget":
            self.sessions.clear()
        status, shown = self.serve(method, path, json.loads(body or b"{}"), carried, cookies)
        self.time.wait_until(sent_us + took_us)
        if word in ("broken", "limited"):
            status, shown = 503 if word == "broken" else 429, {}
        run = "ffffffff" if word == "foreign" else RUN
        return self.answer(sent_us, status, json.dumps(shown).encode(), run)

    def answer(self, sent_us: int, status: int, body: bytes, run: str = RUN, **more: object) -> ShopAnswer:
        zero_ns = self.time.zero_ns
        headers = {"X-Run": run, "X-Node": "n1"}
        sent_ns, done_ns = zero_ns + sent_us * 1000, zero_ns + self.time.us * 1000
        return ShopAnswer(sent_ns, done_ns, status, headers=headers, body=body, **more)  # type: ignore[arg-type]

    def watch(self, path: str, headers: dict[str, str], until_ns: int) -> ShopAnswer:
        self.asked.append((self.time.us, "GET", path, "main", headers))
        sent_us, until_us = self.time.us, (until_ns - self.time.zero_ns) // 1000
        if self.jars["main"].get("session") not in self.sessions:
            return self.answer(sent_us, 401, b"{}")
        dropped_us = self.streams.pop(0) * 1000 if self.streams else until_us
        self.time.wait_until(min(dropped_us, until_us))
        return self.answer(sent_us, 200, b"", streamed=40, dropped=dropped_us < until_us)

    def pocket(self, jar: Jar) -> PaperPocket:
        return PaperPocket(self.jars, jar)

    def serve(
        self, method: str, path: str, sent: dict[str, object], carried: dict[str, str], cookies: dict[str, str]
    ) -> tuple[int, object]:
        cookies.setdefault("node", "n1")
        if (method, path) == ("GET", "/login"):
            return self.opened({}, cookies)
        if path == "/login":
            kept = carried.get("session", "") if not self.regenerates else ""
            return self.opened({"user": sent["user"], "cart": {}}, cookies, kept)
        session = self.sessions.get(carried.get("session", ""))
        if session is None or "user" not in session:
            return 401, {"error": "not_logged_in"}
        if path.startswith("/logout"):
            gone = [key for key, other in self.sessions.items() if other.get("user") == session["user"]]
            for key in gone if path.endswith("everywhere") else [carried["session"]]:
                if self.revokes:
                    del self.sessions[key]
            cookies.pop("session", None)
            return 200, {"user": session["user"]}
        if (method, path) == ("POST", "/cart"):
            session["cart"] = {**session["cart"], str(sent["sku"]): sent["quantity"]}  # type: ignore[dict-item]
        if path == "/checkout":
            session["cart"] = {}
            return 201, {"order": "o1"}
        if path == "/orders":
            return 200, {"orders": []}
        return 200, {"user": session["user"] if path == "/me" else "", "cart": session["cart"]}

    def opened(self, session: dict[str, object], cookies: dict[str, str], kept: str = "") -> tuple[int, object]:
        key = kept or f"s{next(self._numbers)}"
        cookies["session"] = key
        self.sessions[key] = session
        return 200, {"user": session.get("user", "")}


class PaperDay:
    """One visit, and what was recorded of it."""

    def __init__(
        self, *actions: Action, takes_ms: dict[str, int] | None = None, fates: dict[int, str] | None = None,
        window_ms: int = 1000, late_ms: int = 2000, gives_up: bool = False,
    ) -> None:  # fmt: skip
        self.time = PaperTime()
        self.browser = PaperBrowser(self.time, takes_ms or {}, fates or {})
        self.exchanges: list[Exchange] = []
        self.findings: list[Contradiction] = []
        limits = ClientLimits(late_ms=late_ms)
        terms = VisitConfig("redis", RUN, f"{RUN}a", limits, SHOP.http, gives_up=gives_up, window_us=window_ms * 1000)
        client = shop_client(7)
        self.visit = ShopperVisit(7, actions, terms, self.browser, self.time, self.saw, self.time.start_job, client)
        self.raised: BaseException | None = None

    def live(self, *, audit: bool = False) -> PaperDay:
        self.time.live(lambda: self._live(audit))
        done = [each.done_us for each in self.exchanges]
        assert done == sorted(done), "the history is in order of answers"
        return self

    def _live(self, audit: bool) -> None:
        try:
            self.visit.shop()
            if audit:
                self.visit.audit(self.time.us)
        except BaseException as error:  # noqa: BLE001
            self.raised = error

    def saw(self, exchange: Exchange, answer: ShopAnswer | None, findings: tuple[Contradiction, ...]) -> None:
        assert (answer is None) == (not exchange.request)
        self.exchanges.append(exchange)
        self.findings += findings

    def words(self, *fields: str) -> list[tuple[object, ...]]:
        return [tuple(getattr(exchange, field) for field in fields) for exchange in self.exchanges]
