"""The sentence of every scenario credits faults with whom they logged out: made-up runs of all of them, counted."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from compose.architectures import ARCHITECTURES, Architecture
from compose.cluster import Limits
from loadtests.judging.judge import judge
from loadtests.judging.sentence import sentence_of
from loadtests.model.events import ClusterReady, Event, LoadEnded, LoadStarted
from loadtests.model.history import Exchange, encode_records
from loadtests.model.plan import Plan, encode_plan, plan_sha256
from loadtests.model.results import Results
from loadtests.model.run_folder import Provenance, RunFolder
from loadtests.model.scenario import Scenario
from loadtests.planning.make_plan import make_plan
from loadtests.planning.scenario_file import all_scenarios, encode_scenario
from loadtests.report.exports.judged import JudgedRun
from tests.loadtests.session_model.truth.causes import Case
from tests.loadtests.session_model.truth.happenings import TOOK, Answer, Fault, Setup, Step, at
from tests.loadtests.session_model.truth.world import World
from tests.long.credits import complaints, surfaces

SHOPPERS = 9
ACTS = 7
"""Of each shopper so many actions are carried out, spread over the window."""
SCENARIOS = {scenario.name: scenario for scenario in all_scenarios()}
PLAYS = {"cookie": "cookie", "hash": "hash", "address": "hash"}
"""How the truth's balancer plays an affinity; every other one is taking turns."""
DOES = ("login", "add", "browse", "logout")


