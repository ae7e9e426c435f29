"""A run folder made up without starting anything: four architectures, 60 shoppers, n2 killed at 5 s. Deterministic.

A stand-in for a real run where a test needs all cases at once and the same bytes each time: it plays a very small shop
(a balancer, three nodes, sessions) and writes down what shoppers would have seen.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from pathlib import Path

import msgspec

from compose.architectures import ARCHITECTURES
from compose.cluster import Limits
from loadtests.judging.latency import percentiles_of
from loadtests.model import events as happened
from loadtests.model.history import Do, Exchange, Outcome, Why, encode_records
from loadtests.model.plan import Action, ClientLimits, Plan, PlannedFault, ShopperPlan, encode_plan, plan_sha256
from loadtests.model.results import (
    ActionBook,
    ArchitectureResult,
    Costs,
    ExperimentStep,
    ItemBook,
    Latency,
    LogoutCounts,
    Loss,
    Prediction,
    Reconciliation,
    Results,
    UserBook,
    WitnessEvent,
)
from loadtests.model.run_folder import Provenance, RunFolder

SCENARIO = 'question = "Who gets logged out when a node dies?"\n'
SHOPPERS = 60
WINDOW_MS = 12_000
KILLED_US, SEEN_DEAD_US, EJECTED_US, HEALED_US, BACK_US = 5_002_000, 5_031_000, 6_010_000, 8_001_000, 8_910_000
NODES = ("n1", "n2", "n3")
NAMES = ("sticky-memory", "roundrobin-memory", "signed-token", "redis")
SEVEN = (*NAMES, "replicated-memory", "token-denylist", "redis-weighted")
PREDICTED = {"sticky-memory": "at_risk", "roundrobin-memory": ">= 0.95 * U", "signed-token": "0", "redis": "0"}


def synthetic_plan(seed: int = 1, shoppers: int = SHOPPERS) -> Plan:
    """Everybody logs in within 1.5 s and then does something every half second or so."""
    chance = random.Random(seed)
    people = []
    for number in range(1, shoppers + 1):
        at = round(number * 1500 / shoppers)
        actions = [Action(at, "login")]
        while (at := at + chance.randint(250, 750)) < WINDOW_MS:
            do = chance.choice(("browse", "add", "add", "cart", "me"))
            actions.append(Action(at, "add", sku="tea-01", quantity=1) if do == "add" else Action(at, do))
        people.append(ShopperPlan(number, tuple(actions)))
    fault = PlannedFault("kill", KILLED_US // 1000 - 2, HEALED_US // 1000 - 1, "n2")
    return Plan(1, "node-kill", seed, 3, WINDOW_MS, ClientLimits(), (fault,), tuple(people))


class Shop:
    """One architecture's cluster, as far as a shopper can tell."""

    def __init__(self, name: str, seed: int) -> None:
        self.about = ARCHITECTURES[name]
        self.chance = random.Random(f"{seed}-{name}")
        self.turn = 0
        self.cookie: dict[int, str] = {}
        self.sessions: dict[str, set[int]] = {node: set() for node in NODES}
        self.forgot_us = 0

    def forget(self, at_us: int) -> None:
        """The killed node loses its memory."""
        if at_us >= KILLED_US and not self.forgot_us:
            self.sessions["n2"].clear()
            self.forgot_us = at_us

    def node(self, shopper: int, at_us: int) -> str:
        """Whom the balancer picks; "" while it still trusts a dead node."""
        away = EJECTED_US <= at_us < BACK_US
        if self.about.affinity == "cookie" and (kept := self.cookie.get(shopper)) and not (kept == "n2" and away):
            node = kept
        else:
            ring = [node for node in NODES if not (node == "n2" and away)]
            self.turn += 1
            node = ring[self.turn % len(ring)]
        if node == "n2" and KILLED_US <= at_us < BACK_US:
            return ""
        self.cookie[shopper] = node
        return node

    def answer(self, shopper: int, node: str, do: Do) -> tuple[int, Outcome]:
        """The status, and what a client makes of it."""
        if not node:
            return 503, "unknown" if do in ("add", "login") else "failed"
        if do == "login":
            self.sessions[node].add(shopper)
        elif do != "browse" and self.about.store == "memory" and shopper not in self.sessions[node]:
            return 401, "failed"
        return 200, "ok"


