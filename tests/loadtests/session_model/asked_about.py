"""The product is asked why a session of a made-up world was lost, and its own model what is known without a factor."""

from __future__ import annotations

import copy

from compose.architectures import ARCHITECTURES
from compose.cluster import Limits
from loadtests.checks.logged_out import LoggedOut
from loadtests.checks.still_logged_in import StillLoggedIn
from loadtests.faults.clock_ahead import ClockAhead
from loadtests.model.events import ClusterReady, LoadStarted
from loadtests.model.history import Exchange
from loadtests.model.results import Because, Loss
from loadtests.session_model.carts import Contradiction
from loadtests.session_model.causes import harms_of_end
from loadtests.session_model.circumstances import TIME, Factor, Harm, Without
from loadtests.session_model.life import SessionLife
from loadtests.session_model.shopper_trace import ShopperTrace
from loadtests.session_model.timeline import run_timeline
from shared.sessions import Injection
from tests.loadtests.session_model.truth.causes import Case, Sets
from tests.loadtests.session_model.truth.happenings import NEVER, US, Fault, at
from tests.loadtests.stories import replayed

SEEN = ("held_for_dead", "affinity_lost")


class ClockBehind(ClockAhead):
    """The same, the other way: no fault of the catalogue does it, and effects have either sign."""

    kind = "clock-behind"
    trouble = Injection(clock_ahead_s=-5)


class Remembering(LoggedOut):
    """Keeps each session as it was when it was lost."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.lives: list[tuple[SessionLife, Exchange]] = []

    def contradicted(self, person: ShopperTrace, exchange: Exchange, finding: Contradiction) -> None:
        self.lives.append((copy.copy(person.life), exchange))
        super().contradicted(person, exchange, finding)

    def harms(self, number: int, without: Without) -> list[Harm]:
        """Why the answer of that loss does not know the shopper, by the model."""
        life, exchange = self.lives[number]
        return harms_of_end(life, exchange, self.around.but_for(without))


def asked(case: Case) -> tuple[Remembering, StillLoggedIn]:
    """The checks, with what they found."""
    setup = case.setup
    limits = Limits(
        session_lifetime_s=setup.lifetime // US, session_refresh_each_request=setup.refresh,
        clock_leeway_s=setup.leeway_s, balancer_retries=int(setup.retries), store_append_only=setup.append_only,
        store_eviction="allkeys-lru" if setup.evicts else "noeviction",
    )  # fmt: skip
    about = ARCHITECTURES[case.architecture]
    ready = ClusterReady(case.architecture, -at(2), about, "processes", setup.nodes, limits, {}, 1.0)
    run = run_timeline(case.architecture, [ready, LoadStarted(case.architecture, 0, setup.epoch, 1), *case.events()])
    checks = replayed(case.exchanges(), run, {"logged_out": Remembering, "still_logged_in": StillLoggedIn}).checks
    out, outlived = checks.values()
    assert isinstance(out, Remembering)
    assert isinstance(outlived, StillLoggedIn)
    return out, outlived


def named(loss: Loss) -> Sets:
    """The sets that the product names."""
    sets: dict[int, set[int | str]] = {}
    for because in loss.because:
        sets.setdefault(because.alternative, set()).add(because.word if because.fault is None else because.fault)
    return frozenset(frozenset(each) for each in sets.values())


def factor_of(because: Because, case: Case) -> Factor:
    """What the model calls it."""
    if because.fault is not None:
        return Factor("fault", case.faults[because.fault].kind, because.fault)
    return TIME if because.word == TIME.name else Factor("seen" if because.word in SEEN else "setting", because.word)


def fault(kind: str, victim: str, since: float, until: float | None = None) -> Fault:
    """Seen 20 ms after it was injected; seen to be healed 400 ms after that."""
    healed = (NEVER, NEVER) if until is None else (at(until), at(until) + 400_000)
    return Fault(kind, victim, at(since), at(since) + 20_000, *healed)
