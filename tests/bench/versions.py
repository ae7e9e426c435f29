"""Whom two versions of one session log out once and more than once, by a simulation: docs/explanation/closed-forms.md.

    python -m tests.bench.versions RUN…

A run of a deploy that renames the session's field, with nothing that keeps anybody at a node. From the run it takes
what nobody can plan: which planned requests a node answered and when, and when each node was away. The routing, and all
that follows from it, is thrown: each request goes to any node that is there; a session is of the version that opened
it; whoever meets the other one is logged out and logs in at any node. Prints what was measured beside what comes out.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from loadtests.faults import FAULTS
from loadtests.faults.bases import Deploys
from loadtests.model.events import ClusterReady, FaultEvent, read_events
from loadtests.model.history import NEEDS_LOGIN, Exchange, read_history
from loadtests.model.run_folder import RunFolder

WORLDS = 2_000
SEED = 1
FROM, TO = 0.001, 0.999
"""Between which shares of all worlds a measured number has to lie."""


class Kicked(NamedTuple):
    """How many shoppers, and how often."""

    once: int
    more: int
    events: int


class Version(NamedTuple):
    """What a node understands, from a moment on; `None`: it is away."""

    since_us: int
    writes: str | None
    reads: frozenset[str]


There = Callable[[int], dict[str, Version]]
"""The nodes that are there at a time."""


class Deployed:
    """Which versions of the session the nodes run, over the time of one architecture."""

    def __init__(self, nodes: Iterable[str], faults: Sequence[FaultEvent], answers: Sequence[Exchange]) -> None:
        first = FAULTS["deploy-first"]
        assert isinstance(first, Deploys)
        self._turns = {node: [_version(first, -(2**62))] for node in nodes}
        healed = {event.fault: event.at_us for event in faults if event.phase == "healed"}
        for event in faults:
            if event.phase != "injected":
                continue
            deploy = FAULTS[event.kind]
            assert isinstance(deploy, Deploys), f"{event.kind} deploys no version"
            # It is gone after its last answer, and back with the next: the harness does the one and sees the other.
            sent = [each.sent_us for each in answers if each.node == event.victim]
            gone = max((at for at in sent if event.at_us <= at < healed[event.fault]), default=event.at_us) + 1
            back = min((at for at in sent if at >= healed[event.fault]), default=2**62)
            self._turns[event.victim] += [Version(gone, None, frozenset()), _version(deploy, back)]
        self._moments = sorted({turn.since_us for turns in self._turns.values() for turn in turns})
        self._there = [self._at(moment) for moment in self._moments]

    def there(self, at_us: int) -> dict[str, Version]:
        """The nodes that are there."""
        return self._there[bisect_right(self._moments, at_us) - 1]

    def _at(self, moment: int) -> dict[str, Version]:
        last = {node: [turn for turn in turns if turn.since_us <= moment][-1] for node, turns in self._turns.items()}
        return {node: turn for node, turn in last.items() if turn.writes is not None}


def _version(deploy: Deploys, since_us: int) -> Version:
    return Version(since_us, deploy.writes, frozenset(deploy.reads))


class Router:
    """One shopper's way to a node: any that is there, or the same one for as long as it is there."""

    def __init__(self, there: There, chance: Random, *, keeps: bool) -> None:
        self._there, self._chance, self._keeps, self._node = there, chance, keeps, ""

    def to(self, at_us: int) -> Version:
        """What the node that is asked understands."""
        there = self._there(at_us)
        if not self._keeps or self._node not in there:
            self._node = self._chance.choice(list(there))
        return there[self._node]


def thrown(asked: Iterable[Sequence[int]], there: There, chance: Random, *, keeps: bool) -> Kicked:
    """One world, from when each shopper logs in, and then asks what needs a login."""
    counts = []
    for login_us, *times in asked:
        router, kicked = Router(there, chance, keeps=keeps), 0
        session = router.to(login_us).writes
        for at_us in times:
            if session not in router.to(at_us).reads:
                session, kicked = router.to(at_us).writes, kicked + 1
        counts.append(kicked)
    return Kicked(counts.count(1), sum(each > 1 for each in counts), sum(counts))


def counted(answers: Iterable[Exchange]) -> Kicked:
    """What was measured: strangers' answers to people who were logged in, from the history alone."""
    kicked: defaultdict[int, int] = defaultdict(int)
    known: dict[int, bool] = {}
    for each in answers:
        if each.do == "login":
            known[each.shopper] = each.status == 200 or known.get(each.shopper, False)
        elif each.do in NEEDS_LOGIN and each.status == 401 and known.get(each.shopper):
            known[each.shopper] = False
            kicked[each.shopper] += 1
    return Kicked(sum(n == 1 for n in kicked.values()), sum(n > 1 for n in kicked.values()), sum(kicked.values()))


def of_run(run: Path, architecture: str, worlds: int = WORLDS) -> tuple[Kicked, list[Kicked]]:
    """What was measured in that architecture of the run, and what came out in each world."""
    folder = RunFolder(run)
    answers = [
        each
        for each in read_history(folder.history)
        if isinstance(each, Exchange) and each.architecture == architecture and each.node and each.status < 500
    ]
    events = [each for each in read_events(folder.events) if each.architecture == architecture]
    (ready,) = (event for event in events if isinstance(event, ClusterReady))
    deployed = Deployed(ready.nodes, [event for event in events if isinstance(event, FaultEvent)], answers)
    asked: defaultdict[int, list[int]] = defaultdict(list)
    for each in sorted(answers, key=lambda each: each.sent_us):
        if each.do in NEEDS_LOGIN or (each.do == "login" and not asked[each.shopper]):
            asked[each.shopper].append(each.sent_us)
    chance, keeps = Random(SEED), ready.description.affinity == "cookie"
    return counted(answers), [thrown(asked.values(), deployed.there, chance, keeps=keeps) for _ in range(worlds)]


def span(values: Iterable[int]) -> tuple[int, int, int]:
    """Where `FROM` of them end, the median, and where `TO` of them end."""
    ordered = sorted(values)
    low, middle, high = (ordered[round(share * (len(ordered) - 1))] for share in (FROM, 0.5, TO))
    return low, middle, high


def main(runs: Sequence[str]) -> None:
    """Print both, for each architecture of each run."""
    for run in map(Path, runs):
        for name in dict.fromkeys(event.architecture for event in read_events(RunFolder(run).events)):
            measured, worlds = of_run(run, name)
            for what in Kicked._fields:
                low, middle, high = span(getattr(world, what) for world in worlds)
                found = getattr(measured, what)
                outside = "" if low <= found <= high else "   OUTSIDE"
                print(f"{run.name} {name:18} {what:7} {found:4}   simulated {low} .. {middle} .. {high}{outside}")


if __name__ == "__main__":
    main(sys.argv[1:])