class Play:
    """Carries out a plan on one architecture's shop and writes down what the shoppers see."""

    def __init__(self, plan: Plan, name: str) -> None:
        self.shop = Shop(name, plan.seed)
        self.history: list[Exchange] = []
        self.losses: list[Loss] = []
        self.held: frozenset[int] = frozenset()
        """Whose sessions n2 held when it was killed."""
        self._logins: dict[int, Exchange] = {}
        self._numbers: Counter[int] = Counter()
        todo = sorted(
            (action.at_ms * 1000, person.shopper, step, action)
            for person in plan.shoppers
            for step, action in enumerate(person.actions)
        )
        for at_us, shopper, step, action in todo:
            if at_us >= KILLED_US and not self.shop.forgot_us:
                self.held = frozenset(self.shop.sessions["n2"])
                self.shop.forget(at_us)
            self._act(at_us, shopper, step, action)
        for person in plan.shoppers:
            self._ask(WINDOW_MS * 1000 + person.shopper * 3000, person.shopper, "audit", "cart")
        self.history.sort(key=lambda exchange: (exchange.done_us, exchange.request))

    def _act(self, at_us: int, shopper: int, step: int, action: Action) -> None:
        seen = self._ask(at_us, shopper, "plan", action.do, step, action.sku)
        if seen.do == "login" and seen.outcome == "ok":
            self._logins[shopper] = seen
        if seen.status == 401 and shopper in self._logins:
            self.losses.append(_loss(self._logins.pop(shopper), seen))
        if shopper not in self._logins:
            again = self._ask(seen.done_us + 1000, shopper, "recovery", "login")
            if again.outcome == "ok":
                self._logins[shopper] = again

    def _ask(self, at_us: int, shopper: int, why: Why, do: Do, step: int = -1, sku: str = "") -> Exchange:
        self._numbers[shopper] += 1
        sent_us = at_us + self.shop.chance.randint(100, 900)
        node = self.shop.node(shopper, sent_us)
        status, outcome = self.shop.answer(shopper, node, do)
        exchange = Exchange(
            architecture=self.shop.about.name,
            shopper=shopper,
            request=f"5e1f00d{self.shop.about.name[0]}-{shopper:04d}-{self._numbers[shopper]:04d}",
            why=why,
            do=do,
            outcome=outcome,
            planned_us=at_us,
            sent_us=sent_us,
            done_us=sent_us + round(self.shop.chance.lognormvariate(8.3, 0.5)),
            step=step,
            status=status,
            node=node,
            sku=sku,
            quantity=1 if sku else 0,
        )
        self.history.append(exchange)
        return exchange


def _loss(login: Exchange, seen: Exchange) -> Loss:
    killed = login.node == "n2" and login.done_us < KILLED_US <= seen.done_us
    events = [WitnessEvent(login.done_us / 1000, "login acknowledged", login.node, login.request)]
    if killed:
        events.append(WitnessEvent(KILLED_US / 1000, "n2 killed", "n2"))
    what = f"asked for {seen.do!r}: answered as a stranger (401)"
    events.append(WitnessEvent(seen.done_us / 1000, what, seen.node, seen.request))
    cause = "node_killed" if killed else "other_node"
    return Loss("logged_out", seen.shopper, seen.done_us / 1000, seen.node, cause, tuple(events))


