"""One sentence, at most 30 words, whatever happened."""

from __future__ import annotations

import random

import msgspec
import pytest

from loadtests.judging.sentence import MOST_WORDS, sentence_of
from loadtests.plan import PlannedFault
from loadtests.results import ArchitectureResult, LoggedOut, Loss, VerdictWord
from tests.loadtests.example_result import UNEVENTFUL

KILL = PlannedFault("kill", 5000, 8000, "n2")
LOSS = Loss("logged_out", 1, 1.0, "n1", "node_killed", ())


def result(
    out: int, *, at_risk: int = 0, verdict: VerdictWord = "as predicted", cause: str = "node_killed"
) -> ArchitectureResult:
    losses = (msgspec.structs.replace(LOSS, cause=cause),) * out
    return msgspec.structs.replace(
        UNEVENTFUL, verdict=verdict, shoppers=60, logged_out=LoggedOut(out, out, 0), at_risk=at_risk, losses=losses
    )


def test_the_first_comparison() -> None:
    found = sentence_of(
        [KILL],
        {
            "sticky-memory": result(20, at_risk=20),
            "roundrobin-memory": result(60, at_risk=47, cause="other_node"),
            "signed-token": result(0),
            "redis": result(0),
        },
    )
    assert found == (
        "Killing n2 logged out 20 of 60 shoppers in sticky-memory (all whose sessions it held) and 60 in "
        "roundrobin-memory; nobody in signed-token or redis."
    )


def test_a_calm_day() -> None:
    found = sentence_of([], {"sticky-memory": result(0), "roundrobin-memory": result(60), "redis": result(0)})
    assert found == (
        "Without any fault, the shop logged out 60 of 60 shoppers in roundrobin-memory; "
        "nobody in sticky-memory or redis."
    )


def test_nobody_anywhere() -> None:
    assert sentence_of([KILL], {"redis": result(0)}) == "Killing n2 logged out nobody in redis."


def test_what_is_inconclusive_claims_nothing() -> None:
    unclear = result(0, verdict="inconclusive")
    assert sentence_of([KILL], {"redis": unclear}) == (
        "Inconclusive: the experiment did not happen as planned in redis."
    )
    found = sentence_of([KILL], {"sticky-memory": result(20, at_risk=20), "redis": unclear})
    assert found.endswith("; inconclusive in redis.")
    assert "nobody" not in found


def test_nothing_measured() -> None:
    assert sentence_of([KILL], {}) == "Nothing was measured."


@pytest.mark.parametrize("seed", range(300))
def test_never_more_than_thirty_words(seed: int) -> None:
    chance = random.Random(seed)
    names = [f"architecture-{number}" for number in range(chance.randint(1, 14))]
    verdicts: list[VerdictWord] = ["as predicted", "not as predicted", "inconclusive"]
    results = {}
    for name in names:
        out = chance.choice((0, 20, 60))
        results[name] = result(out, at_risk=chance.choice((out, 7)), verdict=chance.choice(verdicts))
    kinds = ["kill", "freeze", "slow"]
    faults = [PlannedFault(chance.choice(kinds), 0, 1, f"n{chance.randint(1, 4)}") for _ in range(chance.randint(0, 5))]
    found = sentence_of(faults, results)
    assert len(found.split()) <= MOST_WORDS, found
    assert found.endswith(".")
    assert found.count(".") == 1
