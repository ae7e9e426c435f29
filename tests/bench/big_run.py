"""A run folder of any size, made without starting anything: a model shop, four architectures, one node killed.

Everything in it belongs together (plan, history, events, the balancer's and the nodes' logs), so that it is judged *as
predicted* and without a mismatch. The same seed and size give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from random import Random

import msgspec

from compose.architectures import ARCHITECTURES
from compose.cluster import Limits, Usage
from loadtests.model import events as happened
from loadtests.model.history import Record, StoredOrder
from loadtests.model.plan import Action, ClientLimits, Plan, PlannedFault, ShopperPlan, encode_plan, plan_sha256
from loadtests.model.run_folder import RUN_SCHEMA, Provenance, RunFolder
from loadtests.planning.make_plan import checkout_key
from shared.request_log import LogRecord
from tests.bench.big_shop import EPOCH_US, LOGIN_MS, NODES, SEEN_AFTER_US, BigShop, account

NAMES = ("sticky-memory", "signed-token", "redis", "replicated-memory")
THINK_MS = 500
ACTIONS = 600
"""Of each shopper, or fewer in a small run: five minutes of shopping."""
MIX = "browse " * 8 + "add " * 8 + "remove " * 2 + "cart " * 6 + "checkout " + "me " * 2
"""As `loadtests.behaviours.workload.DEFAULT_MIX`."""
SKUS = ("mug", "stamp", "frame", "hourglass", "bookmark", "candle", "lamp", "globe")
DOWN_MS = 3000
"""From a third of the window on, n2 is dead for so long."""
AT_ONCE = 20_000
"""Records are written in pieces of so many, so that making a run needs little memory."""
SCENARIO = f"""
question = "Who gets logged out when one of three nodes dies, in a model of any size?"
family = "availability"
architectures = {list(NAMES)}

[load]
shoppers = 9

[[fault]]
kind = "kill"
at_s = 1
heal_after_s = 3
victim = "n2"
""" + "".join(
    f'\n[expect.{name}]\nlogged_out = "{"at_risk" if name == "sticky-memory" else 0}"\nwrong_user = "0"\n'
    for name in NAMES
)


def write_big_run(root: Path, records: int, *, seed: int = 1, names: tuple[str, ...] = NAMES) -> RunFolder:
    """A finished run of about so many history records in all."""
    run = RunFolder(root)
    root.mkdir(parents=True)
    plan = big_plan(records // len(names), seed)
    run.scenario.write_text(SCENARIO)
    run.plan.write_bytes(encode_plan(plan))
    run.provenance.write_bytes(msgspec.json.encode(_provenance(plan, names)))
    with run.history.open("wb") as history, run.events.open("wb") as events:
        encoder = msgspec.json.Encoder()
        for number, name in enumerate(names):
            shop = BigShop(plan, name, prefix=f"0a1b2c3d{'abcdefgh'[number]}", chance=Random(f"{seed}/{name}"))
            logs = _Logs(run.logs(name))
            for piece in _pieces(shop):
                history.write(encoder.encode_lines(piece))
                logs.write(shop)
            logs.close()
            events.write(encoder.encode_lines(_events(shop, plan.window_ms * 1000)))
    return run


def big_plan(actions: int, seed: int) -> Plan:
    """About so many planned actions: a login each, then whatever comes, with a pause in between."""
    each = min(ACTIONS, max(12, actions // 9))
    chance = Random(seed)
    people = [
        ShopperPlan(number, tuple(_drawn(chance, seed, number, each))) for number in range(1, actions // each + 1)
    ]
    window_ms = max(action.at_ms for person in people for action in person.actions) + 1
    fault = PlannedFault("kill", window_ms // 3, window_ms // 3 + DOWN_MS, "n2")
    return Plan(1, "big-run", seed, len(NODES), window_ms, ClientLimits(), (fault,), tuple(people))


def _drawn(chance: Random, seed: int, shopper: int, count: int) -> Iterator[Action]:
    words = MIX.split()
    at_ms = chance.randrange(LOGIN_MS)
    yield Action(at_ms, "login")
    for step in range(1, count):
        at_ms += chance.randint(THINK_MS // 2, THINK_MS * 3 // 2)
        do = chance.choice(words)
        if do in ("add", "remove"):
            yield Action(at_ms, do, chance.choice(SKUS), chance.randint(1, 3) if do == "add" else 0)  # type: ignore[arg-type]
        else:
            yield Action(at_ms, do, key=checkout_key(seed, shopper, step) if do == "checkout" else "")  # type: ignore[arg-type]


def _pieces(shop: BigShop) -> Iterator[list[Record]]:
    """The history of one architecture in pieces; the database's orders at its end."""
    piece: list[Record] = []
    for exchange in shop.history():
        piece.append(exchange)
        if len(piece) == AT_ONCE:
            yield piece
            piece = []
    orders: list[StoredOrder] = shop.orders
    yield [*piece, *orders]


