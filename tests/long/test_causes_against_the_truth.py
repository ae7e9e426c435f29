"""Thousands of made-up worlds: the same demands as in the quick tests. `make test-long`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadtests.faults import FAULTS
from tests.loadtests.session_model.asked_about import ClockBehind
from tests.loadtests.session_model.made_up_worlds import demand, demand_not_named, twins, worlds
from tests.loadtests.session_model.truth.causes import Case

pytestmark = pytest.mark.long

WORLDS = int(os.environ.get("TWINSHOP_WORLDS", "5000"))
MANY = settings(max_examples=WORLDS, deadline=None, suppress_health_check=list(HealthCheck), derandomize=False)


@pytest.fixture(scope="module", autouse=True)
def clocks_of_either_sign() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(FAULTS, "clock-behind", ClockBehind())
        yield


@pytest.mark.timeout(3600)
def test_what_is_named_is_true_and_minimal(capsys: pytest.CaptureFixture[str]) -> None:
    found: Counter[str] = Counter()

    @given(worlds())
    @MANY
    def each(case: Case) -> None:
        exact, lost = demand(case)
        found.update({"worlds": 1, "losses": lost, "cause demanded exactly": exact})

    each()
    assert found["cause demanded exactly"] > found["losses"] / 3  # where answers were errors, no more than the truth is
    with capsys.disabled():
        print(f"\n{dict(found)}")  # noqa: T201


@pytest.mark.timeout(3600)
def test_a_fault_that_changes_nothing_is_never_named() -> None:
    @given(worlds(), st.data())
    @MANY
    def each(case: Case, data: st.DataObject) -> None:
        demand_not_named(*data.draw(twins(case)))

    each()