def events_of(name: str, history: list[Exchange], held: frozenset[int]) -> list[happened.Event]:
    """What the harness would have written."""
    about = ARCHITECTURES[name]
    versions = {"envoy": "1.40.0", "granian": "2.5.0"} | ({"valkey": "9.1.2"} if about.store == "redis" else {})
    kill = ("fault", 0, "kill", "n2")
    fault = [
        happened.FaultEvent(name, at_us, *kill[1:], phase, evidence)  # type: ignore[arg-type]
        for at_us, phase, evidence in (
            (KILLED_US, "injected", ("SIGKILL sent to process group 4711",)),
            (SEEN_DEAD_US, "observed", ("process group 4711: gone", "connect to 127.0.0.1:41231: refused")),
            (HEALED_US, "healed", ("started again as process group 4790",)),
            (BACK_US, "observed_healed", ("/healthz answers 200 with a new boot id", "envoy: healthy")),
        )
    ]
    users = tuple(sorted(f"user-{number:04d}" for number in held)) if about.store == "memory" else ()
    samples = [_sample(name, at_us, history, about.store == "memory") for at_us in range(250_000, 12_250_000, 250_000)]
    timed = sorted(
        [*fault, happened.AtRisk(name, KILLED_US, 0, "n2", users, "the node's own list and its request log"), *samples],
        key=lambda event: event.at_us,
    )
    return [
        happened.ClusterReady(name, -900_000, about, "processes", NODES, Limits(), versions, 2.4),
        happened.LoadStarted(name, 0, 1_763_688_000_000_000, 1),
        *timed,
        happened.LoadSample(name, 6_000_000, 0, 21.5),
        happened.LoadEnded(name, 12_400_000, True, 2.6, len(history)),
        happened.ClusterStopped(name, 12_900_000, 0.4),
    ]


def _sample(name: str, at_us: int, history: list[Exchange], memory: bool) -> happened.NodeSample:
    sessions: dict[str, set[int]] = {node: set() for node in NODES}
    for exchange in history if memory else ():
        if exchange.do == "login" and exchange.outcome == "ok" and exchange.done_us <= at_us:
            if exchange.node == "n2" and exchange.done_us < KILLED_US <= at_us:
                continue
            sessions[exchange.node].add(exchange.shopper)
    counts = {node: len(held) for node, held in sessions.items()}
    if KILLED_US <= at_us < BACK_US:
        counts["n2"] = -1
    return happened.NodeSample(name, at_us, counts)


def result_of(name: str, plan: Plan, played: Play) -> ArchitectureResult:
    """What the judge would have found: counted here in the simplest way."""
    history, losses, held = played.history, played.losses, played.held
    outcomes = Counter(exchange.outcome for exchange in history if exchange.why == "plan")
    by_shopper = Counter(loss.shopper for loss in losses)
    users = len(plan.shoppers)
    planned = sum(len(person.actions) for person in plan.shoppers)
    memory = ARCHITECTURES[name].store == "memory"
    at_risk = len(held) if memory else 0
    raw = [exchange.done_us - exchange.sent_us for exchange in history if exchange.why == "plan"]
    late = [exchange.done_us - exchange.planned_us for exchange in history if exchange.why == "plan"]
    formula = PREDICTED.get(name, "0")
    value = {"at_risk": at_risk, ">= 0.95 * U": 0.95 * users}.get(formula, 0.0)
    holds = len(by_shopper) >= value if formula.startswith(">=") else len(by_shopper) == value
    trouble = Counter(e.shopper for e in history if e.why == "plan" and e.outcome != "ok")
    added = sum(1 for exchange in history if exchange.do == "add" and exchange.outcome == "ok")
    lost = sum(3 for loss in losses if loss.cause == "node_killed")
    last = {e.shopper: e.node for e in history if e.node and e.done_us < KILLED_US}
    return ArchitectureResult(
        verdict="as predicted" if holds else "not as predicted",
        reasons=() if holds else (f"logged out: predicted {formula}, measured {len(by_shopper)}",),
        shoppers=users,
        at_risk=at_risk,
        served_by_victim=sum(1 for node in last.values() if node == "n2"),
        logged_out=LogoutCounts(len(by_shopper), len(losses), sum(1 for times in by_shopper.values() if times > 1)),
        logged_out_before_fault=len({loss.shopper for loss in losses if loss.at_ms * 1000 < KILLED_US}),
        carts_lost=sum(1 for loss in losses if loss.cause == "node_killed"),
        items_lost=0,
        carts_rolled_back=0,
        wrong_user=0,
        orders_lost=0,
        orders_duplicated=0,
        still_logged_in=0,
        sessions_shared=0,
        counts={},
        actions=ActionBook(planned, outcomes["ok"], outcomes["failed"], outcomes["unknown"], outcomes["not_sent"], 0),
        users=UserBook(users, users - len(by_shopper), len(by_shopper), 0),
        items=ItemBook(added, added - lost, lost, 0, 0, 0, 0),
        seconds_without_service=round(0.55 * sum(trouble.values()), 3),
        latency_ms=Latency(percentiles_of(Counter(raw)), percentiles_of(Counter(late))),
        costs=Costs(),
        losses=(*losses, *(_cart_loss(loss) for loss in losses if loss.cause == "node_killed")),
        predictions=(Prediction("logged_out", formula, value, len(by_shopper), holds),),
        reconciliation=Reconciliation(
            len(history), len(history), sum(1 for e in history if e.node), (), 0, at_risk if memory else len(held)
        ),
        experiment=(
            ExperimentStep(0, "planned", 5000.0, "n2"),
            *(
                ExperimentStep(0, event.phase, event.at_us / 1000, "n2", event.evidence)
                for event in events_of(name, [], held)
                if isinstance(event, happened.FaultEvent)
            ),
        ),
        facts_checked=outcomes["ok"],
        books_balance=True,
    )