class Shop(World):
    """A course of events in which people who are answered as strangers log in again."""

    def run(self) -> list[Answer]:
        self._next = count(1_000)
        return super().run()

    def _ask(self, number: int, step: Step) -> None:
        super()._ask(number, step)
        answer = self.answers[-1]
        if answer.status == 401 and answer.step.do != "login":
            again = Step(answer.done + 2 * TOOK, "login", step.to, step.shopper)
            self._at(again.at + TOOK // 2, lambda: self._ask(next(self._next), again))


class Played(Case):
    """The case as people shop in it."""

    @cached_property
    def answers(self) -> list[Answer]:
        store = PLAYED_AS.get(self.setup.store, self.setup.store)
        return Shop(replace(self.setup, store=store), self.faults, self.steps).run()


PLAYED_AS = {"refresh": "token", "refresh-database": "token"}
"""The truth knows no refresh tokens. Any history will do where sentences are held against what the judge has found."""


def steps_of(plan: Plan) -> Iterator[Step]:
    """Whom each comes to where the balancer takes turns, and what the truth knows of what they do."""
    todo = sorted(
        (action.at_ms * 1000, person.shopper, action.do if action.do in DOES else "me")
        for person in plan.shoppers
        for action in _some(person.actions)
    )
    for turn, (at_us, shopper, do) in enumerate(todo):
        yield Step(at_us, do, f"n{turn % plan.nodes + 1}", shopper)
    for person in plan.shoppers:
        yield Step(plan.window_ms * 1000 + person.shopper * 3 * TOOK, "me", "n1", person.shopper)


def _some(actions: tuple[Any, ...]) -> list[Any]:
    first, *others = actions
    return [first, *others[:: max(1, len(others) // ACTS)]]


def played(plan: Plan, about: Architecture, limits: Limits) -> Played:
    """The plan carried out in the simulator that knows the truth, with its faults observed."""
    setup = Setup(
        about.store, PLAYS.get(about.affinity, "round-robin"), lifetime=at(limits.session_lifetime_s),
        refresh=limits.session_refresh_each_request, leeway_s=limits.clock_leeway_s,
        append_only=limits.store_append_only, evicts=limits.store_eviction != "noeviction",
        nodes=tuple(f"n{number + 1}" for number in range(plan.nodes)),
    )  # fmt: skip
    faults = tuple(
        Fault(it.kind, it.victim, it.at_ms * 1000, it.at_ms * 1000 + 20_000, it.heal_at_ms * 1000,
              it.heal_at_ms * 1000 + 400_000)
        for it in plan.faults
    )  # fmt: skip
    return Played(about.name, setup, faults, tuple(steps_of(plan)))


def events_of(case: Played, plan: Plan, limits: Limits) -> list[Event]:
    """What the harness would have written."""
    name = case.architecture
    about, end = ARCHITECTURES[name], plan.window_ms * 1000 + at(2)
    ready = ClusterReady(name, -at(2), about, "processes", case.setup.nodes, limits, {}, 1.0)
    faults = sorted(case.events(), key=lambda event: event.at_us)
    return [
        ready, LoadStarted(name, 0, 1_763_688_000_000_000, 1), *faults,
        LoadEnded(name, end, True, 1.0, len(case.answers)),
    ]  # fmt: skip


def write_run(root: Path, scenario: Scenario, lifetime_s: int | None) -> RunFolder:
    """The run of that scenario as it would have left its folder, but for the logs."""
    settings = dict(scenario.settings) | ({} if lifetime_s is None else {"session_lifetime_s": lifetime_s})
    scenario = msgspec.structs.replace(scenario, settings=settings)
    plan = make_plan(scenario, seed=1, shoppers=SHOPPERS)
    cases = [played(plan, ARCHITECTURES[name], scenario.limits()) for name in scenario.architectures]
    run = RunFolder(root)
    root.mkdir()
    run.plan.write_bytes(encode_plan(plan))
    run.scenario.write_bytes(encode_scenario(scenario))
    history: list[Exchange] = [each for case in cases for each in sorted(case.exchanges(), key=lambda it: it.done_us)]
    run.history.write_bytes(encode_records(history))
    events = [event for case in cases for event in events_of(case, plan, scenario.limits())]
    run.events.write_bytes(msgspec.json.Encoder().encode_lines(events))
    sha = hashlib.sha256(run.scenario.read_bytes()).hexdigest()
    run.provenance.write_bytes(msgspec.json.encode(Provenance(
        1, "0a1b2c3d", scenario.name, 1, plan_sha256(plan), "processes", scenario.architectures, SHOPPERS, 1,
        ("twinshop", "run", scenario.name), "2026-11-21T00:00:00Z", "0.1.0", "3.11", "Linux", 2, 4096, {}, sha,
    )))  # fmt: skip
    return run


def judged(run: RunFolder) -> tuple[JudgedRun, JudgedRun]:
    """As it is; and as if the rest of the experiment had happened: the simulator keeps no logs, which is doubted."""
    found = judge(run.root)
    sure = {
        name: msgspec.structs.replace(result, verdict="as predicted", reasons=())
        for name, result in found.architectures.items()
    }
    plan = make_plan(SCENARIOS[found.scenario], seed=1, shoppers=SHOPPERS)
    answer = sentence_of(plan.faults, sure)
    known = msgspec.structs.replace(found, verdict="as predicted", architectures=sure, answer=answer)
    return tuple(JudgedRun(run, run.read_provenance(), results) for results in (found, known))  # type: ignore[return-value]


def document(results: Results) -> dict[str, Any]:
    """As `results.json` has it."""
    read: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(results))
    return read


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_sentence_credits_faults_with_whom_they_logged_out_and_nobody_else(name: str, tmp_path: Path) -> None:
    for lifetime_s in (None, 3):  # as it is; and so that time logs people out as well
        for run in judged(write_run(tmp_path / f"lives {lifetime_s}", SCENARIOS[name], lifetime_s)):
            written = document(run.results)
            assert set(written["architectures"]) == set(SCENARIOS[name].architectures)
            for place, sentence in surfaces(run).items():
                assert [*complaints(written, sentence)] == [], f"{place}: {sentence}"
            for near_miss in near_misses(run.results.answer):
                assert [*complaints(written, near_miss)], f"a near miss passes: {near_miss}"


def near_misses(sentence: str) -> Iterator[str]:
    """The sentence with one of its numbers of people one higher."""
    for number in re.finditer(r"(?<![\w-])\d+(?= (?:of|in|again|shoppers?|before|later)|[ .;]|$)", sentence):
        if "logged out" in sentence[: number.start()]:
            yield f"{sentence[: number.start()]}{int(number[0]) + 1}{sentence[number.end() :]}"


def test_what_is_made_up_has_something_to_credit(tmp_path: Path) -> None:
    _, run = judged(write_run(tmp_path / "run", SCENARIOS["node-kill"], None))
    assert re.match(
        r"Killing n\d logged out [1-9] of 9 shoppers in sticky-memory; nobody in signed-token or redis; "
        r"roundrobin-memory had already lost [1-9]\.$",
        run.results.answer,
    )


@pytest.mark.parametrize(
    "sentence",
    [
        "Killing n2 logged out 2 of 9 shoppers in a; for other reasons 1 in a; nobody in c.",
        "Killing n2 logged out nobody; for other reasons 1 in a and 1 in b; nobody in c.",
        "Killing n2 logged out 1 of 9 shoppers in a; for other reasons 1 in a and 1 in b; nobody in b or c.",
        "Killing n2 logged out 1 of 9 shoppers in a; for other reasons 1 in a; nobody in c.",
        "Killing n2 logged out 1 of 9 shoppers in a; b had already lost 1 of 9 before; for other reasons 1 in a.",
        "Killing n2 logged out 1 of 9 shoppers in a and 1 in b; for other reasons 1 in a; nobody in c.",
        "Killing n2 logged out 1 of 9 shoppers in a; time logged out 1 in a and time logged out 1 in b.",
        "Killing n2 logged out 1 shopper in 2 of 3 architectures; for other reasons 2.",
        "Killing n2 logged out 1 of 9 shoppers in a; for other or further reasons 1 in a and 1 in b; nobody in c.",
        "Killing n2 pleased 2 of 9 shoppers.",
    ],
)
def test_what_the_losses_do_not_bear_out_is_complained_of(sentence: str) -> None:
    def lost(shopper: int, **because: int) -> dict[str, Any]:
        return {
            "kind": "logged_out", "shopper": shopper, "at_ms": 6000.0, "cause": "other_node", "because": [because],
        }  # fmt: skip

    about = {
        "shoppers": 9,
        "at_risk": 3,
        "verdict": "as predicted",
        "reasons": [],
        "faults": [{"injected_us": 5_000_000}],
    }
    lost_in = {"a": [lost(1, fault=0), lost(1), lost(2)], "b": [lost(1)], "c": []}
    made_up = {"architectures": {name: {**about, "losses": losses} for name, losses in lost_in.items()}}
    right = "Killing n2 logged out 1 of 9 shoppers in a; for other reasons 1 in a and 1 in b; nobody in c."
    assert [*complaints(made_up, right)] == []
    assert [*complaints(made_up, sentence)]
