"""The cure beside what was measured without it."""

from __future__ import annotations

import msgspec
import pytest

from compose.architectures import ARCHITECTURES
from loadtests.faults.contract import Cure
from loadtests.model.results import LogoutCounts
from loadtests.planning.cures import CURES, shown_on, switch
from loadtests.planning.scenario_file import load_scenario
from loadtests.report.cured import cured
from tests.loadtests.report.conftest import MadeUp


@pytest.mark.parametrize("cure", CURES, ids=lambda cure: f"{cure.before} {cure.after}")
def test_every_cure_says_its_switch_and_its_command(made_up: MadeUp, cure: Cure) -> None:
    (one, *_) = made_up.results.architectures.values()
    everybody = dict.fromkeys(ARCHITECTURES, one)
    results = msgspec.structs.replace(made_up.results, scenario=cure.before, architectures=everybody)
    own = switch(cure, load_scenario(cure.before), load_scenario(cure.after))
    (found,) = (it for it in cured(results) if it.switch == tuple(own.split("`")))
    assert found.switch
    assert found.command.startswith("twinshop run ")
    assert {name for name, _, _ in found.lines} == set(
        shown_on(cure, *(load_scenario(it) for it in (cure.before, cure.after)))
    )


def test_what_was_measured_here_stands_beside_what_is_predicted(made_up: MadeUp) -> None:
    redis = msgspec.structs.replace(made_up.results.architectures["redis"], logged_out=LogoutCounts(17, 17, 0))
    results = msgspec.structs.replace(
        made_up.results, scenario="store-kill", seed=7, architectures={"redis": redis, "sticky-memory": redis}
    )
    (one,) = cured(results)
    assert one.lines == (("redis", "17", "0"),)
    assert one.command == "twinshop run store-kill-append-only --seed 7"


@pytest.mark.parametrize("name", ["calm", "of somebody's own"])
def test_where_nothing_is_to_be_cured_nothing_is_said(made_up: MadeUp, name: str) -> None:
    assert cured(msgspec.structs.replace(made_up.results, scenario=name)) == ()