def _cart_loss(loss: Loss) -> Loss:
    return msgspec.structs.replace(
        loss, kind="cart_lost", at_ms=loss.at_ms + 20, cause="session_gone_with_login", items=3
    )


def synthetic_run(folder: Path, *, seed: int = 1, shoppers: int = SHOPPERS, names: tuple[str, ...] = NAMES) -> Results:
    """Write a whole run folder (but for report.html) and return its results."""
    folder.mkdir(parents=True, exist_ok=True)
    files = RunFolder(folder)
    plan = synthetic_plan(seed, shoppers)
    files.plan.write_bytes(encode_plan(plan))
    histories: list[Exchange] = []
    events: list[happened.Event] = []
    found = {}
    for name in names:
        played = Play(plan, name)
        histories += played.history
        events += events_of(name, played.history, played.held)
        found[name] = result_of(name, plan, played)
    files.history.write_bytes(encode_records(histories))
    files.events.write_bytes(msgspec.json.Encoder().encode_lines(events))
    files.scenario.write_text(SCENARIO, encoding="utf-8")
    files.provenance.write_bytes(msgspec.json.encode(_provenance(plan, names)))
    sticky, round_robin = found["sticky-memory"], found["roundrobin-memory"]
    results = Results(
        2,
        plan.scenario,
        "Who gets logged out when a node dies?",
        seed,
        plan_sha256(plan),
        "processes",
        shoppers,
        3,
        "as predicted" if all(result.verdict == "as predicted" for result in found.values()) else "not as predicted",
        f"Killing n2 logged out the {sticky.logged_out.shoppers} shoppers whose sessions it held; round robin over "
        f"memory logged out {round_robin.logged_out.shoppers}; tokens and Redis lost nobody.",
        found,
    )
    files.results.write_bytes(msgspec.json.encode(results))
    return results


def _provenance(plan: Plan, names: tuple[str, ...]) -> Provenance:
    return Provenance(
        1,
        "5e1f00d1",
        plan.scenario,
        plan.seed,
        plan_sha256(plan),
        "processes",
        names,
        len(plan.shoppers),
        1,
        ("twinshop", "run", "node-kill", "--seed", str(plan.seed)),
        "2026-11-21T01:30:44Z",
        "0.1.0",
        "3.11.2",
        "Linux-6.1-x86_64",
        2,
        4096,
        {"locust": "2.47.0", "flask": "3.1.2"},
        hashlib.sha256(SCENARIO.encode()).hexdigest(),
    )
