"""The shipped examples do as they are described: in memory, exactly those whom the victim served are logged out."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.engines.registry import engine_named
from loadtests.model.results import Results
from loadtests.running.application import ApplicationUnderTest
from loadtests.running.progress import Silent
from loadtests.running.run import RunRequest, run
from tests.applications import KILL_AND_DEPLOY, SHORT, example

pytestmark = pytest.mark.cluster
VARIANTS = {
    "flask-login": {"memory": True, "redis": False},
    "django": {"memory": True, "database": False},
    "express": {"memory": True, "redis": False},
    "php": {"files": True, "redis": False},
    "tomcat": {"memory": True},
}
"""By example: variants, and whether a node that dies takes its sessions with it."""


@pytest.mark.parametrize("name", VARIANTS)
def test_a_node_takes_with_it_whom_it_served_and_nobody_where_sessions_are_kept(name: str, tmp_path: Path) -> None:
    """A node dies; where sessions are kept elsewhere, the others are deployed after it, too."""
    for loses, scenario in ((True, SHORT), (False, KILL_AND_DEPLOY)):
        variants = tuple(variant for variant, its in VARIANTS[name].items() if its == loses)
        if variants:
            results = _run(name, scenario, variants, tmp_path)
            _holds(results, f"{name}-{variants[0]}", loses=loses)


@pytest.mark.long
@pytest.mark.parametrize("name", VARIANTS)
def test_a_deploy_logs_everybody_out_whose_session_is_in_a_node(name: str, tmp_path: Path) -> None:
    (variant,) = (variant for variant, loses in VARIANTS[name].items() if loses)
    results = _run(name, KILL_AND_DEPLOY, (variant,), tmp_path)
    result = results.architectures[f"{name}-{variant}"]
    assert (result.verdict, result.reasons, result.logged_out.shoppers) == ("as predicted", (), result.shoppers)


@pytest.mark.long
def test_tomcats_own_replication_keeps_everybody(tmp_path: Path) -> None:
    """As long as nobody waited for it, it lost sessions on a busy machine: see docs/explanation/findings.md."""
    _holds(_run("tomcat", SHORT, ("delta",), tmp_path), "tomcat-delta", loses=False)


def _run(name: str, scenario: Path, variants: tuple[str, ...], runs: Path) -> Results:
    under_test = ApplicationUnderTest.load(example(name))
    request = RunRequest(str(scenario), variants, 1, runs=runs / scenario.stem, application=under_test)
    return run(request, engine_named("processes"), Silent()).results


def _holds(results: Results, architecture: str, *, loses: bool) -> None:
    result = results.architectures[architecture]
    assert (result.verdict, result.reasons) == ("as predicted", ()), architecture
    assert result.books_balance
    assert result.facts is not None
    assert result.facts.grade == "B"
    if loses:
        assert result.exactly_those_at_risk
        assert result.at_risk
        assert {loss.cause for loss in result.losses if loss.kind == "logged_out"} == {"node_killed"}
    else:
        assert not [loss for loss in result.losses if loss.kind == "logged_out"]
