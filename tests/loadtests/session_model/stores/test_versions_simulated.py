"""The simulation that measured counts are held against: it comes to what its closed form says, where there is one."""

from __future__ import annotations

from random import Random

import pytest

from loadtests.model.events import FaultEvent, FaultPhase
from tests.bench.versions import Deployed, Kicked, There, Version, span, thrown

NODES = ("n1", "n2", "n3")


def deployed(*victims: str, at_us: int = 100) -> Deployed:
    """Each is struck at that time, and back (nobody asked it before) at once."""
    phases: tuple[FaultPhase, ...] = ("injected", "healed")
    return Deployed(
        NODES,
        [
            FaultEvent("redis", at_us, number, "deploy-renamed", victim, phase)
            for number, victim in enumerate(victims)
            for phase in phases
        ],
        [],
    )


def beside(*new: str) -> There:
    """Some of the nodes run the new version, all the time."""
    names = {node: "account" if node in new else "user" for node in NODES}
    versions = {node: Version(0, name, frozenset({name})) for node, name in names.items()}
    return lambda _at_us: versions


@pytest.mark.parametrize("new", [("n1",), ("n1", "n2")])
def test_two_versions_side_by_side_cost_what_the_closed_form_says(new: tuple[str, ...]) -> None:
    share = len(new) / len(NODES)
    form = share * (1 - share) / (share**2 + (1 - share) ** 2)
    kicked = thrown([range(500)] * 200, beside(*new), Random(1), keeps=False)
    assert kicked.events / (200 * 499) == pytest.approx(form, rel=0.02)


def test_who_is_kept_at_a_node_meets_one_version() -> None:
    assert thrown([range(50)] * 20, beside("n1"), Random(1), keeps=True) == Kicked(0, 0, 0)


def test_a_node_that_is_away_is_asked_by_nobody() -> None:
    there = deployed("n2")
    assert set(there.there(100)) == set(NODES)
    assert set(there.there(102)) == {"n1", "n3"}


def test_a_span_leaves_out_what_is_rarer_than_one_in_a_thousand() -> None:
    assert span(range(2001)) == (2, 1000, 1998)
