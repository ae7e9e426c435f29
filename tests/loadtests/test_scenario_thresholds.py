"""`[fail_if]` in a scenario file: how it may be written, and what is said of slips."""

from __future__ import annotations

import pytest

from loadtests.judging.verdict import thresholds_of
from loadtests.model.scenario import Scenario
from loadtests.planning.make_plan import make_plan
from loadtests.planning.page import plan_page
from loadtests.planning.scenario_file import read_scenario
from shared.errors import ScenarioError

HEAD = 'question = "Why?"\nfamily = "test"\n'


def read(text: str) -> Scenario:
    return read_scenario(text.encode(), file="my.toml", name="my")


@pytest.mark.parametrize(
    "text",
    [
        '[fail_if]\nfailed = "> 9"\n[fail_if.redis]\nlogged_out = "> 0"\n',
        '[fail_if]\nfailed = "> 9"\nredis.logged_out = "> 0"\n',
        '[fail_if]\nfailed = "> 9"\nredis = {logged_out = "> 0"}\n',
    ],
)
def test_every_way_in_which_toml_writes_it_means_the_same(text: str) -> None:
    scenario = read(HEAD + text)
    assert thresholds_of(scenario.fail_if, "redis") == {"failed": "> 9", "logged_out": "> 0"}
    assert thresholds_of(scenario.fail_if, "signed-token") == {"failed": "> 9"}


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ('[fail_if]\nloged_out = "> 0"', "line 4, fail_if.loged_out: there is no measure", "mean 'logged_out'?"),
        ("[fail_if]\nlogged_out = 0", "line 4, fail_if.logged_out", "whether '0' is to be met"),
        ('[fail_if]\nlogged_out = "0"', "line 4, fail_if.logged_out: '0' cannot be read as a threshold", '"> 0"'),
        ('[fail_if]\nlogged_out = "> x"', "line 4, fail_if.logged_out", "a number or formula"),
        ('[fail_if]\nredis = "> 0"', "line 4, fail_if.redis: '> 0' does not say of which measure", "[fail_if.redis]"),
        ('[fail_if.reddis]\nlogged_out = "> 0"', "line 3, fail_if.reddis: there is no architecture", "mean 'redis'?"),
        ('[fail_if.logged_out]\nredis = "> 0"', "line 3, fail_if.logged_out: there is no architecture", "redis"),
        ('[fail_if.redis]\nfaild = "> 0"', "line 4, fail_if.redis.faild: there is no measure", "mean 'failed'?"),
        ('[fail_if.redis]\nfailed = ["> 0"]', "line 4, fail_if.redis.failed", "got `array`"),
        ('[fail_if.redis]\nfailed = "U"', "line 4, fail_if.redis.failed: 'U' cannot be read", "a relation"),
        ('[fail_iff]\nfailed = "> 0"', "line 3, fail_iff: there is no key", "mean 'fail_if'?"),
    ],
)
def test_every_slip_is_told_with_its_place_and_what_was_expected(text: str, place: str, expected: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read(f"{HEAD}{text}\n")
    assert f"my.toml, {place}" in caught.value.what
    assert expected in caught.value.why


def test_the_plan_says_what_is_to_fail_the_run() -> None:
    scenario = read(f'{HEAD}[fail_if]\nfailed = "> 9"\n[fail_if.redis]\nlogged_out = "> 0"\n')
    page = plan_page(make_plan(scenario, seed=1), scenario).splitlines()
    at = page.index("fails if failed > 9")
    assert page[at + 1] == "         logged_out > 0 (redis)"
    without = read(HEAD)
    assert "fails if" not in plan_page(make_plan(without, seed=1), without)