class _Logs:
    """The logs of one architecture, written piece by piece."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._encoder = msgspec.json.Encoder()
        self._access = (folder / "access.ndjson").open("wb")
        self._nodes = {node: (folder / f"{node}.requests.ndjson").open("wb") for node in NODES}

    def write(self, shop: BigShop) -> None:
        """What has gathered since."""
        self._access.write(self._encoder.encode_lines(shop.access))
        shop.access.clear()
        for node, file in self._nodes.items():
            records: list[LogRecord] = shop.logged[node]
            file.write(self._encoder.encode_lines(records))
            records.clear()

    def close(self) -> None:
        """Close the files."""
        for file in (self._access, *self._nodes.values()):
            file.close()


def _events(shop: BigShop, window_us: int) -> list[happened.Event]:
    """What the harness would have written."""
    name, killed_us, back_us = shop.about.name, shop.killed_us, shop.back_us
    marks = (
        (killed_us, "injected"),
        (killed_us + SEEN_AFTER_US, "observed"),
        (back_us, "healed"),
        (back_us + 900_000, "observed_healed"),
    )
    steps = [happened.FaultEvent(name, at_us, 0, "kill", "n2", phase, ("seen",)) for at_us, phase in marks]  # type: ignore[arg-type]
    looks = range(500_000, window_us, 500_000)
    timed: list[happened.Event] = [
        *steps,
        happened.AtRisk(name, killed_us + SEEN_AFTER_US, 0, "n2", tuple(sorted(map(account, shop.held))), "the model"),
        *(happened.NodeSample(name, at_us, dict.fromkeys(NODES, 0)) for at_us in looks),
        *(
            happened.PartSample(name, at_us, {node: Usage(at_us / 1e7, 90_000_000) for node in NODES})
            for at_us in looks
        ),
        *(happened.LoadSample(name, at_us, 0, 35.0) for at_us in looks),
    ]
    return [
        happened.ClusterReady(
            name, -900_000, ARCHITECTURES[name], "processes", NODES, Limits(), {"envoy": "1.40.0"}, 2.0
        ),
        happened.LoadStarted(name, 0, EPOCH_US, 1),
        *sorted(timed, key=lambda event: event.at_us),
        happened.LoadEnded(name, window_us + 400_000, True, 100.0, shop.told),
        happened.ClusterStopped(name, window_us + 900_000, 0.4),
    ]


def _provenance(plan: Plan, names: tuple[str, ...]) -> Provenance:
    return Provenance(
        RUN_SCHEMA, "0a1b2c3d", plan.scenario, plan.seed, plan_sha256(plan), "processes", names, len(plan.shoppers), 1,
        ("twinshop", "run", "big-run"), "2026-11-21T00:00:00Z", "0.1.0", "3.11", "Linux", 2, 4096, {},
        hashlib.sha256(SCENARIO.encode()).hexdigest(),
    )  # fmt: skip
