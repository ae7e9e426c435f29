"""The keys of a scenario that only the matrix reads."""

from __future__ import annotations

import pytest

from loadtests.model.scenario import Scenario
from loadtests.planning.scenario_file import read_scenario
from shared.errors import ScenarioError

GOOD = """\
question = "Why?"
family = "test"
architectures = ["redis"]
alone = true
headline = "items_lost"

[without]
signed-token = "it has no store"
"""


def read(text: str) -> Scenario:
    return read_scenario(text.encode(), file="my.toml", name="my")


def test_they_are_read_and_have_defaults() -> None:
    scenario = read(GOOD)
    assert (scenario.alone, scenario.headline) == (True, "items_lost")
    assert scenario.without == {"signed-token": "it has no store"}
    plain = read('question = "Why?"\nfamily = "test"\n')
    assert (plain.alone, plain.headline, plain.without) == (False, "logged_out", {})


@pytest.mark.parametrize(
    ("old", "new", "place", "expected"),
    [
        ('"items_lost"', '"item_lost"', "line 5, headline", "did you mean 'items_lost'?"),
        ("signed-token =", "signed-tokem =", "line 8, without.signed-tokem", "did you mean 'signed-token'?"),
        ("signed-token =", "redis =", "line 8, without.redis", "either measured or left out"),
        ('"it has no store"', '" "', "line 8, without.signed-token", "why this architecture is left out"),
        ('"it has no store"', "3", "line 8, without.signed-token", "Expected `str`"),
    ],
)
def test_every_slip_is_told_with_its_place(old: str, new: str, place: str, expected: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read(GOOD.replace(old, new))
    assert place in caught.value.what
    assert expected in caught.value.why
