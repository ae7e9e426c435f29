"""What is carried out in the place of a fault: an owner's commands, and the placebo, all of it but the break."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import msgspec
import pytest

from compose.architectures import architecture_named
from compose.description import FaultCommands
from compose.engines.running import RunningCluster
from loadtests.faults import FAULTS
from loadtests.load.worker_config import LoadProgress
from loadtests.model.events import AtRisk, FaultEvent
from loadtests.model.plan import Control
from loadtests.model.run_folder import RunFolder
from loadtests.planning.make_plan import make_plan
from loadtests.planning.scenario_file import load_scenario
from loadtests.running.fault_run import CLUSTER, nothing_there
from loadtests.running.measure import Measurement
from loadtests.running.progress import Moment, Silent
from loadtests.running.run import limits_of
from loadtests.running.stand_ins import Placebo, fault_for
from shared.sessions import HeldSession
from tests.loadtests.running.test_fault_run import carry_out, strike
from tests.loadtests.scripted_cluster import ScriptedCluster

HELD = {"n2": [HeldSession("aa", "user-0002")]}


def test_it_goes_every_step_and_breaks_nothing(tmp_path: Path) -> None:
    fault_run, events = carry_out(tmp_path, Placebo(FAULTS["kill"]), held=HELD)
    assert fault_run.error is None
    phases = [event.phase for event in events if isinstance(event, FaultEvent)]
    assert phases == ["injected", "not_observed", "healed", "not_healed"]
    (at_risk,) = [event for event in events if isinstance(event, AtRisk)]
    assert at_risk.users == ("user-0002",), "who would have been hit is read as with the fault"


def test_it_calls_nothing_of_the_cluster_that_changes_it(tmp_path: Path) -> None:
    plan = make_plan(load_scenario("node-kill"), seed=1, control="placebo")
    planned = plan.faults[0]
    quick = type(planned)(planned.kind, 10, 20, planned.victim)
    cluster, _ = strike(tmp_path, quick, fault_for(quick, plan))
    assert cluster.calls == []


def test_that_of_an_owners_commands_runs_none_that_breaks_or_mends(tmp_path: Path) -> None:
    plan = make_plan(load_scenario("node-kill"), seed=1, control="placebo")
    broken, mended = tmp_path / "broken", tmp_path / "mended"
    commands = FaultCommands(["touch", str(broken)], ["true"], ["touch", str(mended)], ["true"])
    fault = fault_for(plan.faults[0], plan, Mock(fault={"kill": commands}, folder=""))
    fault.inject(Mock())
    fault.heal(Mock())
    assert fault.observe(Mock()) is not None, "it looks with the owner's eyes"
    assert not broken.exists()
    assert not mended.exists()


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_an_owners_commands_are_carried_out_whatever_we_see_of_the_application(tmp_path: Path, kind: str) -> None:
    commands = FaultCommands(["true"], ["true"], ["true"], ["true"])
    described = Mock(fault={kind: commands}, spec_set=["fault"])
    spec = msgspec.structs.replace(ScriptedCluster(tmp_path).spec, application=described)
    assert nothing_there(FAULTS[kind], RunningCluster(spec, tmp_path, "http://127.0.0.1:1"), CLUSTER) == ""


@pytest.mark.parametrize(("control", "faults"), [("", 1), ("placebo", 1), ("no-fault", 0)])
def test_a_control_has_the_same_shoppers(control: Control, faults: int) -> None:
    scenario = load_scenario("node-kill")
    plan, usual = make_plan(scenario, seed=3, control=control), make_plan(scenario, seed=3)
    assert plan.shoppers == usual.shoppers
    assert plan.faults == usual.faults[:faults]
    assert plan.control == control
    assert isinstance(fault_for(usual.faults[0], plan), Placebo) == (control == "placebo")


def test_a_control_does_not_have_the_conditions() -> None:
    scenario = load_scenario("two-workers")
    usual = limits_of(scenario)
    assert usual.node_workers > 1
    assert limits_of(scenario, "placebo").node_workers == 1
    assert limits_of(scenario, "no-fault").node_workers == 1


@pytest.mark.parametrize(("control", "told"), [("", ("fault", "kill n2")), ("placebo", ("load", "placebo"))])
def test_the_progress_does_not_announce_what_does_not_happen(
    tmp_path: Path, control: Control, told: tuple[str, str]
) -> None:
    class Recorder(Silent):
        def moment(self, moment: Moment) -> None:
            shown.append(moment)

    shown: list[Moment] = []
    plan = make_plan(load_scenario("node-kill"), seed=1, control=control)
    (fault,) = plan.faults
    setup = Mock(plan=plan, watcher=Recorder(), folder=RunFolder(tmp_path), run="0123abcd")
    measurement = Measurement(setup, architecture_named("redis"), 0)
    load = Mock(progress=LoadProgress)
    measurement._show_progress(load, (fault.at_ms + 1) * 1_000_000)
    assert [(moment.phase, moment.detail.replace(fault.victim, "n2")) for moment in shown] == [told]
