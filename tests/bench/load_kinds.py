"""The three kinds of user that `tests.bench.load` compares. Import Locust before this module."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser
from locust.env import Environment

from loadtests.load.answers import ShopAnswer
from loadtests.load.application_client import ApplicationClient, AskedApplication, PreparedApplication
from loadtests.load.client import StrictSession, assert_strict
from loadtests.load.cookies import Pocket
from loadtests.load.load_worker import GreenletJob
from loadtests.load.recorder import Recorder
from loadtests.load.shopper import _Person
from loadtests.load.visit import ShopperVisit
from loadtests.load.worker_config import VisitConfig
from loadtests.model.history import Exchange, Jar
from loadtests.model.plan import ClientLimits, ShopperPlan
from loadtests.model.scenario import Load, Scenario
from loadtests.planning.make_plan import make_plan
from loadtests.session_model.carts import Contradiction
from loadtests.session_model.expectations import ExpectedSession
from shared.demo_accounts import account_name

SOME_EXCHANGE = Exchange("bench", 1, "", "plan", "cart", "ok", 0)
PATIENT = ClientLimits(late_ms=10**9)


class AtOnce:
    """A clock that never waits."""

    end_us = 1 << 62

    def __init__(self) -> None:
        self.zero_ns = time.monotonic_ns()

    def now_us(self) -> int:
        return (time.monotonic_ns() - self.zero_ns) // 1000

    def wait_until(self, at_us: int) -> None:
        pass

    def reach(self, at_us: int) -> bool:
        return True


class Person(_Person):
    """Our user, without a load worker."""

    worker = None  # type: ignore[assignment]

    def begin(self, worker: object) -> None:  # type: ignore[override]
        pass


class Bare(FastHttpUser):
    """Locust's user, as it comes."""


class Bench:
    """One Locust environment (with its statistics) and the same plan for all kinds."""

    def __init__(self, url: str, run: str, folder: Path, shoppers: int) -> None:
        assert_strict()
        Person.host = Bare.host = url
        self._environment = Environment(user_classes=[Person, Bare], host=url)
        self._environment.create_local_runner()
        load = Load(shoppers=shoppers, seconds=50, login_within_ms=0)
        self._plan = make_plan(Scenario("?", "bench", load), seed=1).shoppers
        self._application = PreparedApplication(AskedApplication())
        self._terms = VisitConfig("bench", run, "bench", PATIENT, self._application.http)
        self._recorder = Recorder(folder / "history.ndjson", folder / "progress.ndjson")
        self._exchanges: list[Exchange] = []
        self.requests = 0

    def full(self) -> int:
        """Visits as in a run: memory, history, statistics."""
        return self._all(self._visit)

    def client_only(self) -> int:
        """Our client and Locust's statistics; nothing is remembered, checked or recorded."""
        return self._all(self._ask)

    def bare(self) -> int:
        """A FastHttpUser doing the same."""
        return self._all(self._bare)

    def recording_us(self) -> float:
        """Of one record: taking it, counting it, encoding it and handing it to the kernel."""
        many = self._exchanges[:2000]
        began = time.process_time()
        for _ in range(20):
            for exchange in many:
                self._recorder.record(exchange)
            self._recorder.flush()
        return (time.process_time() - began) * 1e6 / (20 * len(many))

    def statistics_us(self) -> float:
        """Of one event that tells Locust's own statistics (and its web interface) about a request."""
        person, _ = self._person()
        answer = ShopAnswer(0, 1_000_000, 200, body=b"{}")
        began = time.process_time()
        for exchange in self._exchanges:
            person.tell_locust(exchange, answer, ())
        return (time.process_time() - began) * 1e6 / len(self._exchanges)

    def checks_us(self) -> float:
        """Of one answer: comparing it with what was acknowledged before."""
        by_shopper: dict[int, list[Exchange]] = {}
        for exchange in self._exchanges:
            by_shopper.setdefault(exchange.shopper, []).append(exchange)
        began = time.process_time()
        for shopper, exchanges in by_shopper.items():
            memory = ExpectedSession(account_name(shopper))
            for exchange in exchanges:
                assert not memory.saw(exchange)
        return (time.process_time() - began) * 1e6 / len(self._exchanges)

    def _all(self, kind: Callable[[ShopperPlan], int]) -> int:
        greenlets = [gevent.spawn(kind, plan) for plan in self._plan]
        gevent.joinall(greenlets, raise_error=True)
        self._recorder.flush()
        requests = sum(greenlet.value for greenlet in greenlets)
        self.requests += requests
        return requests

    def _person(self) -> tuple[Person, StrictSession]:
        person = Person(self._environment)
        person._recorder, person._locust_names = self._recorder, self._application.locust_names
        session = StrictSession(person.host or "", PATIENT)
        return person, session

    def _visit(self, plan: ShopperPlan) -> int:
        person, session = self._person()
        keep = not self._exchanges

        class Desk:
            def saw(self, exchange: Exchange, answer: ShopAnswer | None, findings: tuple[Contradiction, ...]) -> None:
                assert not findings
                exchanges.append(exchange)
                person.saw(exchange, answer, findings)

        exchanges: list[Exchange] = []
        desk = Desk() if keep else person
        client = self._client(plan, session.pocket)
        ShopperVisit(plan.shopper, plan.actions, self._terms, session, AtOnce(), desk.saw, GreenletJob, client).shop()
        self._exchanges += exchanges
        session.close()
        return len(plan.actions)

    def _ask(self, plan: ShopperPlan) -> int:
        person, session = self._person()
        for request in self._requests(plan):
            answer = session.ask(*request)
            assert answer.status in (200, 201)
            person.tell_locust(SOME_EXCHANGE, answer, ())
        session.close()
        return len(plan.actions)

    def _bare(self, plan: ShopperPlan) -> int:
        user = Bare(self._environment)
        for method, path, headers, body in self._requests(plan):
            assert user.client.request(method, path, data=body, headers=headers).status_code in (200, 201)
        user.client.client.clientpool.close()
        return len(plan.actions)

    def _client(self, plan: ShopperPlan, pocket: Callable[[Jar], Pocket]) -> ApplicationClient:
        account = account_name(plan.shopper), "shop"
        return ApplicationClient(self._application, account, plan.shopper, "bench", pocket, Person.host or "")

    def _requests(self, plan: ShopperPlan) -> Any:
        requests = self._client(plan, lambda jar: Pocket(jar, Person.host or ""))
        for number, action in enumerate(plan.actions):
            method, path, headers, body = requests.request_of(action)
            headers["X-Request-Id"] = f"bench-{plan.shopper:04d}-{number:04d}"
            yield method, path, headers, body
